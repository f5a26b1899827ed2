"""Statements of SQL that scripts write themselves."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.engine import Connection, CursorResult

from aiwebengine.errors import Invalid
from aiwebengine.features.database.schema.types import json_text, moment_text
from aiwebengine.features.database.values import JsonValue, from_wire
from aiwebengine.host.declare import described
from aiwebengine.services.db.script_sql import Mode, own_text

_MOST_PARAMETERS = 1000
_READING = re.compile(r"\s*(?:SELECT|VALUES|EXPLAIN)\b", re.IGNORECASE)
_WITH = re.compile(r"\s*WITH\b", re.IGNORECASE)
_WRITING = re.compile(r"\b(?:INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
_RESERVED = re.compile(r"(?<!\w)(?:_|sqlite_)\w", re.IGNORECASE)
_COMMENT = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/)", re.DOTALL)


def writes(text: str) -> bool:
    """Return whether a statement may write, as far as its words tell; the database holds it to that."""
    while (comment := _COMMENT.match(text)) is not None:
        text = text[comment.end() :]
    if _READING.match(text):
        return False
    return _WITH.match(text) is None or _WRITING.search(text) is not None


def run_statement(connection: Connection, text: str, parameters: Any, mode: Mode) -> CursorResult[Any]:
    """
    Run one statement, within `script_sql.guarded`.

    Args:
        parameters: As the sandbox sends them: by name, in order, or None; not trusted.

    Raises:
        Invalid: The parameters do not fit.
    """
    if mode == "define" and _RESERVED.search(text):
        # What a trigger does is looked at when it is run, and then it may be the engine that runs it.
        raise Invalid("database.query: names that begin with _ or sqlite_ are reserved.")
    return connection.exec_driver_sql(own_text(text, mode), _parameters(parameters))


def _parameters(given: Any) -> dict[str, Any] | tuple[Any, ...]:
    if given is None:
        return ()
    if not isinstance(given, dict | list) or len(given) > _MOST_PARAMETERS:
        raise Invalid(
            f"database.query: the parameters are an object or a list of at most {_MOST_PARAMETERS} values; "
            f"{described(given)} was given."
        )
    if isinstance(given, list):
        return tuple(_bound(value) for value in given)
    return {name: _bound(value) for name, value in given.items()}


def _bound(given: Any) -> Any:
    """Return a value as columns of SQLite keep it."""
    value = from_wire(given)
    if isinstance(value, JsonValue):
        return json_text(value.value)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise Invalid("database.query: a whole number has at most 64 bits.")
    return moment_text(value) if hasattr(value, "tzinfo") else value
