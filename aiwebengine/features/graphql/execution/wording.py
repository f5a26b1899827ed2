"""
What graphql-core says, in the words of graphql-js.

graphql-core puts names between single quotes and prints values as Python does; authors and clients
read JavaScript, and know the messages of graphql-js:

    Int cannot represent non-integer value: {'a': None}   ->   ... value: { a: null }
    Cannot query field 'nope' on type 'Query'.            ->   Cannot query field "nope" on type "Query".
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping

from aiwebengine.features.graphql.execution.numbers import number_text

_TOKEN = re.compile(
    r"""
    (?P<string> (?<!\w)'(?:[^'\\]|\\.)*'(?!\w) | "(?:[^"\\]|\\.)*" )
    | (?P<number> (?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w) )
    | (?P<word> (?<!\w)-?\b(?:None|True|False|nan|inf)\b | \[\.\.\.\] | \{\.\.\.\} )
    | (?P<open> \{(?=['"]) )
    | (?P<close> \} )
    """,
    re.VERBOSE,
)
_SYNTAX = "Syntax Error: "
_ENUM_VALUE = re.compile(r"\bValue '(.*)' does not exist in '([_A-Za-z][_0-9A-Za-z]*)' enum", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_WORDS: Mapping[str, str] = {
    "None": "null",
    "True": "true",
    "False": "false",
    "nan": "NaN",
    "inf": "Infinity",
    "-inf": "-Infinity",
    "[...]": "[Array]",
    "{...}": "[Object]",
}


def in_words_of_graphql(message: str, *, values: bool = True) -> str:
    """
    Return *message* of graphql-core as graphql-js words it.

    Args:
        message: What it says.
        values: Numbers in it are values, not as a client wrote them in a document.
    """
    if (enum := _ENUM_VALUE.search(message)) is not None:
        # The value stands there as it was sent, whatever quotes are in it.
        before = in_words_of_graphql(message[: enum.start()], values=values)
        after = in_words_of_graphql(message[enum.end() :], values=values)
        return f'{before}Value "{enum[1]}" does not exist in "{enum[2]}" enum{after}'
    pieces: list[str] = []
    depth, at = 0, 0
    for match in _TOKEN.finditer(message):
        pieces.append(message[at : match.start()])
        at = match.end()
        shown, kind = match[0], match.lastgroup
        if kind == "open":
            depth += 1
            shown = "{ "
        elif kind == "close":
            shown = " }" if depth else shown
            depth = max(0, depth - 1)
        elif kind == "word":
            shown = _WORDS[shown]
        elif kind == "number":
            shown = number_text(float(shown)) if values and ("e" in shown or "." in shown) else shown
        elif message.startswith(_SYNTAX):
            # A piece of the document, as it stands there.
            shown = f'"{shown[1:-1]}"'
        else:
            shown = _string(shown)
            if depth and message.startswith(": ", at):
                shown = _key(shown)
        pieces.append(shown)
    pieces.append(message[at:])
    return "".join(pieces)


def _string(token: str) -> str:
    """Return a string of Python as JSON; one between double quotes is JSON already, unless Python escaped in it."""
    if token[0] == '"' and "\\x" not in token and "\\U" not in token:
        return token
    try:
        return json.dumps(ast.literal_eval(token), ensure_ascii=False)
    except (ValueError, SyntaxError):
        # It was cut short, or is no string but a piece of a document.
        return '"' + token[1:-1].replace('"', '\\"') + '"'


def _key(token: str) -> str:
    name = token[1:-1]
    return name if _NAME.fullmatch(name) else token
