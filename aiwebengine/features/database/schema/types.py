"""
The vocabulary of column types: one name, one meaning, on every database.

A type says three things: how it is declared in SQL, which values of JavaScript it takes, and
what a script gets back.

    type           JavaScript    SQLite               PostgreSQL     MariaDB and MySQL
    id             number        INTEGER              BIGINT         BIGINT         counted by the database; primary key
    uuid           string        TEXT_UUID            UUID           CHAR(36)
    string(N)      string        VARCHAR(N)           VARCHAR(N)     VARCHAR(N)     compares by code points
    text           string        TEXT                 TEXT           LONGTEXT       not indexed
    integer        number        INTEGER              BIGINT         BIGINT         safe integers
    bigint         BigInt        BIGINT               BIGINT         BIGINT         64 bits
    number         number        REAL                 DOUBLE         DOUBLE
    decimal(P,S)   string        DECIMAL_INT(P,S)     NUMERIC(P,S)   DECIMAL(P,S)   exact; in SQLite in smallest units
    boolean        boolean       BOOLEAN_INT          BOOLEAN        TINYINT(1)
    timestamp      Date          TEXT_TIMESTAMP       TIMESTAMPTZ    DATETIME(3)    UTC, milliseconds
    date           string        TEXT_DATE            DATE           DATE           YYYY-MM-DD
    json           any value     TEXT_JSON            JSONB          JSON
    bytes          Uint8Array    BLOB                 BYTEA          LONGBLOB

SQLite takes any word as a type and looks only whether it contains INT, CHAR, TEXT, BLOB or REAL; so the words
that it has no type for say in the file itself what a column holds.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

import sqlalchemy as sa

from aiwebengine.errors import Invalid
from aiwebengine.features.database.values import EXACT, JsonValue
from aiwebengine.host.declare import described, nearest
from aiwebengine.services.db.columns import ExactText, LongBytes, LongText

DEFAULT_STRING = 255
MOST_STRING = 768
"""Characters of a string that every database can still index."""
MOST_DECIMAL = 18
"""Digits of a decimal: what 64 bits hold."""

_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_WRITTEN = re.compile(r"([a-z]+)(?:\((\d{1,4})(?:, ?(\d{1,2}))?\))?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DECIMAL = re.compile(r"[+-]?(\d+)(?:\.(\d+))?")


class Misfit(Exception):
    """A value does not fit a type; what it says, if anything, is why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnType:
    """One type of the vocabulary, with its numbers if it takes some."""

    name: str
    """The word, such as `decimal`."""
    written: str
    """As it is declared, such as `decimal(10,2)`."""
    sql: sa.types.TypeEngine[Any]
    """How it is declared and converted by SQLAlchemy."""
    read: Callable[[Any], Any]
    """Return what is stored for a value that a script has given (see `from_wire`), or raise `Misfit`."""
    takes: str
    """Which values it takes, as it follows "takes"."""
    javascript: str
    """TypeScript of its values."""
    ordered: bool = True
    """Whether values can be compared and sorted."""
    indexable: bool = True
    most_length: int = 0
    """Characters of a string, digits of a decimal; 0: no bound of the type's."""
    digits: int = 0
    """Of a decimal: those behind the point."""

    def value(self, given: Any, where: str) -> Any:
        """
        Return what is stored for *given*.

        Args:
            where: Of the value, for the message, such as `notes.created`.

        Raises:
            Invalid: It does not fit.
        """
        try:
            return self.read(given)
        except Misfit as error:
            reason = f" {error}." if str(error) else ""
            raise Invalid(
                f"{where} is of the type {self.written}, which takes {self.takes}; {shown(given)} was given.{reason}"
            ) from None


def shown(value: Any) -> str:
    """Name a value for a message."""
    if isinstance(value, datetime):
        return "a Date"
    if isinstance(value, bytes):
        return f"an array of {len(value)} bytes"
    if isinstance(value, JsonValue):
        return described(value.value)
    return described(value)


def column_type(written: str) -> ColumnType:
    """
    Return a type by what a script declares, such as `string(80)`.

    Raises:
        Invalid: There is none; the message names the nearest.
    """
    match = _WRITTEN.fullmatch(written.strip())
    make = _TYPES.get(match[1]) if match else None
    if match is None or make is None:
        suggestion = nearest(written.partition("(")[0], _TYPES)
        advice = f'did you mean "{suggestion}"?' if suggestion else f"there are {', '.join(_TYPES)}."
        raise Invalid(f"there is no column type {described(written)}; {advice}")
    return make(*(int(number) for number in match.groups()[1:] if number is not None))


def plain_type(word: str) -> ColumnType:
    """Return the type of a column that SQL has made with a *word* of its own: it takes what the database takes."""
    return ColumnType(
        name="sql",
        written=word,
        sql=_Named(word),
        read=_anything,
        takes="a string, a number, true, false or a Uint8Array",
        javascript="any",
    )


# -- how values are stored -----------------------------------------------------------------------


class _Named(sa.types.UserDefinedType[Any]):
    """
    A type of SQLite by a word of our own.

    Args:
        spec: The word; what it contains decides how SQLite stores the values.
    """

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **_: Any) -> str:
        """See SQLAlchemy."""
        return self.spec


class _Moment(sa.types.TypeDecorator[Any]):
    """A time in UTC with milliseconds; in SQLite a string that sorts."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """See SQLAlchemy."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_Named("TEXT_TIMESTAMP"))
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.TIMESTAMP(timezone=True))
        from sqlalchemy.dialects import mysql  # noqa: PLC0415  it takes time to load, and most servers have none

        return dialect.type_descriptor(mysql.DATETIME(fsp=3))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> Any:
        """See SQLAlchemy."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return moment_text(value)
        return value if dialect.name == "postgresql" else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002  SQLAlchemy's
        """See SQLAlchemy."""
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                # Written by SQL that stores something else here; it is shown as it is.
                return value
        if isinstance(value, datetime) and value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        return value


class _Day(sa.types.TypeDecorator[str]):
    """A day of the calendar; for scripts a string."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """See SQLAlchemy."""
        return dialect.type_descriptor(_Named("TEXT_DATE") if dialect.name == "sqlite" else sa.Date())

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> Any:
        """See SQLAlchemy."""
        return value if value is None or dialect.name == "sqlite" else date.fromisoformat(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's
        """See SQLAlchemy."""
        return value.isoformat() if isinstance(value, date) else value


class _Exact(sa.types.TypeDecorator[str]):
    """
    A decimal number of fixed digits; for scripts a string, in SQLite a whole number of its smallest units.

    Args:
        precision: Digits in all.
        scale: Digits behind the point.
    """

    impl = sa.String
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        super().__init__()
        self.precision = precision
        self.scale = scale

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """See SQLAlchemy."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_Named(f"DECIMAL_INT({self.precision},{self.scale})"))
        return dialect.type_descriptor(sa.Numeric(self.precision, self.scale))

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> Any:
        """See SQLAlchemy."""
        if value is None:
            return None
        return int(Decimal(value).scaleb(self.scale)) if dialect.name == "sqlite" else Decimal(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        """See SQLAlchemy."""
        if value is None:
            return None
        number = Decimal(value)
        return decimal_text(number.scaleb(-self.scale) if dialect.name == "sqlite" else number, self.scale)


class _Json(sa.types.TypeDecorator[Any]):
    """A value of JSON; null of JSON is not told from NULL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """See SQLAlchemy."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_Named("TEXT_JSON"))
        return dialect.type_descriptor(_jsonb() if dialect.name == "postgresql" else sa.JSON())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        """See SQLAlchemy."""
        if value is None:
            return None
        inner = value.value if isinstance(value, JsonValue) else value
        return json_text(inner) if dialect.name == "sqlite" else inner

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """See SQLAlchemy."""
        if value is None:
            return None
        return JsonValue(json.loads(value) if dialect.name == "sqlite" else value)


class _Uuid(sa.types.TypeDecorator[str]):
    """A UUID; for scripts a string of lower-case digits."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """See SQLAlchemy."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_Named("TEXT_UUID"))
        return dialect.type_descriptor(sa.Uuid(as_uuid=False) if dialect.name == "postgresql" else sa.CHAR(36))

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ARG002  SQLAlchemy's
        """See SQLAlchemy."""
        return None if value is None else str(value)


class _Boolean(sa.types.TypeDecorator[bool]):
    """True or false."""

    impl = sa.Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """See SQLAlchemy."""
        return dialect.type_descriptor(_Named("BOOLEAN_INT") if dialect.name == "sqlite" else sa.Boolean())

    def process_bind_param(self, value: bool | None, dialect: sa.Dialect) -> Any:  # noqa: FBT001  SQLAlchemy's
        """See SQLAlchemy."""
        return int(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> bool | None:  # noqa: ARG002  SQLAlchemy's
        """See SQLAlchemy."""
        return None if value is None else bool(value)


def _jsonb() -> sa.types.TypeEngine[Any]:
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415  as above

    return postgresql.JSONB()


def moment_text(at: datetime) -> str:
    """Return a time as SQLite stores it: a string that sorts, which its own functions of time understand."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def json_text(value: Any) -> str:
    """Return a value as SQLite stores it in a column of the type json."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def decimal_text(number: Decimal, scale: int) -> str:
    """Return a decimal number with so many digits behind the point."""
    return f"{number:.{scale}f}"


# -- which values of JavaScript they take -----------------------------------------------------------


def _whole(value: Any, smallest: int, largest: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misfit
    if not smallest <= value <= largest:
        raise Misfit(f"it must be from {smallest} to {largest}")
    return value


def _safe(value: Any) -> int:
    return _whole(value, -EXACT, EXACT)


def _long(value: Any) -> int:
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"-?\d{1,19}", value) else value
    return _whole(value, _SMALLEST, _LARGEST)


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Misfit
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit
    return value


def _moment(value: Any) -> datetime:
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise Misfit("a string must be a time such as 2026-11-29T12:30:00Z") from None
        if value.tzinfo is None:
            raise Misfit("a string must end with its time zone, such as Z")
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Misfit("write new Date(...) around milliseconds")
    if not isinstance(value, datetime):
        raise Misfit
    if not 1 <= value.year <= 9998:
        raise Misfit("its year must be from 1 to 9998")
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def _day(value: Any) -> str:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise Misfit
    try:
        date.fromisoformat(value)
    except ValueError:
        raise Misfit("the calendar has no such day") from None
    return value


def _uuid(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 36:
        raise Misfit
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise Misfit from None


def _json(value: Any) -> Any:
    if isinstance(value, datetime | bytes):
        raise Misfit
    return value.value if isinstance(value, JsonValue) else value


def _blob(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise Misfit
    return value


def _anything(value: Any) -> Any:
    if isinstance(value, JsonValue | datetime):
        raise Misfit
    return value


def _string(most: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise Misfit
        if most and len(value) > most:
            raise Misfit(f"it has {len(value)} characters")
        if "\0" in value:
            raise Misfit("it contains the character U+0000")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Misfit("it contains half of a surrogate pair") from None
        return value

    return read


def _decimal(precision: int, scale: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Misfit
        text = value if isinstance(value, str) else repr(value)
        try:
            number = Decimal(text) if len(text) <= 60 else None
        except InvalidOperation:
            number = None
        if number is None or not number.is_finite() or (isinstance(value, str) and not _DECIMAL.fullmatch(value)):
            raise Misfit
        with localcontext() as context:
            context.prec = 80
            rounded = round(number, scale)
        if rounded != number:
            raise Misfit(f"it has more than {scale} digits behind the point; round it first")
        if abs(rounded) >= 10 ** (precision - scale):
            raise Misfit(f"it has more than {precision - scale} digits before the point")
        return decimal_text(rounded, scale)

    return read


def _string_type(length: int = DEFAULT_STRING) -> ColumnType:
    if not 1 <= length <= MOST_STRING:
        raise Invalid(f"string({length}): a string has from 1 to {MOST_STRING} characters; use text for longer ones.")
    written = "string" if length == DEFAULT_STRING else f"string({length})"
    kind = ExactText(length)
    return ColumnType(
        name="string",
        written=written,
        sql=kind,
        read=_string(length),
        takes=f"a string of at most {length} characters",
        most_length=length,
        javascript="string",
    )


def _decimal_type(precision: int = MOST_DECIMAL, scale: int = 2) -> ColumnType:
    if not 1 <= precision <= MOST_DECIMAL or scale > precision:
        raise Invalid(
            f"decimal({precision},{scale}): write decimal(P,S), with at most {MOST_DECIMAL} digits in all (P) and S of "
            "them behind the point."
        )
    return ColumnType(
        name="decimal",
        written=f"decimal({precision},{scale})",
        sql=_Exact(precision, scale),
        read=_decimal(precision, scale),
        takes=f'a string such as "{decimal_text(Decimal(12), scale)}", or a number',
        javascript="string",
        most_length=precision,
        digits=scale,
    )


def _plain(
    name: str,
    sql: sa.types.TypeEngine[Any],
    read: Callable[[Any], Any],
    takes: str,
    javascript: str,
    *,
    ordered: bool = True,
    indexable: bool = True,
    most_length: int = 0,
) -> Callable[..., ColumnType]:
    made = ColumnType(
        name=name,
        written=name,
        sql=sql,
        read=read,
        takes=takes,
        javascript=javascript,
        ordered=ordered,
        indexable=indexable,
        most_length=most_length,
    )

    def make(*numbers: int) -> ColumnType:
        if numbers:
            raise Invalid(f"the column type {name} takes no number in parentheses.")
        return made

    return make


_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_LONG = sa.BigInteger()
_UNBOUNDED = 2**31

_TYPES: dict[str, Callable[..., ColumnType]] = {
    "id": _plain("id", _NUMBER, _safe, "a whole number", "number"),
    "uuid": _plain("uuid", _Uuid(), _uuid, "a string with a UUID", "string"),
    "string": _string_type,
    "text": _plain("text", LongText, _string(0), "a string", "string", indexable=False, most_length=_UNBOUNDED),
    "integer": _plain("integer", _NUMBER, _safe, "a whole number", "number"),
    "bigint": _plain("bigint", _LONG, _long, "a BigInt or a whole number", "bigint"),
    "number": _plain("number", sa.Double().with_variant(sa.REAL, "sqlite"), _double, "a finite number", "number"),
    "decimal": _decimal_type,
    "boolean": _plain("boolean", _Boolean(), _boolean, "true or false", "boolean"),
    "timestamp": _plain("timestamp", _Moment(), _moment, "a Date, or a string in the form of toISOString", "Date"),
    "date": _plain("date", _Day(), _day, 'a string such as "2026-11-29"', "string"),
    "json": _plain("json", _Json(), _json, "what JSON can represent", "any", ordered=False, indexable=False),
    "bytes": _plain("bytes", LongBytes, _blob, "a Uint8Array", "Uint8Array", ordered=False, indexable=False),
}
