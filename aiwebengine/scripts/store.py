"""
Scripts and their versions in the main database.

A version's bytes (the author's files, the bundle, its source map, the record of what the
host answered while it loaded) are blobs by content; a row of `version_files` names each.
All changes of one call are one transaction: `apply`.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred

from aiwebengine.errors import Conflict, NotFound
from aiwebengine.scripts.versions import (
    ActivateVersion,
    Change,
    History,
    HistoryEvent,
    NewVersion,
    PastVersion,
    PutVersion,
    RegisteredEntries,
    RemoveScript,
    StoredFile,
    Version,
    problem_from_json,
)
from aiwebengine.services.db import blobs
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.tables import script_events, scripts, version_files, versions
from aiwebengine.services.db.units import OwnWrites
from aiwebengine.values import Bundle

_EVENTS_SHOWN = 200
_VERSIONS_SHOWN = 1000
_SHOWN_OF_PAST = (
    versions.c.number, versions.c.version, versions.c.grants, versions.c.author, versions.c.message,
    versions.c.origin, versions.c.deployed_at, versions.c.size,
)  # fmt: skip
_OF_SCRIPTS = (PutVersion, ActivateVersion, RemoveScript)

Together = Callable[[Callable[[Connection], Any], Sequence[OwnWrites]], Deferred[Any]]
"""See `JointCommits.together`."""


class ScriptStore:
    """
    What is stored about scripts; also `interfaces.ScriptSource`.

    Args:
        database: The main one.
        milliseconds: The server's clock, since 1970.
        cached_bytes: How much of lately used bundles is kept in memory.
    """

    def __init__(
        self, *, database: Database, milliseconds: Callable[[], int], cached_bytes: int = 32 * 1024 * 1024
    ) -> None:
        self._database = database
        self._milliseconds = milliseconds
        self._cached_bytes = cached_bytes
        self._cache: OrderedDict[str, tuple[int, Bundle]] = OrderedDict()
        self._held_bytes = 0
        self._purges: list[Callable[[Connection, str], None]] = []
        self._purged: list[Callable[[str], None]] = []
        self._together: Together = _main_alone(database)

    def commit_with(self, together: Together) -> None:
        """Have *together* commit changes, and what they write into the databases of scripts."""
        self._together = together

    def on_purge(self, forget: Callable[[Connection, str], None]) -> None:
        """Have *forget* remove what it keeps of a script, by URI, in the transaction that purges the script."""
        self._purges.append(forget)

    def on_purged(self, forget: Callable[[str], None]) -> None:
        """Have *forget* told of a script, by URI, after it was purged."""
        self._purged.append(forget)

    async def apply(self, changes: Sequence[Change]) -> list[int | None]:
        """
        Make all *changes*, or none.

        Returns:
            For each change of a script, the number that served before it; None if none did.

        Raises:
            Conflict: Another version serves than a change expected.
            NotFound: There is no such script or version.
            Unavailable: The database does not answer or is full.
        """
        now = self._milliseconds()
        purges = tuple(self._purges)

        def work(connection: Connection) -> list[int | None]:
            before = []
            for change in changes:
                before.append(_apply(connection, change, now))
                if isinstance(change, RemoveScript) and change.purge:
                    for forget in purges:
                        forget(connection, change.uri)
            return before

        own = [change.own for change in changes if not isinstance(change, _OF_SCRIPTS) and change.own is not None]
        previous: list[int | None]
        previous, bundles = await self._together(lambda connection: (work(connection), _bundles(changes)), own)
        for bundle in bundles:
            self.remember(bundle)
        for change in changes:
            if isinstance(change, RemoveScript) and change.purge:
                for forget in self._purged:
                    forget(change.uri)
        return previous

    async def current(self) -> list[Version]:
        """Read the serving version of every script, ordered by URI."""
        query = _version_query().where(versions.c.number == scripts.c.current).order_by(scripts.c.uri)
        return await self._database.read(lambda connection: [_version(row) for row in connection.execute(query)])

    async def numbers(self) -> dict[str, int]:
        """Read the highest number that a version ever had, by URI; deleted scripts are among them."""
        query = sa.select(scripts.c.uri, scripts.c.last_number)
        return await self._database.read(
            lambda connection: {row.uri: row.last_number for row in connection.execute(query)}
        )

    async def deleted(self) -> list[str]:
        """Read the URIs of scripts that serve no longer but can be brought back."""
        query = sa.select(scripts.c.uri).where(scripts.c.current.is_(None)).order_by(scripts.c.uri)
        return await self._database.read(lambda connection: list(connection.execute(query).scalars()))

    async def version(self, uri: str, number: int | None = None) -> Version:
        """
        Read one version.

        Args:
            number: None for the one that serves, or served last before a deletion.

        Raises:
            NotFound: There is none.
        """

        def read(connection: Connection) -> Version:
            selected = _script(connection, uri).current if number is None else number
            query = _version_query().where(scripts.c.key == key_of(uri))
            if selected is None:
                query = query.order_by(versions.c.number.desc()).limit(1)
            else:
                query = query.where(versions.c.number == selected)
            row = connection.execute(query).first()
            if row is None:
                raise _no_version(uri, number)
            return _version(row)

        return await self._database.read(read)

    async def version_before(self, uri: str) -> Version:
        """
        Read the newest version below the one that serves, or the newest of a deleted script.

        Raises:
            NotFound: There is none.
        """

        def read(connection: Connection) -> Version:
            script = _script(connection, uri)
            query = _version_query().where(scripts.c.id == script.id)
            if script.current is not None:
                query = query.where(versions.c.number < script.current)
            row = connection.execute(query.order_by(versions.c.number.desc()).limit(1)).first()
            if row is None:
                raise NotFound(f'No version of "{uri}" older than the serving one is stored.')
            return _version(row)

        return await self._database.read(read)

    async def files(self, version: str) -> list[StoredFile]:
        """Read the list of the author's files of a version, by its id; empty if there is no such version."""
        query = (
            sa.select(version_files.c.path, version_files.c.digest, version_files.c.size)
            .join(versions, versions.c.id == version_files.c.version)
            .where(versions.c.version == version, version_files.c.role == "file")
            .order_by(version_files.c.position)
        )
        return await self._database.read(
            lambda connection: [
                StoredFile(path=row.path, digest=row.digest, size_bytes=row.size) for row in connection.execute(query)
            ]
        )

    async def contents(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Read bytes by content address."""
        wanted = list(digests)
        return await self._database.read(lambda connection: blobs.get(connection, wanted))

    async def history(self, uri: str) -> History:
        """
        Read the stored history of a script.

        Raises:
            NotFound: There never was such a script.
        """

        def read(connection: Connection) -> History:
            script = _script(connection, uri)
            # What they register may be hundreds of kilobytes of each.
            rows = connection.execute(
                sa.select(*_SHOWN_OF_PAST)
                .where(versions.c.script == script.id)
                .order_by(versions.c.number.desc())
                .limit(_VERSIONS_SHOWN)
            )
            kept = tuple(_past_version(row) for row in rows)
            events = connection.execute(
                sa.select(script_events)
                .where(script_events.c.script == script.id)
                .order_by(script_events.c.id.desc())
                .limit(_EVENTS_SHOWN)
            )
            return History(
                uri=uri,
                current=script.current,
                versions=kept,
                events=tuple(
                    HistoryEvent(
                        at=row.at, action=row.action, number=row.number, author=row.author, message=row.message
                    )
                    for row in events
                ),
            )

        return await self._database.read(read)

    async def bundle(self, version: str) -> Bundle:
        """See `interfaces.ScriptSource.bundle`."""
        if version in self._cache:
            self._cache.move_to_end(version)
            return self._cache[version][1]
        bundle = await self._database.read(lambda connection: _bundle(connection, version))
        self.remember(bundle)
        return bundle

    def remember(self, bundle: Bundle) -> None:
        """Keep *bundle* in memory for the child that will soon ask for it."""
        self._forget(bundle.version)
        size = len(bundle.source) + len(bundle.source_map) + len(bundle.replay) + sum(map(len, bundle.files.values()))
        if size > self._cached_bytes:
            return
        self._cache[bundle.version] = (size, bundle)
        self._held_bytes += size
        while self._held_bytes > self._cached_bytes:
            self._forget(next(iter(self._cache)))

    async def trim(self, uri: str, *, keep: int) -> int:
        """
        Remove versions beyond the newest *keep*, never the one that serves.

        Returns:
            How many were removed.
        """

        def work(connection: Connection) -> int:
            script = connection.execute(_script_query(uri)).first()
            if script is None:
                return 0
            query = (
                sa.select(versions.c.id, versions.c.number)
                .where(versions.c.script == script.id)
                .order_by(versions.c.number.desc())
            )
            # Counted here, not by OFFSET: MySQL knows none without a LIMIT.
            rows = connection.execute(query).all()[keep:]
            old = [row.id for row in rows if row.number != script.current]
            _remove_versions(connection, old)
            return len(old)

        return await self._database.run(work)

    def _forget(self, version: str) -> None:
        size, _ = self._cache.pop(version, (0, None))
        self._held_bytes -= size


def _main_alone(database: Database) -> Together:
    """Commit where there are no databases of scripts."""

    def together(work: Callable[[Connection], Any], own: Sequence[OwnWrites]) -> Deferred[Any]:
        assert not own
        return database.run(work)

    return together


def _bundles(changes: Sequence[Change]) -> list[Bundle]:
    return [bundle_of(change.new) for change in changes if isinstance(change, PutVersion)]


def bundle_of(new: NewVersion) -> Bundle:
    """Return what a child loads of a version that is being stored."""
    version = new.version
    return Bundle(
        script=version.uri,
        version=version.id,
        source=new.source,
        source_map=new.source_map,
        files=texts(new.files),
        manifest=version.manifest,
        replay=new.replay,
    )


def texts(files: Any) -> dict[str, str]:
    """Return the files that are text."""
    decoded: dict[str, str] = {}
    for path, content in files.items():
        try:
            decoded[path] = content.decode("utf-8")
        except UnicodeDecodeError:
            continue
    return decoded


def _apply(connection: Connection, change: Change, now: int) -> int | None:
    if isinstance(change, PutVersion):
        return _put(connection, change, now)
    if isinstance(change, ActivateVersion):
        return _activate(connection, change, now)
    if isinstance(change, RemoveScript):
        return _remove(connection, change, now)
    change.write(connection)
    return None


def _put(connection: Connection, change: PutVersion, now: int) -> int | None:
    version = change.new.version
    script = connection.execute(_script_query(version.uri)).first()
    previous = script.current if script else None
    _expect(version.uri, previous, change.expected)
    if script is None:
        values = {
            "key": key_of(version.uri),
            "uri": version.uri,
            "current": version.number,
            "last_number": version.number,
            "changed_at": now,
        }
        script_id = _inserted(connection, scripts, values)
    else:
        script_id = script.id
        _point(connection, script, version.number, now)
    row = {
        "script": script_id,
        "number": version.number,
        "version": version.id,
        "digest": version.digest,
        "entry": version.entry,
        "manifest": json.dumps(version.manifest),
        "grants": json.dumps(sorted(version.grants)),
        "registered": json.dumps(version.registered.as_json()),
        "warnings": json.dumps([problem.as_json() for problem in version.warnings]),
        "toolchain": version.toolchain,
        "author": version.author,
        "message": version.message,
        "origin": version.origin,
        "deployed_at": version.deployed_at,
        "size": version.size_bytes,
    }
    version_row = _inserted(connection, versions, row)
    _put_files(connection, version_row, change.new)
    _note(connection, script_id, "deploy", version.number, version.author, version.message, now)
    return previous


def _put_files(connection: Connection, version_row: int, new: NewVersion) -> None:
    parts = [
        ("bundle", "", new.source.encode()),
        ("map", "", new.source_map.encode()),
        ("replay", "", new.replay.encode()),
        *(("file", path, content) for path, content in sorted(new.files.items())),
    ]
    contents: dict[str, bytes] = {}
    rows: list[dict[str, Any]] = []
    for position, (role, path, content) in enumerate(parts):
        digest = blobs.digest_of(content)
        contents[digest] = content
        rows.append(
            {
                "version": version_row,
                "position": position,
                "role": role,
                "path": path,
                "digest": digest,
                "size": len(content),
            }
        )
    blobs.put(connection, contents)
    connection.execute(sa.insert(version_files), rows)


def _activate(connection: Connection, change: ActivateVersion, now: int) -> int | None:
    script = _script(connection, change.uri)
    _expect(change.uri, script.current, change.expected)
    exists = sa.select(versions.c.id).where(versions.c.script == script.id, versions.c.number == change.number)
    if connection.execute(exists).first() is None:
        raise _no_version(change.uri, change.number)
    _point(connection, script, change.number, now)
    _note(connection, script.id, "rollback", change.number, change.author, change.message, now)
    return script.current  # type: ignore[no-any-return]


def _remove(connection: Connection, change: RemoveScript, now: int) -> int | None:
    script = _script(connection, change.uri)
    _expect(change.uri, script.current, change.expected)
    if script.current is None and not change.purge:
        raise _no_script(change.uri)
    if change.purge:
        rows = connection.execute(sa.select(versions.c.id).where(versions.c.script == script.id)).scalars()
        _remove_versions(connection, list(rows))
        connection.execute(sa.delete(script_events).where(script_events.c.script == script.id))
        connection.execute(sa.delete(scripts).where(scripts.c.id == script.id))
    else:
        _point(connection, script, None, now)
        _note(connection, script.id, "delete", None, change.author, change.message, now)
    return script.current  # type: ignore[no-any-return]


def _remove_versions(connection: Connection, rows: Sequence[int]) -> None:
    if not rows:
        return
    digests: set[str] = set()
    for start in range(0, len(rows), blobs.CHUNK):
        part = rows[start : start + blobs.CHUNK]
        digests.update(
            connection.execute(sa.select(version_files.c.digest).where(version_files.c.version.in_(part))).scalars()
        )
        connection.execute(sa.delete(version_files).where(version_files.c.version.in_(part)))
        connection.execute(sa.delete(versions).where(versions.c.id.in_(part)))
    blobs.drop_unused(connection, digests)


def _point(connection: Connection, script: Row[Any], number: int | None, now: int) -> None:
    """Let *number* serve, unless the script was changed since it was read."""
    last = max(script.last_number, number or 0)
    serving = scripts.c.current.is_(None) if script.current is None else scripts.c.current == script.current
    done = connection.execute(
        sa.update(scripts)
        .where(scripts.c.id == script.id, serving)
        .values(current=number, last_number=last, changed_at=now)
    )
    if done.rowcount != 1:
        raise Conflict(f'Someone else changed "{script.uri}" at the same time; check it and try again.')


def _note(
    connection: Connection, script: int, action: str, number: int | None, author: str, message: str, now: int
) -> None:
    connection.execute(
        sa.insert(script_events).values(
            script=script, action=action, number=number, author=author, message=message, at=now
        )
    )


def _inserted(connection: Connection, table: sa.Table, values: dict[str, Any]) -> int:
    key = connection.execute(sa.insert(table).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _expect(uri: str, current: int | None, expected: int | None) -> None:
    if expected is None or expected == (current or 0):
        return
    serving = f"version {current} serves" if current else "it serves none"
    expectation = f"version {expected}" if expected else "no version"
    raise Conflict(
        f'"{uri}" was expected to serve {expectation}, but {serving}: someone else has changed it. '
        "Check it, then try again.",
        details={"uri": uri, "expected": expected, "current": current or 0},
    )


def _script_query(uri: str) -> Any:
    return sa.select(scripts).where(scripts.c.key == key_of(uri))


def _script(connection: Connection, uri: str) -> Any:
    row = connection.execute(_script_query(uri)).first()
    if row is None:
        raise _no_script(uri)
    return row


def _version_query() -> Any:
    return sa.select(scripts.c.uri, versions).join(scripts, scripts.c.id == versions.c.script)


def _version(row: Row[Any]) -> Version:
    return Version(
        uri=row.uri,
        number=row.number,
        id=row.version,
        digest=row.digest,
        entry=row.entry,
        manifest=json.loads(row.manifest),
        grants=frozenset(json.loads(row.grants)),
        registered=RegisteredEntries.from_json(json.loads(row.registered), script=row.uri, version=row.version),
        warnings=tuple(problem_from_json(stored) for stored in json.loads(row.warnings)),
        toolchain=row.toolchain,
        author=row.author,
        message=row.message,
        origin=row.origin,
        deployed_at=row.deployed_at,
        size_bytes=row.size,
    )


def _past_version(row: Any) -> PastVersion:
    return PastVersion(
        number=row.number,
        id=row.version,
        grants=frozenset(json.loads(row.grants)),
        author=row.author,
        message=row.message,
        origin=row.origin,
        deployed_at=row.deployed_at,
        size_bytes=row.size,
    )


def _bundle(connection: Connection, version: str) -> Bundle:
    row = connection.execute(_version_query().where(versions.c.version == version)).first()
    if row is None:
        raise NotFound(f'The version "{version}" is no longer stored.')
    parts = connection.execute(
        sa.select(version_files.c.role, version_files.c.path, version_files.c.digest)
        .where(version_files.c.version == row.id)
        .order_by(version_files.c.position)
    ).all()
    contents = blobs.get(connection, {part.digest for part in parts})
    single = {part.role: contents[part.digest].decode() for part in parts if part.role != "file"}
    return Bundle(
        script=row.uri,
        version=row.version,
        source=single["bundle"],
        source_map=single["map"],
        files=texts({part.path: contents[part.digest] for part in parts if part.role == "file"}),
        manifest=json.loads(row.manifest),
        replay=single["replay"],
    )


def _no_script(uri: str) -> NotFound:
    return NotFound(f'There is no script "{uri}".')


def _no_version(uri: str, number: int | None) -> NotFound:
    if number is None:
        return NotFound(f'No version of "{uri}" is kept.')
    return NotFound(f'There is no version {number} of "{uri}", or it is no longer stored.')
