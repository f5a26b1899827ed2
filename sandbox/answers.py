"""
Bodies of answers: from the text in which the engine gives them to the bytes that leave.

The engine gives ASCII only, so it writes what is not as JSON or base64; see `prelude/handlers/answers.js`.
"""

from __future__ import annotations

import json
from binascii import a2b_base64

_PIECE = 2


def body_bytes(encoding: str, text: str) -> bytes:
    """
    Return a body.

    Args:
        encoding: `a` ASCII, `j` a JSON string, `b` base64, `n` no body.

    Raises:
        UnicodeError: It is not what the encoding says, which no script can cause.
    """
    if encoding == "a":
        return text.encode("ascii")
    if encoding == "n":
        return b""
    try:
        # The prelude has put U+FFFD in the place of half a character already.
        return a2b_base64(text) if encoding == "b" else json.loads(text).encode("utf-8", "replace")
    except (ValueError, AttributeError) as error:
        raise UnicodeError(f"a body cannot be read: {error}") from None


def part_value(arguments: str) -> bytes:
    """
    Return what the server is sent of a part of an answer: its head, NUL, and its body.

    Args:
        arguments: JSON of the head, of encoding and body, or of all three.

    Raises:
        UnicodeError: It is not valid, which no script can cause.
    """
    strings = json.loads(arguments)
    head = "" if len(strings) == _PIECE else strings[0]
    body = b"" if len(strings) < _PIECE else body_bytes(*strings[-2:])
    return b"%b\0%b" % (head.encode("ascii"), body)
