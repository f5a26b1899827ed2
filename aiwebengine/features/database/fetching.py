"""Rows of the database, made what the sandbox is sent, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection, CursorResult

from aiwebengine.errors import TooLarge, TooMany
from aiwebengine.features.database.queries.reads import ReadQuery, RowShape
from aiwebengine.features.database.queries.writes import WriteQuery
from aiwebengine.features.database.settings import DatabaseSettings
from aiwebengine.features.database.values import to_wire

_PAGE = 100
"""Rows of a page whose size nobody has said."""
_STREAMED = 500
"""Rows that a loop over all of them gets at once."""
_NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What one call returns, and how many rows of the database that took."""

    answer: dict[str, Any]
    rows: int


class Fetcher:
    """
    Runs requests and returns their rows.

    Args:
        settings: How much one call may return.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._most_rows = settings.max_rows
        self._most_bytes = settings.max_answer_bytes

    def rows(self, connection: Connection, query: ReadQuery, call: str) -> Fetched:
        """
        Return all rows of a request.

        Raises:
            TooMany, TooLarge: There are more than one call may return.
        """
        found = self._taken(connection.execute(query.sql.limit(self._limit(query.limit))), call)
        return Fetched(answer={"shape": query.shape.to_wire(), "rows": found}, rows=len(found))

    def page(self, connection: Connection, query: ReadQuery, call: str, *, whole: bool) -> Fetched:
        """
        Return one page.

        Args:
            whole: Return as many rows as a loop over all rows gets at once.
        """
        asked = query.limit if query.limit is not None else _STREAMED if whole else _PAGE
        limit = min(asked, self._most_rows)
        assert query.cursor is not None  # Of a request for pages.
        rows = connection.execute(query.sql.limit(limit + 1)).all()
        more = len(rows) > limit
        shown: list[list[Any]] = []
        size = 0
        for row in rows[:limit]:
            values = [to_wire(value) for value in row[: query.cursor.offset]]
            size += _size(values)
            if shown and size > self._most_bytes:
                more = True
                break
            self._bounded(size, call)
            shown.append(values)
        following = query.cursor.of(rows[len(shown) - 1]) if more else None
        return Fetched(
            answer={"shape": query.shape.to_wire(), "rows": shown, "next": following},
            rows=len(shown),
        )

    def written(self, connection: Connection, query: WriteQuery, call: str) -> Fetched:
        """Run a writing request."""
        if query.shape is None:
            count = sum(connection.execute(statement.sql).rowcount for statement in query.statements)
            return Fetched(answer={"count": count}, rows=count)
        found: list[list[Any]] = []
        for statement in query.statements:
            for row in statement.rows or (None,):
                # One by one: so they come back in the order in which they were given.
                result = (
                    connection.execute(statement.sql, row) if row is not None else connection.execute(statement.sql)
                )
                found += self._taken(result, call, before=len(found))
        return Fetched(answer={"shape": query.shape.to_wire(), "rows": found}, rows=len(found))

    def plan(self, connection: Connection, query: ReadQuery) -> list[str]:
        """Return how the database would find the rows of a request."""
        compiled = query.sql.compile(connection, compile_kwargs={"render_postcompile": True})
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", tuple(_positional(compiled)))
        return [str(row[-1]) for row in rows]

    def of_sql(self, result: CursorResult[Any], call: str) -> Fetched:
        """Return what a statement of the script's own has given."""
        if not result.returns_rows:
            count = max(0, result.rowcount)
            return Fetched(answer={"shape": RowShape(names=(), own=0).to_wire(), "rows": []}, rows=count)
        names = tuple(str(name) for name in result.keys())  # noqa: SIM118  of a result, not of a mapping
        found = self._taken(result, call)
        return Fetched(
            answer={"shape": RowShape(names=names, own=len(names)).to_wire(), "rows": found}, rows=len(found)
        )

    def _limit(self, asked: int | None) -> int:
        return self._most_rows + 1 if asked is None else min(asked, self._most_rows + 1)

    def _taken(self, result: CursorResult[Any], call: str, *, before: int = 0) -> list[list[Any]]:
        found: list[list[Any]] = []
        size = 0
        for row in result:
            if before + len(found) >= self._most_rows:
                raise TooMany(
                    f"{call}: there are more than {self._most_rows:,} rows, which one call may return at most "
                    "(database.max_rows). Use limit, page or for await."
                )
            values = [to_wire(value) for value in row]
            size += _size(values)
            self._bounded(size, call)
            found.append(values)
        return found

    def _bounded(self, size: int, call: str) -> None:
        if size > self._most_bytes:
            raise TooLarge(
                f"{call}: the rows have more than {self._most_bytes:,} bytes, which one call may return at most "
                "(database.max_answer_bytes). Use select, limit or page."
            )


def _positional(compiled: Any) -> list[Any]:
    parameters = compiled.construct_params()
    processors = compiled._bind_processors  # noqa: SLF001  SQLAlchemy has no other way to get at them
    return [
        processors[name](parameters[name]) if name in processors else parameters[name] for name in compiled.positiontup
    ]


def _size(values: Sequence[Any]) -> int:
    """Return about how many bytes values have as JSON."""
    size = 2
    for value in values:
        if isinstance(value, str):
            size += len(value) + 3
        elif isinstance(value, dict):
            inner = next(iter(value.values()))
            size += len(inner if isinstance(inner, str) else str(inner)) + _NUMBER_BYTES
        else:
            size += _NUMBER_BYTES
    return size
