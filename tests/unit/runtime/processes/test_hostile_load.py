"""A top level that says anything at all: the deployment is refused in words, and the server keeps its memory."""

from __future__ import annotations

import json
import signal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import EngineError, ScriptFailed, ScriptProtocol
from aiwebengine.runtime.runner import LoadReport
from aiwebengine.runtime.wire.boxes import encode, encode_pair
from aiwebengine.settings.schema import LimitSettings
from tests.support.examples import examples
from tests.support.fakes.processes import FakeChild
from tests.unit.runtime.fakes import Scene
from tests.unit.runtime.processes.test_hostile_child import KEYS, TEXTS, VALUES

HOST_CALL = encode_pair(b"_ask", b"7") + encode_pair(b"_command", b"host") + encode_pair(b"n", b"x")
TOLD = st.sampled_from(
    [
        {"handlers": 1, "names": [], "warnings": []},
        {"handlers": -1, "names": ["\ud800"], "warnings": [{"a": 1}]},
        {"handlers": True, "names": "x", "warnings": []},
        {"handlers": 10**400, "names": [], "warnings": []},
        ["handlers"],
        7,
    ]
)
EVENTS = st.sampled_from(
    [
        b'{"ev":"ready","pid":1,"report":{}}',
        b'{"ev":"forked","id":3,"pid":1}',
        b'{"ev":"exit","id":2,"status":0,"utime":1e308,"stime":1e308,"maxrss":-1}',
        b'{"ev":"exit","id":3,"status":"9","utime":null,"stime":0,"maxrss":0}',
        b'{"ev":"failed","id":3,"message":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"ev":{"ev":1},"id":[]}',
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("box"), st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=5)),
    st.tuples(st.just("bytes"), st.binary(max_size=40)),
    st.tuples(st.just("ask"), TEXTS),
    st.tuples(st.just("told"), TOLD),
    st.tuples(st.just("control"), st.one_of(VALUES.filter(bool), st.binary(min_size=1, max_size=40), EVENTS)),
)


class HostileLoads(SynchronousTestCase):
    """One load, with its process played by the test."""

    def setUp(self) -> None:
        """Begin to load a version."""
        self.begin()

    def begin(self) -> None:
        """Begin to load a version."""
        self.scene = scene = Scene(limits=LimitSettings(host_calls=100))
        self.loading = Deferred.fromCoroutine(scene.runner.load(scene.bundle(), scene.invocation(kind="load")))
        self.addCleanup(self.loading.addErrback, lambda _: None)
        self.addCleanup(scene.close)
        self.template = scene.template()
        scene.zygote.forker.forked(self.template._number)
        self.child = self.template.data
        assert self.child.take() is not None

    def test_in_words(self) -> None:
        """A load that takes no refusal, sends very much, or says what no script can, is ended for it."""

        def goes_on(child: FakeChild) -> None:
            for _ in range(1101):
                child.ask(b"x")
                self.scene.reactor.turn(1)
                child.take()

        def sends_much(child: FakeChild) -> None:
            child.sock.setblocking(True)
            data = encode(HOST_CALL, b'["' + b"x" * 18_000_000 + b'"]') * 8
            try:
                for at in range(0, len(data), 100_000):
                    child.sock.sendall(data[at : at + 100_000])
                    self.scene.reactor.turn(1)
            except BrokenPipeError:
                pass

        def long_name(child: FakeChild) -> None:
            child.ask(b"x" * 101)

        def no_lines(child: FakeChild) -> None:
            child.send(b"{}", command=b"log")

        for attack, error, words in (
            (goes_on, ScriptFailed, "its limit of 100"),
            (sends_much, ScriptFailed, "128 MiB"),
            (long_name, ScriptProtocol, "violated the protocol"),
            (no_lines, ScriptProtocol, "violated the protocol"),
        ):
            attack(self.child)
            self.scene.reactor.turn()
            failure = self.failureResultOf(self.loading, error)
            self.assertIn(words, failure.value.public)
            self.assertIn("kill", [request.content["op"] for request in self.scene.zygote.forker.requests()])
            self.begin()

    def test_bulky_arguments(self) -> None:
        """Arguments that would take many times their size are refused without being read."""
        data = encode(HOST_CALL, b"[" + b"[]," * 320_000 + b"[]]")
        for at in range(0, len(data), 50_000):
            self.child.sock.send(data[at : at + 50_000])
            self.scene.reactor.turn(1)
        box = self.child.take()
        assert box is not None
        self.assertIn(b"too many parts", box[b"v"])

    @examples(150)
    @given(st.lists(STEPS, max_size=8))
    def test_anything(self, steps: list[tuple[str, Any]]) -> None:
        """Whatever it says, the load ends with one answer, and a later load is as good as ever."""
        self.play(steps)

    def play(self, steps: list[tuple[str, Any]]) -> None:
        """Have a load do *steps*, and look at what comes of it."""
        self.begin()
        for kind, given_ in steps:
            try:
                self.say(kind, given_)
            except (BrokenPipeError, ConnectionResetError):
                break
        self.scene.reactor.turn(5)
        self.scene.go(8.0)
        if not self.loading.called:
            self.template.die(int(signal.SIGKILL))
        results: list[Any] = []
        self.loading.addBoth(results.append)
        (result,) = results
        if isinstance(result, Failure):
            self.assertIsInstance(result.value, EngineError, result.getTraceback())
        else:
            self.assertIsInstance(result, LoadReport)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.scene.close()
        self.begin()
        self.say("told", {"handlers": 1, "names": [], "warnings": []})
        self.scene.reactor.turn()
        self.assertIsInstance(self.successResultOf(self.loading), LoadReport)
        self.scene.close()

    def say(self, kind: str, result: Any) -> None:
        """Say one thing."""
        if kind == "control":
            self.template.forker.sock.send(result)
        elif kind == "bytes":
            self.child.sock.sendall(result)
        elif kind == "ask":
            self.child.ask(b"x", tag=result)
        elif kind == "told":
            self.child.send(json.dumps(result).encode(), answer=b"1")
        else:
            self.child.sock.sendall(b"".join(encode_pair(key, value) for key, value in result) + b"\0\0")
