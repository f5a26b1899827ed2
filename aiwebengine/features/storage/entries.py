"""
What scripts store, as the host's calls see it: committed entries with the invocation's own writes over them.

An entry stands in an area of its script (`kv`, `shared`, or one user's).  What an invocation
writes is held until it commits; what it reads is remembered with its version, and if it
then writes the same entry, the commit finds out whether somebody else was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.features.storage import store as entry_rows
from aiwebengine.features.storage.settings import StorageSettings
from aiwebengine.features.storage.store import EntryPlace, StoredEntry, Usage
from aiwebengine.features.storage.tables import NAME_LENGTH
from aiwebengine.host.declare import described
from aiwebengine.host.effects import UNSEEN, HeldEffect, StaleRead, Unit
from aiwebengine.host.session import CallSession
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.per_script import ScriptDatabases
from aiwebengine.services.db.units import Transaction, Write

GROUP = "entries"
"""Name of the effects."""
KV = "kv"
SHARED = "shared"

Changed = Callable[[str, str, Mapping[str, StoredEntry | None]], None]
"""Told after a commit: script, area, and the entries by name, None for removed ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Some entries in the order of their names."""

    entries: tuple[StoredEntry, ...]
    more: bool
    """There are others behind them."""


def user_area(user: str) -> str:
    """Name the area of one user."""
    return f"user:{key_of(user)}"


class Entries:
    """
    Reads and holds; carries out what was held.

    Args:
        databases: Of scripts.
        milliseconds: The server's clock, since 1970.
        settings: How much may be stored.
        changed: Told after each commit.
    """

    def __init__(
        self,
        *,
        databases: ScriptDatabases,
        milliseconds: Callable[[], int],
        settings: StorageSettings,
        changed: Changed,
    ) -> None:
        self._databases = databases
        self._milliseconds = milliseconds
        self._settings = settings
        self._changed = changed
        self._usage: dict[str, Usage] = {}
        """What scripts store, as far as it was looked up; kept right by every commit."""

    @property
    def max_value_bytes(self) -> int:
        """Return how large a value may be, with its key."""
        return self._settings.max_value_bytes

    async def get(self, session: CallSession, area: str, name: str) -> StoredEntry | None:
        """Return an entry as the invocation sees it; None if there is none."""
        own = session.pending(GROUP)
        key = _key(area, name)
        if key in own:
            entry: StoredEntry | None = own[key]
            if not session.holds(GROUP, key):
                # The unit before has written it, and is being stored.
                session.remember_version(GROUP, key, entry.version if entry else None)
            return entry if entry is None or self._alive(entry) else None
        stored = (await self._committed(session, area, [name])).get(name)
        session.remember_version(GROUP, key, stored.version if stored else None)
        return stored

    async def put(self, session: CallSession, area: str, name: str, value: str, *, lives_ms: int | None = None) -> str:
        """
        Hold a write.

        Args:
            lives_ms: How long the entry lives from now; None for ever.

        Returns:
            The version that the entry will have.

        Raises:
            TooLarge: The value, or all that the script stores, would be more than the settings allow.
            TooMany: The invocation holds too much.
        """
        version = session.next_version()
        expires_at = None if lives_ms is None else self._milliseconds() + lives_ms
        entry = StoredEntry(name=name, value=value, version=version, expires_at=expires_at)
        if entry.size_bytes > self._settings.max_value_bytes:
            raise TooLarge(
                f"One value may have at most {self._settings.max_value_bytes:,} bytes with its key "
                f"(storage.max_value_bytes); this one has {entry.size_bytes:,}."
            )
        await self._check_room(session, area, entry)
        session.hold(HeldEffect(group=GROUP, key=_key(area, name), value=entry, size_bytes=entry.size_bytes))
        session.rows += 1
        return version

    async def remove(self, session: CallSession, area: str, name: str) -> bool:
        """Hold a removal; false if there is nothing to remove."""
        existed = await self.get(session, area, name) is not None
        if existed:
            session.hold(HeldEffect(group=GROUP, key=_key(area, name), value=None))
            session.rows += 1
        return existed

    async def page(self, session: CallSession, area: str, *, prefix: str, after: str, limit: int) -> EntryPage:
        """Return entries by name, as the invocation sees them: those behind *after* whose names begin with *prefix*."""
        own = {
            key[len(area) + 1 :]: entry for key, entry in session.pending(GROUP).items() if key.startswith(f"{area}\n")
        }
        own = {name: entry for name, entry in own.items() if name.startswith(prefix) and name > after}
        place = EntryPlace(script=session.invocation.script, area=area)
        # Own removals hide as many, so that many more are read.
        most = limit + 1 + len(own)
        now = self._milliseconds()
        entries: Sequence[StoredEntry] = await self._databases.of(place.script).read(
            lambda connection: entry_rows.names_after(
                connection, place, prefix=prefix, after=after, limit=most, now=now
            )
        )
        session.rows += len(entries)
        seen = {entry.name: entry for entry in entries}
        if len(entries) == most:
            # Behind the last one that was read nobody knows what there is.
            last = entries[-1].name
            own = {name: entry for name, entry in own.items() if name <= last}
        seen.update({name: entry for name, entry in own.items() if entry is not None and self._alive(entry)})
        for name, entry in own.items():
            if entry is None:
                seen.pop(name, None)
        ordered = [seen[name] for name in sorted(seen)]
        return EntryPage(entries=tuple(ordered[:limit]), more=len(ordered) > limit)

    async def committed(self, session: CallSession, area: str, name: str) -> StoredEntry | None:
        """Return an entry as the last commit has left it; what the invocation has written itself does not count."""
        return (await self._committed(session, area, [name])).get(name)

    def left_ms(self, entry: StoredEntry) -> int | None:
        """Return how long an entry has still to live; None for ever."""
        return None if entry.expires_at is None else max(1, entry.expires_at - self._milliseconds())

    async def names(self, session: CallSession, area: str) -> list[str]:
        """Return all names of an area, in order."""
        page = await self.page(session, area, prefix="", after="", limit=self._settings.max_entries)
        return [entry.name for entry in page.entries]

    def forget(self, script: str) -> None:
        """Forget what is known of a script that was purged."""
        self._usage.pop(script, None)

    # -- effects ------------------------------------------------------------------------------

    database: Literal["script"] = "script"
    """See `effects.Effects.database`."""

    def write(self, unit: Unit, effects: Sequence[HeldEffect]) -> Write:
        """See `effects.Effects.write`."""
        script = unit.invocation.script
        areas = _by_area(effects)

        def write(transaction: Transaction) -> None:
            usage = None
            for area, held in areas.items():
                place = EntryPlace(script=script, area=area)
                _refuse_stale(transaction, place, held)
                usage = entry_rows.write(
                    transaction.connection,
                    place,
                    put=[effect.value for effect in held.values() if effect.value is not None],
                    remove=[name for name, effect in held.items() if effect.value is None],
                    now=transaction.now,
                )
            if usage is not None:
                self._refuse_too_much(usage)
                self._usage[script] = usage

        return write

    def happen(self, unit: Unit, effects: Sequence[HeldEffect]) -> None:
        """See `effects.Effects.happen`."""
        for area, held in _by_area(effects).items():
            self._changed(unit.invocation.script, area, {name: effect.value for name, effect in held.items()})

    # -- room ---------------------------------------------------------------------------------

    async def _check_room(self, session: CallSession, area: str, entry: StoredEntry) -> None:
        script = session.invocation.script
        usage = self._usage.get(script)
        if usage is None:
            usage = await self._databases.of(script).read(lambda connection: entry_rows.usage(connection, script))
            if len(self._usage) > 10_000:
                self._usage.clear()
            self._usage[script] = usage
        pending = {key: effect for key, effect in session.pending(GROUP).items() if effect is not None}
        pending[_key(area, entry.name)] = entry
        more = sum(entry.size_bytes for entry in pending.values())
        if usage.size_bytes + more <= self._settings.max_bytes and (
            usage.entries + len(pending) <= self._settings.max_entries
        ):
            return
        # It may be that what is there is only replaced: count exactly.
        before = await self._replaced(session, session.pending(GROUP).keys() | {_key(area, entry.name)})
        self._refuse_too_much(
            Usage(
                entries=usage.entries + len(pending) - len(before),
                size_bytes=usage.size_bytes + more - sum(entry.size_bytes for entry in before),
            )
        )

    async def _replaced(self, session: CallSession, keys: Iterable[str]) -> list[StoredEntry]:
        areas: dict[str, list[str]] = {}
        for key in keys:
            area, _, name = key.partition("\n")
            areas.setdefault(area, []).append(name)
        entries: list[StoredEntry] = []
        for area, names in areas.items():
            entries += (await self._committed(session, area, names)).values()
        return entries

    def _refuse_too_much(self, usage: Usage) -> None:
        settings = self._settings
        if usage.size_bytes > settings.max_bytes:
            raise TooLarge(
                f"A script may store at most {settings.max_bytes:,} bytes (storage.max_bytes); with this it would be "
                f"{usage.size_bytes:,}. Remove something, or give entries a ttl."
            )
        if usage.entries > settings.max_entries:
            raise TooLarge(
                f"A script may store at most {settings.max_entries:,} entries (storage.max_entries); with this it "
                f"would be {usage.entries:,}. Remove something, or give entries a ttl."
            )

    async def _committed(self, session: CallSession, area: str, names: Sequence[str]) -> dict[str, StoredEntry]:
        place, now = EntryPlace(script=session.invocation.script, area=area), self._milliseconds()
        entries: dict[str, StoredEntry] = await self._databases.of(place.script).read(
            lambda connection: entry_rows.get(connection, place, names, now)
        )
        session.rows += len(entries)
        return entries

    def _alive(self, entry: StoredEntry) -> bool:
        return entry.expires_at is None or entry.expires_at > self._milliseconds()


def check_name(call: str, name: str) -> None:
    """
    Refuse a name under which nothing can be stored.

    Raises:
        Invalid: It is empty, too long, or holds a line break or NUL.
    """
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Invalid(f"{call}: a key has 1 to {NAME_LENGTH} characters; this one has {len(name)}.")
    if "\0" in name or "\n" in name:
        raise Invalid(f"{call}: a key holds neither NUL nor line breaks; {described(name)} was given.")


def _refuse_stale(transaction: Transaction, place: EntryPlace, held: Mapping[str, HeldEffect]) -> None:
    stale = [
        effect.key
        for name, effect in held.items()
        if effect.seen is not UNSEEN
        and entry_rows.version_of(transaction.connection, place, name, transaction.now) != effect.seen
    ]
    if stale:
        raise StaleRead(stale)


def _by_area(effects: Sequence[HeldEffect]) -> dict[str, dict[str, HeldEffect]]:
    areas: dict[str, dict[str, HeldEffect]] = {}
    for effect in effects:
        area, _, name = effect.key.partition("\n")
        areas.setdefault(area, {})[name] = effect
    return areas


def _key(area: str, name: str) -> str:
    return f"{area}\n{name}"
