"""Tests of `features.database.calls`, with the modules that run what they ask for, over a real database."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Closed, Invalid, NotFound
from aiwebengine.features.database.calls import DatabaseCalls
from aiwebengine.features.database.deployed import DeclaredTables
from aiwebengine.features.database.fetching import Fetcher
from aiwebengine.features.database.schemas import Schemas
from aiwebengine.features.database.settings import DatabaseSettings
from aiwebengine.host.session import CallSession
from tests.support.tables_of_scripts import MemoryDatabase

SCHEMA = {"notes": {"id": "id", "text": "text", "at": {"type": "timestamp", "default": "now"}}}


class InOneConnection:
    """Runs everything at once; see `calls.SqlTransactions`."""

    def __init__(self, database: MemoryDatabase) -> None:
        self.database = database
        self.ways: list[str] = []

    def read(self, _session: CallSession, work: Callable[[Connection], Any]) -> Deferred[Any]:
        """Run what reads."""
        return self._run("read", work)

    def write(self, _session: CallSession, work: Callable[[Connection], Any]) -> Deferred[Any]:
        """Run what writes."""
        return self._run("write", work)

    def savepoint(self, _session: CallSession, action: str, level: int) -> Deferred[None]:
        """Note what was asked."""
        self.ways.append(f"{action} {level}")
        return succeed(None)

    def _run(self, way: str, work: Callable[[Connection], Any]) -> Deferred[Any]:
        self.ways.append(way)
        with self.database.transaction() as connection:
            return succeed(work(connection))


class CallsCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = MemoryDatabase()
        self.addCleanup(self.database.close)
        self.database.deploy(SCHEMA)
        self.transactions = InOneConnection(self.database)

        def belongs(name: str) -> bool:
            return not name.startswith("_")

        self.calls = DatabaseCalls(
            transactions=self.transactions,
            plan=cast(Any, None),
            declared=DeclaredTables(belongs=belongs),
            schemas=Schemas(declared=lambda _session: SCHEMA, belongs=belongs),
            fetcher=Fetcher(DatabaseSettings(max_rows=3)),
            seconds=5.0,
            milliseconds=lambda: 1_700_000_000_000,
            entropy=bytes,
        )
        self.session = cast(Any, _Session())

    def call(self, name: str, *arguments: Any) -> Any:
        """Return the answer of a call, as the sandbox gets it."""
        result = self.successResultOf(
            Deferred.fromCoroutine(cast(Any, self.calls.functions[name])(self.session, *arguments))
        )
        return None if result is None else json.loads(result.json)

    def refusal(self, kind: type[Exception], name: str, *arguments: Any) -> str:
        """Return with which words a call is refused."""
        failed = Deferred.fromCoroutine(cast(Any, self.calls.functions[name])(self.session, *arguments))
        return str(self.failureResultOf(failed, kind).value)

    def read(self, kind: str, more: Mapping[str, Any] | None = None, **request: Any) -> Any:
        """Read from the notes."""
        return self.call("database.read", {"kind": kind, "request": {"table": "notes", **request}, "more": more or {}})

    def write(self, kind: str, more: Mapping[str, Any], **request: Any) -> Any:
        """Write into the notes."""
        return self.call("database.write", {"kind": kind, "request": {"table": "notes", **request}, **more})

    def test_all_that_is_read(self) -> None:
        """Each reading request has its answer; rows are counted."""
        written = self.write("insert", {"rows": [{"text": "a"}, {"text": "b"}]})
        self.assertEqual(written["rows"], [[1, "a", {"d": 1_700_000_000_000}], [2, "b", {"d": 1_700_000_000_000}]])
        self.assertEqual(self.read("rows", columns=["text"])["rows"], [["a"], ["b"]])
        self.assertEqual(self.read("get", {"key": 2}, columns=["text"])["rows"], [["b"]])
        self.assertEqual(self.read("get", {"where": ["eq", "text", "a"]}, columns=["id"])["rows"], [[1]])
        self.assertEqual(self.read("value", {"function": "count"}), {"value": 2})
        self.assertEqual(self.read("value", {"function": "exists"}), {"value": True})
        self.assertEqual(self.read("value", {"function": "max", "column": "text"}), {"value": "b"})
        self.assertIn("SEARCH notes", self.read("explain", where=["eq", "id", 1])["plan"][0])
        self.assertEqual(self.session.rows, 2 + 2 + 1 + 1 + 3)
        self.assertEqual(set(self.transactions.ways[1:]), {"read"})

    def test_pages(self) -> None:
        """A page tells where the next one begins; that of a loop is as large as an answer may be."""
        self.write("insert", {"rows": [{"text": str(number)} for number in range(3)]})
        page = self.read("page", columns=["text"], limit=2)
        self.assertEqual(page["rows"], [["0"], ["1"]])
        rest = self.read("page", columns=["text"], after=page["next"])
        self.assertEqual((rest["rows"], rest["next"]), ([["2"]], None))
        self.write("insert", {"rows": [{"text": "3"}]})
        self.assertEqual(len(self.read("stream")["rows"]), 3)
        message = {"kind": "stream", "request": {"table": "notes", "limit": 1}}
        self.assertIn("leave limit", self.refusal(Invalid, "database.read", message))

    def test_changes(self) -> None:
        """Rows are changed, or put in their place, or removed."""
        self.write("insert", {"rows": [{"text": "a"}]})
        self.assertEqual(self.write("update", {"values": {"text": "b"}}, where=["eq", "id", 1]), {"count": 1})
        self.assertEqual(self.write("upsert", {"rows": [{"id": 1, "text": "c"}], "conflict": {}})["rows"][0][1], "c")
        self.assertEqual(self.write("delete", {"returning": True}, all=True)["rows"][0][:2], [1, "c"])

    def test_forged(self) -> None:
        """What the sandbox would never send is refused."""
        for name, message in (
            ("database.read", {"kind": "rows"}),
            ("database.read", {"kind": "all", "request": {}}),
            ("database.read", {"kind": ["rows"], "request": {}}),
            ("database.read", {"kind": "value", "request": {"table": "notes"}, "more": {"function": "drop"}}),
            ("database.read", {"kind": "value", "request": {"table": "notes"}, "more": {"function": "sum"}}),
            ("database.write", {"kind": "drop", "request": {"table": "notes"}}),
            (
                "database.write",
                {"kind": "insert", "request": {"table": "notes", "where": ["eq", "id", 1]}, "rows": [{}]},
            ),
            ("database.write", {"kind": "upsert", "request": {"table": "notes"}, "rows": [{}], "conflict": {"no": 1}}),
        ):
            self.assertIn("database.table", self.refusal(Invalid, name, message))
        self.assertIn("there is no action", self.refusal(Invalid, "database.savepoint", "drop", 1))

    def test_missing(self) -> None:
        """A row that there is not is not found."""
        message = {"kind": "get", "request": {"table": "notes"}, "more": {"key": 9}}
        self.assertIn("there is no such row in notes", self.refusal(NotFound, "database.read", message))

    def test_parts(self) -> None:
        """Parts of a transaction are asked for by name."""
        self.call("database.savepoint", "begin", 1)
        self.assertEqual(self.transactions.ways, ["begin 1"])

    def test_only_while_loading(self) -> None:
        """A schema is declared while the script loads."""
        self.refusal(Closed, "database.declare")


class _Session:
    """What the calls use of a `CallSession`."""

    registrations = None
    rows = 0

    def at_end(self, _call: Callable[[], None]) -> None:
        """Nothing ends here."""

    class invocation:  # noqa: N801  an attribute of the session
        script = "notes"
        version = "notes@1"
