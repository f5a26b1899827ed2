"""Numbers as JavaScript reads and prints them: scripts and clients expect those of graphql-js."""

from __future__ import annotations

import math
import re
import sys
from decimal import Decimal

_EXACT = 2**53
_PLAIN = 1e21
"""From here on JavaScript prints numbers with an exponent."""
_SMALL = 1e-6
"""Below it does, too."""
LARGEST = sys.float_info.max
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DIGITS = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)", re.ASCII)
_SPACE = "\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))


def number_text(value: float) -> str:
    """Return what `String(value)` returns in JavaScript."""
    if isinstance(value, int) and -_EXACT < value < _EXACT:
        return str(value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    size = abs(number)
    if size >= _PLAIN or size < _SMALL:
        return repr(number).replace("e-0", "e-").replace(".0e", "e")
    text = format(Decimal(repr(number)), "f")
    return text.removesuffix(".0")


def number_of(text: str) -> float | None:
    """Return what `Number(text)` returns in JavaScript; None if that is not finite."""
    text = text.strip(_SPACE)
    if not text:
        return 0
    if _DIGITS.fullmatch(text):
        number = float(int(text, 0)) if len(text) < 200 else math.inf
    elif _DECIMAL.fullmatch(text):
        number = float(text)
    else:
        return None
    return number if math.isfinite(number) else None


def shortest(value: float) -> float:
    """Return *value* as the integer that JavaScript prints, if it prints one: its JSON has no `.0`."""
    if isinstance(value, float):
        return int(number_text(value)) if value.is_integer() and abs(value) < _PLAIN else value
    return value if -_EXACT < value < _EXACT or abs(value) > LARGEST else shortest(float(value))
