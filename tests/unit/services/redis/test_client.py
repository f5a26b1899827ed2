"""The store on a Redis server, without a server: time and bytes are the test's."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.services.guarded import DependencyTimeout
from aiwebengine.services.redis.client import RedisStore
from aiwebengine.services.redis.store import Script
from aiwebengine.settings.schema import RedisSettings


class Transport(StringTransport):
    """One that tells its protocol when it is aborted, as a real one does."""

    protocol: Any = None

    def abortConnection(self) -> None:
        if self.protocol is not None:
            protocol, self.protocol = self.protocol, None
            protocol.connectionLost(Failure(ConnectionDone()))

    def sent(self) -> list[str]:
        """Return the words of all commands that were sent since this was asked last."""
        words = [line.decode() for line in self.value().split(b"\r\n") if line and line[:1] not in (b"*", b"$")]
        self.clear()
        return words


class RedisStoreTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.wires: list[Transport] = []
        self.make()

    def make(self, **settings: Any) -> None:
        """Make a store within these settings; nothing is connected yet."""
        self.store = RedisStore(
            settings=RedisSettings(**{"url": "redis://127.0.0.1:6379", "connections": 1, **settings}),
            reactor=self.reactor,
            random=lambda: 0.5,
        )

    def start(self, **settings: Any) -> None:
        """Start a store, with connections that can be used: those for commands, and last the one that listens."""
        self.make(**settings)
        started = self.store.startService()
        for _, _, factory, _, _ in self.reactor.tcpClients:
            self.connect(factory)
        self.successResultOf(started)
        self.addCleanup(self.store.stopService)

    def connect(self, factory: Any) -> None:
        """Let an attempt to connect succeed."""
        protocol, transport = factory.buildProtocol(None), Transport()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        protocol.dataReceived(b"+PONG\r\n")
        transport.clear()
        self.wires.append(transport)

    def answer(self, data: bytes, at: int = 0) -> None:
        """Let the server answer on a connection."""
        self.wires[at].protocol.dataReceived(data)

    @pytest.mark.setting("redis.connections")
    def test_connections(self) -> None:
        """There are as many connections for commands as the settings say, and one more that listens."""
        self.start(connections=3)
        self.assertEqual((len(self.wires), self.store.state()["connections"]), (4, 4))

    @pytest.mark.setting("redis.prefix")
    def test_prefix(self) -> None:
        """Keys and channels begin with the prefix of the settings, so that several engines share a server."""
        self.start(prefix="mine")
        got = self.store.get("a")
        self.assertEqual(self.wires[0].sent(), ["GET", "mine:a"])
        self.answer(b"$1\r\nx\r\n")
        self.assertEqual(self.successResultOf(got), b"x")
        many = self.store.get_many(["a", "b"])
        self.assertEqual(self.wires[0].sent(), ["MGET", "mine:a", "mine:b"])
        self.answer(b"*2\r\n$1\r\nx\r\n$-1\r\n")
        self.assertEqual(self.successResultOf(many), [b"x", None])
        self.store.subscribe("news", deliver=lambda _: None, active=lambda _: None)
        self.assertEqual(self.wires[1].sent(), ["SUBSCRIBE", "mine:news"])

    def test_commands(self) -> None:
        """Each method sends one command and says what the answer means."""
        self.start(prefix="p")
        store = self.store
        for asked, words, answer, meaning in (
            (lambda: store.set("k", b"v"), ["SET", "p:k", "v"], b"+OK\r\n", True),
            (lambda: store.set("k", b"v", seconds=2, only=False), ["SET", "p:k", "v", "PX", "2000", "NX"], b"$-1\r\n",
             False),
            (lambda: store.delete("a", "b"), ["DEL", "p:a", "p:b"], b":1\r\n", 1),
            (lambda: store.expire("k", 0.5), ["PEXPIRE", "p:k", "500"], b":0\r\n", False),
            (lambda: store.remaining("k"), ["PTTL", "p:k"], b":-1\r\n", float("inf")),
            (lambda: store.remaining("k"), ["PTTL", "p:k"], b":-2\r\n", None),
            (lambda: store.remaining("k"), ["PTTL", "p:k"], b":1500\r\n", 1.5),
            (lambda: store.increment("k", 2), ["INCRBY", "p:k", "2"], b":7\r\n", 7),
            (lambda: store.hash_get("h"), ["HGETALL", "p:h"], b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", {"a": b"b"}),
            (lambda: store.hash_delete("h", ["a"]), ["HDEL", "p:h", "a"], b":1\r\n", 1),
            (lambda: store.publish("c", b"m"), ["PUBLISH", "p:c", "m"], b":2\r\n", 2),
        ):  # fmt: skip
            waiting = asked()
            self.assertEqual(self.wires[0].sent(), words)
            self.answer(answer)
            self.assertEqual(self.successResultOf(waiting), meaning, words)

    def test_scripts(self) -> None:
        """A script is named by its digest; a server that does not know it is sent the whole."""
        self.start(prefix="p")
        script = Script(name="s", lua="return 1", twin=lambda *_: 1)
        ran = self.store.run(script, ["k"], [b"x"])
        self.assertEqual(self.wires[0].sent(), ["EVALSHA", script.sha, "1", "p:k", "x"])
        self.answer(b"-NOSCRIPT No matching script.\r\n")
        self.assertEqual(self.wires[0].sent(), ["EVAL", "return 1", "1", "p:k", "x"])
        self.answer(b":1\r\n")
        self.assertEqual(self.successResultOf(ran), 1)

    @pytest.mark.setting("redis.command_seconds")
    def test_no_answer(self) -> None:
        """A command without an answer in time fails, and takes its connection with it."""
        self.start(command_seconds=0.3)
        got = self.store.get("a")
        self.reactor.advance(0.2)
        self.assertNoResult(got)
        self.reactor.advance(0.2)
        self.failureResultOf(got, DependencyTimeout)
        self.assertIsNone(self.wires[0].protocol)

    @pytest.mark.setting("redis.connect_seconds")
    def test_not_there_at_start(self) -> None:
        """A start waits for a connection as long as the settings say, and goes on without one."""
        self.make(connect_seconds=1.0)
        started = self.store.startService()
        self.assertEqual({client[3] for client in self.reactor.tcpClients}, {1.0})
        self.reactor.advance(0.9)
        self.assertNoResult(started)
        self.reactor.advance(0.2)
        self.successResultOf(started)
        error = self.failureResultOf(self.store.get("a"), Unavailable).value
        self.assertIn("There is no connection to the Redis server at redis://127.0.0.1:6379/0", error.public)
        self.store.stopService()

    def test_nothing_to_ask(self) -> None:
        """What needs no command sends none."""
        self.start()
        self.assertEqual(self.successResultOf(self.store.get_many([])), [])
        self.assertEqual(self.successResultOf(self.store.delete()), 0)
        self.assertEqual(self.successResultOf(self.store.hash_delete("h", [])), 0)
        self.assertEqual(self.wires[0].sent(), [])
