"""The scripts' log lines in the evidence database. See `observe.logs.LogRows`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred

from aiwebengine.observe.logs import LEVELS, LogFilter, LogRecord, level_number
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.tables import script_logs
from aiwebengine.values import LogLine

_TRIM_ROWS = 5000
"""Most rows that one transaction removes, so that nobody waits long for it."""

_MOST_TRIMS = 100


class DatabaseLogRows:
    """
    See `observe.logs.LogRows`.

    Args:
        database: The evidence one.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def write(self, records: Sequence[LogRecord], outcomes: Sequence[tuple[str, str]]) -> Deferred[None]:
        """See `LogRows.write`."""

        def work(connection: Connection) -> None:
            if records:
                connection.execute(sa.insert(script_logs), [_row(record) for record in records])
            mark = (
                sa.update(script_logs)
                .where(script_logs.c.invocation == sa.bindparam("which"), script_logs.c.outcome.is_(None))
                .values(outcome=sa.bindparam("how"))
            )
            if outcomes:
                connection.execute(mark, [{"which": which[:64], "how": how[:32]} for which, how in outcomes])

        return self._database.run(work)

    def find(self, log_filter: LogFilter) -> Deferred[list[LogRecord]]:
        """See `LogRows.find`."""
        query = sa.select(script_logs).order_by(script_logs.c.id.desc()).limit(log_filter.limit)
        for condition in _conditions(log_filter):
            query = query.where(condition)

        def work(connection: Connection) -> list[LogRecord]:
            return [_record(row) for row in reversed(connection.execute(query).all())]

        return self._database.read(work)

    def trim(self, *, before: float, keep: int) -> Deferred[int]:
        """See `LogRows.trim`."""
        return Deferred.fromCoroutine(self._trim(int(before * 1000), keep))

    async def _trim(self, before: int, keep: int) -> int:
        newest = await self._database.read(
            lambda connection: connection.execute(sa.select(sa.func.max(script_logs.c.id))).scalar()
        )
        # Ids grow by one a line, so the newest id says which are beyond the count without counting.
        old = sa.or_(script_logs.c.at < before, script_logs.c.id <= (newest or 0) - keep)
        which = sa.select(script_logs.c.id).where(old).order_by(script_logs.c.id).limit(_TRIM_ROWS)

        def work(connection: Connection) -> int:
            rows = list(connection.execute(which).scalars())
            if rows:
                # Between bounds and by the same rule: MySQL can delete from no table that it selects from.
                connection.execute(sa.delete(script_logs).where(script_logs.c.id.between(rows[0], rows[-1]), old))
            return len(rows)

        removed = 0
        for _ in range(_MOST_TRIMS):
            # Look before locking: mostly there is nothing to remove.
            if not await self._database.read(lambda connection: connection.execute(which.limit(1)).first()):
                break
            removed += await self._database.run(work)
        return removed


def _conditions(log_filter: LogFilter) -> list[Any]:
    conditions: list[Any] = []
    if log_filter.uri is not None:
        conditions.append(script_logs.c.key == key_of(log_filter.uri))
    if log_filter.level != LEVELS[0]:
        conditions.append(script_logs.c.level >= _number(log_filter.level))
    if log_filter.of_script:
        conditions.append(script_logs.c.level % 10 == 0)
    if log_filter.invocation is not None:
        conditions.append(script_logs.c.invocation == log_filter.invocation)
    if log_filter.contains:
        conditions.append(script_logs.c.message.contains(log_filter.contains, autoescape=True))
    if log_filter.since is not None:
        conditions.append(script_logs.c.at >= int(log_filter.since * 1000))
    if log_filter.until is not None:
        conditions.append(script_logs.c.at < int(log_filter.until * 1000))
    if log_filter.before is not None:
        conditions.append(script_logs.c.id < log_filter.before)
    return conditions


def _row(record: LogRecord) -> dict[str, Any]:
    return {
        "at": int(record.line.at * 1000),
        "key": key_of(record.uri),
        "uri": record.uri[:255],
        "version": record.version[:320],
        "invocation": record.invocation[:64],
        "kind": record.kind[:16],
        "level": _number(record.line.level) + record.line.of_server,
        # No database keeps NUL in a text; it cannot be told from its escape afterwards, and nobody needs to.
        "message": record.line.message.replace("\0", "\\0").encode("utf-8", "replace").decode(),
        "fields": json.dumps(dict(record.line.fields), default=str) if record.line.fields else "",
        "outcome": record.outcome[:32] if record.outcome else None,
    }


def _record(row: Row[Any]) -> LogRecord:
    return LogRecord(
        id=row.id,
        uri=row.uri,
        version=row.version,
        invocation=row.invocation,
        kind=row.kind,
        outcome=row.outcome,
        line=LogLine(
            at=row.at / 1000,
            level=LEVELS[row.level // 10 - 1],
            message=row.message,
            fields=json.loads(row.fields) if row.fields else {},
            of_server=row.level % 10 == 1,
        ),
    )


def _number(level: str) -> int:
    return (level_number(level) + 1) * 10
