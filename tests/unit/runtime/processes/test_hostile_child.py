"""
A child that says anything at all, at any time: who waits is told one thing, in order, and nobody else is concerned.

The runner is the real one; its child is played by hypothesis, as are the client, the commits and the clock.
"""

from __future__ import annotations

import signal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict
from aiwebengine.runtime.wire.boxes import encode_pair
from aiwebengine.settings.schema import LimitSettings
from tests.support.examples import examples
from tests.support.fakes.processes import FakeChild
from tests.unit.runtime.fakes import FakeTemplate, Scene

KILLED = int(signal.SIGKILL)

TEXTS = st.one_of(
    st.sampled_from([b"", b"1", b"2", b"7", b"a", b"j", b'""', b'"\\ud800"', b"{}", b"[]"]), st.binary(max_size=30)
)
HEADS = st.sampled_from(
    [
        b"",
        b'{"streamed":true}',
        b'{"status":200,"rollback":true}',
        b'{"status":999}',
        b'{"headers":[["a","b\\r\\nc"]]}',
        b"[" * 3000,
        b"\xff",
    ]
)  # fmt: skip
NAMES = st.sampled_from(
    [b"answer.start", b"answer.write", b"answer.send", b"answer.x", b"later", b"kv.get", b"", b"\xff"]
)
PARTS = st.sampled_from([b"\0", b"\0x", b"\0\xff", b"x\0", b"", b"[]", b'{"streamed":true}\0', b"{\0z", b"\xff\0"])
KEYS = st.sampled_from([b"_ask", b"_answer", b"_error", b"_command", b"_error_code", b"n", b"v", b"h", b"x"])
VALUES = st.one_of(
    TEXTS,
    st.sampled_from([b"host", b"log", b"step", b"more", b"run", b"cancel", b"memory", b"internal", b"hung", b"thrown"]),
    st.sampled_from([b"x" * 5000, b"[" * 2000, b'[["info","m",{"a":' + b"[" * 900 + b"]" * 900 + b"}]]"]),
)

RIGHT = st.sampled_from(
    [
        ("part", b"answer.start", b"\0", b"3"),
        ("part", b"answer.write", b"\0x", b"4"),
        ("part", b"answer.send", b"\0z", b"5"),
        ("answer", b"[0]", b""),
        ("answer", b"", b'{"streamed":true}'),
        ("part", b"later", b"[]", b"6"),
        ("fail", b"thrown", b"{}"),
    ]
)
SAID = st.one_of(
    st.tuples(st.just("part"), NAMES, PARTS, TEXTS),
    st.tuples(st.just("answer"), TEXTS, HEADS),
    st.tuples(st.just("fail"), VALUES, VALUES),
    st.tuples(st.just("box"), st.lists(st.tuples(KEYS, VALUES), max_size=5)),
    st.tuples(st.just("bytes"), st.binary(max_size=40)),
)
STEPS = st.one_of(
    SAID,
    RIGHT,
    RIGHT,
    st.sampled_from(
        [("turn",), ("committed",), ("conflict",), ("taken",), ("reply",), ("cancel",), ("close",), ("exit",)]
    ),
)
PENDING = st.lists(st.booleans(), max_size=4)


class Play:
    """
    One run with everything around it in hand.

    Args:
        scene: The runner's.
        template: That serves.
        pending: Which commits take their time; those beyond them do not.
    """

    def __init__(self, scene: Scene, template: FakeTemplate, pending: list[bool]) -> None:
        self.scene = scene
        self.pending = list(pending)
        self.template = template
        self.commits: list[Deferred[None]] = []
        self.replies: list[Deferred[str]] = []
        self.taken = 0
        host: Any = scene.host
        host.commit = self._commit
        host.call = self._call
        self.run, self.sink = scene.run()
        self.child: FakeChild | None = None
        self.look()

    def _commit(self) -> Deferred[None] | None:
        if not (self.pending and self.pending.pop(0)):
            return None
        self.commits.append(Deferred())
        return self.commits[-1]

    def _call(self, name: str, _: str) -> Deferred[str] | str:
        if name != "later":
            return '{"ok":null}'
        self.replies.append(Deferred())
        return self.replies[-1]

    def look(self) -> None:
        """Take over the process that was asked for last, if there is a new one."""
        if fresh := self.template.born():
            self.child = fresh[-1]

    def do(self, step: tuple[Any, ...]) -> None:
        """Do one thing."""
        kind, *given = step
        handle = getattr(self, f"_{kind}")
        if kind not in {"part", "answer", "fail", "box", "bytes"}:
            handle(*given)
        elif self.child is not None and self.child.sock.fileno() >= 0:
            try:
                handle(self.child, *given)
            except BrokenPipeError:
                self.child.close()

    def _part(self, child: FakeChild, name: bytes, value: bytes, tag: bytes) -> None:
        child.send(value, ask=tag, command=b"host", n=name)

    def _answer(self, child: FakeChild, value: bytes, head: bytes) -> None:
        child.answer(value, head=head)

    def _fail(self, child: FakeChild, code: bytes, message: bytes) -> None:
        child.send(message, error=b"1", error_code=code)

    def _box(self, child: FakeChild, pairs: list[tuple[bytes, bytes]]) -> None:
        head = b"".join(encode_pair(key, value) for key, value in pairs)
        child.sock.sendall(head + b"\0\0")

    def _bytes(self, child: FakeChild, data: bytes) -> None:
        child.sock.sendall(data)

    def _turn(self) -> None:
        self.scene.reactor.turn()
        self.look()

    def _committed(self) -> None:
        for commit in self.commits:
            if not commit.called:
                commit.callback(None)
                return

    def _conflict(self) -> None:
        for commit in self.commits:
            if not commit.called:
                commit.errback(Conflict("no"))
                return

    def _taken(self) -> None:
        if self.taken < len(self.sink.taken):
            self.taken += 1
            self.sink.taken[self.taken - 1]()

    def _reply(self) -> None:
        for reply in self.replies:
            if not reply.called:
                reply.callback('{"ok":1}')
                return

    def _cancel(self) -> None:
        self.scene.runner.cancel(self.run)

    def _close(self) -> None:
        if self.child is not None:
            self.child.close()

    def _exit(self) -> None:
        if self.child is not None:
            self.template.exit(len(self.template.numbers) - 1, KILLED)
            self.look()

    def end(self) -> None:
        """Let everything come to its end: the deadline, the deaths, the commits, the client."""
        for _ in range(6):
            self.scene.go(0.5)
            self.look()
            self.template.reap(KILLED)
            for step in (self._committed, self._taken, self._reply):
                for _ in range(10):
                    step()


class HostileChild(SynchronousTestCase):
    """What comes of it."""

    def serving(self) -> tuple[Scene, FakeTemplate]:
        """Make a runner with a version that serves."""
        scene = Scene(limits=LimitSettings(answer_bytes=1_000_000))
        return scene, scene.serving()

    @examples(200)
    @given(PENDING, st.lists(STEPS, max_size=12))
    def test_anything(self, pending: list[bool], steps: list[tuple[Any, ...]]) -> None:
        """Whoever waits is told exactly one outcome, its parts in order, and the next run is served."""
        self.play(pending, steps)

    def test_end_without_beginning(self) -> None:
        """A stream that ends though its beginning was refused is no answer."""
        refused = ("part", b"answer.start", b"a\0x", b"3")
        self.play([], [refused, ("answer", b"", b'{"streamed":true}')])

    def play(self, pending: list[bool], steps: list[tuple[Any, ...]]) -> None:
        """Have a child do *steps*, and look at what comes of it."""
        scene, template = self.serving()
        try:
            play = Play(scene, template, pending)
            for step in steps:
                play.do(step)
            play.do(("turn",))
            play.end()
            self.assertTrue(play.run.ended, play.sink.received)
            self.check(play.sink.received, cancelled=play.run.cancelled)
            self.assertEqual(scene.runner.state()["active"], 0)
            self.assertEqual(scene.runner.state()["running"], 0)
            self.next_one(scene, template)
            self.assertEqual(self.flushLoggedErrors(), [])
        finally:
            scene.close()

    def check(self, message: list[Any], *, cancelled: bool) -> None:
        """Check what a sink was told: one answer, one failure, or a stream from its start to its end."""
        kinds = [event if isinstance(event, str) else event[0] for event in message]
        if kinds[:1] == ["started"]:
            self.assertIn(kinds[-1], {"finished", "failed"}, message)
            self.assertEqual(set(kinds[1:-1]) - {"write"}, set(), message)
        else:
            self.assertIn(kinds, [["answered"], ["failed"]], (message, cancelled))

    def next_one(self, scene: Scene, template: FakeTemplate) -> None:
        """See that a good run is served; a process that goes on where a hostile one stopped may spoil one more."""
        scene.host.__dict__.clear()
        scene.host.__init__()
        for _ in range(2):
            _, sink = scene.run()
            for _ in range(100):
                if sink.received:
                    break
                scene.go(0.025)
                template.born()
                template.reap(KILLED)
                for child in template.children:
                    if (
                        child.sock.fileno() >= 0
                        and (box := child.take()) is not None
                        and box.get(b"_command") == b"run"
                    ):
                        child.answer(b"[1]")
            if not sink.received or sink.received[0][0] != "failed":
                break
        self.assertEqual(sink.received, [("answered", 200, b"[1]")])
