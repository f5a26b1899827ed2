"""
SQL that scripts have written, or that is made of what they have written, kept within bounds.

Every connection to the file of a script is a `GuardedConnection`.  What the engine does with it is not looked at; a
script's statement runs inside of `guarded`:

- SQLite asks, while it prepares a statement, whether each table, function and action of it is allowed: the
  engine's tables, whose names begin with `_`, are not, nor are other files, pragmas, transactions;
- while it runs a statement, SQLite asks now and then whether to go on: until the processor time is used up, or
  too much is written to the disk;
- values, statements and patterns have bounds.  `LIKE` is ours: SQLite's own takes exponential time for some patterns,
  and cannot be interrupted meanwhile.  So are functions that it computes in a time that grows with the square.

Python keeps prepared statements by their text, and SQLite asks once for each.  So a script's text gets a comment in
front that no statement of the engine has, another one for each way to run it: what was allowed for one is not for
others.
"""

from __future__ import annotations

import re
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

from sqlalchemy.engine import Connection

Mode = Literal["read", "write", "define"]
"""What a script's statement may do: read; write rows, too; also make and change indexes, triggers and views."""

RESERVED = "_"
"""With this begin the names of the engine's tables."""

_STEPS = 2000
"""Steps of SQLite's machine between two questions whether to go on: less than a millisecond."""
_WRITTEN_BYTES = 256 * 1024 * 1024
_BLOCK_BYTES = 512
_VALUE_BYTES = 8 * 1024 * 1024
_SCRIPT_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: _VALUE_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 200_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 1000,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 1000,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 100,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 20,
}
_LONGEST_PATTERN = 1000
_LONGEST_VALUE = 1024 * 1024
_MOST_WORK = 1_000_000
"""Characters of a part of a pattern, times those of a value: some ten milliseconds."""
_ROWS = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})
_DEFINING = frozenset(
    {
        sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_CREATE_TRIGGER,
        sqlite3.SQLITE_CREATE_VIEW,
        sqlite3.SQLITE_DROP_INDEX,
        sqlite3.SQLITE_DROP_TRIGGER,
        sqlite3.SQLITE_DROP_VIEW,
    }
)
_HARMLESS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE})
_REFUSED_FUNCTIONS = frozenset(
    {
        "load_extension", "fts3_tokenizer", "glob", "sqlite_compileoption_get",
        # With a large width, or two large objects, these take minutes in one step.
        "printf", "format", "json_patch",
    }
)  # fmt: skip
_SCHEMA = frozenset({"sqlite_master", "sqlite_schema"})
_READABLE = _SCHEMA | {"sqlite_sequence"}
_MARKS: dict[Mode, str] = {"read": "/*r*/ ", "write": "/*w*/ ", "define": "/*d*/ "}


class StatementStop:
    """Ends a script's statements from outside, at once."""

    __slots__ = ("stopped",)

    def __init__(self) -> None:
        self.stopped = False

    def stop(self) -> None:
        """End those that run, and those that come."""
        self.stopped = True


@dataclass(slots=True)
class _Running:
    """The statement of a script that is running."""

    mode: Mode
    until: float
    """Processor time of the thread at which it ends."""
    stop: StatementStop
    most_blocks: int
    """Written to the disk by the thread at which it ends: what does not fit into memory is sorted there."""


class GuardedConnection(sqlite3.Connection):
    """A connection to the file of a script; see the module."""

    running: _Running | None = None
    """None: it is the engine's own work."""

    def guard(self) -> None:
        """Have SQLite ask from now on."""
        self.set_authorizer(self._authorize)
        self.set_progress_handler(self._spent, _STEPS)
        self.create_function("like", 2, _like, deterministic=True)
        self.create_function("like", 3, _like, deterministic=True)
        _add_linear_functions(self)

    def _spent(self) -> int:
        running = self.running
        if running is None:
            return 0
        return int(
            running.stop.stopped or time.thread_time() > running.until or _blocks_written() > running.most_blocks
        )

    def _authorize(
        self, action: int, first: str | None, second: str | None, _database: str | None, _source: str | None
    ) -> int:
        running = self.running
        if running is None or action in _HARMLESS:
            return sqlite3.SQLITE_OK
        table = (first or "").lower()
        if action == sqlite3.SQLITE_READ:
            return _allowed(not table.startswith((RESERVED, "sqlite_", "dbstat")) or table in _READABLE)
        if action == sqlite3.SQLITE_UPDATE and table in _SCHEMA:
            # So it is asked for functions that return tables, such as json_each; nobody can really do it.
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return _allowed((second or "").lower() not in _REFUSED_FUNCTIONS)
        if action in _ROWS and running.mode != "read":
            # Statements that define something write into the schema themselves.
            defines = running.mode == "define" and table in _SCHEMA
            return _allowed(defines or not table.startswith((RESERVED, "sqlite_")))
        if action in _DEFINING and running.mode == "define":
            named = (table, (second or "").lower())
            return _allowed(not any(name.startswith((RESERVED, "sqlite_")) for name in named))
        if action == sqlite3.SQLITE_REINDEX and running.mode == "define":
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY


@contextmanager
def guarded(connection: Connection, mode: Mode, *, seconds: float, stop: StatementStop | None = None) -> Iterator[None]:
    """
    Run a script's statements in the block, in the thread of the caller.

    Args:
        connection: To the file of a script.
        seconds: Of processor time that they may take together.
        stop: Ends them sooner.
    """
    raw = cast(GuardedConnection, connection.connection.dbapi_connection)
    before = raw.running
    raw.running = _Running(
        mode=mode,
        until=time.thread_time() + seconds,
        stop=stop or StatementStop(),
        most_blocks=_blocks_written() + _WRITTEN_BYTES // _BLOCK_BYTES,
    )
    limits = {limit: raw.setlimit(limit, most) for limit, most in _SCRIPT_LIMITS.items()}
    try:
        yield
    finally:
        raw.running = before
        for limit, most in limits.items():
            raw.setlimit(limit, most)


def own_text(text: str, mode: Mode) -> str:
    """Return the text of a script's statement as it is executed; see the module."""
    return _MARKS[mode] + text


def _blocks_written() -> int:
    """Return how many blocks this thread has written to disks, temporary files among them."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_oublock


def _allowed(allowed: bool) -> int:  # noqa: FBT001  it is what it says
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


# -- LIKE ------------------------------------------------------------------------------------------

_CHARACTER = rb"(?:[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*)"


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two `%` of a pattern, in lower case."""

    plain: bytes
    """Its letters, if it has no `_`."""
    pattern: re.Pattern[bytes]
    letters: int
    """How many characters it has."""
    any_letters: int
    """How many of them are `_`."""

    def find(self, value: bytes, start: int) -> int:
        """Return where the first place ends at which it stands from *start* on; -1 if there is none."""
        if not self.any_letters:
            at = value.find(self.plain, start)
            return at if at < 0 else at + len(self.plain)
        if self.letters * (len(value) - start) > _MOST_WORK:
            raise ValueError("LIKE: the pattern has too many _ for so long a string")
        found = self.pattern.search(value, start)
        return -1 if found is None else found.end()


def _like(pattern: object, value: object, escape: object = None) -> int | None:
    """Return whether *value* is like *pattern*; a to z and A to Z are equal, as SQLite has it."""
    if pattern is None or value is None:
        return None
    if escape is not None and (not isinstance(escape, str) or len(escape) != 1):
        raise ValueError("ESCAPE takes one character")
    text = _as_text(value)
    if len(text) > _LONGEST_VALUE:
        raise ValueError(f"LIKE: a string has at most {_LONGEST_VALUE} characters")
    return int(_matches(_parts(_as_text(pattern), escape), text.encode("utf-8", "surrogatepass").lower()))


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@lru_cache(maxsize=256)
def _parts(pattern: str, escape: str | None) -> tuple[_Part, ...]:
    """Return what stands between the `%` of a pattern, each part for itself: none can make another one try again."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"LIKE: a pattern has at most {_LONGEST_PATTERN} characters")
    parts: list[list[str | None]] = [[]]
    letters = iter(pattern)
    for letter in letters:
        if letter == escape:
            parts[-1].append(next(letters, ""))
        elif letter == "%":
            parts.append([])
        else:
            parts[-1].append(None if letter == "_" else letter)
    return tuple(_part(part) for part in parts)


def _part(letters: list[str | None]) -> _Part:
    plain = [b"" if letter is None else letter.encode("utf-8", "surrogatepass").lower() for letter in letters]
    pattern = b"".join(
        _CHARACTER if letter is None else re.escape(text) for letter, text in zip(letters, plain, strict=True)
    )
    return _Part(
        plain=b"".join(plain),
        pattern=re.compile(pattern, re.DOTALL),
        letters=sum(letter != "" for letter in letters),
        any_letters=letters.count(None),
    )


def _matches(parts: tuple[_Part, ...], value: bytes) -> bool:
    """Find the parts one after another, each as early as it can be; the first and the last stand at the ends."""
    first, *rest = parts
    if not rest:
        return first.pattern.fullmatch(value) is not None
    begun = first.pattern.match(value)
    if begun is None:
        return False
    at = begun.end()
    for part in rest[:-1]:
        at = part.find(value, at)
        if at < 0:
            return False
    last = rest[-1]
    return last.pattern.fullmatch(value, _place_from_end(value, last.letters, at)) is not None


def _place_from_end(value: bytes, letters: int, least: int) -> int:
    """Return where the last so many characters begin; *least* if there are not so many from there on."""
    at = len(value)
    for _ in range(letters):
        at -= 1
        while at > least and 0x80 <= value[at] < 0xC0:
            at -= 1
        if at < least:
            return least
    return at


# -- functions that SQLite computes in one step, in a time that grows with the square ---------------


def _add_linear_functions(connection: sqlite3.Connection) -> None:
    """Have a connection use them."""
    for name, sides in (("trim", "lr"), ("ltrim", "l"), ("rtrim", "r")):
        connection.create_function(name, 2, _trimmer(sides), deterministic=True)
    connection.create_function("instr", 2, _instr, deterministic=True)
    connection.create_function("replace", 3, _replace, deterministic=True)


def _trimmer(sides: str) -> Callable[[Any, Any], Any]:
    def trim(value: Any, characters: Any) -> Any:
        if value is None or characters is None:
            return None
        text, unwanted = _as_text(value), set(_as_text(characters))
        first, last = 0, len(text)
        while "l" in sides and first < last and text[first] in unwanted:
            first += 1
        while "r" in sides and last > first and text[last - 1] in unwanted:
            last -= 1
        return text[first:last]

    return trim


def _instr(whole: Any, part: Any) -> Any:
    if whole is None or part is None:
        return None
    if isinstance(whole, bytes) and isinstance(part, bytes):
        return whole.find(part) + 1
    return _as_text(whole).find(_as_text(part)) + 1


def _replace(whole: Any, part: Any, other: Any) -> Any:
    if whole is None or part is None or other is None:
        return None
    text, old, new = _as_text(whole), _as_text(part), _as_text(other)
    if not old:
        return text
    if len(text) + text.count(old) * (len(new) - len(old)) > _VALUE_BYTES:
        raise ValueError("replace: the result is too long")
    return text.replace(old, new)
