"""
Pages: where one ends, the next begins.

A cursor holds the values by which rows are sorted of the last row of a page, and the primary key.  The next page has
the rows behind these values: it takes the same time wherever it is, and neither skips nor repeats a row when
others are written meanwhile.  A cursor is no secret: it says what its row says.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aiwebengine.errors import EngineError, Invalid
from aiwebengine.features.database.queries.sources import ColumnInUse
from aiwebengine.features.database.values import from_wire, to_wire

_LONGEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedColumn:
    """A column by which rows are sorted."""

    column: ColumnInUse
    descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Makes the cursors of rows."""

    columns: tuple[OrderedColumn, ...]
    offset: int
    """Of their values among the values of a row."""

    def of(self, row: Sequence[Any]) -> str:
        """Return the cursor of a row."""
        values = [to_wire(value) for value in row[self.offset : self.offset + len(self.columns)]]
        text = json.dumps([_order_key(self.columns), *values], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def behind(order: Sequence[OrderedColumn], cursor: Any, call: str) -> sa.ColumnElement[bool]:
    """
    Return the condition for rows behind a cursor.

    Args:
        order: By what rows are sorted; no two have the same values.
        cursor: Not trusted.

    Raises:
        Invalid: It is none, or one of rows in another order.
    """
    values = _values(order, cursor, call)
    found: list[sa.ColumnElement[bool]] = []
    same: list[sa.ColumnElement[bool]] = []
    for entry, value in zip(order, values, strict=True):
        further = _further(entry, value)
        if further is not None:
            found.append(sa.and_(*same, further))
        same.append(_same(entry, value))
    return sa.or_(sa.false(), *found)


def _values(order: Sequence[OrderedColumn], cursor: Any, call: str) -> list[Any]:
    broken = Invalid(f"{call}: after must be the next of an earlier page.")
    if not isinstance(cursor, str) or len(cursor) > _LONGEST:
        raise broken
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key, *given = json.loads(text)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise broken from None
    if key != _order_key(order) or len(given) != len(order):
        raise Invalid(f"{call}: after is of a page with another order; keep table and orderBy from page to page.")
    try:
        values = [from_wire(value) for value in given]
        return [
            None if value is None else entry.column.type.value(value, call)
            for entry, value in zip(order, values, strict=True)
        ]
    except EngineError:
        raise broken from None


def _further(entry: OrderedColumn, value: Any) -> sa.ColumnElement[bool] | None:
    """Return the condition for a value behind *value*; None if nothing is.  NULL comes before everything else."""
    sql = entry.column.sql
    if value is None:
        return None if entry.descending else sql.is_not(sa.null())
    bound = sa.bindparam(None, value, type_=sql.type)
    if not entry.descending:
        return sql > bound
    less = sql < bound
    return sa.or_(less, sql.is_(sa.null())) if entry.column.column.optional else less


def _same(entry: OrderedColumn, value: Any) -> sa.ColumnElement[bool]:
    sql = entry.column.sql
    return sql.is_(sa.null()) if value is None else sql == sa.bindparam(None, value, type_=sql.type)


def _order_key(order: Sequence[OrderedColumn]) -> str:
    text = ",".join(f"{'-' if entry.descending else ''}{entry.column.shown}" for entry in order)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
