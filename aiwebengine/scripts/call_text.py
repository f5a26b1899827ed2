"""
A call as its author wrote it: where its arguments and its options begin.

A stack has the line of a call, but no column.  To mark what is wrong in it, the call is looked for in the source around
that line and read as far as its closing parenthesis: enough of the language to distinguish brackets from those in
strings, comments, templates and regular expressions. What cannot be read has no place; the line is reported in any
case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_LINES_BEFORE = 300
_MOST_CALLS = 20
_LONGEST_CALL = 20_000

_TOKEN = re.compile(
    r"""
    (?P<skipped>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<word>[A-Za-z_$][\w$]*|\d[\w.]*)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?P<end>`|\$\{)", re.DOTALL)
_PATTERN = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_BEFORE_KEYS = frozenset({"async", "get", "set"})
_BEFORE_PATTERNS = frozenset({"return", "typeof", "case", "in", "of", "void", "delete", "await", "yield"})


@dataclass(slots=True)
class _Call:
    """One call, as far as it was read; offsets in the source."""

    start: int
    end: int = -1
    """Of the closing parenthesis; -1 if it was not found."""
    arguments: list[int] = field(default_factory=list)
    options: dict[str, int] = field(default_factory=dict)
    """The keys of object literals among the arguments."""


def find_in_call(
    text: str, function: str, line: int, *, argument: int | None = None, option: str = ""
) -> tuple[int, int] | None:
    """
    Find what is wrong in a call.

    Args:
        text: The source.
        function: What is called.
        line: One of the lines of the call, from 1.
        argument: Which argument is wrong, from 0; None if none is.
        option: The key that is wrong in an object among the arguments; empty if none is.

    Returns:
        Line and column, from 1, of the option or argument, or of the call if it has it not literally; None if there is
        no such call.
    """
    first = _offset(text, max(1, line - _LINES_BEFORE))
    begin = _offset(text, line)
    end = text.find("\n", begin)
    end = len(text) if end < 0 else end
    called = re.compile(rf"(?<![\w$]){re.escape(function)}\s*(?:<[^()]{{0,200}}>)?\s*\(")
    around: list[_Call] = []
    for match in list(called.finditer(text, first, end))[-_MOST_CALLS:]:
        call = _read(text, match.start(), match.end() - 1)
        if call.end >= begin:
            around.append(call)
    # The innermost comes last, and of several in one line the one that has what is wrong.
    for call in reversed(around):
        if option in call.options:
            return _place(text, call.options[option])
        if argument is not None and argument < len(call.arguments):
            return _place(text, call.arguments[argument])
    return _place(text, around[-1].start) if around else None


def _read(text: str, start: int, opening: int) -> _Call:
    call = _Call(start)
    brackets: list[str] = []
    before = ""
    holds_options = False
    for at, word in _tokens(text, opening):
        opened = word in {"(", "[", "{", "${"}
        if brackets == ["("] and before in {"(", ","} and word != ")":
            call.arguments.append(at)
            holds_options = word == "{"
        elif brackets == ["(", "{"] and holds_options and before in {"{", ",", *_BEFORE_KEYS}:
            call.options.setdefault(word.strip("\"'"), at)
        if opened:
            brackets.append(word)
        elif word in _CLOSES:
            if not brackets or brackets.pop()[-1] != _CLOSES[word]:
                return call
            if not brackets:
                call.end = at
                return call
        before = word
    return call


def _tokens(text: str, at: int) -> Iterator[tuple[int, str]]:
    """Return what stands in the source from *at*, without comments; a string, template or pattern is one word."""
    end = min(len(text), at + _LONGEST_CALL)
    depth = 0
    templates: list[int] = []
    """How deep in braces each template is that is being read."""
    before = ""
    while at < end:
        start = at
        match = _TOKEN.match(text, at, end)
        assert match is not None
        word = match[0]
        if word == "/" and _may_begin_pattern(before):
            match = _PATTERN.match(text, at, end) or match
        elif word == "`" or (word == "}" and templates and templates[-1] == depth):
            if word == "}":
                templates.pop()
                depth -= 1
                yield start, "}"
            match = _TEMPLATE.match(text, at + 1, end)
            if match is None:
                return
            if match["end"] == "${":
                depth += 1
                templates.append(depth)
                yield start, "${"
                before = "${"
            else:
                before = "`"
                yield start, "`"
            at = match.end()
            continue
        at = match.end()
        if match.re is _TOKEN and match["skipped"] is not None:
            continue
        depth += (word == "{") - (word == "}")
        before = match[0]
        yield start, before


def _may_begin_pattern(before: str) -> bool:
    if before in _BEFORE_PATTERNS:
        return True
    return not (before[-1:].isalnum() or before[-1:] in {"_", "$", ")", "]", '"', "'", "`"})


def _offset(text: str, line: int) -> int:
    at = 0
    for _ in range(line - 1):
        line_end = text.find("\n", at)
        if line_end < 0:
            return len(text)
        at = line_end + 1
    return at


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
