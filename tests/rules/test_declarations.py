"""Everything that scripts can use is declared once, and what is declared is what happens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner
from twisted.internet.task import Clock

from aiwebengine.app import build
from aiwebengine.assembly.declared import DECLARED
from aiwebengine.cli.main import group
from aiwebengine.features.all import FEATURES
from aiwebengine.host.declare import HostCall
from aiwebengine.host.dispatch import Host
from aiwebengine.host.names import declarations
from aiwebengine.settings.schema import ServerSettings, Settings
from tests.rules.tree import ROOT

COMMANDS = ("deploy", "check")


def unlimited(call: HostCall) -> HostCall:
    """Return a declaration without the limits that the settings decide."""
    return replace(call, arguments=tuple(replace(argument, max_bytes=0) for argument in call.arguments))


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> Host:
    """What answers the calls of an engine with every feature."""
    settings = Settings(profile="development", server=ServerSettings(port=0, data_folder=str(tmp_path)))
    return cast(Host, cast(Any, build(settings, reactor=Clock()).runner)._host)


def test_declarations_are_sound() -> None:
    """Every function has words, an example, a result and bounds, and no name is declared twice."""
    assert DECLARED.problems() == []


def test_every_declared_call_is_answered(host: Host) -> None:
    """The dispatcher checks each call against its only declaration, and answers no function beside the declared."""
    answered = {call.name: unlimited(call) for call in host.calls}
    declared = {call.name: unlimited(call) for call in DECLARED.calls}
    assert {name: answered.get(name) for name in declared} == declared
    assert {name for name, call in answered.items() if name not in declared and not call.speaks_for} == set()


def test_documented_effects_are_those_of_the_wire(host: Host) -> None:
    """A function that the prelude implements documents the effect and the errors of the calls that it makes."""
    functions = {declaration.name: (declaration.effect, set(declaration.errors)) for declaration in DECLARED.globals}
    members = {
        f"{declaration.name}.{member.name}": (DECLARED.effect(member), set(DECLARED.errors(member)))
        for declaration in DECLARED.globals
        for member in declaration.members
    }
    documented = {**functions, **members}
    wrong = [
        f"{call.shown} is documented with {documented.get(call.shown)}; {call.name} has {call.effect}, {call.errors}"
        for call in host.calls
        if call.speaks_for
        and not call.standard
        and (
            call.shown not in documented
            # What is documented as immediate may be held with an option.
            or (documented[call.shown][0] not in {call.effect, "immediate"} and call.effect != "none")
            or not set(call.errors) <= documented[call.shown][1]
        )
    ]
    assert not wrong


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_capability(command: str) -> None:
    """`--grant` lists the capabilities that are declared, each with what it allows."""
    output = " ".join(CliRunner().invoke(group, [command, "--help"]).output.split())
    for capability in DECLARED.capabilities:
        assert f"{capability.written} ({capability.doc})" in output


def test_pages_list_every_capability() -> None:
    """The page on deploying, and the reference, list the capabilities that are declared."""
    for page in ("docs/howto/deploy.md", "docs/reference/javascript-api.md"):
        rows = [line for line in (ROOT / page).read_text("utf-8").splitlines() if line.startswith("| `")]
        assert {f"| `{capability.written}` | {capability.doc} |" for capability in DECLARED.capabilities} <= set(
            rows
        ), page


@pytest.mark.parametrize("left_out", [feature.name for feature in FEATURES])
def test_a_feature_can_be_left_out(left_out: str) -> None:
    """Without a feature its names are gone, and the declarations of the others are sound."""
    rest = declarations(feature.declares for feature in FEATURES if feature.name != left_out)
    gone = next(feature.declares for feature in FEATURES if feature.name == left_out)
    assert not set(rest.names) & set(gone.names)
    # GraphQL's messages to subscribers ask for the capability of the streams.
    assert [wrong for wrong in rest.problems() if "capability streams" not in wrong] == []
