"""
Conditions: lists that the sandbox makes of what is given to `where`, made SQL.

    where({ owner: "ada", created: { gt: day }, or: [{ stars: 5 }, { pinned: true }] })
    ["and", ["eq", "owner", "ada"], ["gt", "created", {"d": ...}], ["or", ["eq", "stars", 5], ["eq", "pinned", true]]]

NULL is a value like any other here: `eq` with null finds rows without a value, and `ne` finds rows whose value is
another one or none.  Strings compare by code points, on every database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from aiwebengine.errors import Invalid
from aiwebengine.features.database.queries.sources import ColumnInUse, RequestSources
from aiwebengine.features.database.values import from_wire
from aiwebengine.host.declare import described, nearest

MOST_CONDITIONS = 500
"""In one request, those of `in` lists not counted."""
MOST_LISTED = 1000
"""Values in a list of `in`."""

_DEEPEST = 20


@dataclass(slots=True)
class _Allowance:
    left: int = MOST_CONDITIONS


def condition(given: Any, sources: RequestSources) -> sa.ColumnElement[bool]:
    """
    Return a condition as SQL.

    Args:
        given: See the module; not trusted.

    Raises:
        Invalid: It is none: a column that there is not, an operator that the column's type does not have, a value
            that does not fit.
    """
    return _condition(given, sources, _Allowance(), _DEEPEST)


def _condition(given: Any, sources: RequestSources, allowance: _Allowance, depth: int) -> sa.ColumnElement[bool]:
    allowance.left -= 1
    if allowance.left < 0 or depth < 0:
        raise Invalid(
            f"{sources.call}: a request has at most {MOST_CONDITIONS} conditions, at most {_DEEPEST} within each other."
        )
    if not isinstance(given, list) or not given:
        raise Invalid(f"{sources.call}: a condition has an unknown form.")
    operator, *rest = given
    if not isinstance(operator, str):
        raise Invalid(f"{sources.call}: a condition has an unknown form.")
    if operator in {"and", "or"}:
        parts = [_condition(part, sources, allowance, depth - 1) for part in rest]
        if operator == "and":
            return sa.and_(sa.true(), *parts)
        # An "or" of nothing finds nothing.
        return sa.or_(sa.false(), *parts)
    if operator == "not" and len(rest) == 1:
        # A comparison with NULL is neither true nor false in SQL; what is not true is what is meant here.
        return sa.func.coalesce(_condition(rest[0], sources, allowance, depth - 1), sa.false()).is_(sa.false())
    if len(rest) != 2:
        raise Invalid(f"{sources.call}: a condition has an unknown form.")
    column = sources.column(rest[0])
    compare = _OPERATORS.get(operator)
    if compare is None:
        suggestion = nearest(operator, _OPERATORS)
        advice = f'; did you mean "{suggestion}"?' if suggestion else f"; there are {', '.join(_OPERATORS)}."
        raise Invalid(f"{sources.call}: {column.shown}: there is no operator {described(operator)}{advice}")
    return compare(_Comparison(sources=sources, column=column, operator=operator, given=rest[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    sources: RequestSources
    column: ColumnInUse
    operator: str
    given: Any

    @property
    def where(self) -> str:
        """Return what is wrong if something is, for messages."""
        return f"{self.sources.call}: {self.column.shown}"

    def value(self, given: Any) -> Any:
        """Return one value as the column's type stores it; None for null."""
        value = from_wire(given)
        return None if value is None else self.column.type.value(value, self.where)

    def bound(self, given: Any) -> sa.ColumnElement[Any]:
        """Return a value for SQL."""
        return sa.bindparam(None, self.value(given), type_=None if self.column.path else self.column.sql.type)

    def text(self) -> str:
        """Return the value, which must be a string, of a column that holds strings."""
        if self.column.type.name not in {"string", "text", "uuid", "date", "sql"}:
            raise Invalid(
                f"{self.where} is of the type {self.column.type.written}; {self.operator} is for columns with strings."
            )
        if not isinstance(self.given, str):
            raise Invalid(f"{self.where}: {self.operator} takes a string; {described(self.given)} was given.")
        return self.given

    def many(self) -> list[Any]:
        """Return the values of a list."""
        if not isinstance(self.given, list) or len(self.given) > MOST_LISTED:
            raise Invalid(
                f"{self.where}: {self.operator} takes a list of at most {MOST_LISTED} values; "
                f"{described(self.given)} was given."
            )
        return self.given

    def require_order(self) -> None:
        """Refuse to say which of two values is the greater of a type that has no order."""
        if not self.column.type.ordered:
            raise Invalid(f"{self.where} is of the type {self.column.type.written}, whose values have no order.")
        if self.given is None:
            raise Invalid(f"{self.where}: {self.operator} takes a value; null is neither greater nor less.")


def _equal(comparison: _Comparison) -> sa.ColumnElement[bool]:
    if comparison.given is None:
        return comparison.column.sql.is_(sa.null())
    return comparison.column.sql == comparison.bound(comparison.given)


def _different(comparison: _Comparison) -> sa.ColumnElement[bool]:
    if comparison.given is None:
        return comparison.column.sql.is_not(sa.null())
    return comparison.column.sql.is_distinct_from(comparison.bound(comparison.given))


def _order(compare: Callable[[Any, Any], Any]) -> Callable[[_Comparison], sa.ColumnElement[bool]]:
    def ordered(comparison: _Comparison) -> sa.ColumnElement[bool]:
        comparison.require_order()
        made: sa.ColumnElement[bool] = compare(comparison.column.sql, comparison.bound(comparison.given))
        return made

    return ordered


def _between(comparison: _Comparison) -> sa.ColumnElement[bool]:
    comparison.require_order()
    values = comparison.many()
    if len(values) != 2 or None in values:
        raise Invalid(f"{comparison.where}: between takes a list of two values, the least and the greatest.")
    least, greatest = (comparison.bound(value) for value in values)
    return comparison.column.sql.between(least, greatest)


def _one_of(comparison: _Comparison) -> sa.ColumnElement[bool]:
    values = comparison.many()
    listed = [comparison.bound(value) for value in values if value is not None]
    found = comparison.column.sql.in_(listed)
    return sa.or_(found, comparison.column.sql.is_(sa.null())) if None in values else found


def _none_of(comparison: _Comparison) -> sa.ColumnElement[bool]:
    values = comparison.many()
    listed = [comparison.bound(value) for value in values if value is not None]
    missing = comparison.column.sql.not_in(listed)
    if None in values:
        return sa.and_(missing, comparison.column.sql.is_not(sa.null()))
    return sa.or_(missing, comparison.column.sql.is_(sa.null()))


def _contains(comparison: _Comparison) -> sa.ColumnElement[bool]:
    return sa.func.instr(comparison.column.sql, comparison.text()) > 0


def _contains_in_any_case(comparison: _Comparison) -> sa.ColumnElement[bool]:
    return sa.func.instr(sa.func.lower(comparison.column.sql), sa.func.lower(comparison.text())) > 0


def _starts(comparison: _Comparison) -> sa.ColumnElement[bool]:
    start = comparison.text()
    sql = comparison.column.sql
    exact = sa.func.substr(sql, 1, len(start)) == start
    # So that an index is of use.
    return sa.and_(sql >= sa.literal(start, sa.String()), exact)


def _ends(comparison: _Comparison) -> sa.ColumnElement[bool]:
    end = comparison.text()
    return sa.func.substr(comparison.column.sql, -len(end)) == end if end else comparison.column.sql.is_not(sa.null())


def _has(comparison: _Comparison) -> sa.ColumnElement[bool]:
    """Find rows whose JSON is an array with a value."""
    if comparison.column.type.name != "json" and not comparison.column.path:
        raise Invalid(
            f"{comparison.where} is of the type {comparison.column.type.written}; has is for json columns that hold "
            "arrays."
        )
    value = from_wire(comparison.given)
    if not isinstance(value, str | int | float):
        raise Invalid(f"{comparison.where}: has takes a string, a number, true or false.")
    arguments = comparison.column.json_arguments()
    elements = sa.func.json_each(*arguments).table_valued("value")
    inner = sa.select(sa.literal(1)).select_from(elements).where(elements.c.value == sa.literal(value))
    return sa.and_(sa.func.json_type(*arguments) == "array", inner.exists())


_OPERATORS: Mapping[str, Callable[[_Comparison], sa.ColumnElement[bool]]] = {
    "eq": _equal,
    "ne": _different,
    "gt": _order(lambda left, right: left > right),
    "gte": _order(lambda left, right: left >= right),
    "lt": _order(lambda left, right: left < right),
    "lte": _order(lambda left, right: left <= right),
    "between": _between,
    "in": _one_of,
    "notIn": _none_of,
    "contains": _contains,
    "icontains": _contains_in_any_case,
    "startsWith": _starts,
    "endsWith": _ends,
    "has": _has,
}
"""By the name that scripts use."""

OPERATORS = tuple(_OPERATORS)
"""Names of all operators."""
