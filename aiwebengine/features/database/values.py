"""
Values on the wire between the sandbox and the database.

What JSON has is sent as it is; everything else is an object with one key, both ways:

    {"d": 1700000000000}   a Date: milliseconds since 1970
    {"n": "9007199254740993"}   a BigInt
    {"b": "AAEC"}   bytes, in base64
    {"j": ...}   an object or array, for a column of the type json

So no value of a script can be taken for another kind of value.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any

from aiwebengine.errors import Invalid

EXACT = 2**53 - 1
"""Up to which JavaScript's numbers are exact."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_MILLISECONDS = 8_640_000_000_000_000
_LONGEST_BIGINT = 400


class JsonValue:
    """
    An object or array, for a column of the type `json`.

    Args:
        value: What JSON can represent.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JsonValue) and self.value == other.value

    def __hash__(self) -> int:
        return hash(repr(self.value))

    def __repr__(self) -> str:
        return f"JsonValue({self.value!r})"


def from_wire(value: Any) -> Any:
    """
    Return a value that a script has sent.

    Returns:
        None, bool, int, float or str; a `datetime` with a time zone; `bytes`; or a `JsonValue`.

    Raises:
        Invalid: It has none of the forms above; the sandbox sends no such thing.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        match kind, inner:
            case "d", int() | float() if not isinstance(inner, bool) and abs(inner) <= _MOST_MILLISECONDS:
                return _date(inner)
            case "n", str() if len(inner) <= _LONGEST_BIGINT:
                return _whole(inner)
            case "b", str():
                return _bytes(inner)
            case "j", _:
                return JsonValue(inner)
    raise Invalid("database: a value has an unknown form.")


def to_wire(value: Any) -> Any:
    """
    Return what a script is sent for a value of the database.

    Args:
        value: As `from_wire` returns it, or an int of any size.
    """
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return value if abs(value) <= EXACT else {"n": str(value)}
    if isinstance(value, datetime):
        return {"d": milliseconds(value)}
    if isinstance(value, bytes | bytearray | memoryview):
        return {"b": base64.b64encode(value).decode()}
    if isinstance(value, JsonValue):
        return {"j": value.value}
    return str(value)


def milliseconds(at: datetime) -> int:
    """Return a time as JavaScript counts it."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def _date(since: float) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=int(since))
    except OverflowError:
        raise Invalid("database: a Date must be between the years 1 and 9999.") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid("database: a value has an unknown form.") from None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("database: a value has an unknown form.") from None
