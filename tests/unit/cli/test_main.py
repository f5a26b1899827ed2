"""The command line with features of other packages, some of which are wrong."""

from __future__ import annotations

import click
import pytest

from aiwebengine.cli import main
from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.features import all as features
from aiwebengine.terminal import exits


@click.command()
def greet() -> None:
    """Say hello."""
    click.echo("hello")


WORD = "hello"


def with_command(monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Have a feature with the command `greet` installed."""
    feature = Feature(name="greetings", parts="none:build", api_version=1, commands={"greet": place})
    monkeypatch.setattr(features, "installed", lambda: (*features.FEATURES, feature))


def test_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A command of another package is run, and listed."""
    with_command(monkeypatch, f"{__name__}:greet")
    assert main.run(["greet"]) == exits.OK
    assert main.run(["--help"]) == exits.OK
    out = capsys.readouterr().out
    assert out.startswith("hello\n")
    assert "Say hello." in out


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere.at_all:greet", "ModuleNotFoundError: No module named 'nowhere'"),
        (f"{__name__}:missing", "AttributeError"),
        (f"{__name__}:WORD", "is a str, not a Click command"),
    ],
)
def test_broken_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, message: str
) -> None:
    """A command that cannot be loaded is told in a sentence, and the help lists all others."""
    with_command(monkeypatch, place)
    assert main.run(["greet"]) == exits.USAGE
    err = capsys.readouterr().err
    assert 'The command "greet" cannot be' in err
    assert place in err
    assert message in err
    assert main.run(["--help"]) == exits.OK
    captured = capsys.readouterr()
    assert "deploy" in captured.out
    assert message in captured.err


def test_broken_feature(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With a feature that is wrong the engine's own commands are still there; what is missing is told."""

    def installed() -> None:
        raise CannotStart("The entry point is wrong.")

    monkeypatch.setattr(features, "installed", installed)
    assert main.run(["greet"]) == exits.USAGE
    assert "The entry point is wrong." in capsys.readouterr().err
    assert main.run(["--help"]) == exits.OK
    captured = capsys.readouterr()
    assert "deploy" in captured.out
    assert "The entry point is wrong." in captured.err
    assert main.run(["deploy", "--help"]) == exits.OK
