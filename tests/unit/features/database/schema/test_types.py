"""Tests of `features.database.schema.types`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from aiwebengine.errors import Invalid
from aiwebengine.features.database.schema.types import column_type, json_text, moment_text, plain_type
from aiwebengine.features.database.values import JsonValue

NOON = datetime(2026, 11, 29, 12, 30, 0, 123000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "given", "stored"),
    [
        ("id", 7, 7),
        ("integer", 5.0, 5),
        ("integer", 2**53 - 1, 2**53 - 1),
        ("bigint", 2**63 - 1, 2**63 - 1),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("number", 3, 3.0),
        ("decimal(10,2)", "12.5", "12.50"),
        ("decimal(10,2)", 0.1, "0.10"),
        ("decimal(4,4)", "-0.1234", "-0.1234"),
        ("boolean", True, True),
        ("string(3)", "äöü", "äöü"),
        ("text", "a" * 5000, "a" * 5000),
        ("timestamp", NOON, NOON),
        ("timestamp", "2026-11-29T13:30:00.123+01:00", NOON),
        ("date", "2026-02-28", "2026-02-28"),
        ("uuid", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("json", JsonValue({"a": [1]}), {"a": [1]}),
        ("json", "text", "text"),
        ("bytes", b"\x00\xff", b"\x00\xff"),
    ],
)
def test_takes(written: str, given: Any, stored: Any) -> None:
    """A type takes the values of JavaScript that it stands for, in one form."""
    assert column_type(written).value(given, "notes.c") == stored


@pytest.mark.parametrize(
    ("written", "given", "part"),
    [
        ("integer", 1.5, "the number 1.5 was given"),
        ("integer", True, "true was given"),
        ("integer", 2**53, "from -9007199254740991"),
        ("bigint", 2**63, "it must be from"),
        ("bigint", "12a", '"12a" was given'),
        ("number", "1", '"1" was given'),
        ("decimal(10,2)", "1.234", "more than 2 digits behind the point"),
        ("decimal(4,2)", "100", "more than 2 digits before the point"),
        ("decimal(4,2)", "NaN", '"NaN" was given'),
        ("decimal(4,2)", "1e1", '"1e1" was given'),
        ("boolean", 1, "the number 1 was given"),
        ("string(3)", "abcd", "it has 4 characters"),
        ("string", "a\0b", "U+0000"),
        ("text", "\ud800", "half of a surrogate pair"),
        ("timestamp", "2026-11-29T12:00:00", "must end with its time zone"),
        ("timestamp", "yesterday", "a string must be a time"),
        ("timestamp", 5, "write new Date"),
        ("date", "2026-02-30", "no such day"),
        ("date", "2026-2-3", '"2026-2-3" was given'),
        ("uuid", "x" * 36, "takes a string with a UUID"),
        ("json", NOON, "a Date was given"),
        ("bytes", "abc", '"abc" was given'),
    ],
)
def test_refuses(written: str, given: Any, part: str) -> None:
    """A value that does not fit is refused with the column, the type and the value."""
    with pytest.raises(Invalid) as refused:
        column_type(written).value(given, "notes.c")
    assert part in refused.value.public
    assert refused.value.public.startswith("notes.c is of the type ")


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("strng", 'did you mean "string"?'),
        ("string(5000)", "use text for longer ones"),
        ("decimal(30,2)", "at most 18 digits"),
        ("integer(4)", "takes no number"),
        ("", "there is no column type"),
    ],
)
def test_unknown_types(written: str, part: str) -> None:
    """A type that there is not is refused with what was probably meant."""
    with pytest.raises(Invalid) as refused:
        column_type(written)
    assert part in refused.value.public


@pytest.mark.parametrize(
    ("written", "value", "kept"),
    [
        ("decimal(10,2)", "-12.50", -1250),
        ("timestamp", NOON, "2026-11-29T12:30:00.123Z"),
        ("boolean", True, 1),
        ("json", {"ä": 1}, '{"ä":1}'),
        ("date", "2026-01-02", "2026-01-02"),
        ("bigint", 2**62, 2**62),
    ],
)
def test_kept_in_sqlite(written: str, value: Any, kept: Any) -> None:
    """What SQLite keeps sorts as the values do, and comes back as it was."""
    engine = sa.create_engine("sqlite://")
    table = sa.Table("t", sa.MetaData(), sa.Column("c", column_type(written).sql))
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(sa.insert(table), {"c": value})
        assert connection.exec_driver_sql("SELECT c FROM t").scalar() == kept
        came = connection.execute(sa.select(table.c.c)).scalar()
    assert came == (JsonValue(value) if written == "json" else value)
    engine.dispose()


def test_a_time_that_sql_has_written_differently() -> None:
    """What SQL has put into a column of times is shown as it is if it is none."""
    engine = sa.create_engine("sqlite://")
    table = sa.Table("t", sa.MetaData(), sa.Column("c", column_type("timestamp").sql))
    with engine.begin() as connection:
        table.create(connection)
        connection.exec_driver_sql("INSERT INTO t VALUES ('2026-11-29 12:30:00.123'), ('soon')")
        assert connection.execute(sa.select(table.c.c)).scalars().all() == [NOON, "soon"]
    engine.dispose()


def test_times_of_other_zones() -> None:
    """A time is kept in UTC."""
    assert moment_text(NOON.astimezone(timezone(timedelta(hours=5)))) == "2026-11-29T12:30:00.123Z"


def test_json_text() -> None:
    """JSON is kept short."""
    assert json_text({"a": [1, None]}) == '{"a":[1,null]}'


def test_plain_type() -> None:
    """A column of SQL's own takes what the database takes."""
    kind = plain_type("NUMERIC")
    assert kind.value(5, "t.c") == 5
    with pytest.raises(Invalid):
        kind.value(JsonValue({}), "t.c")
