"""Recordings and their rules in the evidence database. See `recorder.RecordingRows`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred

from aiwebengine.features.recordings.packed import unpack
from aiwebengine.features.recordings.recorder import MaskedRecording, Rule
from aiwebengine.features.recordings.tables import recording_rules, recordings
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.connect import Database

_TRIM_ROWS = 1000


class DatabaseRecordingRows:
    """
    See `recorder.RecordingRows`.

    Args:
        database: The evidence one.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def write(self, recording: MaskedRecording, packed: bytes) -> Deferred[None]:
        """See `RecordingRows.write`."""
        row = {
            "invocation": recording.id[:64],
            "at": recording.at,
            "key": key_of(recording.uri),
            "uri": recording.uri[:255],
            "version": recording.version[:320],
            "label": recording.label.encode("utf-8", "replace").decode()[:500],
            "outcome": recording.outcome[:32],
        }

        def work(connection: Connection) -> None:
            connection.execute(sa.delete(recordings).where(recordings.c.invocation == row["invocation"]))
            connection.execute(sa.insert(recordings).values(**row, document=packed))

        return self._database.run(work)

    def find(self, uri: str | None, *, limit: int) -> Deferred[list[MaskedRecording]]:
        """See `RecordingRows.find`."""
        columns = [column for column in recordings.c if column.name != "document"]
        query = sa.select(*columns).order_by(recordings.c.id.desc()).limit(limit)
        if uri is not None:
            query = query.where(recordings.c.key == key_of(uri))
        return self._database.read(lambda connection: [_recording(row) for row in connection.execute(query)])

    def get(self, identity: str) -> Deferred[MaskedRecording | None]:
        """See `RecordingRows.get`."""
        query = sa.select(recordings).where(recordings.c.invocation == identity)

        def work(connection: Connection) -> MaskedRecording | None:
            row = connection.execute(query).first()
            return None if row is None else _recording(row, unpack(row.document))

        return self._database.read(work)

    def remove(self, identity: str) -> Deferred[bool]:
        """See `RecordingRows.remove`."""
        which = sa.delete(recordings).where(recordings.c.invocation == identity)
        return self._database.run(lambda connection: connection.execute(which).rowcount > 0)

    def trim(self, *, before: int, keep: int) -> Deferred[int]:
        """See `RecordingRows.trim`; a limited number of rows at a time."""

        def work(connection: Connection) -> int:
            beyond = sa.select(recordings.c.id).order_by(recordings.c.id.desc()).offset(keep).limit(1)
            newest_old = connection.execute(beyond).scalar()
            old = recordings.c.at < before
            if newest_old is not None:
                old = sa.or_(old, recordings.c.id <= newest_old)
            rows = list(
                connection.execute(sa.select(recordings.c.id).where(old).order_by(recordings.c.id).limit(_TRIM_ROWS))
                .scalars()
                .all()
            )
            if rows:
                connection.execute(sa.delete(recordings).where(recordings.c.id.in_(rows)))
            return len(rows)

        return self._database.run(work)

    def rules(self) -> Deferred[list[Rule]]:
        """See `RecordingRows.rules`."""
        query = sa.select(recording_rules)
        return self._database.read(lambda connection: [_rule(row) for row in connection.execute(query)])

    def put_rule(self, rule: Rule) -> Deferred[None]:
        """See `RecordingRows.put_rule`."""
        key = key_of(f"{rule.uri}\n{rule.path}")
        values = {"uri": rule.uri, "path": rule.path, "mode": rule.mode, "every": rule.every}

        def work(connection: Connection) -> None:
            connection.execute(sa.delete(recording_rules).where(recording_rules.c.key == key))
            connection.execute(sa.insert(recording_rules).values(key=key, **values))

        return self._database.run(work)

    def remove_rule(self, uri: str, path: str) -> Deferred[bool]:
        """See `RecordingRows.remove_rule`."""
        which = sa.delete(recording_rules).where(recording_rules.c.key == key_of(f"{uri}\n{path}"))
        return self._database.run(lambda connection: connection.execute(which).rowcount > 0)


def _recording(row: Row[Any], document: Any = None) -> MaskedRecording:
    return MaskedRecording(
        id=row.invocation,
        at=row.at,
        uri=row.uri,
        version=row.version,
        label=row.label,
        outcome=row.outcome,
        document=document or {},
    )


def _rule(row: Row[Any]) -> Rule:
    return Rule(uri=row.uri, path=row.path, mode=row.mode, every=row.every)
