"""What scripts log."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.observe import logs as logs_module
from aiwebengine.observe.logs import FLUSH_SECONDS, TRIM_SECONDS, LogFilter, ScriptLogs
from aiwebengine.services.db.log_rows import DatabaseLogRows
from aiwebengine.settings.schema import LogSettings
from aiwebengine.values import LogLine
from tests.support.fakes.database import open_database
from tests.support.fakes.invocations import an_invocation
from tests.support.folders import temporary_folder


def invocation(identity="i1", script="notes"):
    return an_invocation(id=identity, script=script, payload="null")


def line(message, level="info", at=1000.0, **fields):
    return LogLine(at=at, level=level, message=message, fields=fields)


class Rows:
    def __init__(self):
        self.groups = []
        self.answers = []

    def write(self, records, outcomes):
        self.groups.append((list(records), list(outcomes)))
        return self.answers.pop(0) if self.answers else succeed(None)

    def find(self, wanted):
        return succeed([])

    def trim(self, *, before, keep):
        self.trimmed = (before, keep)
        return succeed(0)


class ScriptLogsTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.rows = Rows()
        self.logs = ScriptLogs(rows=self.rows, settings=LogSettings(), clock=self.clock, seconds=lambda: 2000.0)
        self.logs.startService()
        self.addCleanup(self.logs.stopService)

    def messages(self, group=-1):
        return [record.line.message for record in self.rows.groups[group][0]]

    def test_written_in_groups(self):
        """Lines of many invocations are written together, at most 200 ms later."""
        self.logs.append(invocation("a"), [line("1"), line("2")])
        self.logs.append(invocation("b"), [line("3")])
        self.assertEqual(self.rows.groups, [])
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(len(self.rows.groups), 1)
        self.assertEqual(self.messages(), ["1", "2", "3"])
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(len(self.rows.groups), 1)

    def test_outcome_known_in_time(self):
        """An invocation that ends before its lines are written is marked with them."""
        self.logs.append(invocation("a"), [line("1")])
        self.logs.append(invocation("b"), [line("2")], "committed")
        self.logs.finish(invocation("a"), "script_timeout")
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual([r.outcome for r in self.rows.groups[0][0]], ["script_timeout", "committed"])
        self.assertEqual(self.rows.groups[0][1], [])

    def test_outcome_known_later(self):
        """An invocation that outlives its lines marks them afterwards."""
        self.logs.append(invocation("a"), [line("1")])
        self.clock.advance(FLUSH_SECONDS)
        self.logs.append(invocation("a"), [line("2")])
        self.logs.finish(invocation("a"), "committed")
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual([r.outcome for r in self.rows.groups[1][0]], ["committed"])
        self.assertEqual(self.rows.groups[1][1], [("a", "committed")])

    def test_silent_invocations_cost_nothing(self):
        """An invocation that logged nothing leaves no trace here."""
        self.logs.finish(invocation("quiet"), "committed")
        self.clock.advance(1)
        self.assertEqual(self.rows.groups, [])

    def test_readable(self):
        """Lines that show a stack are made readable; those behind one that takes its time come after it."""
        asked = []

        def readable(version, text):
            asked.append((version, text, Deferred()))
            return asked[-1][2]

        self.logs = ScriptLogs(
            rows=self.rows, settings=LogSettings(), clock=self.clock, seconds=lambda: 2000.0, readable=readable
        )
        self.logs.startService()
        came = []
        self.logs.follow(LogFilter(), lambda r: came.append(r.line.message))
        self.logs.append(invocation("a"), [line("first"), line("x\n    at f"), line("second"), line("y\n    at g")])
        self.logs.append(invocation("b"), [line("third")], "committed")
        self.logs.finish(invocation("a"), "script_failed")
        self.assertEqual(came, ["first"])
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(self.rows.groups, [])
        self.assertEqual([arguments[:2] for arguments in asked], [("notes@1-abc", "x\n    at f")])
        asked[0][2].callback("x at home")
        self.assertEqual(came, ["first", "x at home", "second"])
        asked[1][2].callback("y at home")
        self.assertEqual(came, ["first", "x at home", "second", "y at home", "third"])
        self.clock.advance(FLUSH_SECONDS)
        received = [(r.line.message, r.outcome) for r in self.rows.groups[0][0]]
        self.assertEqual(
            received[1:], [*((identity, "script_failed") for identity in came[1:4]), ("third", "committed")]
        )

    def test_stopped_before_it_is_readable(self):
        """What waits to be made readable is written before the end."""
        waits = Deferred()
        self.logs = ScriptLogs(
            rows=self.rows, settings=LogSettings(), clock=self.clock, seconds=float, readable=lambda _, text: waits
        )
        self.logs.startService()
        self.logs.append(invocation("a"), [line("x\n    at f")])
        stopped = self.logs.stopService()
        self.assertNoResult(stopped)
        waits.callback("x")
        self.successResultOf(stopped)
        self.assertEqual(self.messages(), ["x"])

    def test_followers(self):
        """Who follows gets matching lines at once, until they stop."""
        came = []
        stop = self.logs.follow(LogFilter(uri="notes", level="warn"), lambda r: came.append(r.line.message))
        self.logs.append(invocation(), [line("no"), line("yes", "error")])
        self.logs.append(invocation(script="other"), [line("no", "error")])
        self.assertEqual(came, ["yes"])
        stop()
        stop()
        self.logs.append(invocation(), [line("late", "error")])
        self.assertEqual(came, ["yes"])

    def test_failing_follower(self):
        """A follower that fails is dropped, and the lines are kept."""
        self.logs.follow(LogFilter(), lambda record: 1 / 0)
        self.logs.append(invocation(), [line("1"), line("2")])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(self.messages(), ["1", "2"])

    def test_too_many_followers(self):
        """There are only so many followers."""
        self.patch(logs_module, "MOST_FOLLOWERS", 1)
        self.logs.follow(LogFilter(), lambda record: None)
        self.assertRaises(OverflowError, self.logs.follow, LogFilter(), lambda record: None)

    def test_flood(self):
        """More lines than can wait are counted, and the count is kept in their place."""
        self.patch(logs_module, "MOST_WAITING", 2)
        self.logs.append(invocation(), [line(str(n)) for n in range(5)])
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(self.messages()[:2], ["0", "1"])
        self.assertIn("3 log lines were dropped", self.messages()[2])
        self.assertEqual(self.logs.state()["dropped"], 3)

    def test_database_away(self):
        """Lines that cannot be written are counted and told once; later ones are kept, with a note of the rest."""
        received = []
        self.patch(logs_module._log, "observer", received.append)
        self.rows.answers.append(fail(RuntimeError("away")))
        self.logs.append(invocation(), [line("1")])
        self.clock.advance(FLUSH_SECONDS)
        self.logs.append(invocation(), [line("2")])
        self.clock.advance(FLUSH_SECONDS)
        self.assertEqual(self.messages(), ["2", "Log lines lost: 1; the database could not write them."])
        state = self.logs.state()
        self.assertEqual((state["failures"], state["written"], state["dropped"]), (1, 2, 1))
        self.assertEqual([event["count"] for event in received], [1])

    def test_database_away_for_long(self):
        """Notes that cannot be written either are written later, with the sum of what is missing."""
        self.patch(logs_module._log, "observer", lambda event: None)
        self.patch(logs_module, "MOST_WAITING", 1)
        self.rows.answers += [fail(RuntimeError("away")), fail(RuntimeError("away"))]
        for message in ("1", "2", "3"):
            self.logs.append(invocation(), [line(message), line("too many")])
            self.clock.advance(FLUSH_SECONDS)
        kept, dropped, missing = self.messages(2)
        self.assertEqual((kept, missing), ("3", "Log lines lost: 2; the database could not write them."))
        self.assertIn("3 log lines were dropped", dropped)
        self.assertEqual(self.logs.state()["dropped"], 5)

    def test_one_write_at_a_time(self):
        """A reader waits for the write under way and for the lines that came meanwhile."""
        slow = Deferred()
        self.rows.answers.append(slow)
        self.logs.append(invocation(), [line("1")])
        self.clock.advance(FLUSH_SECONDS)
        self.logs.append(invocation(), [line("2")])
        found = self.logs.query(LogFilter())
        self.assertNoResult(found)
        self.assertEqual(len(self.rows.groups), 1)
        slow.callback(None)
        self.successResultOf(found)
        self.assertEqual(self.messages(1), ["2"])

    def test_stop_writes(self):
        """Stopping writes what waits."""
        self.logs.append(invocation(), [line("1")])
        self.successResultOf(self.logs.stopService())
        self.assertEqual(self.messages(), ["1"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    @pytest.mark.setting("logs.retention_days", "logs.max_lines")
    def test_retention(self):
        """Old lines are removed each minute, by age and by number."""
        settings = LogSettings(retention_days=2.0, max_lines=70)
        logs = ScriptLogs(rows=self.rows, settings=settings, clock=self.clock, seconds=lambda: 2000.0)
        logs.startService()
        self.addCleanup(logs.stopService)
        self.clock.advance(TRIM_SECONDS)
        self.assertEqual(self.rows.trimmed, (2000.0 - 2 * 86_400, 70))


class DatabaseLogRowsTests(SynchronousTestCase):
    def setUp(self):
        folder = temporary_folder(self)
        self.clock = Clock()
        self.database = open_database(folder, "evidence")
        self.rows = DatabaseLogRows(database=self.database)
        self.logs = ScriptLogs(rows=self.rows, settings=LogSettings(), clock=self.clock, seconds=lambda: 2000.0)
        self.logs.startService()
        self.addCleanup(self.database.stopService)
        self.addCleanup(self.logs.stopService)

    def find(self, **wanted):
        return [r.line.message for r in self.successResultOf(self.logs.query(LogFilter(**wanted)))]

    def fill(self):
        self.logs.append(invocation("a", "one"), [line("first", "debug", 10.0), line("50% off", "warn", 20.0, n=1)])
        self.logs.append(invocation("b", "two"), [line("third", "error", 30.0)])

    def test_round_trip(self):
        """A line comes back with everything that was known of it."""
        self.fill()
        self.logs.finish(invocation("a", "one"), "script_failed")
        [record] = self.successResultOf(self.logs.query(LogFilter(contains="%")))
        self.assertEqual(
            record.as_json(),
            {
                "id": 2,
                "at": 20_000,
                "uri": "one",
                "version": "one@1-abc",
                "invocation": "a",
                "kind": "http",
                "level": "warn",
                "message": "50% off",
                "fields": {"n": 1},
                "outcome": "script_failed",
            },
        )

    def test_filters(self):
        """Every filter narrows what is found, newest last."""
        self.fill()
        self.assertEqual(self.find(), ["first", "50% off", "third"])
        self.assertEqual(self.find(uri="one"), ["first", "50% off"])
        self.assertEqual(self.find(level="warn"), ["50% off", "third"])
        self.assertEqual(self.find(invocation="b"), ["third"])
        self.assertEqual(self.find(contains="0% o"), ["50% off"])
        self.assertEqual(self.find(contains="5_%"), [])
        self.assertEqual(self.find(since=20.0), ["50% off", "third"])
        self.assertEqual(self.find(until=20.0), ["first"])
        self.assertEqual(self.find(limit=2), ["50% off", "third"])
        self.assertEqual(self.find(limit=1, before=3), ["50% off"])

    def test_marked_later(self):
        """An outcome reaches lines that were written before it was known."""
        self.fill()
        self.clock.advance(FLUSH_SECONDS)
        self.logs.finish(invocation("a", "one"), "committed")
        found = self.successResultOf(self.logs.query(LogFilter()))
        self.assertEqual([r.outcome for r in found], ["committed", "committed", None])

    def test_awkward_text(self):
        """NUL and half characters are kept readable, not refused."""
        self.logs.append(invocation(), [line("a\0b\ud800c", "info", 1.0, key="\ud800")])
        self.assertEqual(self.find(), ["a\\0b?c"])

    def test_trim(self):
        """Lines go when they are too old or too many, oldest first."""
        self.fill()
        self.find()
        self.assertEqual(self.successResultOf(self.rows.trim(before=15.0, keep=100)), 1)
        self.assertEqual(self.find(), ["50% off", "third"])
        self.assertEqual(self.successResultOf(self.rows.trim(before=0.0, keep=1)), 1)
        self.assertEqual(self.find(), ["third"])
        self.assertEqual(self.successResultOf(self.rows.trim(before=0.0, keep=1)), 0)
