"""
What a setting may be, beside its type: stands in `Annotated` in the schema.

Each rule has its own text (`text`), so that an error, `--help` and the reference
page say the same thing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRange:
    """A number from `least` to `most`, both allowed; None means no bound."""

    least: float | None = None
    most: float | None = None

    def allows(self, value: Any) -> bool:
        """Return whether the number is inside."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    @property
    def text(self) -> str:
        """For people, such as `from 0 to 65535`."""
        if self.most is None:
            return f"{_number(self.least or 0)} or more"
        if self.least is None:
            return f"{_number(self.most)} or less"
        return f"from {_number(self.least)} to {_number(self.most)}"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    words: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        """Return whether it is one of them."""
        return value in self.words

    @property
    def text(self) -> str:
        """For people, such as `text or json`."""
        *most, last = (f"`{word}`" for word in self.words)
        return f"{', '.join(most)} or {last}" if most else last


@dataclass(frozen=True, slots=True)
class StringPattern:
    """Text of a certain form; for a list, each of its items."""

    text: str
    """For people, such as `an address like 127.0.0.1`."""
    allows: Callable[[Any], bool]
    """Returns whether the string has the form."""
    secret: bool = False
    """It may hold a password, and is not shown."""


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path: `~` is the home folder, a relative one starts from the folder in which the server is started."""

    text: str = "a path"
    required: bool = False
    """It must not be empty."""

    def allows(self, value: Any) -> bool:
        """Return whether the system could take it."""
        return "\0" not in value and (bool(value) or not self.required)


Rule = NumberRange | OneOf | StringPattern | FilePath


def is_listen_address(value: str) -> bool:
    """Return whether a server can listen on it: an address, or `localhost`."""
    if value == "localhost":
        return True
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def is_network(value: str) -> bool:
    """Return whether it is an address or a network such as `10.0.0.0/8`."""
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return False
    return True


def is_origin(value: str) -> bool:
    """Return whether it is empty, or scheme and host of a web address without path."""
    if not value:
        return True
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    named = parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
    return named and parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def is_weight(text: str) -> bool:
    """Return whether it is a script's name, `=` and a number from 0.01 to 100."""
    uri, _, number = text.rpartition("=")
    try:
        return bool(uri) and 0.01 <= float(number) <= 100
    except ValueError:
        return False
