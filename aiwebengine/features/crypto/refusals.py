"""Errors as the Web Cryptography API names them, and reading of what a script's process sends."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from aiwebengine.errors import Invalid


class Refusal(Invalid):
    """
    An error that the standard has a name for.

    Args:
        exception: `TypeError`, or the name of a `DOMException` such as `OperationError`.
        public: One full sentence.
    """

    def __init__(self, exception: str, public: str) -> None:
        super().__init__(public, details={"exception": exception})
        self.exception = exception


class RequestFields:
    """
    The members of an object that a script's process has sent.

    Args:
        members: Anything at all.
        what: How messages call it.
    """

    def __init__(self, members: Any, *, what: str) -> None:
        if not isinstance(members, Mapping):
            raise Refusal("TypeError", f"{what} must be an object.")
        self._members = members
        self.what = what

    def __contains__(self, name: str) -> bool:
        return self._members.get(name) is not None

    def text(self, name: str) -> str:
        """Return a string."""
        value = self._members.get(name)
        if not isinstance(value, str):
            raise Refusal("TypeError", f"{self.what}: {name} must be a string.")
        return value

    def flag(self, name: str) -> bool:
        """Return true or false."""
        return self._members.get(name) is True

    def integer(self, name: str, *, most: int = 2**32 - 1) -> int:
        """Return a whole number from 0 to *most*."""
        value = self._members.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise Refusal("TypeError", f"{self.what}: {name} must be a whole number from 0 to {most}.")
        return value

    def octets(self, name: str) -> bytes:
        """Return bytes, which are sent as Base64."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except (binascii.Error, ValueError):
            raise Refusal("TypeError", f"{self.what}: {name} must be bytes.") from None

    def list_of_text(self, name: str) -> tuple[str, ...]:
        """Return strings."""
        value = self._members.get(name)
        if not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
            raise Refusal("TypeError", f"{self.what}: {name} must be a list of strings.")
        return tuple(value)

    def fields(self, name: str) -> RequestFields:
        """Return the members of an object inside."""
        return RequestFields(self._members.get(name), what=f"{self.what}: {name}")

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return an object inside, as it is."""
        value = self._members.get(name)
        if not isinstance(value, Mapping):
            raise Refusal("TypeError", f"{self.what}: {name} must be an object.")
        return value


def as_text(octets: bytes) -> str:
    """Return bytes as they are sent."""
    return base64.b64encode(octets).decode("ascii")
