"""
A document as a reader sees it: its code blocks, each with the sentence above it.

Only what is rendered counts; comments and the language of a block are not seen.

- A block whose first line begins with `$ ` is typed at a terminal: each such line is a command, and
  the lines below it are what is printed.
- A block below a paragraph that ends with a file's name and a colon, "Save this as `notes.ts`:", is that
  file; where the sentence begins with "Add", it goes to the end of the file.
- In what is printed, `...` stands for anything, on a line of its own for any number of lines, and a word
  of `PLACEHOLDERS` for something that later commands name.  `^C` ends a command that goes on by itself;
  the last command above a block for another terminal may also end by itself, because of that block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[3]
PLACEHOLDERS = ("ID",)

_PROMPT = "$ "
_FILE = re.compile(r"`(?P<name>[\w~@-]*[./][\w.~@/-]*\w)`:$")
_SENTENCE_END = re.compile(r"(?<=[.?!:]) (?=[A-Z`])")
_OTHER_TERMINAL = re.compile(r"\b(?:another|second|other) terminal\b")
_PLACEHOLDER = re.compile(rf"(?<![\w$])(?:{'|'.join(PLACEHOLDERS)})(?![\w!\]])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A code block."""

    text: str
    above: str
    """The paragraph directly above it, its code in back-quotes; empty if there is none."""
    line: int

    @property
    def sentence(self) -> str:
        """The last sentence above it."""
        return _SENTENCE_END.split(self.above)[-1]

    @property
    def file(self) -> str | None:
        """The name of the file that it is to become."""
        found = None if self.is_typed else _FILE.search(self.above)
        return found["name"] if found else None

    @property
    def is_added(self) -> bool:
        """Whether it goes to the end of its file."""
        return self.sentence.startswith("Add ")

    @property
    def is_typed(self) -> bool:
        """Whether it is typed at a terminal."""
        return self.text.startswith(_PROMPT)

    @property
    def in_other_terminal(self) -> bool:
        """Whether the sentence above asks for another terminal."""
        return self.is_typed and _OTHER_TERMINAL.search(self.sentence) is not None

    def commands(self) -> Iterator[Typed]:
        """Yield what is typed, with what is printed."""
        if not self.is_typed:
            return
        lines = self.text.split("\n")
        starts = [number for number, line in enumerate(lines) if line.startswith(_PROMPT)]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            after = start + 1
            while lines[after - 1].endswith("\\"):
                after += 1
            command = "\n".join(lines[start:after]).removeprefix(_PROMPT)
            yield Typed(command=command, printed=tuple(lines[after:end]), line=self.line + 1 + start)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One command at a terminal."""

    command: str
    printed: tuple[str, ...]
    line: int

    @property
    def goes_on(self) -> bool:
        """Whether it runs until Ctrl-C."""
        return bool(self.printed) and self.printed[-1] == "^C"

    @property
    def first_printed(self) -> tuple[str, ...]:
        """What is printed as soon as a command that goes on has begun."""
        here = next((at for at, line in enumerate(self.printed) if line not in {"...", "^C"}), None)
        return () if here is None else (*self.printed[: here + 1], "...")

    @property
    def all_printed(self) -> tuple[str, ...]:
        """Everything that is printed; a terminal shows `^C` itself."""
        return self.printed[:-1] if self.goes_on else self.printed

    def with_words(self, words: Mapping[str, str]) -> str:
        """Return the command with the placeholders that are known replaced."""
        return _PLACEHOLDER.sub(lambda found: words.get(found[0], found[0]), self.command)


def matched(shown: tuple[str, ...], printed: str, words: Mapping[str, str]) -> dict[str, str] | None:
    """Return what the placeholders stand for if *printed* is what a document has *shown*, else None."""
    known = dict(words)
    pattern = "".join(_line_pattern(line, known) for line in shown)
    found = re.fullmatch(pattern, _columns(printed).rstrip("\n") + "\n" if printed.strip() else "")
    return None if found is None else {**words, **{k: v for k, v in found.groupdict().items() if v is not None}}


def _line_pattern(line: str, known: dict[str, str]) -> str:
    if line.strip() == "...":
        return r"(?:[^\n]*\n)*?"
    pattern = ""
    rest = _columns(line.rstrip())
    for part in re.split(rf"(\.\.\.|{_PLACEHOLDER.pattern})", rest):
        if part == "...":
            pattern += r"[^\n]*?"
        elif part not in PLACEHOLDERS:
            pattern += re.escape(part)
        elif part in known:
            pattern += re.escape(known[part]) if known[part] else rf"(?P={part})"
        else:
            known[part] = ""
            pattern += rf"(?P<{part}>[^\s\"]+?)"
    return pattern + r"[ ]*\n"


def _columns(text: str) -> str:
    """Return a text in which the columns of tables are as far apart as can be: how wide they are varies."""
    return re.sub(r"(?<=\S) {2,}(?=\S)", "  ", text)


def documents() -> list[Path]:
    """Return every document that people read."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@cache
def blocks_of(path: Path) -> tuple[Block, ...]:
    """Return the code blocks of a document, which nobody changes during a run."""
    return tuple(blocks(path.read_text(encoding="utf-8")))


def blocks(text: str) -> Iterator[Block]:
    """Yield the code blocks of a text."""
    above = ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "inline":
            above = _seen(token.children or [])
        elif token.type in {"fence", "code_block"}:
            line = token.map[0] + 1 if token.map else 0
            yield Block(text=token.content.removesuffix("\n"), above=above, line=line)
            above = ""
        elif token.type in {"heading_open", "hr", "table_open"}:
            above = ""


def _seen(tokens: list[Token]) -> str:
    words = []
    for token in tokens:
        if token.type == "code_inline":
            words.append(f"`{token.content}`")
        elif token.type in {"softbreak", "hardbreak"}:
            words.append(" ")
        elif token.type == "text":
            words.append(token.content)
    return "".join(words).strip()
