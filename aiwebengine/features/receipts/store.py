"""Kept receipts in the evidence database. See `receipts.ReceiptRows`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from twisted.internet.defer import Deferred

from aiwebengine.features.receipts.receipts import ReceiptRecord
from aiwebengine.features.receipts.tables import receipts
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.connect import Database
from aiwebengine.values import CallCost, Receipt

_TRIM_ROWS = 5000


class DatabaseReceiptRows:
    """
    See `receipts.ReceiptRows`.

    Args:
        database: The evidence one.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def write(self, records: Sequence[ReceiptRecord]) -> Deferred[None]:
        """See `ReceiptRows.write`."""

        def work(connection: Connection) -> None:
            connection.execute(sa.insert(receipts), [_row(record) for record in records])

        return self._database.run(work)

    def find(self, uri: str, *, limit: int, before: int | None, outcome: str | None) -> Deferred[list[ReceiptRecord]]:
        """See `ReceiptRows.find`."""
        query = sa.select(receipts).where(receipts.c.key == key_of(uri)).order_by(receipts.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(receipts.c.id < before)
        if outcome is not None:
            query = query.where(receipts.c.outcome == outcome)

        def work(connection: Connection) -> list[ReceiptRecord]:
            return [_record(row) for row in connection.execute(query).all()]

        return self._database.read(work)

    def trim(self, *, before: float, keep: int) -> Deferred[int]:
        """See `ReceiptRows.trim`; a limited number of rows at a time."""
        moment = int(before * 1000)

        def work(connection: Connection) -> int:
            newest = connection.execute(sa.select(sa.func.max(receipts.c.id))).scalar() or 0
            old = sa.or_(receipts.c.at < moment, receipts.c.id <= newest - keep)
            which = sa.select(receipts.c.id).where(old).order_by(receipts.c.id).limit(_TRIM_ROWS)
            rows = list(connection.execute(which).scalars())
            if rows:
                # Between bounds and by the same rule: MySQL can delete from no table that it selects from.
                connection.execute(sa.delete(receipts).where(receipts.c.id.between(rows[0], rows[-1]), old))
            return len(rows)

        return self._database.run(work)


def _row(record: ReceiptRecord) -> dict[str, Any]:
    receipt = record.receipt
    return {
        "at": int(record.at * 1000),
        "key": key_of(record.uri),
        "uri": record.uri[:255],
        "version": record.version[:320],
        "invocation": receipt.invocation[:64],
        "kind": record.kind[:16],
        "label": record.label.encode("utf-8", "replace").decode()[:500],
        "outcome": receipt.outcome[:32],
        "why": record.why[:8],
        "wall_us": _micros(receipt.wall_seconds),
        "queued_us": _micros(receipt.queued_seconds),
        "cpu_us": _micros(receipt.cpu_seconds),
        "peak": receipt.peak_bytes,
        "bytes_out": receipt.bytes_out,
        "log_lines": receipt.log_lines,
        "log_bytes": receipt.log_bytes,
        "row_count": receipt.rows,
        "trace": receipt.trace[:32],
        "host_calls": json.dumps(_calls(receipt.host_calls), separators=(",", ":")),
    }


def _record(row: Row[Any]) -> ReceiptRecord:
    receipt = Receipt(
        invocation=row.invocation,
        wall_seconds=row.wall_us / 1e6,
        cpu_seconds=row.cpu_us / 1e6,
        host_calls={
            name: CallCost(count=count, seconds=micros / 1e6, bytes_in=bytes_in, bytes_out=bytes_out)
            for name, (count, micros, bytes_in, bytes_out) in json.loads(row.host_calls).items()
        },
        bytes_out=row.bytes_out,
        outcome=row.outcome,
        queued_seconds=row.queued_us / 1e6,
        peak_bytes=row.peak,
        log_lines=row.log_lines,
        log_bytes=row.log_bytes,
        rows=row.row_count,
        trace=row.trace,
    )
    return ReceiptRecord(
        id=row.id,
        at=row.at / 1000,
        uri=row.uri,
        version=row.version,
        kind=row.kind,
        label=row.label,
        receipt=receipt,
        why=row.why,
    )


def _calls(calls: Mapping[str, CallCost]) -> dict[str, list[int]]:
    return {name: [cost.count, _micros(cost.seconds), cost.bytes_in, cost.bytes_out] for name, cost in calls.items()}


def _micros(seconds: float) -> int:
    return min(round(seconds * 1e6), 2**53)
