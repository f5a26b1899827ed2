"""
Watching what scripts store: who waits is told the newest value after each commit.

A watch gathers what changes until it is asked, the newest of each key only, so a slow reader
costs no more than the keys that it watches.
"""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred

from aiwebengine.errors import TooMany
from aiwebengine.features.storage.store import StoredEntry
from aiwebengine.host.session import CallSession

_MOST_GATHERED = 1000

Changes = dict[str, StoredEntry | None]
"""Entries by name; None for one that was removed."""


class Watch:
    """
    What one reader watches.

    Args:
        key: One key; None for all that begin with *prefix*.
        prefix: See *key*.
    """

    def __init__(self, *, key: str | None, prefix: str) -> None:
        self._key = key
        self._prefix = prefix
        self._gathered: Changes = {}
        self._lost = False
        self._waiting: Deferred[Changes | None] | None = None
        self._over = False

    def take(self) -> Deferred[Changes | None]:
        """
        Wait for changes.

        Returns:
            What has changed since the last time; None when the watch is over.

        Raises:
            TooMany: More keys have changed than are gathered, and some were lost.
        """
        waiting: Deferred[Changes | None] = Deferred()
        self._waiting = waiting
        self._give()
        return waiting

    def changed(self, entries: Mapping[str, StoredEntry | None]) -> None:
        """Be told of a commit."""
        for name, entry in entries.items():
            if name == self._key or (self._key is None and name.startswith(self._prefix)):
                self._gathered[name] = entry
        if len(self._gathered) > _MOST_GATHERED:
            self._gathered.clear()
            self._lost = True
        self._give()

    def stop(self) -> None:
        """Be over: who waits is told."""
        self._over = True
        self._give()

    def _give(self) -> None:
        waiting = self._waiting
        if waiting is None or not (self._gathered or self._lost or self._over):
            return
        self._waiting = None
        gathered, self._gathered = self._gathered, {}
        lost, self._lost = self._lost, False
        if lost:
            waiting.errback(
                TooMany(f"More than {_MOST_GATHERED} keys changed before kv.watch was called again; read them anew.")
            )
        else:
            waiting.callback(gathered or None)


class Watches:
    """All watches, by script."""

    def __init__(self) -> None:
        self._scripts: dict[str, set[Watch]] = {}
        self._sessions: dict[int, dict[int, Watch]] = {}

    def get(self, session: CallSession, number: int) -> Watch | None:
        """Return a watch of an invocation; None if it has none of that number."""
        return self._sessions.get(id(session), {}).get(number)

    def count(self, session: CallSession) -> int:
        """Return how many an invocation has."""
        return len(self._sessions.get(id(session), {}))

    def open(self, session: CallSession, number: int, *, key: str | None, prefix: str) -> Watch:
        """Begin to watch, until the invocation ends."""
        watch = Watch(key=key, prefix=prefix)
        own = self._sessions.get(id(session))
        if own is None:
            own = self._sessions[id(session)] = {}
            session.at_end(lambda: self._end(session))
        own[number] = watch
        self._scripts.setdefault(session.invocation.script, set()).add(watch)
        return watch

    def stop(self, session: CallSession, number: int) -> None:
        """Watch no longer."""
        watch = self._sessions.get(id(session), {}).pop(number, None)
        if watch is not None:
            self._remove(session.invocation.script, watch)

    def changed(self, script: str, entries: Mapping[str, StoredEntry | None]) -> None:
        """Be told of a commit of a script."""
        for watch in list(self._scripts.get(script, ())):
            watch.changed(entries)

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"watches": sum(len(watches) for watches in self._scripts.values())}

    def _end(self, session: CallSession) -> None:
        for watch in self._sessions.pop(id(session), {}).values():
            self._remove(session.invocation.script, watch)

    def _remove(self, script: str, watch: Watch) -> None:
        watches = self._scripts.get(script, set())
        watches.discard(watch)
        if not watches:
            self._scripts.pop(script, None)
        watch.stop()
