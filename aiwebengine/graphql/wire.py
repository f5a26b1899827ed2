"""
JSON, as it comes and goes.

What comes from a child or a client may be anything; numbers that JSON cannot hold, which Python
would read, are refused.  What goes to a client was put together from such values: what cannot be
written is told as an error in its place, so that nobody waits for an answer that never comes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, NoReturn


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"there is no {name}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large a number")
    return number


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode
_FAULT = (
    '{"errors":[{"message":"The result cannot be sent as JSON.","extensions":{"code":"SCRIPT_FAILED"}}],"data":null}'
)

encode_ascii: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""Makes JSON in ASCII, as scripts are sent it; ValueError if that cannot be."""


def decode(text: str | bytes) -> Any:
    """
    Read JSON.

    Raises:
        ValueError, RecursionError: It is none that can be used.
    """
    return _DECODER.decode(text.decode("utf-8") if isinstance(text, bytes) else text)


def encode(document: Any) -> str:
    """Make JSON of a response, or of an error that says that it is none."""
    try:
        return _encode(document)
    except (ValueError, TypeError, RecursionError):
        return _FAULT
