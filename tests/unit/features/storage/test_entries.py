"""Entries as an invocation sees them: what is committed, with its own writes over it."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given, strategies
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, Stale, TooLarge
from aiwebengine.features.storage import store as entry_rows
from aiwebengine.features.storage.entries import GROUP, KV, Entries
from aiwebengine.features.storage.kv import KvCalls
from aiwebengine.features.storage.settings import StorageSettings
from aiwebengine.features.storage.watches import Watches
from aiwebengine.host.effects import Commits
from aiwebengine.host.session import CallSession
from aiwebengine.host.turns import Turns
from aiwebengine.services.db.units import Units
from tests.support.examples import examples
from tests.support.fakes.database import open_database
from tests.support.fakes.script_databases import SameForAll, UnitsAlone
from tests.support.folders import temporary_folder
from tests.unit.host.fakes import invocation, receipt

NAMES = strategies.sampled_from(["a", "b", "a/1", "a/2", "a/é", "b/\U0001f600", "b/\uffff", "c"])
STEPS = strategies.lists(
    strategies.one_of(
        strategies.tuples(strategies.just("set"), NAMES, strategies.integers(0, 9)),
        strategies.tuples(strategies.just("delete"), NAMES),
        strategies.tuples(strategies.just("get"), NAMES),
        strategies.tuples(strategies.just("increment"), NAMES, strategies.integers(-3, 3)),
        strategies.tuples(strategies.just("list"), strategies.sampled_from(["", "a", "a/", "b/", "z"])),
        strategies.tuples(strategies.just("commit")),
        strategies.tuples(strategies.just("roll back")),
    ),
    max_size=25,
)


class World:
    """Calls of `kv` over a real database."""

    def __init__(self, case: SynchronousTestCase, **limits: int) -> None:
        self.case = case
        self.clock = Clock()
        self.clock.advance(1000)
        self.database = open_database(temporary_folder(case), "script")
        case.addCleanup(self.database.stopService)
        self.changes: list[Any] = []
        self.entries = Entries(
            databases=cast(Any, SameForAll(self.database)),
            milliseconds=self.milliseconds,
            settings=StorageSettings(**limits),
            changed=lambda script, area, changed: self.changes.append((script, area, sorted(changed))),
        )
        units = Units(database=self.database, milliseconds=self.milliseconds, published=lambda: None)
        units.startService()
        self.held: list[Deferred[None]] | None = None
        """If it is a list, commits wait for what is put there."""

        def commit(unit: str, write: Any) -> Deferred[None]:
            if self.held is None:
                return units.commit(unit, write)
            gate: Deferred[None] = Deferred()
            self.held.append(gate)
            return gate.addCallback(lambda _: units.commit(unit, write))

        self.commits = Commits(
            units=UnitsAlone(commit, units.withdraw),
            published=lambda: None,
            milliseconds=self.milliseconds,
            turns=Turns(clock=self.clock, longest_seconds=5),
        )
        self.commits.add(GROUP, self.entries)
        self.kv = KvCalls(entries=self.entries, watches=Watches())
        self.numbers = 0

    def milliseconds(self) -> int:
        return int(self.clock.seconds() * 1000)

    def session(self) -> CallSession:
        self.numbers += 1
        return CallSession(
            invocation=invocation(identity=f"i{self.numbers}"),
            capabilities=frozenset(),
            answer=lambda session, name, argument: "",
            commits=self.commits,
            keep_lines=lambda invocation, lines: None,
            keep_failure=lambda invocation, error: None,
            keep_receipt=lambda invocation, receipt: None,
            seconds=self.clock.seconds,
        )

    def call(self, session: CallSession, name: str, *arguments: Any) -> Any:
        return self.case.successResultOf(Deferred.fromCoroutine(self.kv.functions[f"kv.{name}"](session, *arguments)))

    def commit(self, session: CallSession) -> None:
        self.case.successResultOf(session.commit() or succeed(None))


class EntriesTests(SynchronousTestCase):
    @pytest.mark.setting("storage.max_value_bytes")
    def test_the_largest_value(self) -> None:
        """A value that is larger than the setting allows, with its key, is refused, and the error names the setting."""
        world = World(self, max_value_bytes=1024)
        session = world.session()
        world.call(session, "set", "k", "x" * 1000, None)
        failing = Deferred.fromCoroutine(world.kv.functions["kv.set"](session, "k", "x" * 1024, None))
        error = self.failureResultOf(failing, TooLarge).value
        self.assertIn("storage.max_value_bytes", error.public)

    @examples(60)
    @given(STEPS)
    def test_as_a_dictionary(self, steps: list[tuple[Any, ...]]) -> None:
        """Whatever an invocation does, it reads what a dictionary would hold, and commits just that."""
        world = World(self)
        session = world.session()
        kept: dict[str, Any] = {}
        now = dict(kept)
        for step, *given_ in steps:
            if step == "set":
                world.call(session, "set", given_[0], given_[1], None)
                now[given_[0]] = given_[1]
            elif step == "delete":
                self.assertEqual(world.call(session, "delete", given_[0], None), given_[0] in now)
                now.pop(given_[0], None)
            elif step == "get":
                found = world.call(session, "get", given_[0])
                self.assertEqual(None if found is None else found["value"], now.get(given_[0]))
            elif step == "increment":
                now[given_[0]] = now.get(given_[0], 0) + given_[1]
                self.assertEqual(world.call(session, "increment", *given_), now[given_[0]])
            elif step == "list":
                seen, cursor = [], None
                while True:
                    options = {"prefix": given_[0], "limit": 2, "cursor": cursor}
                    page = world.call(session, "list", options)
                    seen += [(entry["key"], entry["value"]) for entry in page["entries"]]
                    cursor = page["cursor"]
                    if cursor is None:
                        break
                self.assertEqual(seen, [(name, now[name]) for name in sorted(now) if name.startswith(given_[0])])
            elif step == "commit":
                world.commit(session)
                kept = dict(now)
            else:
                session.end(receipt())
                session = world.session()
                now = dict(kept)
        fresh = world.session()
        page = world.call(fresh, "list", {"limit": 1000})
        self.assertEqual({entry["key"]: entry["value"] for entry in page["entries"]}, kept)
        usage = self.successResultOf(world.database.read(lambda c: entry_rows.usage(c, "me")))
        self.assertEqual(usage.entries, len(kept))
        self.assertEqual(usage.size_bytes, sum(len(n.encode()) + len(json.dumps(v)) for n, v in kept.items()))

    def test_overtaken(self) -> None:
        """Who has read a key that somebody else then wrote is told so at the commit; who has not read it, wins."""
        world = World(self)
        first, second, blind = world.session(), world.session(), world.session()
        world.call(first, "increment", "n", 1)
        world.call(second, "increment", "n", 1)
        world.call(blind, "set", "n", 50, None)
        world.commit(first)
        committing = second.commit()
        assert committing is not None
        self.failureResultOf(committing, Stale)
        world.commit(blind)
        self.assertEqual(world.call(world.session(), "get", "n")["value"], 50)
        self.assertEqual(world.changes, [("me", KV, ["n"])] * 2)

    def test_new_for_both(self) -> None:
        """Of two that found a key missing and wrote it, the second is told."""
        world = World(self)
        first, second = world.session(), world.session()
        for session in (first, second):
            world.call(session, "set", "k", 1, {"ifVersion": None})
        world.commit(first)
        committing = second.commit()
        assert committing is not None
        self.failureResultOf(committing, Stale)
        third = Deferred.fromCoroutine(world.kv.functions["kv.set"](world.session(), "k", 1, {"ifVersion": None}))
        self.failureResultOf(third, Conflict)

    def test_expired(self) -> None:
        """An entry whose time is over is absent, for its own invocation too, and is removed in the end."""
        world = World(self)
        session = world.session()
        world.call(session, "set", "k", 1, {"ttl": "2s"})
        world.call(session, "set", "stays", 1, None)
        world.commit(session)
        world.clock.advance(1)
        later = world.session()
        self.assertEqual(world.call(later, "increment", "k", 1), 2)
        world.commit(later)
        world.clock.advance(1)
        self.assertIsNone(world.call(world.session(), "get", "k"))
        removed = self.successResultOf(
            world.database.run(lambda c: entry_rows.remove_expired(c, now=world.milliseconds(), limit=10))
        )
        usage = self.successResultOf(world.database.read(lambda c: entry_rows.usage(c, "me")))
        self.assertEqual((removed, usage.entries), (1, 1))

    def test_read_during_the_commit(self) -> None:
        """What an invocation does while its first part is being stored, such as in waitUntil, sees that part."""
        world = World(self)
        before = world.session()
        for name, value in (("set", 1), ("gone", 1)):
            world.call(before, "set", name, value, None)
        world.commit(before)
        session, world.held = world.session(), []
        world.call(session, "set", "set", 2, None)
        world.call(session, "delete", "gone", None)
        committing = session.commit()
        assert committing is not None
        self.assertNoResult(committing)
        self.assertEqual(world.call(session, "get", "set")["value"], 2)
        self.assertIsNone(world.call(session, "get", "gone"))
        self.assertEqual([entry["value"] for entry in world.call(session, "list", None)["entries"]], [2])
        self.assertEqual(world.call(session, "increment", "set", 1), 3)
        gates, world.held = world.held, None
        gates[0].callback(None)
        self.successResultOf(committing)
        world.commit(session)
        self.assertEqual(world.call(world.session(), "get", "set")["value"], 3)

    def test_overtaken_after_the_commit(self) -> None:
        """What was read while it was being stored counts as read: who wrote it meanwhile is not overwritten."""
        world = World(self)
        session, world.held = world.session(), []
        world.call(session, "set", "n", 1, None)
        committing = session.commit()
        assert committing is not None
        world.call(session, "increment", "n", 1)
        gates, world.held = world.held, None
        gates[0].callback(None)
        self.successResultOf(committing)
        other = world.session()
        world.call(other, "increment", "n", 10)
        world.commit(other)
        second = session.commit()
        assert second is not None
        self.failureResultOf(second, Stale)
        self.assertEqual(world.call(world.session(), "get", "n")["value"], 11)
