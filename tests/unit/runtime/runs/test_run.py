"""One invocation: its answer, its commit, its parts, and every way in which it can fail."""

from __future__ import annotations

import json
import signal
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Cancelled, Conflict, ScriptTimeout, Stale, Unavailable
from aiwebengine.runtime.allowance import allowance
from aiwebengine.runtime.wire.boxes import encode, encode_pair
from aiwebengine.settings.schema import LimitSettings
from tests.support.fakes.processes import FakeChild
from tests.unit.runtime.fakes import FakeSink, Scene

KILLED = int(signal.SIGKILL)


class RunTests(SynchronousTestCase):
    """One run on one child."""

    def setUp(self) -> None:
        """Begin a run on a serving version."""
        self.scene = Scene(limits=LimitSettings(answer_bytes=1_000_000))
        self.addCleanup(self.scene.close)
        self.host = self.scene.host
        self.template = self.scene.serving()
        self.host.receipts.clear()
        self.host.committed = 0
        self.begin()

    def begin(self) -> None:
        """Begin the next run; its child is new or the one that is free."""
        self.run_, self.sink = self.scene.run()
        if fresh := self.template.clones():
            (self.child,) = fresh
        assert self.child.take() is not None

    def turn(self) -> None:
        """Let everything arrive."""
        self.scene.reactor.turn()

    @property
    def outcomes(self) -> list[str]:
        """Return how the runs ended."""
        return [receipt.outcome for receipt in self.host.receipts]

    def speak(self) -> None:
        """Have the script make a host call, so that there is something to commit."""
        self.child.ask(b"n")
        self.turn()
        self.assertEqual(self.child.take(), {b"_answer": b"7", b"v": b'{"ok":null}'})

    def test_committed_first(self) -> None:
        """The answer is told after the commit, and the child is free before it."""
        self.speak()
        commit: Deferred[None] = Deferred()
        self.host.commits = [commit]
        self.child.answer(b"[1]")
        self.turn()
        self.assertEqual(self.sink.received, [])
        self.assertEqual(self.scene.runner.state()["running"], 0)
        commit.callback(None)
        self.assertEqual(self.sink.received, [("answered", 200, b"[1]")])
        self.assertEqual(self.outcomes, ["committed"])

    def test_failed_commit(self) -> None:
        """A commit that fails is never a success, whether it fails at once, later, or for no known reason."""
        for result, code in (
            (Conflict("no"), "conflict"),
            (Deferred(), "conflict"),
            (Deferred(), "unavailable"),
            (KeyError("no such group"), "unavailable"),
        ):
            self.speak()
            self.host.commits = [result]
            self.child.answer()
            self.turn()
            if isinstance(result, Deferred):
                result.errback(Conflict("no") if code == "conflict" else ValueError("disk"))
            self.assertEqual(self.sink.received, [("failed", code)])
            self.begin()
        self.assertEqual(len(self.flushLoggedErrors(ValueError, KeyError)), 2)

    def test_large_answers(self) -> None:
        """An answer may be as large on the wire as its allowance says, and no larger."""
        limits = LimitSettings(answer_bytes=10_000)
        for size, in_base64, outcome in (
            (12_000, True, "answered"),
            (12_000, False, "failed"),
            (16_000, True, "failed"),
        ):
            invocation = self.scene.invocation()._replace(allowance=allowance(limits, answers_in_base64=in_base64))
            sink = FakeSink()
            self.child.answer()
            self.turn()
            self.scene.runner.run(invocation, sink)
            assert self.child.take() is not None
            self.child.answer(b"x" * size)
            self.turn()
            self.assertEqual([result[0] for result in sink.received], [outcome])
            self.begin()

    def test_rolled_back(self) -> None:
        """A thrown answer is told, and nothing is committed."""
        self.child.answer(b"no", head=json.dumps({"status": 404, "type": None, "rollback": True}).encode())
        self.turn()
        self.assertEqual(self.sink.received, [("answered", 404, b"no")])
        self.assertEqual((self.outcomes, self.host.committed), (["rolled_back"], 0))

    def test_thrown(self) -> None:
        """What a handler throws is told to who waits and to the host."""
        self.child.fail(error={"name": "TypeError", "message": "m"})
        self.turn()
        self.assertEqual(self.sink.received, [("failed", "script_failed")])
        self.assertEqual(len(self.host.failures), 1)

    def test_host_calls(self) -> None:
        """Calls are answered at once or later, by name."""
        later: Deferred[str] = Deferred()
        self.host.answers = {"now": '{"ok":1}', "later": later}
        self.child.ask(b"later", tag=b"1")
        self.child.ask(b"now", tag=b"2")
        self.turn()
        self.assertEqual(self.child.take(), {b"_answer": b"2", b"v": b'{"ok":1}'})
        later.callback('{"ok":2}')
        self.assertEqual(self.child.take(), {b"_answer": b"1", b"v": b'{"ok":2}'})
        self.child.answer()
        self.turn()
        costs = self.host.receipts[0].host_calls
        self.assertEqual({name: cost.count for name, cost in costs.items()}, {"now": 1, "later": 1})

    def test_late_answer(self) -> None:
        """A call of a lost attempt is never answered to the process that tries again."""
        later: Deferred[str] = Deferred()
        self.host.answers = {"later": later}
        self.child.ask(b"later")
        self.turn()
        self.template.exit(0, KILLED)
        (again,) = [child for child in self.template.clones() if child.take() is not None]
        later.callback('{"ok":1}')
        self.assertIsNone(again.take())
        again.answer()
        self.turn()
        self.assertEqual(self.sink.received, [("answered", 200, b'{"done":true}')])
        self.assertEqual(self.outcomes, ["lost", "committed"])

    def test_lost_twice(self) -> None:
        """A run that loses two processes to somebody else is told to come back."""
        self.template.exit(0, KILLED)
        self.template.clones()
        self.template.exit(1, KILLED)
        self.assertEqual(self.sink.received, [("failed", "unavailable")])

    def test_lost_after_it_did_something(self) -> None:
        """A run that loses its process after something took effect at once is not run once more."""
        self.speak()
        self.host.repeatable = False
        self.template.exit(0, KILLED)
        self.assertEqual(self.sink.received, [("failed", "script_crashed")])
        self.assertEqual([child for child in self.template.clones() if child.take() is not None], [])
        self.assertEqual(self.outcomes, ["script_crashed"])

    def test_died(self) -> None:
        """A timer's signal is a time-out, and not tried again."""
        self.template.exit(0, int(signal.SIGALRM))
        self.assertEqual(self.sink.received, [("failed", "script_timeout")])
        self.assertEqual(self.host.receipts[0].cpu_seconds, 0.5)

    def test_died_while_it_waited(self) -> None:
        """A run whose time is over while it waits names the host calls that were not answered."""
        self.host.answers = {"now": '{"ok":1}', "later": Deferred()}
        self.child.ask(b"now", tag=b"1")
        self.child.ask(b"later", tag=b"2")
        self.turn()
        self.template.exit(0, int(signal.SIGALRM))
        (error,) = self.host.failures
        self.assertIn("It waited for later. ", error.public)

    def test_position(self) -> None:
        """A run whose time is over was where its process said last; that of an attempt before does not count."""
        self.child.position(b"at first (input:3)\n")
        self.child.position(b"at inner (input:12)\nat outer (input:40)\n")
        self.turn()
        self.template.exit(0, int(signal.SIGALRM))
        (error,) = self.host.failures
        assert isinstance(error, ScriptTimeout)
        self.assertEqual(error.stack, "    at inner (input:12)\n    at outer (input:40)")

    def test_stream(self) -> None:
        """Parts of an answer leave in order, one at a time, and each has the whole time again."""
        self.child.part(b"start", json.dumps({"status": 200, "type": "text/plain", "headers": []}).encode())
        self.turn()
        assert self.child.take() is not None
        self.child.part(b"write", body=b"one")
        self.turn()
        self.scene.go(3)
        self.assertEqual(self.sink.received, [("started", 200), ("write", b"one")])
        self.assertIsNone(self.child.take())
        self.sink.taken.pop()()
        self.assertEqual(self.child.take(), {b"_answer": b"7", b"v": b'{"ok":null}'})
        self.child.answer(b"", head=b'{"streamed":true}')
        self.turn()
        self.assertEqual(self.sink.received[-1], "finished")
        self.assertEqual((self.outcomes, self.host.committed), (["committed"], 3))

    def test_stream_without_a_beginning(self) -> None:
        """A child that ends a stream whose beginning was refused breaks the protocol."""
        self.child.part(b"start", b"a", b"x")
        self.child.answer(b"", head=b'{"streamed":true}')
        self.turn()
        self.assertEqual(self.sink.received, [("failed", "script_protocol")])

    def test_greedy_stream(self) -> None:
        """A child that writes before the client has taken what it wrote is ended."""
        self.child.part(b"start", json.dumps({"status": 200, "type": None}).encode())
        self.child.part(b"write", body=b"one")
        self.child.part(b"write", body=b"two")
        self.turn()
        self.assertEqual(self.sink.received, [("started", 200), ("write", b"one"), ("failed", "script_protocol")])

    def test_answered_early(self) -> None:
        """An answer that is sent early is told at once; what the script does afterwards concerns nobody."""
        self.child.part(b"send", body=b"early")
        self.turn()
        self.assertEqual(self.sink.received, [("answered", 200, b"early")])
        self.scene.runner.cancel(self.run_)
        self.child.fail()
        self.turn()
        self.assertEqual(len(self.sink.received), 1)
        self.assertEqual(self.outcomes, ["script_failed"])

    def test_answered_early_in_vain(self) -> None:
        """An answer that is sent early and cannot be committed is never told, but what went wrong is."""
        commits: list[Deferred[None] | Conflict] = [Deferred(), Conflict("somebody else")]
        for commit in commits:
            if self.outcomes:
                self.begin()
            self.host.commits = [commit]
            self.child.part(b"send", body=b"early")
            self.turn()
            if isinstance(commit, Deferred):
                self.assertEqual(self.sink.received, [])
                commit.errback(Failure(Conflict("somebody else")))
            self.turn()
            self.assertEqual(self.sink.received, [("failed", "conflict")])
            self.template.exit(len(self.template.children) - 1, KILLED)

    def test_part_refused(self) -> None:
        """A part that does not fit is refused or ends the child; nothing is told twice."""
        self.child.part(b"write", body=b"no start")
        self.turn()
        box = self.child.take()
        assert box is not None
        self.assertIn(b'"err"', box[b"v"])
        for number, part in enumerate((b"", b"[]", b"\xff")):
            if number:
                self.begin()
            self.child.send(part, ask=b"7", command=b"host", n=b"answer.start")
            self.turn()
            self.assertEqual(self.sink.received, [("failed", "script_protocol")], part)
            self.template.exit(len(self.template.numbers) - 1, KILLED)

    def test_hostile_calls(self) -> None:
        """Calls with long names, foreign bytes or ever new names end the child, and it is heard no more."""

        def long_name(child: FakeChild) -> None:
            child.ask(b"n" * 101)

        def long_tag(child: FakeChild) -> None:
            child.ask(b"n", tag=b"1" * 21)

        def foreign(child: FakeChild) -> None:
            child.send(b'["\xc3\xa9"]', ask=b"1", command=b"host", n=b"x")

        def inventive(child: FakeChild) -> None:
            for number in range(250):
                child.ask(b"n%d" % number)

        for attack in (long_name, long_tag, foreign, inventive):
            attack(self.child)
            self.child.send(b'[["info","still here",null]]', command=b"log")
            self.child.answer()
            self.turn()
            self.assertEqual(self.sink.received, [("failed", "script_protocol")], attack.__name__)
            self.assertEqual(self.host.lines, [])
            self.template.exit(len(self.template.numbers) - 1, KILLED)
            self.begin()

    def test_bulky_arguments(self) -> None:
        """Arguments that would take many times their size are refused without being read."""
        head = encode_pair(b"_ask", b"1") + encode_pair(b"_command", b"host") + encode_pair(b"n", b"x")
        data = encode(head, b"[" + b"[]," * 320_000 + b"[]]")
        for at in range(0, len(data), 50_000):
            self.child.sock.send(data[at : at + 50_000])
            self.scene.reactor.turn(1)
        box = self.child.take()
        assert box is not None
        self.assertIn(b"too many parts", box[b"v"])

    def test_twice(self) -> None:
        """A second answer, or the end of a stream that never began, is the end of the child."""
        self.child.part(b"send", body=b"early")
        self.child.answer()
        self.turn()
        self.assertEqual(self.sink.received, [("answered", 200, b"early")])
        self.assertEqual(self.outcomes, ["script_protocol"])
        self.template.exit(0, KILLED)
        self.begin()
        self.child.answer(b"", head=b'{"streamed":true}')
        self.turn()
        self.assertEqual(self.sink.received, [("failed", "script_protocol")])

    def test_overtaken(self) -> None:
        """A part, or the end, that comes before the part before it was committed is the end of the child."""
        for later in (
            lambda child: child.part(b"write", body=b"x", tag=b"8"),
            lambda child: child.answer(b"", head=b'{"streamed":true}'),
        ):
            commit: Deferred[None] = Deferred()
            self.host.commits = [commit]
            self.child.part(b"start")
            later(self.child)
            self.turn()
            self.assertEqual(self.sink.received, [])
            commit.callback(None)
            self.assertEqual(self.sink.received, [("started", 200), ("failed", "script_protocol")])
            self.template.exit(len(self.template.numbers) - 1, KILLED)
            self.begin()

    def test_takes_no_refusal(self) -> None:
        """A script that goes on asking when its calls are spent is ended, and told of the budget."""
        self.scene.close()
        self.scene = Scene(limits=LimitSettings(host_calls=5))
        self.addCleanup(self.scene.close)
        self.template = self.scene.serving()
        self.begin()
        for _ in range(1005):
            self.child.ask(b"x")
            self.turn()
            self.child.take()
        self.assertEqual(self.sink.received, [])
        self.child.ask(b"x")
        self.turn()
        self.assertEqual(self.sink.received, [("failed", "script_failed")])

    def test_lines_that_are_none(self) -> None:
        """What is no list of log lines ends the child."""
        self.child.send(b'{"info":"m"}', command=b"log")
        self.turn()
        self.assertEqual(self.sink.received, [("failed", "script_protocol")])

    def test_deadline(self) -> None:
        """A child that does not end itself is killed shortly after its deadline."""
        self.scene.go(2.0)
        self.assertEqual(self.template.forker.requests(), [])
        self.scene.go(0.1)
        self.assertEqual([request.content["op"] for request in self.template.forker.requests()], ["kill"])
        self.template.exit(0, KILLED)
        self.assertEqual(self.sink.received, [("failed", "script_timeout")])

    def test_cancelled(self) -> None:
        """A run whose caller has gone is told so, killed if it goes on, and nothing of it is committed."""
        self.scene.runner.cancel(self.run_)
        self.scene.runner.cancel(self.run_)
        self.assertEqual(self.child.take(), {b"_command": b"cancel", b"t": b"1", b"v": b""})
        self.assertIsNone(self.child.take())
        self.child.answer()
        self.turn()
        self.assertEqual((self.sink.received, self.host.committed), ([("failed", "cancelled")], 0))
        self.begin()
        self.scene.runner.cancel(self.run_)
        self.scene.go(0.15)
        self.assertEqual([request.content["op"] for request in self.template.forker.requests()], ["kill"])
        self.template.exit(0, KILLED)
        self.assertEqual(self.sink.received, [("failed", "cancelled")])

    def test_gone_during_commit(self) -> None:
        """Who goes away while the commit is under way disturbs neither it nor the next run of the child."""
        commit: Deferred[None] = Deferred()
        self.host.commits = [commit]
        self.child.answer()
        self.turn()
        first, sink = self.run_, self.sink
        self.begin()
        self.scene.runner.cancel(first)
        self.assertIsNone(self.child.take())
        self.scene.go(0.2)
        commit.callback(None)
        self.assertEqual(sink.received, [("answered", 200, b'{"done":true}')])
        self.child.answer()
        self.turn()
        self.assertEqual(self.sink.received, [("answered", 200, b'{"done":true}')])

    def stale(self, turns):
        """Let the next commit find that something was changed."""
        turn: Deferred[Any] = Deferred(lambda waiting: waiting.errback(Cancelled("Gone.")))
        turns.append(turn)
        failed: Deferred[None] = Deferred()
        failed.errback(Stale("Changed.", turn=lambda: turn))
        return failed

    def test_died_during_the_commit(self) -> None:
        """A child that dies after its answer was found good, while that is being committed, takes no answer with it."""
        for streamed in (False, True):
            commit: Deferred[None] = Deferred()
            self.host.commits = [commit]
            received: list[Any] = [("answered", 200, b"early")]
            if streamed:
                self.begin()
                self.child.part(b"start", json.dumps({"status": 200, "type": None}).encode())
                received = [("started", 200), ("failed", "script_crashed")]
            else:
                self.child.part(b"send", body=b"early")
            self.turn()
            self.template.exit(len(self.template.children) - 1, signal.SIGSEGV)
            self.assertEqual(self.sink.received, [])
            commit.callback(None)
            self.assertEqual(self.sink.received, received)

    def test_run_again(self) -> None:
        """A handler whose reads were overtaken runs again when it has its turn, and is answered once."""
        self.speak()
        turns: list[Any] = []
        released: list[int] = []
        self.host.commits = [self.stale(turns), succeed(None)]
        self.child.answer(b'"first"')
        self.turn()
        self.assertEqual(self.sink.received, [])
        turns[0].callback(lambda: released.append(1))
        self.turn()
        self.assertIsNotNone(self.child.take())
        self.speak()
        self.child.answer(b'"second"')
        self.turn()
        self.assertEqual(self.sink.received, [("answered", 200, b'"second"')])
        self.assertEqual((self.outcomes, released), (["rerun", "committed"], [1]))

    def test_run_again_after_it_began_to_answer(self) -> None:
        """A child that waits to go on with an answer that is not to be is ended, and counted no longer."""
        turns: list[Any] = []
        self.host.commits = [self.stale(turns), succeed(None)]
        self.child.part(b"send", body=b"early")
        self.turn()
        self.template.exit(len(self.template.children) - 1, KILLED)
        state = self.scene.runner.state()
        self.assertEqual((state["running"], state["slots"]["running"]), (0, 0))
        turns[0].callback(lambda: None)
        self.child = self.template.clones()[-1]
        self.child.answer(b'"second"')
        self.turn()
        self.assertEqual(self.sink.received, [("answered", 200, b'"second"')])
        self.assertEqual(self.scene.runner.state()["running"], 0)

    def test_not_run_again(self) -> None:
        """A handler that did something at once is not run again; the client is told of the conflict."""
        self.speak()
        self.host.repeatable = False
        self.host.commits = [self.stale([])]
        self.child.answer()
        self.turn()
        self.assertEqual(self.sink.received, [("failed", "conflict")])

    def test_gone_while_it_waits_for_its_turn(self) -> None:
        """Who goes away while a handler waits to be run again ends it."""
        self.speak()
        turns: list[Any] = []
        self.host.commits = [self.stale(turns)]
        self.child.answer()
        self.turn()
        self.scene.runner.cancel(self.run_)
        self.assertEqual(self.sink.received, [("failed", "cancelled")])

    def test_sandbox_lost_twice(self) -> None:
        """A run that loses its process with the sandbox, and again, is told to come back."""
        self.template.exit(0, KILLED)
        self.template.clones()
        self.template.die()
        self.assertEqual(self.sink.received, [("failed", "unavailable")])
        self.assertIsInstance(self.host.failures, list)
        self.assertFalse(any(isinstance(error, Unavailable) for error in self.host.failures))
