"""Starting a successor, and being one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

from twisted.internet.error import ProcessDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.cli.successor import NotReady, Predecessor, Succession
from aiwebengine.services.inherited import PREDECESSOR, InheritedDescriptors


class SpawnReactor(Clock):
    """Starts nothing, and remembers it."""

    def __init__(self):
        super().__init__()
        self.signals = []
        self.error = None
        self.readers = []

    def spawnProcess(self, protocol, program, arguments, **how):
        if self.error is not None:
            raise self.error
        self.protocol, self.arguments, self.how = protocol, arguments, how
        protocol.transport = SimpleNamespace(pid=77, signalProcess=self.signals.append)

    def addReader(self, reader):
        self.readers.append(reader)

    def removeReader(self, reader):
        self.readers.remove(reader)


class SuccessionTests(SynchronousTestCase):
    def setUp(self):
        self.reactor = SpawnReactor()
        self.succession = Succession(
            reactor=self.reactor, command=["python", "serve"], folder=Path("/"), environ={"A": "b"}, managed=False
        )

    def start(self):
        return self.succession.start(listening=10, lock=11, pidfile="/run/pid", seconds=5.0)

    def ended(self):
        self.reactor.protocol.processEnded(Failure(ProcessDone(0)))

    def test_ready(self):
        """The process that says it serves is given, and has inherited what it needs."""
        started = self.start()
        self.assertEqual((self.reactor.arguments, self.reactor.how["path"]), (["python", "serve"], "/"))
        self.assertEqual({self.reactor.how["childFDs"][number] for number in (3, 4)}, {10, 11})
        answer = json.loads(self.reactor.how["env"][PREDECESSOR])
        self.assertEqual((answer["pid"], answer["pidfile"]), (os.getpid(), "/run/pid"))
        self.reactor.protocol.childDataReceived(5, b'{"rea')
        self.assertNoResult(started)
        self.reactor.protocol.childDataReceived(5, b'dy": true}\n')
        self.assertEqual(self.successResultOf(started), 77)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.succession.stop()
        self.assertEqual(self.reactor.signals, [])

    def test_says_why_not(self):
        """What it says is why it does not serve."""
        started = self.start()
        self.reactor.protocol.childDataReceived(5, b'{"failed": "The port is taken."}\n')
        self.assertNoResult(started)
        self.ended()
        self.assertIn("The port is taken.", str(self.failureResultOf(started, NotReady).value))

    def test_ends_without_a_word(self):
        """One that just ends does not serve."""
        started = self.start()
        self.ended()
        self.failureResultOf(started, NotReady)

    def test_too_late(self):
        """One that takes too long is ended, and a word that comes then is too late."""
        started = self.start()
        self.reactor.advance(5.0)
        self.assertEqual(self.reactor.signals, ["KILL"])
        self.reactor.protocol.childDataReceived(5, b'{"ready": true}\n')
        self.assertNoResult(started)
        self.ended()
        self.assertIn("server.handover_seconds", str(self.failureResultOf(started, NotReady).value))

    def test_cannot_be_started(self):
        """A command that cannot be run is told."""
        self.reactor.error = FileNotFoundError(2, "No such file")
        self.assertIn("No such file", str(self.failureResultOf(self.start(), NotReady).value))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stop(self):
        """A server that stops ends a successor that does not serve yet."""
        started = self.start()
        self.succession.stop()
        self.assertEqual(self.reactor.signals, ["KILL"])
        self.ended()
        self.failureResultOf(started, NotReady)


class PredecessorTests(SynchronousTestCase):
    def setUp(self):
        self.reactor = SpawnReactor()
        self.received, tell = os.pipe()
        gone, self.held = os.pipe()
        self.addCleanup(os.close, self.received)
        self.predecessor = Predecessor(reactor=self.reactor, inherited=InheritedDescriptors(tell=tell, gone=gone))

    def test_one_word(self):
        """It is told once, and the pipe is closed."""
        self.predecessor.ready()
        self.predecessor.failed("too late")
        self.assertEqual(os.read(self.received, 1000), b'{"ready": true}\n')
        self.assertEqual(os.read(self.received, 1000), b"")
        os.close(self.held)

    def test_its_end(self):
        """Its end is noticed, once."""
        calls = []
        self.predecessor.when_gone(lambda: calls.append(1))
        [reader] = self.reactor.readers
        os.close(self.held)
        reader.doRead()
        reader.connectionLost(None)
        self.assertEqual((calls, self.reactor.readers), ([1], []))

    def test_none(self):
        """Without a predecessor there is nobody to tell, or to wait for."""
        nobody = Predecessor(reactor=self.reactor, inherited=InheritedDescriptors())
        nobody.ready()
        nobody.when_gone(self.fail)
        self.assertEqual(self.reactor.readers, [])
        os.close(self.held)
