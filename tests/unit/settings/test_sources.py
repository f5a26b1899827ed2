"""What was written in files, variables and flags, each with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiwebengine.settings.sources import RawValue, UnreadableSettings, from_environment, from_file, from_flags


def read(folder: Path, text: str | bytes, name: str = "my.yaml") -> list[Any]:
    """Read a file; each value as its path, itself, and its line and column, each problem as its message."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [
        located.message
        if isinstance(located, UnreadableSettings)
        else (".".join(located.path), located.value, located.place.line, located.place.column)
        for located in from_file(path)
    ]


def test_yaml(tmp_path: Path) -> None:
    """Every value comes with its key and where that stands; a section without keys says nothing."""
    text = "# mine\nserver:\n  port: 80\n  listen: '::1'\nhttp:\nlogs: {level: debug}\nprofile: staging\n"
    assert read(tmp_path, text) == [
        ("server.port", 80, 3, 3),
        ("server.listen", "::1", 4, 3),
        ("logs.level", "debug", 6, 8),
        ("profile", "staging", 7, 1),
    ]
    assert read(tmp_path, "") == []
    assert read(tmp_path, "\ufeffserver:\n  port: 80\n") == [("server.port", 80, 2, 3)]


def test_yaml_that_is_deeper_than_settings(tmp_path: Path) -> None:
    """A third level of keys is told with its whole path, and what follows it is read."""
    assert [row[0] for row in read(tmp_path, "a: {b: {c: {d: 1}}}\ne: 1\n")] == ["a.b.c", "e"]


def test_keys_that_stand_twice(tmp_path: Path) -> None:
    """The second one is told with the line of the first."""
    (value, problem) = read(tmp_path, "server:\n  port: 1\n  port: 2\n")
    assert value == ("server.port", 1, 2, 3)
    assert "`server.port` stands here a second time; the first is in line 2" in problem


def test_toml(tmp_path: Path) -> None:
    """TOML says the same, with the line of each key."""
    text = 'profile = "staging"\n\n[server]\n# a comment\nport = 80\n[logs]\n"level" = "debug"\n'
    assert read(tmp_path, text, "my.toml") == [
        ("profile", "staging", 1, 1),
        ("server.port", 80, 5, 1),
        ("logs.level", "debug", 7, 1),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "a: [", "This is not YAML"),
        ("a.yaml", "- a", "Settings are sections with keys"),
        ("a.yaml", b"a: \xff", "The file is not UTF-8: byte 0xff"),
        ("a.yaml", b"#" * (1024 * 1024 + 1), "larger than 1 MiB"),
        ("a.yaml", "[" * 100_000, "This is not YAML"),
        ("a.toml", "a = ", "This is not TOML"),
        ("a.toml", "a = 1\na = 2\n", "This is not TOML"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    """What is wrong with a file as a whole is one problem of it."""
    (problem,) = read(tmp_path, text, name)
    assert message in problem


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that is missing is told with its name and what to do."""
    (problem,) = from_file(tmp_path / "none.yaml")
    assert isinstance(problem, UnreadableSettings)
    assert problem.place.source.endswith("none.yaml")
    assert "Name an existing file with --config" in problem.message


def test_environment() -> None:
    """Only variables with the prefix are settings; their values are text."""
    found = list(from_environment({"AIWEBENGINE__SERVER__PORT": "80", "AIWEBENGINE_PROFILE": "x", "HOME": "/"}))
    assert [(located.path, located.value, located.is_text) for located in found] == [(("server", "port"), "80", True)]
    assert found[0].place.source == "environment variable AIWEBENGINE__SERVER__PORT"


def test_flags() -> None:
    """A flag is named as it was written."""
    (found,) = from_flags([("--port", "server.port", "80")])
    assert isinstance(found, RawValue)
    result = (found.path, found.value, found.is_text, found.place.source)
    assert result == (
        ("server", "port"),
        "80",
        True,
        "flag --port",
    )
