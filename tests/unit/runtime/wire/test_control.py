"""The control socket: requests with descriptors out, checked events in."""

from __future__ import annotations

import json
import socket
from typing import Any

from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from aiwebengine.runtime.wire.control import Exit, ForkRequest
from tests.support.fakes.processes import Forker, HandReactor


class OnResult:
    """Keeps what became of a process."""

    def __init__(self) -> None:
        self.pids: list[int] = []
        self.ends: list[Exit] = []

    def forked(self, pid: int) -> None:
        """See `control.ForkListener`."""
        self.pids.append(pid)

    def exited(self, ended: Exit) -> None:
        """See `control.ForkListener`."""
        self.ends.append(ended)


class ControlTests(SynchronousTestCase):
    """One socket and the forker behind it."""

    def setUp(self) -> None:
        """Make both ends."""
        self.reactor = HandReactor()
        self.forker = Forker(self.reactor)
        self.control = self.forker.control
        self.addCleanup(self.forker.close)
        self.addCleanup(self.control.close)

    def fork(self, number: int = 5) -> OnResult:
        """Ask for a process with one socket, whose other end is closed at once."""
        result = OnResult()
        ours, theirs = socket.socketpair()
        ours.close()
        self.control.fork(number, {"op": "clone"}, [theirs], result)
        return result

    def test_interface(self) -> None:
        """It is what reactors watch."""
        self.assertTrue(verifyObject(IReadWriteDescriptor, self.control))

    def test_life(self) -> None:
        """A request carries its socket; what becomes of it is told to who asked."""
        result = self.fork()
        request = self.forker.take()
        assert request is not None
        self.addCleanup(request.close)
        self.assertEqual(request.content, {"op": "clone", "id": 5})
        self.assertEqual(len(request.sockets), 1)
        self.forker.forked(5, 4711)
        self.forker.exit(5, 9)
        self.reactor.turn()
        self.assertEqual(result.pids, [4711])
        self.assertEqual(
            (result.ends[0].signal, result.ends[0].cpu_seconds, result.ends[0].max_rss_bytes), (9, 0.5, 1024000)
        )

    def test_several(self) -> None:
        """Several are asked for in one message, and each is told what became of it."""
        received = [OnResult(), OnResult()]
        pairs = [socket.socketpair() for _ in received]
        for ours, _ in pairs:
            ours.close()
        processes = [ForkRequest(7 + at, pairs[at][1], received[at]) for at in range(2)]
        self.control.fork_several({"op": "clone"}, processes)
        request = self.forker.take()
        assert request is not None
        self.addCleanup(request.close)
        self.assertEqual((request.content, len(request.sockets)), ({"op": "clone", "ids": [7, 8]}, 2))
        self.forker.say(ev="forked", ids=[7, 8], pids=[100, 101])
        self.forker.exit(8)
        self.reactor.turn()
        self.assertEqual([each.pids for each in received], [[100], [101]])
        self.assertEqual([len(each.ends) for each in received], [0, 1])
        self.assertFalse(self.control.silent(100.0, 1.0))
        self.assertFalse(self.control.silent(200.0, 1.0))

    def test_several_of_one_that_has_gone(self) -> None:
        """When the forker has gone, each is told that there is no process."""
        self.control.close()
        received = [OnResult(), OnResult()]
        pairs = [socket.socketpair() for _ in received]
        for ours, _ in pairs:
            self.addCleanup(ours.close)
        self.control.fork_several({"op": "clone"}, [ForkRequest(at, pairs[at][1], received[at]) for at in range(2)])
        self.assertEqual([each.ends for each in received], [[Exit(status=None)]] * 2)

    def test_refused(self) -> None:
        """A process that could not be made is told with the reason."""
        result = self.fork()
        self.forker.say(ev="failed", id=5, message="fork: no memory")
        self.reactor.turn()
        self.assertEqual(result.ends, [Exit(status=None, refused="fork: no memory")])

    def test_gone(self) -> None:
        """When the forker goes, all that it forked is gone; later requests are too."""
        result = self.fork()
        self.forker.close()
        self.reactor.turn()
        self.assertEqual(result.ends, [Exit(status=None)])
        self.assertEqual((self.forker.lost, self.control.is_open), (1, False))
        self.assertEqual(self.fork(6).ends, [Exit(status=None)])

    def test_forged(self) -> None:
        """An event that cannot be true ends the conversation, and nobody waits for ever."""
        exits = {"ev": "exit", "id": 5, "pid": 1, "utime": 0, "stime": 0, "maxrss": 0}
        events: list[Any] = [
            [],
            7,
            {"ev": "forked", "id": 5, "pid": 2**40},
            {"ev": "forked", "id": 5, "pid": -1},
            {"ev": "forked", "id": "x", "pid": 1},
            {"ev": "forked", "ids": [5], "pids": []},
            {"ev": "forked", "ids": 5, "pids": [1]},
            {"ev": "forked", "ids": [5], "pids": [2**40]},
            {**exits, "status": 2**70},
            {**exits, "status": -9},
            {**exits, "status": 0, "utime": "soon"},
            {"ev": "failed", "id": 5},
            {"ev": "unheard of"},
        ]
        raw = [json.dumps(event).encode() for event in events]
        raw += [b"{", b"[" * 30_000, b'{"ev":"exit","id":1e999}', b"\xff"]
        for data in raw:
            self.setUp()
            result = self.fork()
            self.forker.sock.send(data)
            self.reactor.turn()
            self.assertEqual(result.ends, [Exit(status=None)], data[:60])
            self.assertEqual(self.forker.lost, 1, data[:60])

    def test_foreign_numbers(self) -> None:
        """Events about processes that nobody asked for mean nothing."""
        self.forker.forked(99, 1)
        self.forker.exit(99)
        self.reactor.turn()
        self.assertTrue(self.control.is_open)

    def test_endless_talk(self) -> None:
        """A forker that never stops talking does not hold up the reactor."""
        for _ in range(150):
            self.forker.forked(99, 1)
        self.control.doRead()
        left = 0
        while True:
            try:
                self.control._sock.recv(65536)
            except BlockingIOError:
                break
            left += 1
        self.assertGreater(left, 50)

    def test_silence(self) -> None:
        """A request that nobody answers is noticed after its time."""
        self.fork()
        self.assertFalse(self.control.silent(100.0, 10))
        self.assertFalse(self.control.silent(109.0, 10))
        self.assertTrue(self.control.silent(111.0, 10))
        self.forker.forked(5)
        self.reactor.turn()
        self.assertFalse(self.control.silent(200.0, 10))

    def test_full(self) -> None:
        """Requests that the socket does not take wait, with their descriptors, and leave in order."""
        for number in range(1000):
            self.control.kill(number)
            self.control._post({"op": "kill", "id": number}, [])
        self.assertEqual(len(self.reactor.writers), 1)
        seen: list[int] = []
        for _ in range(1000):
            seen += [request.content["id"] for request in self.forker.requests()]
            self.reactor.turn(1)
        self.assertEqual(seen, list(range(1000)))
        self.assertEqual(self.reactor.writers, {})
