"""
From the tables that there are to those that a script declares: a plan of steps.

    there is, declared -> SchemaPlan(steps, left)      for people, before anything happens
    SchemaPlan -> Step.run(...)                        `changes.py`, in one transaction with the rest of a deployment

A plan loses nothing unless it says so: a table or column that is no longer declared stays, and is named as
left over, until the author asks for it to be dropped.  A change of name is told by `renamedFrom`; from a
name that is gone and one that is new alone nobody can know it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from aiwebengine.errors import Invalid
from aiwebengine.features.database.schema.declared import Column, Index, Table
from aiwebengine.features.database.schema.inspection import LiveTable
from aiwebengine.features.database.schema.sql import default_sql
from aiwebengine.features.database.schema.types import ColumnType


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable:
    """Make a table, with its indexes."""

    table: Table
    loses: str = ""

    def __str__(self) -> str:
        return f"create table {self.table.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameTable:
    """Give a table another name."""

    old: str
    new: str
    loses: str = ""

    def __str__(self) -> str:
        return f"rename table {self.old} to {self.new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable:
    """Remove a table with its rows."""

    table: str

    @property
    def loses(self) -> str:
        """See `SchemaPlan.losses`."""
        return f"all rows of the table {self.table}"

    def __str__(self) -> str:
        return f"drop table {self.table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddColumn:
    """Give a table one more column."""

    table: Table
    column: Column
    loses: str = ""

    def __str__(self) -> str:
        return f"add column {self.table.name}.{self.column.name} ({self.column.type.written})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameColumn:
    """Give a column another name."""

    table: str
    old: str
    new: str
    loses: str = ""

    def __str__(self) -> str:
        return f"rename column {self.table}.{self.old} to {self.new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropColumn:
    """Remove a column with its values."""

    table: str
    column: str

    @property
    def loses(self) -> str:
        """See `SchemaPlan.losses`."""
        return f"all values of the column {self.table}.{self.column}"

    def __str__(self) -> str:
        return f"drop column {self.table}.{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedefineTable:
    """Change columns of a table in a way that ALTER cannot."""

    live: LiveTable
    """What it was, with the names that it has by now."""
    table: Table
    """What it becomes: what is declared, and what there is besides."""
    changes: tuple[str, ...]
    """What changes, for people."""
    loses: str = ""

    def __str__(self) -> str:
        return f"change table {self.table.name}: {', '.join(self.changes)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateIndex:
    """Make an index."""

    table: Table
    index: Index
    loses: str = ""

    def __str__(self) -> str:
        kind = "unique index" if self.index.unique else "index"
        return f"create {kind} on {self.table.name} ({', '.join(self.index.columns)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropIndex:
    """Remove an index."""

    table: str
    name: str
    columns: tuple[str, ...]
    loses: str = ""

    def __str__(self) -> str:
        return f"drop index on {self.table} ({', '.join(self.columns)})"


Step = (
    CreateTable
    | RenameTable
    | DropTable
    | AddColumn
    | RenameColumn
    | DropColumn
    | RedefineTable
    | CreateIndex
    | DropIndex
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPlan:
    """What is to be done, in order."""

    steps: tuple[Step, ...] = ()
    left: tuple[str, ...] = ()
    """Tables, and columns as `table.column`, that there are and that are not declared; they stay."""

    @property
    def losses(self) -> tuple[str, ...]:
        """Return what data is lost, for people."""
        return tuple(step.loses for step in self.steps if step.loses)


def plan(
    live: Mapping[str, LiveTable], declared: Sequence[Table], *, dialect: sa.Dialect, drop: bool = False
) -> SchemaPlan:
    """
    Return how to get from *live* to *declared*.

    Args:
        drop: Drop tables and columns that are not declared any more, instead of leaving them.

    Raises:
        Invalid: There is no way that keeps the data, such as to a type that the values do not fit.
    """
    left: list[str] = []
    there, steps = _renamed(live, declared)
    for table in _in_order(declared):
        found_table = there.get(table.name)
        if found_table is None:
            steps.append(CreateTable(table=table))
        else:
            more, remaining = _change(found_table, table, dialect=dialect, drop=drop)
            steps.extend(more)
            left.extend(remaining)
    names = {table.name for table in declared}
    for name in reversed(_by_reference([entry.table for entry in there.values() if entry.table.name not in names])):
        if drop:
            steps.append(DropTable(table=name))
        else:
            left.append(name)
    return SchemaPlan(steps=tuple(steps), left=tuple(sorted(left)))


def _change(live: LiveTable, declared: Table, *, dialect: sa.Dialect, drop: bool) -> tuple[list[Step], list[str]]:
    """Return the steps for one table that there is, and the columns that are left over."""
    steps: list[Step] = []
    surplus = [column for column in live.table.columns if declared.column(column.name) is None]
    added = [column for column in declared.columns if live.table.column(column.name) is None]
    kept = [] if drop else surplus
    left = [f"{declared.name}.{column.name}" for column in kept]
    changes = _changes(live, declared, dialect)
    changes += [f"add {column.name}" for column in added if not _addable(column)]
    # Rows that are written from now on say nothing of them.
    changes += [f"{column.name} becomes optional (it is not declared)" for column in kept if column.required]
    if drop:
        # A column that refers to something cannot be dropped.
        changes += [f"{column.name} refers to nothing" for column in surplus if column.references is not None]
    if declared.primary_key != live.table.primary_key:
        raise Invalid(
            f"{declared.name} has the primary key ({', '.join(live.table.primary_key)}), which cannot become "
            f"({', '.join(declared.primary_key)}). Declare a table with another name, and copy the rows."
        )
    for index in _dropped_indexes(live, declared, surplus, drop=drop):
        steps.append(index)
        live = replace(live, index_names={key: name for key, name in live.index_names.items() if name != index.name})
    drops = [DropColumn(table=declared.name, column=column.name) for column in surplus if drop]
    if changes:
        whole = replace(declared, columns=(*declared.columns, *(_relaxed(column, drop=drop) for column in surplus)))
        return [*steps, RedefineTable(live=live, table=whole, changes=tuple(changes)), *drops], left
    steps += [AddColumn(table=declared, column=column) for column in added]
    steps += [CreateIndex(table=declared, index=index) for index in declared.indexes if index not in live.table.indexes]
    return [*steps, *drops], left


def _relaxed(column: Column, *, drop: bool) -> Column:
    if drop:
        return replace(column, optional=True, references=None)
    return replace(column, optional=True) if column.required else column


def _renamed(live: Mapping[str, LiveTable], declared: Sequence[Table]) -> tuple[dict[str, LiveTable], list[Step]]:
    """Return the tables with the names that they and their columns get, and the steps that give them."""
    there = dict(live)
    steps: list[Step] = []
    for table in declared:
        old = table.renamed_from
        if table.name not in there and old in there:
            steps.append(RenameTable(old=old, new=table.name))
            found = there.pop(old)
            there[table.name] = replace(found, table=replace(found.table, name=table.name))
            _lead(there, table=old, to_table=table.name)
    for table in declared:
        for column in table.columns if table.name in there else ():
            old = column.renamed_from
            found = there[table.name]
            if old and found.table.column(column.name) is None and found.table.column(old) is not None:
                steps.append(RenameColumn(table=table.name, old=old, new=column.name))
                there[table.name] = _with_name(found, old, column.name)
                _lead(there, table=table.name, column=old, to_column=column.name)
    return there, steps


def _lead(
    there: dict[str, LiveTable], *, table: str, to_table: str = "", column: str = "", to_column: str = ""
) -> None:
    """Have references lead to a new name, as the database does itself when it gives that."""

    def led(entry: Column) -> Column:
        reference = entry.references
        if reference is None or reference.table != table or (column and reference.column != column):
            return entry
        target = replace(reference, table=to_table or table, column=to_column or reference.column)
        return replace(entry, references=target)

    for name, live in there.items():
        columns = tuple(led(entry) for entry in live.table.columns)
        there[name] = replace(live, table=replace(live.table, columns=columns))


def _with_name(live: LiveTable, old: str, new: str) -> LiveTable:
    def named(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    table = live.table
    renamed = {index: replace(index, columns=named(index.columns)) for index in table.indexes}
    return replace(
        live,
        table=replace(
            table,
            columns=tuple(replace(column, name=new) if column.name == old else column for column in table.columns),
            primary_key=named(table.primary_key),
            indexes=tuple(renamed.values()),
        ),
        index_names={renamed[index]: name for index, name in live.index_names.items()},
    )


def _addable(column: Column) -> bool:
    """Return whether ALTER TABLE can add it on every database: it refers to nothing, and old rows get a constant."""
    constant = column.default is not None and not column.computed
    return column.type.name != "id" and column.references is None and (column.optional or constant) and (
        not column.computed
    )  # fmt: skip


def _changes(live: LiveTable, declared: Table, dialect: sa.Dialect) -> list[str]:
    """Say how columns that stay become others."""
    changes = []
    for column in declared.columns:
        before = live.table.column(column.name)
        if before is None:
            continue
        where = f"{declared.name}.{column.name}"
        if before.type.written != column.type.written:
            if not _widens(before.type, column.type):
                raise Invalid(
                    f"{where} has the type {before.type.written}; its values cannot be kept as {column.type.written}. "
                    "Add a column with another name, and copy the values."
                )
            changes.append(f"{column.name} becomes {column.type.written}")
        if before.optional != column.optional:
            changes.append(f"{column.name} becomes {'optional' if column.optional else 'required'}")
        if not _same_default(before.default_sql, default_sql(column, dialect)):
            changes.append(f"{column.name} has another default")
        if before.references != column.references:
            target = column.references
            changes.append(
                f"{column.name} refers to {target.table}.{target.column}"
                if target
                else f"{column.name} refers to nothing"
            )
    return changes


def _same_default(live: str | None, declared: str | None) -> bool:
    return _bare(live) == _bare(declared)


def _bare(text: str | None) -> str | None:
    return text[1:-1] if text is not None and text.startswith("(") and text.endswith(")") else text


_WIDER: Mapping[str, frozenset[str]] = {
    "string": frozenset({"text"}),
    "uuid": frozenset({"text", "string"}),
    "date": frozenset({"text", "string"}),
    "integer": frozenset({"bigint", "number"}),
    "id": frozenset({"integer", "bigint"}),
}
"""Types whose values can be kept as values of others."""
_SHORTEST = {"uuid": 36, "date": 10}


def _widens(before: ColumnType, after: ColumnType) -> bool:
    """Return whether every value can be kept; of strings that get shorter, the rows are looked at when it is done."""
    if before.name == after.name == "string" or (before.name == "text" and after.name == "string"):
        return True
    if before.name == after.name == "decimal":
        return _whole_digits(after) >= _whole_digits(before) and after.digits >= before.digits
    return after.name in _WIDER.get(before.name, frozenset()) and after.most_length >= _SHORTEST.get(before.name, 0)


def _whole_digits(kind: ColumnType) -> int:
    return kind.most_length - kind.digits


_INDEX_ENDINGS = ("_index", "_key")
"""Of the names of indexes that plans have made, see `sql.index_name`; others are the author's own."""


def _dropped_indexes(live: LiveTable, declared: Table, surplus: Sequence[Column], *, drop: bool) -> list[DropIndex]:
    """Return the steps that remove indexes which are not declared; what SQL has made of its own stays."""
    gone = {column.name for column in surplus} if drop else set()
    return [
        DropIndex(table=declared.name, name=name, columns=index.columns)
        for index, name in live.index_names.items()
        if index not in declared.indexes and (name.endswith(_INDEX_ENDINGS) or gone & {*index.columns})
    ]


def _in_order(tables: Sequence[Table]) -> list[Table]:
    by_name = {table.name: table for table in tables}
    return [by_name[name] for name in _by_reference(tables)]


def _by_reference(tables: Sequence[Table]) -> list[str]:
    """Return the names of tables, those that others refer to first; circles in the order in which they stand."""
    names = {table.name for table in tables}
    needs = {
        table.name: {
            column.references.table
            for column in table.columns
            if column.references is not None and column.references.table in names - {table.name}
        }
        for table in tables
    }
    ordered: list[str] = []
    while needs:
        free = [name for name, needed in needs.items() if not needed - set(ordered)] or list(needs)
        ordered.extend(free)
        for name in free:
            del needs[name]
    return ordered
