"""
Reading requests, checked and made SQL.

    {"table": "notes", "where": [...], "order": [["created", true]], "limit": 20,
     "joins": [{"table": "users", "as": "author"}]}
    -> ReadQuery(sql, shape)

What a row looks like is said once for all rows (`RowShape`): the sandbox makes objects of lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from aiwebengine.errors import Invalid
from aiwebengine.features.database.queries.conditions import condition
from aiwebengine.features.database.queries.cursors import Cursor, OrderedColumn, behind
from aiwebengine.features.database.queries.sources import ColumnInUse, RequestSources, Schema, Source
from aiwebengine.host.declare import described, nearest

MOST_JOINS = 10
MOST_ORDERED = 10
MOST_GROUPED = 20
MOST_LIMIT = 1_000_000_000

_KEYS = (
    "table", "columns", "where", "order", "limit", "offset", "after", "joins", "distinct", "group", "aggregates",
)  # fmt: skip
_JOIN_KEYS = ("table", "as", "on", "type", "columns")
_AGGREGATES = ("count", "sum", "avg", "min", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedRow:
    """The row of a joined table, as an object in the row of the request's own."""

    name: str
    start: int
    """Of its first value among all values."""
    count: int
    key: int
    """Of a value that is null if there is no such row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShape:
    """How a list of values becomes an object."""

    names: tuple[str, ...]
    """Of all values, in order; those of joined rows among them."""
    own: int
    """How many of them, from the first on, are the row's own."""
    nested: tuple[NestedRow, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """Return what the sandbox is told."""
        return {
            "names": list(self.names),
            "own": self.own,
            "nested": [[row.name, row.start, row.count, row.key] for row in self.nested],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadQuery:
    """One reading request."""

    sql: sa.Select[Any]
    shape: RowShape
    limit: int | None
    """Of rows, as it was asked for."""
    cursor: Cursor | None = None
    """Makes the cursor of a row, if the rows have an order that says where to go on."""


def read_query(schema: Schema, request: Mapping[str, Any], *, call: str, paged: bool = False) -> ReadQuery:
    """
    Return a request as SQL.

    Args:
        request: As the sandbox sends it; not trusted.
        call: With which messages begin.
        paged: Rows must have an order that says where the next page begins.

    Raises:
        Invalid, NotFound: It is wrong; the message says where, and names what was probably meant.
    """
    _known(request, _KEYS, call)
    sources = RequestSources(call=call, schema=schema)
    base = sources.add(request.get("table"))
    joined = _joined(request.get("joins"), sources)
    if request.get("group") is not None or request.get("aggregates") is not None:
        if paged:
            raise Invalid(f"{call}: pages are for rows; groups have limit and offset.")
        return _grouped(request, sources, base, joined)
    shape, columns = _columns(request.get("columns"), base, joined, sources)
    order = _order(request.get("order"), sources)
    if paged or request.get("after") is not None:
        order = _complete(order, base)
    cursor = Cursor(columns=tuple(order), offset=len(columns)) if paged else None
    values = [column.shown_sql for column in columns]
    if cursor is not None:
        values += [column.column.sql for column in cursor.columns]
    query = sa.select(*(value.label(f"v{number}") for number, value in enumerate(values)))
    query = query.select_from(_from(base, joined))
    query = _filtered(query, request, sources)
    if request.get("after") is not None:
        query = query.where(behind(order, request["after"], call))
    query = query.order_by(*(_direction(column) for column in order))
    if request.get("distinct"):
        query = query.distinct()
    limit = _number(request.get("limit"), "limit", call)
    return ReadQuery(sql=_limited(query, request, limit, call), shape=shape, limit=limit, cursor=cursor)


def single_value(
    schema: Schema, request: Mapping[str, Any], *, function: str, column: Any, call: str
) -> sa.Select[Any]:
    """
    Return SQL for one value over all rows of a request: their number, or a sum.

    Args:
        function: `count`, `sum`, `avg`, `min`, `max` or `exists`.
        column: Of which; None to count rows.

    Raises:
        Invalid, NotFound: See `read_query`.
    """
    _known(request, _KEYS, call)
    sources = RequestSources(call=call, schema=schema)
    base = sources.add(request.get("table"))
    joined = _joined(request.get("joins"), sources)
    rows = _filtered(sa.select(sa.literal(1)).select_from(_from(base, joined)), request, sources)
    if function == "exists":
        return sa.select(rows.exists())
    value = sa.func.count() if column is None else _aggregate(function, sources.column(column), call)
    return rows.with_only_columns(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Join:
    source: Source
    on: sa.ColumnElement[bool]
    inner: bool
    columns: tuple[ColumnInUse, ...] = field(default=())


def _joined(given: Any, sources: RequestSources) -> list[_Join]:
    if given is None:
        return []
    call = sources.call
    if not isinstance(given, list) or len(given) > MOST_JOINS:
        raise Invalid(f"{call}: a request joins at most {MOST_JOINS} tables.")
    return [_join(options, sources) for options in given]


def _join(options: Any, sources: RequestSources) -> _Join:
    call = sources.call
    if not isinstance(options, dict):
        raise Invalid(f"{call}: a join has an unknown form.")
    _known(options, _JOIN_KEYS, f"{call}: join")
    kind = options.get("type", "left")
    if kind not in {"left", "inner"}:
        raise Invalid(f"{call}: join: type must be left or inner; {described(kind)} was given.")
    before = list(sources.listed)
    source = sources.add(options.get("table"), options.get("as"))
    on = options.get("on")
    links = _links(source, before, call) if on is None else _given_links(on, source, sources)
    names = options.get("columns")
    listed = [column.name for column in source.table.columns] if names is None else names
    if not isinstance(listed, list) or not listed:
        raise Invalid(f"{call}: join: columns must be a list of columns; {described(names)} was given.")
    columns = tuple(sources.column(f"{source.name}.{name}") for name in listed)
    return _Join(source=source, on=sa.and_(*links), inner=kind == "inner", columns=columns)


def _given_links(on: Any, source: Source, sources: RequestSources) -> list[sa.ColumnElement[bool]]:
    if not isinstance(on, dict) or not on:
        raise Invalid(
            f'{sources.call}: join: on must be an object such as {{ owner: "id" }}: a column of what there is, and one '
            f"of {source.name}; {described(on)} was given."
        )
    return [
        sources.column(left).sql
        == sources.column(right if isinstance(right, str) and "." in right else f"{source.name}.{right}").sql
        for left, right in on.items()
    ]


def _links(source: Source, before: Sequence[Source], call: str) -> list[sa.ColumnElement[bool]]:
    """Find what joins a table by the references of one to the other."""
    found: list[tuple[str, sa.ColumnElement[bool]]] = []
    for other in before:
        for one, target in ((other, source), (source, other)):
            for column in one.table.columns:
                reference = column.references
                if reference is not None and reference.table == target.table.name:
                    link = one.sql.c[column.name] == target.sql.c[reference.column]
                    found.append((f"{one.name}.{column.name}", link))
    if len(found) == 1:
        return [found[0][1]]
    if not found:
        raise Invalid(
            f"{call}: join: nothing refers to {source.table.name} or from there to here; say what joins them, such as "
            'on: { owner: "id" }.'
        )
    columns = ", ".join(name for name, _ in found)
    raise Invalid(f"{call}: join: {source.name} can be joined by {columns}; say which with on.")


def _from(base: Source, joined: Sequence[_Join]) -> sa.FromClause:
    made = base.sql
    for join in joined:
        made = made.join(join.source.sql, join.on, isouter=not join.inner)
    return made


def _columns(
    given: Any, base: Source, joined: Sequence[_Join], sources: RequestSources
) -> tuple[RowShape, list[ColumnInUse]]:
    names = [column.name for column in base.table.columns] if given is None else given
    if not isinstance(names, list) or not names or len(names) > 500:
        raise Invalid(f"{sources.call}: columns must be a list of columns; {described(given)} was given.")
    columns = [sources.column(name) for name in names]
    own = len(columns)
    shown = [str(name) for name in names]
    nested = []
    for join in joined:
        start = len(columns)
        columns += join.columns
        shown += [column.column.name for column in join.columns]
        key = join.source.table.primary_key[0] if join.source.table.primary_key else join.source.table.columns[0].name
        place = next((n for n, column in enumerate(columns) if n >= start and column.column.name == key), None)
        if place is None:
            place = len(columns)
            columns.append(sources.column(f"{join.source.name}.{key}"))
            shown.append("")
        nested.append(NestedRow(name=join.source.name, start=start, count=len(join.columns), key=place))
    return RowShape(names=tuple(shown), own=own, nested=tuple(nested)), columns


def _filtered(query: sa.Select[Any], request: Mapping[str, Any], sources: RequestSources) -> sa.Select[Any]:
    where = request.get("where")
    return query if where is None else query.where(condition(where, sources))


def _order(given: Any, sources: RequestSources) -> list[OrderedColumn]:
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST_ORDERED:
        raise Invalid(f"{sources.call}: rows are sorted by at most {MOST_ORDERED} columns.")
    ordered = []
    for entry in given:
        if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[1], bool):
            raise Invalid(f"{sources.call}: orderBy has an unknown form.")
        column = sources.column(entry[0])
        if not column.type.ordered:
            raise Invalid(
                f"{sources.call}: {column.shown} is of the type {column.type.written}, whose values have no order."
            )
        ordered.append(OrderedColumn(column=column, descending=entry[1]))
    return ordered


def _complete(order: Sequence[OrderedColumn], base: Source) -> list[OrderedColumn]:
    """Add the primary key, so that no two rows have the same place."""
    there = {column.column.shown for column in order}
    key = base.table.primary_key or tuple(column.name for column in base.table.columns)
    last = order[-1].descending if order else False
    more = [
        ColumnInUse(source=base, column=column, sql=base.sql.c[column.name])
        for name in key
        if (column := base.table.column(name)) is not None
    ]
    return [*order, *(OrderedColumn(column=column, descending=last) for column in more if column.shown not in there)]


def _direction(column: OrderedColumn) -> sa.ColumnElement[Any]:
    # NULL comes first, and last in the other direction, on every database.
    sql = column.column.sql
    if not column.column.path and not column.column.column.optional:
        return sql.desc() if column.descending else sql.asc()
    return sql.desc().nulls_last() if column.descending else sql.asc().nulls_first()


def _limited(query: sa.Select[Any], request: Mapping[str, Any], limit: int | None, call: str) -> sa.Select[Any]:
    offset = _number(request.get("offset"), "offset", call)
    if limit is not None:
        query = query.limit(limit)
    return query if not offset else query.offset(offset)


def _number(given: Any, name: str, call: str) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= MOST_LIMIT:
        raise Invalid(f"{call}: {name} must be a whole number from 0 on; {described(given)} was given.")
    return given


# -- groups --------------------------------------------------------------------------------------


def _grouped(request: Mapping[str, Any], sources: RequestSources, base: Source, joined: Sequence[_Join]) -> ReadQuery:
    call = sources.call
    group, aggregates = request.get("group") or [], request.get("aggregates")
    if not isinstance(group, list) or len(group) > MOST_GROUPED:
        raise Invalid(f"{call}: groupBy takes at most {MOST_GROUPED} columns.")
    if not isinstance(aggregates, dict) or not 1 <= len(aggregates) <= MOST_GROUPED:
        raise Invalid(f'{call}: aggregate takes an object such as {{ notes: {{ count: "*" }} }}.')
    keys = [sources.column(name) for name in group]
    values: dict[str, sa.ColumnElement[Any]] = {str(name): column.sql for name, column in zip(group, keys, strict=True)}
    for name, given in aggregates.items():
        if name in values:
            raise Invalid(f'{call}: aggregate: the name "{name}" is that of a column; choose another.')
        values[name] = _named_aggregate(name, given, sources)
    query = sa.select(*(value.label(f"v{number}") for number, value in enumerate(values.values())))
    query = _filtered(query.select_from(_from(base, joined)), request, sources).group_by(*(key.sql for key in keys))
    query = _group_order(query, request.get("order"), values, call)
    limit = _number(request.get("limit"), "limit", call)
    query = _limited(query, request, limit, call)
    return ReadQuery(sql=query, shape=RowShape(names=tuple(values), own=len(values)), limit=limit)


def _named_aggregate(name: str, given: Any, sources: RequestSources) -> sa.ColumnElement[Any]:
    call = sources.call
    if not isinstance(given, list) or len(given) != 2 or given[0] not in _AGGREGATES:
        raise Invalid(
            f"{call}: aggregate: {described(name)} must be one of {', '.join(_AGGREGATES)} of a column, such as "
            '{ sum: "price" }.'
        )
    function, column = given
    if column == "*":
        if function != "count":
            raise Invalid(f'{call}: aggregate: only count takes "*".')
        return sa.func.count()
    return _aggregate(function, sources.column(column), call)


def _aggregate(function: str, column: ColumnInUse, call: str) -> sa.ColumnElement[Any]:
    numbers = column.type.name in {"id", "integer", "bigint", "number", "decimal", "sql"}
    if function in {"sum", "avg"} and not numbers:
        raise Invalid(f"{call}: {function} is for numbers; {column.shown} is of the type {column.type.written}.")
    if function in {"min", "max"} and not column.type.ordered:
        raise Invalid(f"{call}: {column.shown} is of the type {column.type.written}, whose values have no order.")
    match function:
        case "count":
            return sa.func.count(column.sql)
        case "sum":
            return sa.func.coalesce(sa.func.sum(column.sql), sa.literal(0), type_=column.sql.type)
        case "avg":
            plain: sa.ColumnElement[Any] = sa.func.avg(sa.type_coerce(column.sql, sa.Double()), type_=sa.Double())
            return plain / sa.literal(10.0**column.type.digits) if column.type.digits else plain
        case "min":
            return sa.func.min(column.sql, type_=column.sql.type)
        case _:
            return sa.func.max(column.sql, type_=column.sql.type)


def _group_order(
    query: sa.Select[Any], given: Any, values: Mapping[str, sa.ColumnElement[Any]], call: str
) -> sa.Select[Any]:
    for entry in given or []:
        name = entry[0] if isinstance(entry, list) and len(entry) == 2 else ""
        if not isinstance(name, str) or name not in values:
            suggestion = nearest(str(name), values)
            advice = f'; did you mean "{suggestion}"?' if suggestion else f"; there are {', '.join(values)}."
            raise Invalid(f"{call}: groups cannot be sorted by {described(name)}{advice}")
        query = query.order_by(values[name].desc() if entry[1] else values[name].asc())
    return query


def _known(options: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in options:
        if name not in known:
            suggestion = nearest(name, known)
            advice = f"; did you mean {suggestion}?" if suggestion else f"; there are {', '.join(known)}."
            raise Invalid(f"{where}: there is no option {described(name)}{advice}")
