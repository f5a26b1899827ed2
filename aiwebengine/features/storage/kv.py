"""`kv`: values by key, with versions, expiry, counters, lists by prefix, and watching."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiwebengine.errors import Conflict, Invalid, TooMany
from aiwebengine.features.storage.declarations import KV_CALLS
from aiwebengine.features.storage.entries import KV, Entries, check_name
from aiwebengine.features.storage.order import Order
from aiwebengine.features.storage.store import StoredEntry
from aiwebengine.features.storage.watches import Watches
from aiwebengine.host.declare import HostCall, described, limited
from aiwebengine.host.durations import duration_ms
from aiwebengine.host.session import CallSession, Function

_MOST_LISTED = 1000
MOST_LISTED_BYTES = 1024 * 1024
"""Of the entries that one call lists."""
_USUALLY_LISTED = 100
_MOST_WATCHES = 32
_LARGEST = 2**53 - 1
_SHORTEST_MS = 1


class KvCalls:
    """
    The calls of `kv`.

    Args:
        entries: Reads and holds.
        watches: Waits for changes.
    """

    def __init__(self, *, entries: Entries, watches: Watches) -> None:
        self._entries = entries
        self._watches = watches
        self._order = Order()

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return limited(KV_CALLS, value=self._entries.max_value_bytes)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {
            "kv.get": self._order.read(self._get),
            "kv.set": self._order.write(self._set),
            "kv.delete": self._order.write(self._delete),
            "kv.increment": self._order.write(self._increment),
            "kv.list": self._order.read(self._list),
            "kv.watch": self._watch,
            "kv.unwatch": self._unwatch,
        }

    async def _get(self, session: CallSession, key: str) -> dict[str, Any] | None:
        entry = await self._entries.get(session, KV, key)
        return None if entry is None else _shown(entry)

    async def _set(self, session: CallSession, key: str, value: Any, options: Mapping[str, Any] | None) -> str:
        check_name("kv.set", key)
        options = _known("kv.set", options, "ttl", "ifVersion")
        lives = _lifetime(options.get("ttl"))
        await self._expect(session, key, options, "kv.set")
        return await self._entries.put(session, KV, key, json.dumps(value, separators=(",", ":")), lives_ms=lives)

    async def _delete(self, session: CallSession, key: str, options: Mapping[str, Any] | None) -> bool:
        options = _known("kv.delete", options, "ifVersion")
        await self._expect(session, key, options, "kv.delete")
        return await self._entries.remove(session, KV, key)

    async def _increment(self, session: CallSession, key: str, by: Any) -> int | float:
        check_name("kv.increment", key)
        step = 1 if by is None else by
        if isinstance(step, bool) or not isinstance(step, int | float):
            raise Invalid(f"kv.increment: the step must be a number; {described(by)} was given.")
        entry = await self._entries.get(session, KV, key)
        before = 0 if entry is None else json.loads(entry.value)
        if isinstance(before, bool) or not isinstance(before, int | float):
            raise Invalid(f'kv.increment: "{key}" holds {described(before)}, which is no number.')
        after: int | float = before + step
        if abs(after) > _LARGEST:
            raise Invalid(f'kv.increment: "{key}" would be beyond {_LARGEST}, up to which numbers are exact.')
        lives = None if entry is None else self._entries.left_ms(entry)
        await self._entries.put(session, KV, key, json.dumps(after), lives_ms=lives)
        return after

    async def _list(self, session: CallSession, options: Mapping[str, Any] | None) -> dict[str, Any]:
        options = _known("kv.list", options, "prefix", "limit", "cursor")
        prefix, cursor = options.get("prefix") or "", options.get("cursor") or ""
        limit = options.get("limit", _USUALLY_LISTED)
        if not isinstance(prefix, str) or not isinstance(cursor, str):
            raise Invalid("kv.list: prefix and cursor must be strings.")
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= _MOST_LISTED:
            raise Invalid(f"kv.list: limit is a whole number from 1 to {_MOST_LISTED}; {described(limit)} was given.")
        page = await self._entries.page(session, KV, prefix=prefix, after=cursor, limit=limit)
        entries = _within(page.entries, MOST_LISTED_BYTES)
        shown = [{"key": entry.name, **_shown(entry)} for entry in entries]
        more = page.more or len(entries) < len(page.entries)
        return {"entries": shown, "cursor": entries[-1].name if more else None}

    async def _expect(self, session: CallSession, key: str, options: Mapping[str, Any], call: str) -> None:
        if "ifVersion" not in options:
            return
        expected = options["ifVersion"]
        if expected is not None and not isinstance(expected, str):
            raise Invalid(f"{call}: ifVersion is a version as getWithVersion gives it, or null for none.")
        entry = await self._entries.get(session, KV, key)
        if (entry.version if entry else None) != expected:
            raise Conflict(f'{call}: "{key}" is at another version by now; read it again.')

    async def _watch(self, session: CallSession, number: int, what: Mapping[str, Any]) -> Any:
        watch = self._watches.get(session, number)
        if watch is None:
            return await self._begin(session, number, what)
        changed = await watch.take()
        return None if changed is None else [_as_json(name, entry) for name, entry in changed.items()]

    async def _begin(self, session: CallSession, number: int, what: Mapping[str, Any]) -> Any:
        """Open a watch; of a single key tell at once what it holds."""
        if self._watches.count(session) >= _MOST_WATCHES:
            raise TooMany(f"An invocation may watch at most {_MOST_WATCHES} things at the same time.")
        key, prefix = what.get("key"), what.get("prefix")
        if isinstance(prefix, str):
            watch = self._watches.open(session, number, key=None, prefix=prefix)
            changed = await watch.take()
            return None if changed is None else [_as_json(name, entry) for name, entry in changed.items()]
        if not isinstance(key, str):
            raise Invalid('kv.watch: what is watched is a key, or an object such as { prefix: "cart/" }.')
        check_name("kv.watch", key)
        # It watches before it reads: what is committed in between is told once more, and never missed.
        self._watches.open(session, number, key=key, prefix="")
        return [_as_json(key, await self._entries.committed(session, KV, key))]

    def _unwatch(self, session: CallSession, number: int) -> None:
        self._watches.stop(session, number)


def _shown(entry: StoredEntry) -> dict[str, Any]:
    return {"value": json.loads(entry.value), "version": entry.version}


def _within(entries: Sequence[StoredEntry], size_bytes: int) -> Sequence[StoredEntry]:
    """Return as many of the first entries as have no more bytes together, but one at least."""
    for number, entry in enumerate(entries):
        size_bytes -= entry.size_bytes
        if size_bytes < 0:
            return entries[: max(1, number)]
    return entries


def _as_json(name: str, entry: StoredEntry | None) -> dict[str, Any]:
    return {"key": name, "version": None} if entry is None else {"key": name, **_shown(entry)}


def _known(call: str, options: Mapping[str, Any] | None, *names: str) -> Mapping[str, Any]:
    for name in options or {}:
        if name not in names:
            raise Invalid(f"{call}: there is no option {described(name)}; there are {', '.join(names)}.")
    return options or {}


def _lifetime(ttl: Any) -> int | None:
    if ttl is None:
        return None
    lives = duration_ms(ttl)
    if lives is None or lives < _SHORTEST_MS:
        raise Invalid(
            f'kv.set: ttl is a duration such as "30s" or a number of milliseconds; {described(ttl)} was given.'
        )
    return lives
