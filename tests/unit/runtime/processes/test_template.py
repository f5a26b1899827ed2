"""One template process: its load, the calls that it makes meanwhile, and its end."""

from __future__ import annotations

import json
import signal
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import EngineError
from aiwebengine.runtime.processes.journal import Journal
from aiwebengine.runtime.processes.template import Template
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Bundle
from tests.support.fakes.processes import FakeChild, Forker, HandReactor
from tests.unit.runtime.fakes import FakeHost

BUNDLE = Bundle(script="s", version="v", source="x", source_map="", files={})
LOADED = json.dumps({"handlers": 1, "names": [], "warnings": []}).encode()
KILLED = int(signal.SIGKILL)


class TemplateTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Play the zygote."""
        self.reactor = HandReactor()
        self.zygote = Forker(self.reactor)
        self.host = FakeHost()
        self.ended: list[Template] = []
        self.errors: list[EngineError] = []
        self.reports: list[Any] = []

    def make(self, *, replay: str | None = None, calls: int = 1000, once: bool = False) -> Template:
        """Begin a load; with *replay* its calls are answered from a journal."""
        self.journal = Journal(replay or "", seed="0" * 32, now=1000)
        self.template = Template(
            reactor=self.reactor,
            control=self.zygote.control,
            number=7,
            bundle=BUNDLE,
            journal=self.journal,
            session=self.host if replay is None else None,
            limits=LimitSettings(host_calls=calls),
            allowed=None,
            collect=None,
            once=once,
            memory_bytes=1 << 26,
            wall_seconds=2.0,
            wall=lambda: 1.7e9,
            exited=self.ended.append,
        )
        self.template.loaded.addCallbacks(self.reports.append, lambda failure: self.errors.append(failure.value))
        (self.request,) = self.zygote.requests()
        self.child = FakeChild(self.request.sockets[0])
        self.addCleanup(self.close)
        self.reactor.turn()
        return self.template

    def close(self) -> None:
        """Close every end."""
        if not self.template.dead:
            self.exit()
        self.request.close()
        self.zygote.control.close()
        self.zygote.close()
        for call in self.reactor.getDelayedCalls():
            call.cancel()

    def exit(self, status: int = KILLED) -> None:
        """Tell that the process has ended."""
        self.zygote.exit(7, status)
        self.reactor.turn()

    def asked_to_kill(self) -> bool:
        """Return whether the zygote was asked to end it since the last time."""
        return [request.content["op"] for request in self.zygote.requests()] == ["kill"]

    def recorded(self) -> str:
        """Return the journal of a load that makes one call."""
        self.make()
        self.host.answers["getSetting"] = '{"ok":"blue"}'
        self.child.ask(b"getSetting", "colour")
        self.reactor.turn()
        text = self.journal.text()
        self.close()
        self.setUp()
        return text

    def test_loads(self) -> None:
        """It is sent the source and its journal's seed and time, and what it reports is the result."""
        template = self.make()
        self.assertEqual(self.request.content["limits"]["memory_bytes"], 1 << 26)
        box = self.child.take()
        assert box is not None
        sent = json.loads(box[b"v"])
        self.assertEqual((sent["source"], sent["seed"], sent["now"], sent["deadline"]), ("x", "0" * 32, 1000, 3000))
        self.child.send(LOADED, answer=b"1")
        self.reactor.turn()
        self.assertEqual((self.reports, self.errors), ([json.loads(LOADED)], []))
        self.assertTrue(template.can_fork)

    def test_calls_are_answered(self) -> None:
        """Its host calls are answered by the session, at once or later, and written into the journal."""
        self.make()
        later: Deferred[str] = Deferred()
        self.host.answers.update({"one": '{"ok":1}', "two": later})
        self.child.take()
        self.child.ask(b"two", tag=b"8")
        self.child.ask(b"one", tag=b"9")
        self.reactor.turn()
        self.assertEqual(self.child.take(), {b"_answer": b"9", b"v": b'{"ok":1}'})
        later.callback('{"ok":2}')
        self.reactor.turn()
        self.assertEqual(self.child.take(), {b"_answer": b"8", b"v": b'{"ok":2}'})
        document = json.loads(self.journal.text())
        self.assertEqual([call[::2] for call in document["calls"]], [["two", '{"ok":2}'], ["one", '{"ok":1}']])

    def test_replayed(self) -> None:
        """A load that is done again is answered as the first one was, and asks nobody."""
        text = self.recorded()
        self.make(replay=text)
        self.host.answers.clear()
        self.child.take()
        self.child.ask(b"getSetting", "colour")
        self.reactor.turn()
        self.assertEqual(self.child.take(), {b"_answer": b"7", b"v": b'{"ok":"blue"}'})
        self.child.send(LOADED, answer=b"1")
        self.reactor.turn()
        self.assertEqual(len(self.reports), 1)

    def test_replay_that_differs(self) -> None:
        """A load that makes another call than the first one, or fewer, has failed, and its process is ended."""
        text = self.recorded()
        for name in (b"another", b""):
            self.setUp()
            self.make(replay=text)
            if name:
                self.child.ask(name)
            else:
                self.child.send(LOADED, answer=b"1")
            self.reactor.turn()
            (error,) = self.errors
            self.assertIn("unlike when it was deployed", error.public)
            self.assertTrue(self.asked_to_kill())
            self.close()

    def test_too_many_calls(self) -> None:
        """A load that goes on making calls beyond its limit is ended."""
        self.make(calls=1)
        for number in range(2000):
            self.child.ask(b"one", number)
            self.reactor.turn(1)
            if self.errors:
                break
        self.assertEqual(len(self.errors), 1)
        self.assertTrue(self.asked_to_kill())

    def test_throws(self) -> None:
        """What top level throws is why the load failed; nothing can be forked."""
        template = self.make()
        self.child.fail(error={"name": "Error", "message": "no"})
        self.reactor.turn()
        self.assertEqual([error.code for error in self.errors], ["script_failed"])
        self.assertFalse(template.can_fork)

    def test_breaks_the_protocol(self) -> None:
        """What is no answer and no command is a broken protocol."""
        for value, pairs in ((b"[", {"answer": b"1"}), (b"[]", {"answer": b"1"}), (b"", {"command": b"dance"})):
            self.setUp()
            self.make()
            self.child.send(value, **pairs)
            self.reactor.turn()
            self.assertEqual([error.code for error in self.errors], ["script_protocol"])
            self.assertTrue(self.asked_to_kill())
            self.close()

    def test_takes_too_long(self) -> None:
        """A load that does not end in time is ended from outside, and has run out of time."""
        template = self.make()
        self.reactor.advance(60)
        self.assertTrue(self.asked_to_kill())
        self.exit()
        self.assertEqual(([error.code for error in self.errors], self.ended), (["script_timeout"], [template]))
        self.assertFalse(template.lost)

    def test_dies(self) -> None:
        """One that is killed by somebody else is lost through no fault of its own, and its end is told once."""
        template = self.make()
        self.exit()
        self.exit()
        self.assertTrue(template.lost)
        self.assertEqual((len(self.errors), self.ended), (1, [template]))

    def test_nobody_tells_its_end(self) -> None:
        """If the zygote does not say how it ended, it is taken for dead after a while."""
        template = self.make()
        template.kill("script_timeout")
        self.reactor.advance(60)
        self.assertEqual((template.dead, self.ended), (True, [template]))
