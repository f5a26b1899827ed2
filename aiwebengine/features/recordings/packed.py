"""
Documents of recordings as they are stored: compressed JSON.

They are as large as what clients and scripts send, so they are written and read in pieces: a thread that is inside
one long call of the interpreter's own holds up the reactor as surely as the reactor itself.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from aiwebengine import long_json
from aiwebengine.long_json import WINDOW, no_checkpoint

_DECODER = json.JSONDecoder()
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


def pack(document: Mapping[str, Any]) -> bytes:
    """Return a document as it is stored."""
    packing = zlib.compressobj()
    pieces = [packing.compress(piece.encode("ascii")) for piece in long_json.encode(document, _ENCODE, no_checkpoint)]
    return b"".join((*pieces, packing.flush()))


def unpack(packed: bytes) -> Any:
    """Return the document that was stored."""
    return read_json(zlib.decompress(packed).decode("ascii"))


def read_json(text: str) -> Any:
    """
    Read JSON of any length.

    Raises:
        ValueError, RecursionError: It is not valid, or nested too deeply.
    """
    return long_json.decode(text, _DECODER, no_checkpoint)


def write_json(value: Any, *, like: str) -> str:
    """
    Write JSON of any length.

    Args:
        like: What it takes the place of; if that is short it is written with spaces, as such places always were.
    """
    if len(like) <= WINDOW:
        return json.dumps(value)
    return write_long(value)


def write_long(value: Any) -> str:
    """Write JSON of any length without spaces."""
    return "".join(long_json.encode(value, _ENCODE, no_checkpoint))
