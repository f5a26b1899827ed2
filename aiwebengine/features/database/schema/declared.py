"""
What a script declares of its tables.

    database.schema({
      notes: {                                             short: columns only
        id: "id",
        text: "text",
        owner: { type: "string", index: true },
        author: { references: "users", onDelete: "cascade" },
        created: { type: "timestamp", default: "now" },
      },
      ratings: {                                           long: columns and what concerns several of them
        columns: { note: { references: "notes" }, user: "string", stars: "integer" },
        primaryKey: ["note", "user"],
        indexes: [{ columns: ["stars", "note"] }],
      },
    })

A column must have a value unless it is `optional` or has a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiwebengine.errors import Invalid
from aiwebengine.features.database.schema.types import ColumnType, column_type
from aiwebengine.features.database.values import from_wire
from aiwebengine.host.declare import described, nearest

OnDelete = Literal["restrict", "cascade", "setNull"]

NOW = "now"
"""Default of a timestamp or a date: the time of the write."""
RANDOM = "random"
"""Default of a uuid: a new one."""

RESERVED_COLUMNS = frozenset({"and", "or", "not"})
"""Words that mean something else in conditions."""
RESERVED_PREFIXES = ("_", "sqlite_", "pg_", "aiwebengine_")
"""Of names that belong to the database or to the engine."""

MOST_TABLES = 200
MOST_COLUMNS = 200
MOST_COLUMNS_IN_ALL = 2000
MOST_INDEXES = 50
MOST_INDEX_COLUMNS = 16

_COMPUTED = {NOW: ("timestamp", "date"), RANDOM: ("uuid",)}
"""Defaults that are made anew for each row, and the types that have them."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")
_ON_DELETE: tuple[OnDelete, ...] = ("restrict", "cascade", "setNull")
_COLUMN_KEYS = (
    "type", "optional", "default", "unique", "index", "primaryKey", "references", "onDelete", "renamedFrom",
)  # fmt: skip
_TABLE_KEYS = ("columns", "primaryKey", "indexes", "renamedFrom")
_INDEX_KEYS = ("columns", "unique")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a column refers to: one column, which identifies a row, of another table or the same."""

    table: str
    column: str
    on_delete: OnDelete = "restrict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column."""

    name: str
    type: ColumnType
    optional: bool = False
    """Whether it may have no value (NULL)."""
    default: Any = None
    """What a row gets that says nothing: a value, `NOW` or `RANDOM`; None: NULL, or nothing if it is not optional."""
    default_sql: str | None = None
    """Of a column that there is: what stands behind DEFAULT."""
    references: Reference | None = None
    renamed_from: str = ""

    @property
    def computed(self) -> bool:
        """Return whether the default is made anew for each row."""
        return self.type.name in _COMPUTED.get(self.default, ()) if isinstance(self.default, str) else False

    @property
    def required(self) -> bool:
        """Return whether each row must say a value."""
        has_default = self.default is not None or self.default_sql is not None
        return not self.optional and not has_default and self.type.name != "id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index."""

    columns: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    renamed_from: str = ""

    def column(self, name: str) -> Column | None:
        """Return a column by its name, or None."""
        return next((column for column in self.columns if column.name == name), None)


def read_schema(declared: Any) -> tuple[Table, ...]:
    """
    Return the tables that a script declares.

    Args:
        declared: The argument of `database.schema`; not trusted.

    Raises:
        Invalid: A rule is broken; the message names the table and the column.
    """
    if not isinstance(declared, dict) or not declared:
        raise Invalid(
            f'database.schema: the schema is an object such as {{ notes: {{ id: "id", text: "text" }} }}; '
            f"{described(declared)} was given."
        )
    if len(declared) > MOST_TABLES:
        raise Invalid(f"database.schema: a script has at most {MOST_TABLES} tables; {len(declared)} were declared.")
    _refuse_twins(declared, "tables")
    if sum(len(table) for table in declared.values() if isinstance(table, dict)) > MOST_COLUMNS_IN_ALL:
        raise Invalid(f"database.schema: a script has at most {MOST_COLUMNS_IN_ALL} columns in all its tables.")
    drafts = {name: _Draft(name, table) for name, table in declared.items()}
    tables = tuple(draft.finish(drafts) for draft in drafts.values())
    _refuse_renames(tables)
    return tables


def checked_name(name: Any, what: str) -> str:
    """
    Return the name of a table or column.

    Args:
        what: What has the name, for the message.

    Raises:
        Invalid: It cannot be one.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Invalid(
            f"database.schema: {what} has a name of at most 60 letters (a to z), digits and underscores, which begins "
            f"with a letter; {described(name)} was given."
        )
    if name.lower().startswith(RESERVED_PREFIXES):
        prefixes = ", ".join(RESERVED_PREFIXES)
        raise Invalid(f"database.schema: {what} has the name {described(name)}; names with {prefixes} are reserved.")
    return name


class _Draft:
    """
    A table whose references are not looked up yet.

    Args:
        name: Of the table; not trusted.
        declared: What the script says of it; not trusted.
    """

    def __init__(self, name: str, declared: Any) -> None:
        self.name = checked_name(name, "a table")
        if not isinstance(declared, dict) or not declared:
            raise Invalid(f"database.schema: {name}: its columns must be an object; {described(declared)} was given.")
        inner = declared.get("columns")
        long = isinstance(inner, dict) and "type" not in inner and "references" not in inner
        self.options: Mapping[str, Any] = declared if long else {}
        _known(self.options, _TABLE_KEYS, f"database.schema: {name}")
        columns: Mapping[str, Any] = inner if long else declared  # type: ignore[assignment]
        if not columns or len(columns) > MOST_COLUMNS:
            raise Invalid(f"database.schema: {name}: a table has from 1 to {MOST_COLUMNS} columns.")
        _refuse_twins(columns, f"columns of {name}")
        self.columns = {
            checked_name(column, f"a column of {name}"): self._options_of(column, options)
            for column, options in columns.items()
        }
        self.primary_key = self._primary_key()

    def _options_of(self, column: str, options: Any) -> Mapping[str, Any]:
        where = f"database.schema: {self.name}.{column}"
        if column.lower() in RESERVED_COLUMNS:
            raise Invalid(f"{where}: {', '.join(sorted(RESERVED_COLUMNS))} are words of conditions; use another name.")
        if isinstance(options, str):
            return {"type": options}
        if not isinstance(options, dict) or not ("type" in options or "references" in options):
            raise Invalid(
                f'{where}: a column is a type such as "string", or an object with a type or a reference; '
                f"{described(options)} was given."
            )
        _known(options, _COLUMN_KEYS, where)
        for name in ("optional", "unique", "index", "primaryKey"):
            if not isinstance(options.get(name, False), bool):
                raise Invalid(f"{where}: {name} must be true or false; {described(options[name])} was given.")
        return options

    def _primary_key(self) -> tuple[str, ...]:
        ids = [name for name, options in self.columns.items() if options.get("type") == "id"]
        named = self.options.get("primaryKey")
        if named is not None:
            key = _column_list(named, self.columns, f"database.schema: {self.name}: primaryKey")
        else:
            marked = tuple(name for name, options in self.columns.items() if options.get("primaryKey"))
            key = marked or tuple(ids)
        if not key:
            raise Invalid(
                f'database.schema: {self.name}: a table needs a primary key: a column of the type "id", or a column '
                "with primaryKey: true."
            )
        if ids and key != (ids[0],):
            raise Invalid(f"database.schema: {self.name}.{ids[0]}: a column of the type id is the whole primary key.")
        return key

    def finish(self, drafts: Mapping[str, _Draft]) -> Table:
        """Return the table; *drafts* are all tables of the schema."""
        columns = tuple(self._column(name, options, drafts) for name, options in self.columns.items())
        table = Table(
            name=self.name,
            columns=columns,
            primary_key=self.primary_key,
            indexes=tuple(dict.fromkeys(self._indexes())),
            renamed_from=_old_name(self.options, self.name, "a table"),
        )
        for index in (Index(columns=self.primary_key), *table.indexes):
            for name in index.columns:
                column = table.column(name)
                if column is not None and not column.type.indexable:
                    raise Invalid(
                        f"database.schema: {self.name}.{name}: a column of the type {column.type.written} cannot be "
                        "indexed or be a key; use string(N) for short strings."
                    )
        return table

    def _column(self, name: str, options: Mapping[str, Any], drafts: Mapping[str, _Draft]) -> Column:
        where = f"database.schema: {self.name}.{name}"
        reference = self._reference(name, options, drafts)
        written = options.get("type")
        if written is None and reference is not None:
            written = drafts[reference.table].type_of(reference.column, drafts)
        if not isinstance(written, str):
            raise Invalid(f"{where}: type must be a string; {described(written)} was given.")
        try:
            kind = column_type(written)
        except Invalid as error:
            raise Invalid(f"{where}: {error.public}") from None
        optional = bool(options.get("optional", False))
        if optional and name in self.primary_key:
            raise Invalid(f"{where}: a column of the primary key cannot be optional.")
        if reference is not None and reference.on_delete == "setNull" and not optional:
            raise Invalid(f'{where}: onDelete "setNull" needs optional: true.')
        return Column(
            name=name,
            type=kind,
            optional=optional,
            default=_default(kind, options.get("default"), where),
            references=reference,
            renamed_from=_old_name(options, name, f"a column of {self.name}"),
        )

    def _reference(self, name: str, options: Mapping[str, Any], drafts: Mapping[str, _Draft]) -> Reference | None:
        where = f"database.schema: {self.name}.{name}"
        target, on_delete = options.get("references"), options.get("onDelete")
        if target is None:
            if on_delete is not None:
                raise Invalid(f"{where}: onDelete needs references.")
            return None
        if on_delete is not None and on_delete not in _ON_DELETE:
            raise Invalid(
                f"{where}: onDelete must be one of {', '.join(_ON_DELETE)}; {described(on_delete)} was given."
            )
        if not isinstance(target, str):
            raise Invalid(f'{where}: references names a table, such as "users"; {described(target)} was given.')
        table, _, column = target.partition(".")
        draft = drafts.get(table)
        if draft is None:
            suggestion = nearest(table, drafts)
            advice = f'; did you mean "{suggestion}"?' if suggestion else "."
            raise Invalid(f"{where}: references names the table {described(table)}, which is not declared{advice}")
        if not column:
            if len(draft.primary_key) != 1:
                raise Invalid(f"{where}: {table} has a primary key of several columns, which cannot be referred to.")
            column = draft.primary_key[0]
        elif column not in draft.columns:
            suggestion = nearest(column, draft.columns)
            advice = f'; did you mean "{table}.{suggestion}"?' if suggestion else "."
            raise Invalid(f"{where}: there is no column {described(target)}{advice}")
        if draft.primary_key != (column,) and not draft.columns[column].get("unique"):
            raise Invalid(f"{where}: {table}.{column} must be the primary key or unique, so that it names one row.")
        return Reference(table=table, column=column, on_delete=on_delete or "restrict")

    def type_of(self, column: str, drafts: Mapping[str, _Draft], depth: int = 0) -> str:
        """Return the type that a column which refers to *column* has."""
        options = self.columns[column]
        written = options.get("type")
        if isinstance(written, str):
            return "integer" if written == "id" else written
        reference = self._reference(column, options, drafts)
        if reference is None or depth > MOST_TABLES:
            raise Invalid(f"database.schema: {self.name}.{column}: its references lead in a circle; give it a type.")
        return drafts[reference.table].type_of(reference.column, drafts, depth + 1)

    def _indexes(self) -> Iterator[Index]:
        for name, options in self.columns.items():
            # What refers to a row is looked for when that row is removed.
            referring = options.get("references") is not None and self.primary_key[:1] != (name,)
            if options.get("unique"):
                yield Index(columns=(name,), unique=True)
            elif options.get("index") or referring:
                yield Index(columns=(name,))
        given = self.options.get("indexes", [])
        where = f"database.schema: {self.name}: indexes"
        if not isinstance(given, list) or len(given) > MOST_INDEXES:
            raise Invalid(f"{where} must be a list of at most {MOST_INDEXES}; {described(given)} was given.")
        for index in given:
            options = {"columns": index} if isinstance(index, list | str) else index
            if not isinstance(options, dict):
                raise Invalid(
                    f'{where}: an index is a list such as ["owner", "created"]; {described(index)} was given.'
                )
            _known(options, _INDEX_KEYS, where)
            unique = options.get("unique", False)
            if not isinstance(unique, bool):
                raise Invalid(f"{where}: unique must be true or false; {described(unique)} was given.")
            yield Index(columns=_column_list(options.get("columns"), self.columns, where), unique=unique)


def _default(kind: ColumnType, given: Any, where: str) -> Any:
    if given is None:
        return None
    if kind.name == "id":
        raise Invalid(f"{where}: a column of the type id is counted by the database and takes no default.")
    if isinstance(given, str) and kind.name in _COMPUTED.get(given, ()):
        return given
    return kind.value(from_wire(given) if isinstance(given, dict) else given, f"{where}: the default")


def _column_list(given: Any, columns: Mapping[str, Any], where: str) -> tuple[str, ...]:
    names = [given] if isinstance(given, str) else given
    if (
        not isinstance(names, list)
        or not 1 <= len(names) <= MOST_INDEX_COLUMNS
        or len(set(map(str, names))) < len(names)
    ):
        raise Invalid(f"{where} must be a list of different columns; {described(given)} was given.")
    for name in names:
        if name not in columns:
            suggestion = nearest(str(name), columns)
            advice = f'; did you mean "{suggestion}"?' if suggestion else "."
            raise Invalid(f"{where}: there is no column {described(name)}{advice}")
    return tuple(names)


def _old_name(options: Mapping[str, Any], name: str, what: str) -> str:
    old = options.get("renamedFrom")
    if old is None:
        return ""
    if checked_name(old, what) == name:
        raise Invalid(f"database.schema: {name}: renamedFrom must be another name than the present one.")
    return str(old)


def _known(options: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for name in options:
        if name not in known:
            suggestion = nearest(name, known)
            advice = f"; did you mean {suggestion}?" if suggestion else f"; there are {', '.join(known)}."
            raise Invalid(f"{where}: there is no option {described(name)}{advice}")


def _refuse_twins(names: Mapping[str, Any], what: str) -> None:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(name.lower(), name)
        if twin != name:
            raise Invalid(
                f'database.schema: the {what} "{twin}" and "{name}" differ in their letters\' case alone; databases do '
                "not tell them apart."
            )


def _refuse_renames(tables: Sequence[Table]) -> None:
    names = {table.name for table in tables}
    for table in tables:
        if table.renamed_from in names:
            raise Invalid(
                f"database.schema: {table.name}: renamedFrom names {table.renamed_from}, which is declared too."
            )
        columns = {column.name for column in table.columns}
        for column in table.columns:
            if column.renamed_from in columns:
                raise Invalid(
                    f"database.schema: {table.name}.{column.name}: renamedFrom names {column.renamed_from}, which is "
                    "declared too."
                )
