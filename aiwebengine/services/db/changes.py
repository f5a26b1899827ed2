"""
What a transaction has changed, as the statements that do it again.

SQLite cannot commit two files together.  So what a unit of work writes into the file of a script is kept
in the main database, too, until the file has it (`joint.py`).  It is recorded statement by statement as the
driver gets them: on the same content they make the same content again.

    [["INSERT INTO entries (...) VALUES (?, ?)", ["a", {"b": "aGk="}]], ["DELETE ...", [[1], [2]], true]]

Parameters with names are an object.
A statement that was executed for several rows has a list of lists of parameters, and true behind it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection

_READING = re.compile(
    r"(?:\s|/\*.*?\*/|--[^\n]*(?:\n|$))*(?:(?:SELECT|VALUES|EXPLAIN)\b|PRAGMA\s+\w+\s*(?:\(|$))",
    re.IGNORECASE | re.DOTALL,
)
"""What changes nothing for sure; everything else is recorded, whatever comment a script's statement begins with."""


class ChangeRecorder:
    """Records the statements of one connection while it is in `recording`."""

    def __init__(self) -> None:
        self._statements: list[list[Any]] = []

    @contextmanager
    def recording(self, connection: Connection) -> Iterator[None]:
        """Record what *connection* executes in the block."""
        event.listen(connection, "after_cursor_execute", self._executed)
        try:
            yield
        finally:
            event.remove(connection, "after_cursor_execute", self._executed)

    def add(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> None:
        """Record one that was executed past the connection, by the driver itself."""
        if _READING.match(statement) is None:
            self._statements.append([statement, _packed_row(parameters)])

    def as_json(self) -> str:
        """Return what was recorded."""
        return json.dumps(self._statements, separators=(",", ":"))

    # Its arguments are SQLAlchemy's.
    def _executed(
        self,
        _connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        executemany: bool,  # noqa: FBT001  the event's
    ) -> None:
        if not executemany:
            self.add(statement, parameters)
        elif _READING.match(statement) is None:
            self._statements.append([statement, [_packed_row(row) for row in parameters], True])


def repeat(connection: Connection, recorded: str) -> None:
    """Execute what `ChangeRecorder.as_json` gave."""
    for statement, parameters, *many in json.loads(recorded):
        if many:
            rows = [_unpacked_row(row) for row in parameters]
            connection.exec_driver_sql(statement, rows).close()
        else:
            connection.exec_driver_sql(statement, _unpacked_row(parameters)).close()


def _packed_row(row: Sequence[Any] | Mapping[str, Any]) -> Any:
    if isinstance(row, Mapping):
        return {name: _packed(value) for name, value in row.items()}
    return [_packed(value) for value in row]


def _unpacked_row(row: Any) -> Any:
    if isinstance(row, dict):
        return {name: _unpacked(value) for name, value in row.items()}
    return tuple(_unpacked(value) for value in row)


def _packed(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"b": base64.b64encode(bytes(value)).decode("ascii")}
    return value


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["b"]) if isinstance(value, dict) else value
