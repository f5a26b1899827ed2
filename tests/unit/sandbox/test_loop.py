"""Tests of a child's conversation, with a made-up engine."""

from __future__ import annotations

import json
import socket

from twisted.trial.unittest import SynchronousTestCase

from sandbox.bodies import Receiver, encode
from sandbox.boxes import Box, encode_box, encode_pair
from sandbox.engine import EngineFailed
from sandbox.garbage import GarbageCollector
from sandbox.loop import Conversation


class ScriptedEngine:
    """An engine that says what it was told to say."""

    def __init__(self, *says: str) -> None:
        self.heard: list[str] = []
        self._says = list(says)

    def pump(self, text: str) -> str:
        self.heard.append(text)
        said = self._says.pop(0)
        if said == "!":
            raise EngineFailed("alloc failed")
        return said


class Clocks:
    """Deadlines that are written down."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def begin(self, *, wall_seconds: float, cpu_seconds: float) -> None:
        self.done.append(f"begin {wall_seconds} {cpu_seconds}")

    def pause(self) -> None:
        self.done.append("pause")

    def resume(self) -> None:
        self.done.append("resume")

    def renew(self) -> None:
        self.done.append("renew")

    def end(self) -> None:
        self.done.append("end")


def quiet() -> GarbageCollector:
    """Nothing to collect."""
    return GarbageCollector(collect=lambda: None, used_bytes=lambda: 0)


def run_box(value: str = "{}", tag: bytes = b"r1") -> bytes:
    pairs = ((b"_ask", tag), (b"_command", b"run"), (b"d", b"2000"), (b"c", b"1000"))
    return encode(b"".join(encode_pair(key, text) for key, text in pairs), value.encode("ascii"))


def answer_box(tag: bytes, value: bytes = b'{"ok":1}') -> bytes:
    return encode_box({b"_answer": tag, b"v": value})


def steps_box(*steps: str) -> bytes:
    """Return what the next run is given, which began at 4000."""
    return encode_box({b"_command": b"steps", b"v": "\n".join(("4000", *steps)).encode("ascii")})


class Runs(SynchronousTestCase):
    """Runs, with everything that the server sends lying in the socket beforehand."""

    def converse(self, sent: bytes, *says: str) -> tuple[list[Box], ScriptedEngine, Clocks]:
        """Serve one run; give the boxes that the server gets."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        engine, clocks = ScriptedEngine(*says), Clocks()
        ours.sendall(sent)
        with theirs:
            Conversation(data=theirs, engine=engine, deadline=clocks).serve(garbage=quiet(), once=True)
        data = b""
        while part := ours.recv(1 << 20):
            data += part
        return Receiver(max_bytes=1 << 20).feed(data), engine, clocks

    def test_answer(self) -> None:
        """A run is pumped under its deadline, and its answer has a head and a body."""
        boxes, engine, clocks = self.converse(run_box('{"k":"http"}'), 'D3 j{4}"b\\u00f6dy\\n"')
        self.assertEqual(boxes, [{b"_answer": b"r1", b"h": b"{4}", b"v": "bödy\n".encode()}])
        self.assertEqual(engine.heard, ['{"k":"http"}'])
        self.assertEqual(clocks.done, ["begin 2.0 1.0", "end"])

    def test_logs_before_the_answer(self) -> None:
        """Log lines of one step travel in one box, ahead of the answer."""
        boxes, _, _ = self.converse(run_box(), 'G["info","a",null]\nG["info","b",null]\nD0 a1')
        self.assertEqual(boxes[0], {b"_command": b"log", b"v": b'[["info","a",null],["info","b",null]]'})
        self.assertEqual(boxes[1][b"v"], b"1")

    def test_logs_early(self) -> None:
        """Where the script breathes, its log lines leave and it goes on at once."""
        boxes, engine, _ = self.converse(run_box(), 'G["info","a",null]\nP', "D0 a1")
        self.assertEqual([box.get(b"_command") for box in boxes], [b"log", None])
        self.assertEqual(engine.heard[1], "K")

    def test_host_call(self) -> None:
        """A host call is asked under its own id and the answer is pumped with it."""
        boxes, engine, _ = self.converse(run_box() + answer_box(b"7"), 'C7 kv.get ["a b"]\nW-1', "D0 a1")
        self.assertEqual(boxes[0], {b"_ask": b"7", b"_command": b"host", b"n": b"kv.get", b"v": b'["a b"]'})
        self.assertRegex(engine.heard[1], r'^A\d+ 7 \{"ok":1\}$')

    def test_run_waits(self) -> None:
        """A run that comes while one is open waits; the answer to a host call passes it."""
        sent = run_box() + run_box('{"second":1}', b"r2") + answer_box(b"7")
        boxes, engine, _ = self.converse(sent, "C7 kv.get []\nW-1", "D0 a1")
        self.assertEqual([box.get(b"_answer") for box in boxes], [None, b"r1"])
        self.assertTrue(engine.heard[1].startswith("A"))

    def test_cancel(self) -> None:
        """A cancelled run is told so while it waits, and not before or after."""
        cancel = encode_box({b"_command": b"cancel", b"t": b"r1"})
        _, engine, _ = self.converse(cancel + run_box() + cancel, "C7 kv.get []\nW-1", "D0 a1")
        self.assertEqual([text[0] for text in engine.heard], ["{", "X"])

    def test_late_cancel(self) -> None:
        """A cancel of another run does not reach this one."""
        late = encode_box({b"_command": b"cancel", b"t": b"r0"})
        _, engine, _ = self.converse(run_box() + late + answer_box(b"7"), "C7 kv.get []\nW-1", "D0 a1")
        self.assertEqual([text[0] for text in engine.heard], ["{", "A"])

    def test_recalled(self) -> None:
        """A run that waits is given back when it is asked for; one that has begun, or is over, is not."""
        recall = [encode_box({b"_command": b"recall", b"t": tag}) for tag in (b"r1", b"r2")]
        sent = run_box() + run_box("{}", b"r2") + b"".join(recall) + answer_box(b"7")
        boxes, engine, _ = self.converse(sent, "C7 kv.get []\nW-1", "D0 a1")
        self.assertEqual(boxes[1], {b"_command": b"recalled", b"t": b"r2", b"v": b""})
        self.assertEqual([box.get(b"_answer") for box in boxes], [None, None, b"r1"])
        self.assertEqual(len(engine.heard), 2)

    def test_timer(self) -> None:
        """When nothing comes for as long as the script waits, time has passed."""
        _, engine, _ = self.converse(run_box(), "W0", "D0 a1")
        self.assertRegex(engine.heard[1], r"^T\d+$")

    def test_client_sets_the_pace(self) -> None:
        """The clock stands still while a part of the answer is on its way, and then begins anew."""
        said = ('C7 answer.start [""]\nW-1', 'C8 answer.write ["a","x"]\nW-1', "D0 n")
        _, _, clocks = self.converse(run_box() + answer_box(b"7") + answer_box(b"8"), *said)
        self.assertEqual(clocks.done, ["begin 2.0 1.0", "pause", "renew", "pause", "renew", "end"])

    def test_client_has_gone(self) -> None:
        """When the client goes while a part is on its way, the clock runs again."""
        cancel = encode_box({b"_command": b"cancel", b"t": b"r1"})
        said = ('C7 answer.write ["a","x"]\nW-1', "W0", "D0 n")
        _, _, clocks = self.converse(run_box() + cancel, *said)
        self.assertEqual(clocks.done, ["begin 2.0 1.0", "pause", "resume", "resume", "end"])

    def test_repeated(self) -> None:
        """A run that is done over again takes answers in the order in which they were taken, at that time."""
        said = ("C0 kv.get []\nC1 kv.get []\nW-1", "W-1", "W9999", "D0 a1")
        sent = steps_box("A5 1", "T7", "A9 0") + run_box() + answer_box(b"0", b"a") + answer_box(b"1", b"b")
        _, engine, _ = self.converse(sent, *said)
        self.assertEqual(engine.heard[1:], ["A5 1 b", "T7", "A9 0 a"])

    def test_repeated_otherwise(self) -> None:
        """One that made other calls, or has taken every step, goes on by itself, and the clock goes on from there."""
        said = ("C0 kv.get []\nC1 kv.get []\nW-1", "W-1", "D0 a1")
        sent = steps_box("A50000 1", "A60000 2") + run_box() + answer_box(b"0", b"a") + answer_box(b"1", b"b")
        _, engine, _ = self.converse(sent, *said)
        self.assertEqual(engine.heard[1], "A50000 1 b")
        self.assertRegex(engine.heard[2], r"^A50\d\d\d 0 a$")
        _, engine, _ = self.converse(steps_box() + run_box(), "W0", "D0 a1")
        self.assertRegex(engine.heard[1], r"^T4\d\d\d$")

    def test_failure(self) -> None:
        """A failure is an error box with the code and what the script threw."""
        boxes, _, _ = self.converse(run_box(), 'G["info","a",null]\nFthrown {"name":"E"}')
        self.assertEqual(boxes[0][b"_command"], b"log")
        self.assertEqual(
            boxes[1],
            {
                b"_error": b"r1",
                b"_error_code": b"thrown",
                b"_error_description": b"the script failed",
                b"v": b'{"name":"E"}',
            },
        )

    def test_engine_fails(self) -> None:
        """An engine that fails is told as such, and the process ends even if more runs wait."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        ours.sendall(run_box() + run_box())
        with theirs:
            Conversation(data=theirs, engine=ScriptedEngine("!"), deadline=Clocks()).serve(garbage=quiet(), once=False)
        (box,) = Receiver(max_bytes=1 << 20).feed(ours.recv(1 << 16))
        self.assertEqual(box[b"_error_code"], b"memory")

    def test_no_memory_for_the_answer(self) -> None:
        """When the loop itself runs out of memory, that is told, and nothing of the answer leaves."""

        class Full(ScriptedEngine):
            def pump(self, text: str) -> str:
                if super().pump(text) == "no":
                    raise MemoryError
                return "C7 kv.get []\nW-1"

        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        ours.sendall(run_box() + answer_box(b"7"))
        with theirs:
            conversation = Conversation(data=theirs, engine=Full("yes", "no"), deadline=Clocks())
            conversation.serve(garbage=quiet(), once=False)
        boxes = Receiver(max_bytes=1 << 20).feed(ours.recv(1 << 16))
        self.assertEqual([box.get(b"_error_code") for box in boxes], [None, b"memory"])

    def test_not_ascii(self) -> None:
        """What is not ASCII never leaves: a script that managed to say it fails."""
        for said in (
            "D0 a\xe9",
            'G["info","\xe9",null]\nD0 a1',
            'G["info","\U0001f600",null]\nC7 kv.get ["\xe9"]\nW-1',
        ):
            boxes, _, _ = self.converse(run_box(), said)
            self.assertEqual([box.get(b"_error_code") for box in boxes], [b"internal"], said)

    def test_load(self) -> None:
        """A load is pumped as one, and tells whether the version is there."""
        for said, loaded in (("D0 a{}", True), ('Fthrown {"name":"E"}', False)):
            ours, theirs = socket.socketpair()
            engine = ScriptedEngine(said)
            ours.sendall(encode_box({b"_ask": b"1", b"_command": b"load", b"v": b'{"source":""}'}))
            with ours, theirs:
                conversation = Conversation(data=theirs, engine=engine, deadline=Clocks())
                self.assertEqual(conversation.load(), loaded)
            self.assertEqual(engine.heard, ['L{"source":""}'])
            self.assertEqual(json.loads(engine.heard[0][1:]), {"source": ""})
