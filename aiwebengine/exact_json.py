"""
JSON, read exactly.

What comes from a child or a client may be anything.  Python reads numbers that JSON cannot hold
(`NaN`, `1e999`) and would write them again, as something that nobody else can read; here they
are refused where they come in.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"there is no {name}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:50]} is too large a number")
    return number


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def decode(text: str | bytes) -> Any:
    """
    Read JSON; bytes are UTF-8, and may begin with a byte-order mark.

    Raises:
        ValueError, RecursionError: It is none that can be used; what is no JSON at all is a `json.JSONDecodeError`.
    """
    return _DECODER.decode(text.decode("utf-8-sig") if isinstance(text, bytes) else text)


def decode_object(text: str | bytes) -> dict[str, Any] | None:
    """Read a JSON object; None if it is not one."""
    try:
        given = decode(text)
    except (ValueError, RecursionError):
        return None
    return given if isinstance(given, dict) else None
