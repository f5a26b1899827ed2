"""
What the memory store holds: values and hashes that expire, in a bounded amount of memory.

Everything here happens at once, so that a script's Python twin is whole by itself. What has expired is removed at the
next access; the rest is removed while others are written.
"""

from __future__ import annotations

import heapq
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from aiwebengine.errors import Unavailable
from aiwebengine.services.redis.store import CommandRefused, milliseconds

_NUMBER = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_LEAST, _MOST = -(2**63), 2**63 - 1
_CELL_BYTES = 200
_FIELD_BYTES = 150
_AT_ONCE = 20


class _Cell:
    __slots__ = ("expires_at", "size", "value")

    def __init__(self, *, value: bytes | dict[str, bytes]) -> None:
        self.value = value
        self.expires_at = math.inf
        self.size = 0


class MemoryCells:
    """
    See `store.Cells`, and the module.

    Args:
        seconds: A clock.
        most_bytes: Most memory, roughly.
        evicts: When it is full, what was used longest ago goes; otherwise nothing more is stored.
    """

    def __init__(self, *, seconds: Callable[[], float], most_bytes: int, evicts: bool) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._evicts = evicts
        self._cells: OrderedDict[str, _Cell] = OrderedDict()
        self._ends: list[tuple[float, str]] = []
        self._bytes = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def size_bytes(self) -> int:
        """How much memory it uses, roughly."""
        return self._bytes

    def time(self) -> float:
        """See `store.Cells.time`."""
        return self._seconds()

    def get(self, key: str) -> bytes | None:
        """See `store.Cells.get`."""
        cell = self._find(key)
        return None if cell is None else _plain(cell)

    def get_or_none(self, key: str) -> bytes | None:
        """Return a value; None also for a hash."""
        cell = self._find(key)
        return cell.value if cell is not None and isinstance(cell.value, bytes) else None

    def has(self, key: str) -> bool:
        """Return whether there is something."""
        return self._find(key) is not None

    def set(self, key: str, value: bytes, *, seconds: float | None = None) -> None:
        """See `store.Cells.set`."""
        self._expire_some()
        expires_at = math.inf if seconds is None else self._end(seconds)
        cell = _Cell(value=bytes(value))
        cell.size = _CELL_BYTES + len(key) + len(value)
        self._make_room(key, cell.size)
        self._remove(key)
        self._add(key, cell)
        self._live_until(key, cell, expires_at)

    def delete(self, key: str) -> bool:
        """See `store.Cells.delete`."""
        existed = self._find(key) is not None
        self._remove(key)
        return existed

    def expire(self, key: str, seconds: float) -> bool:
        """See `store.Cells.expire`."""
        expires_at = self._end(seconds)
        cell = self._find(key)
        if cell is not None:
            self._live_until(key, cell, expires_at)
        return cell is not None

    def remaining(self, key: str) -> float | None:
        """See `store.Cells.remaining`."""
        cell = self._find(key)
        return None if cell is None else cell.expires_at - self._seconds()

    def increment(self, key: str, by: int = 1) -> int:
        """See `store.Cells.increment`."""
        cell = self._find(key)
        total = _sum(b"0" if cell is None else _plain(cell), by)
        if cell is None:
            self.set(key, b"%d" % total)
        else:
            # It expires when it would have.
            self._grow(key, cell, 0)
            cell.value = b"%d" % total
        return total

    def hash_get(self, key: str) -> dict[str, bytes]:
        """See `store.Cells.hash_get`."""
        cell = self._find(key)
        return {} if cell is None else dict(_fields(cell))

    def hash_set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """See `store.Cells.hash_set`."""
        if not fields:
            raise CommandRefused("A hash needs at least one field.")
        # Before looking: what is found must not be removed from under us.
        self._expire_some()
        cell = self._find(key)
        before: Mapping[str, bytes] = {} if cell is None else _fields(cell)
        more = sum(_field_size(name, value) for name, value in fields.items())
        more -= sum(_field_size(name, before[name]) for name in fields if name in before)
        if cell is None:
            cell = _Cell(value={})
            cell.size = _CELL_BYTES + len(key)
            self._make_room(key, cell.size + more)
            self._add(key, cell)
        else:
            self._make_room(key, cell.size + more)
        self._grow(key, cell, more)
        _fields(cell).update({name: bytes(value) for name, value in fields.items()})

    def hash_delete(self, key: str, names: Sequence[str]) -> int:
        """See `store.Cells.hash_delete`."""
        cell = self._find(key) if names else None
        if cell is None:
            return 0
        fields = _fields(cell)
        present = [name for name in dict.fromkeys(names) if name in fields]
        self._grow(key, cell, -sum(_field_size(name, fields.pop(name)) for name in present))
        if not fields:
            self._remove(key)
        return len(present)

    def hash_increment(self, key: str, name: str, by: int = 1) -> int:
        """See `store.Cells.hash_increment`."""
        cell = self._find(key)
        total = _sum(b"0" if cell is None else _fields(cell).get(name, b"0"), by)
        self.hash_set(key, {name: b"%d" % total})
        return total

    def clear(self) -> None:
        """Forget everything."""
        self._cells.clear()
        self._ends.clear()
        self._bytes = 0

    def _find(self, key: str) -> _Cell | None:
        cell = self._cells.get(key)
        if cell is None:
            return None
        if cell.expires_at <= self._seconds():
            self._remove(key)
            return None
        self._cells.move_to_end(key)
        return cell

    def _add(self, key: str, cell: _Cell) -> None:
        self._cells[key] = cell
        self._bytes += cell.size

    def _remove(self, key: str) -> None:
        cell = self._cells.pop(key, None)
        if cell is not None:
            self._bytes -= cell.size

    def _grow(self, key: str, cell: _Cell, more: int) -> None:
        cell.size += more
        self._bytes += more
        self._cells.move_to_end(key)

    def _end(self, seconds: float) -> float:
        return self._seconds() + milliseconds(seconds) / 1000

    def _live_until(self, key: str, cell: _Cell, expires_at: float) -> None:
        cell.expires_at = expires_at
        if expires_at < math.inf:
            if len(self._ends) > 2 * len(self._cells) + 100:
                # Most of them are of cells that were written again since.
                self._ends = [(cell.expires_at, key) for key, cell in self._cells.items() if cell.expires_at < math.inf]
                heapq.heapify(self._ends)
            else:
                heapq.heappush(self._ends, (expires_at, key))

    def _make_room(self, key: str, size: int) -> None:
        """Make room for *key* to have this many bytes, or refuse."""
        cell = self._cells.get(key)
        more = size - (cell.size if cell is not None else 0)
        while self._bytes + more > self._most_bytes:
            oldest = next((candidate for candidate in self._cells if candidate != key), None)
            if not self._evicts or oldest is None or size > self._most_bytes:
                raise Unavailable("The memory store is full; nothing was stored.", retry_seconds=1.0)
            self._remove(oldest)
            self.evicted += 1

    def _expire_some(self) -> None:
        now = self._seconds()
        for _ in range(_AT_ONCE):
            if not self._ends or self._ends[0][0] > now:
                return
            _, key = heapq.heappop(self._ends)
            cell = self._cells.get(key)
            if cell is not None and cell.expires_at <= now:
                self._remove(key)


def _plain(cell: _Cell) -> bytes:
    if not isinstance(cell.value, bytes):
        raise CommandRefused("The key holds a hash, not a value.")
    return cell.value


def _fields(cell: _Cell) -> dict[str, bytes]:
    if not isinstance(cell.value, dict):
        raise CommandRefused("The key holds a value, not a hash.")
    return cell.value


def _sum(value: bytes, by: int) -> int:
    before = int(value) if _NUMBER.fullmatch(value) else _LEAST - 1
    if not _LEAST <= before <= _MOST:
        raise CommandRefused("The value to increment is not a whole number, or too large.")
    total = before + by
    if not _LEAST <= total <= _MOST:
        raise CommandRefused("The sum would be too large.")
    return total


def _field_size(name: str, value: bytes) -> int:
    return _FIELD_BYTES + len(name) + len(value)
