"""Scripts that Duktape takes as they are, for when there is no node to ask."""

from __future__ import annotations

import re

_MODULE = re.compile(r"^[^\S\n]*+(?:import|export)\b", re.MULTILINE)
_MODERN = re.compile(r"\b(?:let|const|class|async|await|yield|of)\b\s|=>|`|\.\.\.")
_COMMENT_OR_TEXT = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?""",
    re.DOTALL,
)
"""One that does not end extends to the end of the line or of the file, so that nothing is scanned twice."""
_NOT_ASCII = re.compile(r"\\?[^\x00-\x7f]")


def plain_source(entry: str, content: bytes) -> str | None:
    """
    Return the entry file as ASCII if it looks like plain ES5; None if it must be built.

    A file that only looks like it is refused when the sandbox compiles it.
    """
    if not entry.endswith(".js"):
        return None
    source = content.decode("utf-8")
    code = _without_comments(source)
    if _MODULE.search(code) or _MODERN.search(code):
        return None
    return _NOT_ASCII.sub(_escaped, source)


def _without_comments(source: str) -> str:
    """Put a space in place of comments and strings; one at a time, so that other threads run in between."""
    pieces: list[str] = []
    at = 0
    for match in _COMMENT_OR_TEXT.finditer(source):
        pieces.append(source[at : match.start()])
        at = match.end()
    return " ".join([*pieces, source[at:]])


def _escaped(match: re.Match[str]) -> str:
    character = match[0][-1]
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
