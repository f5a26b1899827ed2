"""Random bytes for every request: fetched from the operating system many at a time, and each used once."""

from __future__ import annotations

from collections.abc import Callable

_FETCHED_BYTES = 4096
_ID_BYTES = 10


class EntropyPool:
    """
    Random bytes.

    Args:
        fetch: Returns this many bytes from the operating system, with a system call.
    """

    __slots__ = ("_at", "_bytes", "_fetch")

    def __init__(self, *, fetch: Callable[[int], bytes]) -> None:
        self._fetch = fetch
        self._bytes = b""
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return *count* bytes that were never returned before; at most 4096."""
        at = self._at
        end = at + count
        if end > len(self._bytes):
            self._bytes = self._fetch(_FETCHED_BYTES)
            at, end = 0, count
        self._at = end
        return self._bytes[at:end]

    def new_id(self) -> str:
        """Return an id that is unique everywhere."""
        at = self._at
        end = at + _ID_BYTES
        if end > len(self._bytes):
            return self.take(_ID_BYTES).hex()
        # As `take`, for every request.
        self._at = end
        return self._bytes[at:end].hex()
