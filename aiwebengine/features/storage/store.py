"""
What a script stores, in its database: functions of a connection, used inside a transaction of the caller.

An entry has a script, an area (`kv`, `shared`, or one user's), a name and a value.  Its
version is a string that is new with every write, so that a reader can tell whether what it
has read is still there.  An entry that has expired counts as absent everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aiwebengine.features.storage.tables import entries, spaces
from aiwebengine.services.db.columns import key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPlace:
    """Where an entry stands."""

    script: str
    """URI of the script."""
    area: str
    """See `tables.entries`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One entry."""

    name: str
    value: str
    version: str
    expires_at: int | None = None
    """Milliseconds since 1970; None: never."""

    @property
    def size_bytes(self) -> int:
        """Return what keeping it costs: name and value in UTF-8."""
        return len(self.name.encode()) + len(self.value.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a script stores in all."""

    entries: int
    size_bytes: int


def get(connection: Connection, place: EntryPlace, names: Sequence[str], now: int) -> dict[str, StoredEntry]:
    """Read entries by name; those that are absent or have expired are not among the result."""
    query = sa.select(entries).where(_in_place(place), entries.c.key.in_([key_of(name) for name in names]), _alive(now))
    return {row.name: _entry(row) for row in connection.execute(query)}


def version_of(connection: Connection, place: EntryPlace, name: str, now: int) -> str | None:
    """Read the version of one entry; None if there is none."""
    query = sa.select(entries.c.version).where(_in_place(place), entries.c.key == key_of(name), _alive(now))
    return connection.execute(query).scalar()


def names_after(
    connection: Connection, place: EntryPlace, *, prefix: str, after: str, limit: int, now: int
) -> list[StoredEntry]:
    """Read entries whose names begin with *prefix* and come after *after*, in the order of code points."""
    query = sa.select(entries).where(_in_place(place), entries.c.name > after if after else sa.true(), _alive(now))
    if prefix:
        query = query.where(entries.c.name >= prefix)
        end = _next_prefix(prefix)
        if end is not None:
            query = query.where(entries.c.name < end)
    rows = connection.execute(query.order_by(entries.c.name).limit(limit))
    return [_entry(row) for row in rows]


def usage(connection: Connection, script: str) -> Usage:
    """Read what a script stores; expired entries count until they are removed."""
    row = connection.execute(sa.select(spaces).where(spaces.c.script == key_of(script))).first()
    return Usage(entries=row.entries, size_bytes=row.bytes) if row else Usage(entries=0, size_bytes=0)


def write(
    connection: Connection, place: EntryPlace, *, put: Sequence[StoredEntry], remove: Sequence[str], now: int
) -> Usage:
    """
    Store and remove entries of one place.

    Returns:
        What the script stores in all from now on.
    """
    script = key_of(place.script)
    keys = [key_of(name) for name in (*(entry.name for entry in put), *remove)]
    query = sa.select(entries.c.key, entries.c.size).where(_in_place(place), entries.c.key.in_(keys))
    before = {row.key: row.size for row in connection.execute(query)}
    if before:
        connection.execute(sa.delete(entries).where(_in_place(place), entries.c.key.in_(list(before))))
    if put:
        connection.execute(
            sa.insert(entries),
            [
                {
                    "script": script,
                    "area": place.area,
                    "key": key_of(entry.name),
                    "name": entry.name,
                    "value": entry.value,
                    "version": entry.version,
                    "size": entry.size_bytes,
                    "expires_at": entry.expires_at,
                    "updated_at": now,
                }
                for entry in put
            ],
        )
    return _count(
        connection,
        script,
        entries_more=len(put) - len(before),
        bytes_more=sum(entry.size_bytes for entry in put) - sum(before.values()),
    )


def clear(connection: Connection, place: EntryPlace) -> None:
    """Remove all entries of one place."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(entries.c.size), 0)).where(_in_place(place))
    number, size = connection.execute(query).one()
    connection.execute(sa.delete(entries).where(_in_place(place)))
    _count(connection, key_of(place.script), entries_more=-number, bytes_more=-int(size))


def remove_expired(connection: Connection, *, now: int, limit: int) -> int:
    """Remove some entries that have expired; return how many."""
    query = sa.select(entries.c.script, entries.c.area, entries.c.key, entries.c.size)
    rows = connection.execute(query.where(entries.c.expires_at <= now).limit(limit)).all()
    for row in rows:
        connection.execute(
            sa.delete(entries).where(
                entries.c.script == row.script, entries.c.area == row.area, entries.c.key == row.key
            )
        )
        _count(connection, row.script, entries_more=-1, bytes_more=-row.size)
    return len(rows)


def _count(connection: Connection, script: str, *, entries_more: int, bytes_more: int) -> Usage:
    changed = connection.execute(
        sa.update(spaces)
        .where(spaces.c.script == script)
        .values(entries=spaces.c.entries + entries_more, bytes=spaces.c.bytes + bytes_more)
    )
    if changed.rowcount == 0:
        connection.execute(sa.insert(spaces).values(script=script, entries=entries_more, bytes=bytes_more))
        return Usage(entries=entries_more, size_bytes=bytes_more)
    row = connection.execute(sa.select(spaces).where(spaces.c.script == script)).one()
    return Usage(entries=row.entries, size_bytes=row.bytes)


def _in_place(place: EntryPlace) -> sa.ColumnElement[bool]:
    return sa.and_(entries.c.script == key_of(place.script), entries.c.area == place.area)


def _alive(now: int) -> sa.ColumnElement[bool]:
    return sa.or_(entries.c.expires_at.is_(None), entries.c.expires_at > now)


def _next_prefix(prefix: str) -> str | None:
    """Return the first text, by code points, that is behind all texts with *prefix*; None if there is none."""
    for end in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[end])
        if code < 0x10FFFF:
            after = 0xE000 if code == 0xD7FF else code + 1
            return prefix[:end] + chr(after)
    return None


def _entry(row: sa.Row[tuple[object, ...]]) -> StoredEntry:
    return StoredEntry(name=row.name, value=row.value, version=row.version, expires_at=row.expires_at)
