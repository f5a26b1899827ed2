"""
JSON of results.

What goes to a client was put together from what scripts gave: what cannot be encoded is replaced by an error, so that
the client always gets an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any

from aiwebengine import long_json
from aiwebengine.features.graphql.execution.numbers import number_text
from aiwebengine.long_json import NODES, Checkpoint, encode_utf8, no_checkpoint, weight

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode
_LONG_CALLS = 256 * 1024
_FAULT = (
    '{"errors":[{"message":"The result cannot be sent as JSON.","extensions":{"code":"SCRIPT_FAILED"}}],"data":null}'
)

encode_ascii: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""Makes JSON in ASCII, as scripts are sent it; ValueError if that cannot be."""


def encode_for_script(value: Any, checkpoint: Checkpoint) -> str:
    """
    Make JSON of what may be long; only if it is, there may be other characters than those of ASCII, see `run_payload`.

    Args:
        checkpoint: Called again and again while it is written.

    Raises:
        ValueError: That cannot be.
    """
    if weight(value, NODES) <= NODES:
        return encode_ascii(value)
    return encode_part(value, checkpoint)


def encode_long_ascii(value: Any, checkpoint: Checkpoint) -> str:
    """Do the same, always in ASCII."""
    return _encoded(value, encode_ascii, checkpoint)


def run_payload(calls: str, sender: str, checkpoint: Checkpoint) -> tuple[str, bytes]:
    """
    Return the payload of a run of resolvers, and what follows it: see `Invocation.body`.

    Args:
        calls: JSON of an array; a long one follows, for otherwise it would be copied again and again, and as ASCII.
        sender: Other members, each with a comma before it.
        checkpoint: Called between two copies.
    """
    if len(calls) <= _LONG_CALLS and calls.isascii():
        return f'{{"calls":{calls}{sender}}}', b""
    checkpoint()
    return f'{{"calls":null{sender}}}', encode_utf8(calls, checkpoint)


def _encoded(value: Any, encoder: Callable[[Any], str], checkpoint: Checkpoint) -> str:
    if weight(value, NODES) <= NODES:
        return encoder(value)
    text = "".join(long_json.encode(value, encoder, checkpoint))
    checkpoint()
    return text


_SMALL = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.]*e-0\d')
"""A string, or a number that Python prints in another way than JavaScript does."""


def _as_javascript(match: re.Match[str]) -> str:
    return match[0] if match[0][0] == '"' else number_text(float(match[0]))


_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair, which UTF-8 cannot say."""


def _encode_piece(value: Any) -> str:
    text = _whole_characters(_encode(value))
    return text if "e-0" not in text else _SMALL.sub(_as_javascript, text)


def _whole_characters(text: str) -> str:
    """Return JSON with halves of characters, which stand in strings only, as their escapes."""
    if text.isascii() or not _HALF.search(text):
        return text
    return text.encode("utf-8", "backslashreplace").decode()


def quoted(value: str) -> str:
    """Make JSON of a short string."""
    return _whole_characters(encode_basestring(value))


def encode_part(value: Any, checkpoint: Checkpoint) -> str:
    """
    Make JSON of a part of a response.

    Args:
        checkpoint: Called again and again while a long one is written.

    Raises:
        ValueError, TypeError, RecursionError: That cannot be.
    """
    return _encoded(value, _encode_piece, checkpoint)


def encode(document: Any, checkpoint: Checkpoint = no_checkpoint) -> str:
    """
    Encode a response as JSON, or an error that says that it cannot be encoded.

    Args:
        checkpoint: Called again and again while a long one is written.
    """
    try:
        return encode_part(document, checkpoint)
    except (ValueError, TypeError, RecursionError):
        return _FAULT
