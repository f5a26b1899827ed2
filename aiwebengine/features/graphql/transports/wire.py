"""
JSON of results.

What goes to a client was put together from what scripts gave: what cannot be written is told as
an error in its place, so that nobody waits for an answer that never comes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode
_FAULT = (
    '{"errors":[{"message":"The result cannot be sent as JSON.","extensions":{"code":"SCRIPT_FAILED"}}],"data":null}'
)

encode_ascii: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""Makes JSON in ASCII, as scripts are sent it; ValueError if that cannot be."""


def encode(document: Any) -> str:
    """Make JSON of a response, or of an error that says that it is none."""
    try:
        return _encode(document)
    except (ValueError, TypeError, RecursionError):
        return _FAULT
