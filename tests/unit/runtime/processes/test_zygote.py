"""The sandbox process is kept alive, and watched."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

from twisted.internet.error import ProcessTerminated
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CannotStart, Unavailable
from aiwebengine.runtime.processes.zygote import Zygote, environment
from tests.support.fakes.processes import Forker, HandReactor


class Started:
    """A process that the reactor was asked for."""

    def __init__(self, reactor: HandReactor, protocol: Any, arguments: list[str], sock: socket.socket) -> None:
        self.protocol = protocol
        self.arguments = arguments
        self.forker = Forker(reactor, sock)
        self.pid = 4711
        self.signals: list[str] = []
        self.handed: dict[int, bytes] = {}
        """What was written to its descriptors, as far as they were closed."""
        self._written: dict[int, bytes] = {}
        protocol.transport = self

    def signalProcess(self, name: str) -> None:
        """See `IProcessTransport`."""
        self.signals.append(name)

    def writeToChild(self, descriptor: int, data: bytes) -> None:
        """See `IProcessTransport`."""
        self._written[descriptor] = self._written.get(descriptor, b"") + data

    def closeChildFD(self, descriptor: int) -> None:
        """See `IProcessTransport`."""
        self.handed[descriptor] = self._written.pop(descriptor, b"")

    def ready(self) -> None:
        """Tell that it is ready."""
        self.forker.say(ev="ready", pid=4711, report={"landlock": True, "notes": {"seccomp": "no seccomp here"}})

    def end(self) -> None:
        """End."""
        self.forker.close()
        self.protocol.processEnded(Failure(ProcessTerminated(signal=signal.SIGKILL)))


class SpawnReactor(HandReactor):
    """A reactor that keeps what it should start."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Started] = []
        self.refuses = False

    def spawnProcess(self, protocol: Any, executable: str, args: list[str], **members: Any) -> None:
        """See `IReactorProcess`."""
        assert executable == args[0]
        if self.refuses:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        sock = socket.socket(fileno=os.dup(members["childFDs"][3]))
        self.started.append(Started(self, protocol, args, sock))


class ZygoteTests(SynchronousTestCase):
    """One sandbox, as often as needed."""

    def setUp(self) -> None:
        """Start it."""
        self.reactor = SpawnReactor()
        self.reactor.advance(100)
        self.deaths = 0
        self.zygote = Zygote(reactor=self.reactor)
        self.zygote.on_death(self.died)
        self.zygote.startService()
        self.addCleanup(self.stop)

    def died(self) -> None:
        """Count."""
        self.deaths += 1

    def stop(self) -> None:
        """Stop it, whatever state it is in."""
        self.zygote.stopService()
        for process in self.reactor.started:
            process.end()

    @property
    def process(self) -> Started:
        """Return the process that was started last."""
        return self.reactor.started[-1]

    def test_ready(self) -> None:
        """Who waits is told as soon as the sandbox is ready; what it reports is stored."""
        waiting = self.zygote.when_ready()
        self.assertNoResult(waiting)
        self.assertFalse(self.zygote.ready)
        self.process.ready()
        self.reactor.turn()
        self.successResultOf(waiting)
        self.successResultOf(self.zygote.when_ready())
        self.assertTrue(self.zygote.report["landlock"])
        self.assertEqual(self.process.arguments[1:4], ["-P", "-m", "sandbox"])

    def test_hands_over_what_scripts_find(self) -> None:
        """Each process is told at its start which host calls there are, as they are then."""
        received = ['{"calls": [], "files": ["/a.js"]}', '{"calls": [], "files": ["/b.js"]}']
        expected = [text.encode() for text in received]
        self.zygote = Zygote(reactor=self.reactor, surface=lambda: received.pop(0))
        self.zygote.startService()
        self.assertEqual(self.process.arguments[-2:], ["--surface-fd", "4"])
        self.assertEqual(self.process.handed, {4: expected[0]})
        self.process.end()
        self.reactor.advance(1)
        self.assertEqual(self.process.handed, {4: expected[1]})
        self.flushLoggedErrors()

    def test_not_held(self) -> None:
        """Where the machine cannot hold scripts' processes there is no sandbox, and who waits is told why."""
        self.zygote = Zygote(reactor=self.reactor, refusal=lambda report: f"lacking {sorted(report['notes'])}")
        self.zygote.startService()
        waiting = self.zygote.when_ready()
        self.process.ready()
        self.reactor.turn()
        error = self.failureResultOf(waiting, CannotStart).value
        self.assertEqual(error.public, "lacking ['seccomp']")
        self.assertEqual((self.zygote.ready, self.process.signals), (False, ["KILL"]))
        self.flushLoggedErrors()

    def test_unloadable(self) -> None:
        """A sandbox whose JavaScript cannot be loaded fails the start in words; one that was ready is started again."""
        self.zygote = Zygote(reactor=self.reactor, explain=lambda reason: f"broken: {reason}")
        self.zygote.startService()
        waiting = self.zygote.when_ready()
        self.process.protocol.errReceived(b"a warning\n/x/kv.js: ReferenceError")
        self.process.protocol.processEnded(Failure(ProcessTerminated(exitCode=3)))
        for ready in (waiting, self.zygote.when_ready()):
            self.assertEqual(self.failureResultOf(ready, CannotStart).value.public, "broken: /x/kv.js: ReferenceError")
        self.reactor.advance(1)
        self.process.ready()
        self.reactor.turn()
        self.successResultOf(self.zygote.when_ready())
        self.process.protocol.processEnded(Failure(ProcessTerminated(exitCode=3)))
        waiting = self.zygote.when_ready()
        self.assertNoResult(waiting)
        self.zygote.stopService()
        self.failureResultOf(waiting, Unavailable)
        self.flushLoggedErrors()

    def test_restarts(self) -> None:
        """It is started again after ever longer waits; one that lived long is started at once."""
        for wait in (0.05, 0.1, 0.2):
            self.process.ready()
            self.reactor.turn()
            self.process.end()
            self.assertIsNone(self.zygote.control())
            before = len(self.reactor.started)
            self.reactor.advance(wait * 0.9)
            self.assertEqual(len(self.reactor.started), before)
            self.reactor.advance(wait * 0.2)
            self.assertEqual(len(self.reactor.started), before + 1)
        self.reactor.advance(60)
        self.process.end()
        self.reactor.advance(0)
        self.assertEqual((len(self.reactor.started), self.zygote.restarts, self.deaths), (5, 4, 4))

    def test_cannot_start(self) -> None:
        """When the machine refuses another process, it is tried again."""
        self.reactor.refuses = True
        self.process.end()
        self.reactor.advance(1)
        self.reactor.refuses = False
        self.reactor.advance(10)
        self.assertEqual(len(self.reactor.started), 2)
        self.assertGreater(self.zygote.restarts, 1)

    def test_nonsense(self) -> None:
        """A sandbox that says nonsense is ended."""
        self.process.forker.sock.send(b"hello")
        self.reactor.turn()
        self.assertEqual(self.process.signals, ["KILL"])

    def test_never_ready(self) -> None:
        """A sandbox that never becomes ready is ended."""
        self.reactor.advance(59)
        self.zygote.tend(self.reactor.seconds())
        self.assertEqual(self.process.signals, [])
        self.reactor.advance(2)
        self.zygote.tend(self.reactor.seconds())
        self.assertEqual(self.process.signals, ["KILL"])

    def test_silent(self) -> None:
        """A sandbox that leaves a request unanswered is ended."""
        self.process.ready()
        self.reactor.turn()
        control = self.zygote.control()
        assert control is not None
        child: Any = type("Child", (), {"exited": lambda *_: None})()
        control.fork(1, {"op": "template"}, [], child)
        for _ in range(12):
            self.zygote.tend(self.reactor.seconds())
            self.reactor.advance(1)
        self.assertEqual(self.process.signals[:1], ["KILL"])

    def test_stop(self) -> None:
        """Stopping waits for the end of the process; who waits for the sandbox is told; it can start again."""
        waiting = self.zygote.when_ready()
        stopped = self.zygote.stopService()
        assert stopped is not None
        self.failureResultOf(waiting, Unavailable)
        self.assertNoResult(stopped)
        self.process.end()
        self.successResultOf(stopped)
        self.assertIsNone(self.zygote.stopService())
        self.zygote.startService()
        self.assertEqual(len(self.reactor.started), 2)

    def test_what_it_writes(self) -> None:
        """What it writes is logged line by line, and a flood is cut."""
        lines: list[str] = []

        def observe(event: Any) -> None:
            if str(event.get("log_namespace")).endswith("zygote"):
                lines.append(str(event.get("line", event["log_format"])))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        self.process.protocol.errReceived(b"first\nsec")
        self.process.protocol.outReceived(b"ond\n")
        self.assertEqual(lines, ["first", "second"])
        for _ in range(1000):
            self.process.protocol.errReceived(b"again\n")
        self.assertLess(len(lines), 220)
        self.assertIn("too much", lines[-1])
        self.reactor.advance(11)
        self.process.protocol.errReceived(b"later\n")
        self.assertEqual(lines[-1], "later")

    def test_environment(self) -> None:
        """It finds its own code, and nothing of the server's environment."""
        result = environment()
        self.assertTrue((Path(result["PYTHONPATH"]) / "sandbox" / "__main__.py").exists())
        self.assertLessEqual(
            set(result), {"PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
        )
