"""`database`: what its calls do, each in one thread of the script's database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Connection

from aiwebengine.errors import Invalid, NotFound
from aiwebengine.features.database.declarations import CALLS
from aiwebengine.features.database.deployed import CALL, DeclaredTables, declared_by
from aiwebengine.features.database.fetching import Fetched, Fetcher
from aiwebengine.features.database.queries.reads import read_query, single_value
from aiwebengine.features.database.queries.sources import Schema
from aiwebengine.features.database.queries.writes import Defaults, WriteQuery, delete_query, insert_query, update_query
from aiwebengine.features.database.refusals import explained
from aiwebengine.features.database.schema.declared import Table
from aiwebengine.features.database.schema.planning import SchemaPlan
from aiwebengine.features.database.schemas import Schemas
from aiwebengine.features.database.statements import run_statement, writes
from aiwebengine.features.database.values import to_wire
from aiwebengine.host.declare import HostCall, described
from aiwebengine.host.effects import EncodedResult
from aiwebengine.host.registration.book import closed
from aiwebengine.host.session import CallSession, Function
from aiwebengine.services.db.script_sql import Mode, StatementStop, guarded

_TABLE = "database.table"
_QUERY = "database.query"
_MOST_SHOWN = 50
"""Changes of a schema in the log."""

T = TypeVar("T")


class SqlTransactions(Protocol):
    """Runs functions of a connection to the database of an invocation's script, in its transaction if it has one."""

    def read(self, session: CallSession, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run what only reads: in the invocation's transaction, or, before it has written, in a snapshot of its own."""

    def write(self, session: CallSession, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run what may write; the first opens the invocation's transaction."""

    def savepoint(self, session: CallSession, action: str, level: int) -> Awaitable[None]:
        """Begin, end or undo a part of the transaction."""


class DatabaseCalls:
    """
    The calls of `database`.

    Args:
        transactions: Where they run.
        plan: Reads what a script declares, and returns how its tables become that.
        declared: Has them become that with the deployment.
        schemas: Which tables a script has.
        fetcher: Runs requests.
        seconds: Of processor time that one call may take of the database.
        milliseconds: The server's clock, since 1970.
        entropy: Returns so many random bytes.
    """

    def __init__(
        self,
        *,
        transactions: SqlTransactions,
        plan: Callable[[str, Mapping[str, Any]], Awaitable[tuple[Sequence[Table], SchemaPlan]]],
        declared: DeclaredTables,
        schemas: Schemas,
        fetcher: Fetcher,
        seconds: float,
        milliseconds: Callable[[], int],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._transactions = transactions
        self._plan = plan
        self._declared = declared
        self._schemas = schemas
        self._fetcher = fetcher
        self._seconds = seconds
        self._milliseconds = milliseconds
        self._entropy = entropy
        self._stops: WeakKeyDictionary[CallSession, StatementStop] = WeakKeyDictionary()

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return CALLS

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {
            "database.read": self._read,
            "database.write": self._write,
            "database.query": self._query,
            "database.savepoint": self._savepoint,
            "database.declare": self._declare,
        }

    async def _declare(self, session: CallSession) -> None:
        """Have the tables made that the script has just declared; tell what that changes."""
        if session.registrations is None:
            raise closed(CALL)
        declared = declared_by(session.registrations.entries)
        if declared is None:
            raise Invalid(f"{CALL}: nothing is declared.")
        tables, wanted = await self._plan(session.invocation.script, declared)
        self._declared.hold(session, tables)
        for step in wanted.steps[:_MOST_SHOWN]:
            session.note("info", f"database: {step}")
        if len(wanted.steps) > _MOST_SHOWN:
            session.note("info", f"database: {len(wanted.steps) - _MOST_SHOWN} more changes")

    async def _read(self, session: CallSession, message: Mapping[str, Any]) -> EncodedResult:
        kind, request, more = message.get("kind"), _object(message, "request"), message.get("more")
        reading = self._READS.get(kind) if isinstance(kind, str) else None
        if reading is None:
            raise Invalid(f"{_TABLE}: there is no reading request {described(kind)}.")
        details: Mapping[str, Any] = more if isinstance(more, dict) else {}
        stop = self._stop_of(session)

        def work(connection: Connection) -> tuple[str, int]:
            schema = self._schemas.of(session, connection)
            with explained(_TABLE), guarded(connection, "read", seconds=self._seconds, stop=stop):
                return _encoded(reading(self, connection, schema, request, details))

        return self._counted(session, await self._transactions.read(session, work))

    async def _write(self, session: CallSession, message: Mapping[str, Any]) -> EncodedResult:
        kind, request = message.get("kind"), _object(message, "request")
        now = datetime.fromtimestamp(self._milliseconds() / 1000, UTC)
        stop = self._stop_of(session)
        defaults = Defaults(now=now, new_uuid=lambda: uuid.UUID(bytes=self._entropy(16), version=4))

        def work(connection: Connection) -> tuple[str, int]:
            schema = self._schemas.of(session, connection)
            with explained(f"{_TABLE}.{kind}"), guarded(connection, "write", seconds=self._seconds, stop=stop):
                query = _write_query(schema, str(kind), request, message, defaults)
                return _encoded(self._fetcher.written(connection, query, f"{_TABLE}.{kind}"))

        return self._counted(session, await self._transactions.write(session, work))

    async def _query(self, session: CallSession, text: str, parameters: Any) -> EncodedResult:
        writing = writes(text)
        stop = self._stop_of(session)
        mode: Mode = "read" if not writing else "write" if session.registrations is None else "define"

        def work(connection: Connection) -> tuple[str, int]:
            with explained(_QUERY), guarded(connection, mode, seconds=self._seconds, stop=stop):
                return _encoded(self._fetcher.of_sql(run_statement(connection, text, parameters, mode), _QUERY))

        run = self._transactions.write if writing else self._transactions.read
        return self._counted(session, await run(session, work))

    async def _savepoint(self, session: CallSession, action: str, level: int) -> None:
        if action not in {"begin", "release", "rollback"}:
            raise Invalid(f"database.transaction: there is no action {described(action)}.")
        await self._transactions.savepoint(session, action, level)

    def _stop_of(self, session: CallSession) -> StatementStop:
        """Return what ends the statements of an invocation that is over: it was killed while it waited for them."""
        stop = self._stops.get(session)
        if stop is None:
            stop = self._stops[session] = StatementStop()
            session.at_end(stop.stop)
        return stop

    @staticmethod
    def _counted(session: CallSession, done: tuple[str, int]) -> EncodedResult:
        text, rows = done
        session.rows += rows
        return EncodedResult(text)

    # -- reading requests, in a thread ----------------------------------------------------------

    def _rows(
        self, connection: Connection, schema: Schema, request: Mapping[str, Any], _more: Mapping[str, Any]
    ) -> Fetched:
        return self._fetcher.rows(connection, read_query(schema, request, call=_TABLE), _TABLE)

    def _page(
        self, connection: Connection, schema: Schema, request: Mapping[str, Any], _more: Mapping[str, Any]
    ) -> Fetched:
        query = read_query(schema, request, call=f"{_TABLE}.page", paged=True)
        return self._fetcher.page(connection, query, f"{_TABLE}.page", whole=False)

    def _stream(
        self, connection: Connection, schema: Schema, request: Mapping[str, Any], _more: Mapping[str, Any]
    ) -> Fetched:
        if request.get("limit") is not None or request.get("offset") is not None:
            raise Invalid(f"{_TABLE}: a loop reads all rows; leave limit and offset out, or await the query.")
        query = read_query(schema, request, call=_TABLE, paged=True)
        return self._fetcher.page(connection, query, _TABLE, whole=True)

    def _get(
        self, connection: Connection, schema: Schema, request: Mapping[str, Any], more: Mapping[str, Any]
    ) -> Fetched:
        call = f"{_TABLE}.get"
        table = schema.table(request.get("table"), call)
        where = more.get("where")
        if where is None:
            if len(table.primary_key) != 1:
                names = ", ".join(f"{name}: ..." for name in table.primary_key)
                raise Invalid(f"{call}: {table.name} has a primary key of several columns; write {{ {names} }}.")
            where = ["eq", table.primary_key[0], more.get("key")]
        before = request.get("where")
        wanted = {**request, "where": where if before is None else ["and", before, where], "limit": 1}
        found = self._fetcher.rows(connection, read_query(schema, wanted, call=call), call)
        if not found.rows:
            raise NotFound(f"{call}: there is no such row in {table.name}.")
        return found

    def _value(
        self, connection: Connection, schema: Schema, request: Mapping[str, Any], more: Mapping[str, Any]
    ) -> Fetched:
        function = more.get("function")
        if function not in {"count", "exists", "sum", "avg", "min", "max"}:
            raise Invalid(f"{_TABLE}: there is no function {described(function)}.")
        call = f"{_TABLE}.{function}"
        column = more.get("column")
        if column is None and function not in {"count", "exists"}:
            raise Invalid(f"{call}: the column is missing.")
        query = single_value(schema, request, function=function, column=column, call=call)
        value = to_wire(connection.execute(query).scalar())
        return Fetched(answer={"value": bool(value) if function == "exists" else value}, rows=1)

    def _explain(
        self, connection: Connection, schema: Schema, request: Mapping[str, Any], _more: Mapping[str, Any]
    ) -> Fetched:
        query = read_query(schema, request, call=f"{_TABLE}.explain")
        return Fetched(answer={"plan": self._fetcher.plan(connection, query)}, rows=0)

    _READS: Mapping[str, Callable[..., Fetched]] = {
        "rows": _rows,
        "page": _page,
        "stream": _stream,
        "get": _get,
        "value": _value,
        "explain": _explain,
    }


def _write_query(
    schema: Schema, kind: str, request: Mapping[str, Any], message: Mapping[str, Any], defaults: Defaults
) -> WriteQuery:
    call = f"{_TABLE}.{kind}"
    returning = message.get("returning") is True
    match kind:
        case "insert" | "upsert":
            for name in request:
                if name != "table":
                    raise Invalid(f"{call}: {name} cannot be used with {kind}.")
            conflict = _object(message, "conflict") if kind == "upsert" else None
            for name in conflict or ():
                if name not in {"on", "update"}:
                    raise Invalid(f"{call}: there is no option {described(name)}; there are on and update.")
            return insert_query(
                schema, request.get("table"), message.get("rows"), defaults=defaults, call=call, conflict=conflict
            )
        case "update":
            return update_query(schema, request, message.get("values"), returning=returning, call=call)
        case "delete":
            return delete_query(schema, request, returning=returning, call=call)
        case _:
            raise Invalid(f"{_TABLE}: there is no writing request {described(kind)}.")


def _object(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    if not isinstance(value, dict):
        raise Invalid(f"{_TABLE}: {name} must be an object; {described(value)} was given.")
    return value


def _encoded(fetched: Fetched) -> tuple[str, int]:
    """Return the answer as JSON, made in the thread that has fetched it."""
    return json.dumps(fetched.answer, allow_nan=False, separators=(",", ":")), fetched.rows
