"""
What the documents promise, read from their code blocks.

A comment `<!-- test: ... -->` before a fenced block says what the block is; see
`docs/contributing.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(r"<!-- test: (?P<words>.*?) -->\n```\w*\n(?P<text>.*?)\n?```", re.DOTALL)
_ANY_TEST = re.compile(r"<!-- test:")
_KINDS = {
    "feature": 1,
    "file": 2,
    "refused": 2,
    "problem": 0,
    "answer": 3,
    "status": 3,
    "administrator": 3,
    "commands": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One block that is run."""

    kind: str
    words: tuple[str, ...]
    """What follows the kind; the last one may be a request's body."""
    text: str
    line: int


def documents() -> list[Path]:
    """Return every document that people read."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def steps_of(path: Path) -> list[Step]:
    """Return the blocks of a document that are run; ValueError if a comment is none of ours."""
    text = path.read_text(encoding="utf-8")
    steps = list(_steps(text))
    if len(steps) != len(_ANY_TEST.findall(text)):
        raise ValueError(f"{path}: a test comment has no code block directly below it.")
    return steps


def _steps(text: str) -> Iterator[Step]:
    for found in _BLOCK.finditer(text):
        kind, *rest = found["words"].split(" ", 1)
        if kind not in _KINDS:
            raise ValueError(f"There is no test of the kind {kind}.")
        words = tuple(rest[0].split(" ", _KINDS[kind])) if rest else ()
        if len(words) < _KINDS[kind]:
            raise ValueError(f"A test of the kind {kind} takes {_KINDS[kind]} words: {found['words']}")
        yield Step(kind=kind, words=words, text=found["text"], line=text.count("\n", 0, found.start()) + 1)
