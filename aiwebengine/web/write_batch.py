"""
Writes of many connections: what follows soon upon a write leaves together.

The first thing for a connection leaves at once; what comes within a moment after it waits until
the moment is over, and is one write then.  One timer serves all connections, and those that get
the same things share their bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.services.reactor.turn_share import TurnShare

_LARGE_BYTES = 64 * 1024


class WriteBatch:
    """
    See the module.

    Args:
        clock: Times writes.
        seconds: How long a moment is.
        share: How much is written in one turn of the reactor.
    """

    def __init__(self, *, clock: Clock, seconds: float, share: TurnShare) -> None:
        self._clock = clock
        self._share = share
        self._seconds = seconds
        self._recent: list[PendingWrites] = []
        self._writing: DelayedCall | None = None
        self.count = 0
        """How many writes waited for their moment."""

    def stop(self) -> None:
        """Write no more."""
        if self._writing is not None and self._writing.active():
            self._writing.cancel()
        self._writing = None

    def was_written(self, pieces: PendingWrites) -> None:
        """Something was written at once; what follows soon is gathered."""
        self._recent.append(pieces)
        if self._writing is None:
            self._writing = self._clock.callLater(self._seconds, self._write)

    def _write(self) -> None:
        self._writing = None
        before, self._recent = self._recent, []
        self._write_some(deque(before))

    def _write_some(self, left: deque[PendingWrites]) -> None:
        """Write what waits, as much as one turn has room for, then the rest."""
        before: list[bytes] = []
        data = b""
        while left:
            if self._share.used_up:
                self._share.later(partial(self._write_some, left))
                return
            writes = left.popleft()
            waiting = writes.waiting
            if not writes.open:
                continue
            if not waiting:
                writes.rest()
                continue
            same = len(waiting) == len(before) and all(map(_same, waiting, before))
            before = waiting
            data = writes.flush(data if same else None)
            self.count += 1
            self._recent.append(writes)
        if self._recent and self._writing is None:
            self._writing = self._clock.callLater(self._seconds, self._write)


class PendingWrites:
    """
    What waits to be written on one connection.

    Args:
        together: Those of all connections.
        write: Writes bytes there.
    """

    __slots__ = ("_pieces", "_recent", "_size", "_together", "_write")

    def __init__(self, *, together: WriteBatch, write: Callable[[bytes], object]) -> None:
        self._together: WriteBatch | None = together
        self._write = write
        self._pieces: list[bytes] | None = None
        self._size = 0
        self._recent = False

    @property
    def open(self) -> bool:
        """Return whether it has not ended."""
        return self._together is not None

    @property
    def waiting(self) -> list[bytes] | None:
        """Return what waits to be written."""
        return self._pieces

    def send(self, data: bytes) -> None:
        """Write now, or soon if something was written a moment ago."""
        together = self._together
        if together is None:
            return
        if not self._recent:
            self._recent = True
            together.was_written(self)
            self._write(data)
            return
        if self._pieces is None:
            self._pieces = []
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _LARGE_BYTES:
            self._write(self.take())

    def hurry(self) -> None:
        """Write now what was gathered."""
        if self._pieces:
            self._write(self.take())

    def take(self) -> bytes:
        """Return what waits to be written, once."""
        pieces, self._pieces = self._pieces, None
        self._size = 0
        return b"" if not pieces else pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def flush(self, together: bytes | None) -> bytes:
        """
        Write what waits.

        Args:
            together: Its bytes, if they are known.
        """
        data = together if together is not None else self.take()
        self._pieces = None
        self._size = 0
        self._write(data)
        return data

    def rest(self) -> None:
        """Have the next thing leave at once."""
        self._recent = False

    def close(self) -> None:
        """Write no more."""
        self._together = None
        self._pieces = None


def _same(value: object, other: object) -> bool:
    return value is other
