"""Scripts that Duktape takes as they are, for when there is no node to ask."""

from __future__ import annotations

import re
from collections.abc import Mapping

_MODULE = re.compile(r"^\s*(?:import|export)\b", re.MULTILINE)
_MODERN = re.compile(r"\b(?:let|const|class|async|await|yield|of)\b\s|=>|`|\.\.\.")
_COMMENT_OR_TEXT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""",
    re.DOTALL,
)
_NOT_ASCII = re.compile(r"\\?[^\x00-\x7f]")


def plain_source(entry: str, texts: Mapping[str, str]) -> str | None:
    """
    Return the entry file as ASCII if it looks like plain ES5; None if it must be built.

    A file that only looks like it is refused when the sandbox compiles it.
    """
    if not entry.endswith(".js"):
        return None
    source = texts[entry]
    code = _COMMENT_OR_TEXT.sub(" ", source)
    if _MODULE.search(code) or _MODERN.search(code):
        return None
    return _NOT_ASCII.sub(_escaped, source)


def _escaped(found: re.Match[str]) -> str:
    character = found[0][-1]
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
