"""
JSON, read exactly.

What comes from a child or a client may be anything.  Python reads numbers that JSON cannot hold
(`NaN`, `1e999`) and would write them again, in a form that other parsers reject; here they
are refused where they come in.
"""

from __future__ import annotations

import json
import math
import re
from json.scanner import py_make_scanner  # type: ignore[attr-defined]  # typeshed has its public name only
from typing import Any, NoReturn

from aiwebengine import long_json
from aiwebengine.long_json import Checkpoint, no_checkpoint


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"there is no {name}")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:_LONGEST]} is too large a number")
    return number


def _as_double(digits: str) -> float:
    return int(digits) if len(digits) < _SURELY_EXACT else _finite(digits)


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
_DOUBLES = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, parse_int=_as_double)
_SURELY_EXACT = 16
"""Integers of fewer digits are exact in a double."""
_MOST_DIGITS = 4300
"""Python reads no longer integer."""
_LONGEST = 40
_CONSTANTS = frozenset({"NaN", "Infinity", "-Infinity"})
_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|-?(?:\d[\d.eE+-]*|Infinity)|NaN')


def decode(text: str | bytes, *, doubles: bool = False, checkpoint: Checkpoint = no_checkpoint) -> Any:
    """
    Read JSON; bytes are UTF-8, and may begin with a byte-order mark.

    Args:
        text: The JSON.
        doubles: Numbers are those of JavaScript: an integer that a double cannot hold is rounded, as it is there.
        checkpoint: Called again and again while a long document is read.

    Raises:
        json.JSONDecodeError: It cannot be used; the message has no place, which the error has.
        RecursionError: It is nested too deeply.
        UnicodeDecodeError: The bytes are no UTF-8.
    """
    if isinstance(text, bytes):
        text = long_json.decode_utf8(text, checkpoint).removeprefix("\ufeff")
    try:
        return long_json.decode(text, _DOUBLES if doubles else _DECODER, checkpoint)
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise _placed(error, text) from None


def _placed(error: ValueError, text: str) -> json.JSONDecodeError:
    """Return the error with the place of the number that it is about: keys are not numbers."""
    for match in _NUMBER.finditer(text):
        number = match[0]
        if number in _CONSTANTS:
            return json.JSONDecodeError(f"there is no {number}", text, match.start())
        if number[0] != '"' and (len(number) > _MOST_DIGITS or math.isinf(float(number))):
            return json.JSONDecodeError(f"{_shown(number)} is too large a number", text, match.start())
    return json.JSONDecodeError(str(error)[:200], text, 0)


def _shown(number: str) -> str:
    return number if len(number) <= _LONGEST else f"{number[:_LONGEST]}…"


def python_decoder() -> json.JSONDecoder:
    """
    Make a decoder that is written in Python, but for single strings, and so ten times as slow as the usual one.

    The usual one is one call into C, and for as long as that takes no other thread runs: a large document that
    is decoded in a thread holds up the reactor all the same.  This one lets others run in between.
    """
    decoder = json.JSONDecoder()
    vars(decoder)["scan_once"] = py_make_scanner(decoder)
    return decoder


def decode_object(text: str | bytes) -> dict[str, Any] | None:
    """Read a JSON object; None if it is not one."""
    try:
        value = decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
