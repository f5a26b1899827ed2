"""What the database says of a statement, in words for the author of a script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from aiwebengine.errors import CallTimeout, Conflict, Denied, EngineError, Invalid, TooLarge
from aiwebengine.services.db.connect import explain

_OF_THE_DATABASE = (
    "locked",
    "busy",
    "disk",
    "full",
    "i/o",
    "unable to open",
    "malformed",
    "not a database",
    "readonly",
)
"""Words that say that not the statement is at fault."""
_CONSTRAINT = re.compile(r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (.*))?")


@contextmanager
def explained(call: str) -> Iterator[None]:
    """Have what the database refuses in the block be an error that begins with the name of *call*."""
    try:
        yield
    except DBAPIError as error:
        raise _explained(call, error) from error


def _explained(call: str, error: DBAPIError) -> EngineError | DBAPIError:
    text = str(error.orig)
    constraint = _CONSTRAINT.search(text)
    if constraint is not None:
        return _of_constraint(call, constraint[1], constraint[2] or "")
    lower = text.lower()
    if "interrupted" in lower:
        return CallTimeout(f"{call}: the statement took longer than it may (database.statement_seconds).")
    if "not authorized" in lower or "prohibited" in lower:
        return Denied(f"{call}: the statement does what scripts may not do: {text}.")
    if "too big" in lower or "too large" in lower:
        return TooLarge(f"{call}: a value is larger than the database takes: {text}.")
    if any(word in lower for word in _OF_THE_DATABASE):
        return explain(error)
    return Invalid(f"{call}: {text.rstrip('.')}.")


def _of_constraint(call: str, kind: str, what: str) -> EngineError:
    match kind:
        case "UNIQUE":
            return Conflict(
                f"{call}: there is a row with the same {what} already.", details={"columns": what.split(", ")}
            )
        case "NOT NULL":
            return Invalid(f"{call}: {what} must have a value.")
        case "FOREIGN KEY":
            return Conflict(
                f"{call}: a row would refer to a row that does not exist, or a row to which others refer would be "
                "removed."
            )
        case _:
            return Invalid(f"{call}: a row breaks the rule {what or 'of its table'}.")
