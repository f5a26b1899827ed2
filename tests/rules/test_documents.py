"""The documents' commands, links and style."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from aiwebengine.cli.main import group
from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings.check import schema_fields
from tests.support.reading.rendered import ROOT, blocks_of, documents

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
AMOUNT = re.compile(r"(\d+)(?: (KiB|MiB|GiB))?")
UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
COMMANDS = [
    (path, typed.command)
    for path in documents()
    for block in blocks_of(path)
    for typed in block.commands()
    if re.match(r"aiwebengine |python -m aiwebengine\.cli ", typed.command)
]


def anchor(heading: str) -> str:
    """Return the fragment that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def plain(text: str) -> str:
    """Return a document without its code blocks."""
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", documents(), ids=[str(path.relative_to(ROOT)) for path in documents()])
def test_links_lead_somewhere(path: Path) -> None:
    """Every link of a document leads to a file and, if it names one, to a heading that is there."""
    for target in LINK.findall(plain(path.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        name, _, fragment = target.partition("#")
        other = (path.parent / name).resolve() if name else path
        assert other.exists(), f"{path.name} links to {target}"
        if fragment:
            headings = {anchor(text) for text in HEADING.findall(plain(other.read_text(encoding="utf-8")))}
            assert fragment in headings, f"{path.name} links to {target}"


@pytest.mark.parametrize(("path", "line"), COMMANDS, ids=[f"{path.name}: {line}" for path, line in COMMANDS])
def test_command_exists(path: Path, line: str) -> None:
    """A command that a document shows is one that the command line knows, with the options that it knows."""
    words = shlex.split(line.partition(" > ")[0])
    if words[:3] == ["python", "-m", "aiwebengine.cli"]:
        words = ["aiwebengine", *words[3:]]
    context = click.Context(group, info_name="aiwebengine")
    if f'commands={{"{words[1]}": ' in path.read_text(encoding="utf-8"):
        # A feature that the document describes has it; the test that follows the document runs it.
        return
    name, command, arguments = group.resolve_command(context, words[1:])
    assert command is not None, f"{path.name}: {line}"
    command.make_parser(click.Context(command, info_name=name, parent=context)).parse_args(list(arguments))


def test_settings_exist() -> None:
    """A setting that a document names is one that the server has."""
    fields = {field.name for field in schema_fields(sections_of(FEATURES))}
    sections = {name.partition(".")[0] for name in fields}
    named = {
        (path.name, quoted)
        for path in documents()
        for quoted in re.findall(r"`([a-z]+\.[a-z]+_[a-z_]+)`", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert {
        setting for setting in named if setting[1].partition(".")[0] in sections and setting[1] not in fields
    } == set()


def test_limits_are_the_defaults() -> None:
    """A number that the limits name beside a setting is the setting's default; 0 says that it is worked out."""
    defaults: dict[str, Any] = {field.name: field.default for field in schema_fields(sections_of(FEATURES))}
    text = (ROOT / "docs" / "explain" / "limits.md").read_text("utf-8")
    seen = 0
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`(\w+\.\w+)`", cells[-1])
        numbers = AMOUNT.findall(cells[1].replace(",", "").replace("an hour", "3600")) if len(cells) > 2 else []
        if not names or len(names) != len(numbers):
            continue
        for name, (number, unit) in zip(names, numbers, strict=True):
            default = defaults[name]
            if isinstance(default, tuple):
                default = int(default[0].partition("/")[0]) if default else 0
            if default != 0:
                assert int(number) * UNITS.get(unit, 1) == default, line
                seen += 1
    assert seen > 20


@pytest.mark.parametrize(
    "path",
    [path for path in documents() if "reference" not in path.parts],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_one_sentence_a_line(path: Path) -> None:
    """A line of a document holds one sentence, so that a change shows what it changes."""
    for number, line in enumerate(plain(path.read_text(encoding="utf-8")).split("\n"), 1):
        if not line.startswith(("|", "#", "!", "<")):
            assert not re.search(r"[a-z)`][.!?] [A-Z]", line), f"{path.name}: paragraph line {number}: {line}"
