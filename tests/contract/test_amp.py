"""The sandbox's box format against Twisted's AMP, both ways."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport
from twisted.protocols import amp
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from sandbox.bodies import Receiver, encode
from sandbox.boxes import MAX_VALUE, BoxParser, encode_box, encode_pair
from tests.support.examples import examples

BOXES = st.dictionaries(
    st.binary(min_size=1, max_size=255), st.binary(max_size=300) | st.just(bytes(MAX_VALUE)), min_size=1, max_size=6
)


class _Boxes:
    """Keeps what Twisted's parser gives."""

    def __init__(self) -> None:
        self.boxes: list[dict[bytes, bytes]] = []

    def startReceivingBoxes(self, sender: object) -> None:
        pass

    def ampBoxReceived(self, box: amp.AmpBox) -> None:
        self.boxes.append(dict(box))

    def stopReceivingBoxes(self, reason: object) -> None:
        raise AssertionError(reason)


def _twisted_reads(data: bytes, cut: int = 1000) -> list[dict[bytes, bytes]]:
    receiver = _Boxes()
    protocol = amp.BinaryBoxProtocol(receiver)
    protocol.makeConnection(StringTransport())
    for at in range(0, len(data), cut):
        protocol.dataReceived(data[at : at + cut])
    return receiver.boxes


class Add(amp.Command):
    """A command of the test."""

    arguments = [(b"a", amp.Integer()), (b"v", amp.Unicode())]  # noqa: RUF012  Twisted's own form.
    response = [(b"sum", amp.Integer())]  # noqa: RUF012
    errors = {ZeroDivisionError: b"ZERO"}  # noqa: RUF012


class Server(amp.AMP):
    """Twisted's end, with a responder."""

    @Add.responder
    def add(self, a: int, v: str) -> dict[str, int]:
        return {"sum": a // len(v) + len(v)}


class Bytes(SynchronousTestCase):
    """The same bytes for the same box."""

    @examples(30)
    @given(st.lists(BOXES, min_size=1, max_size=3), st.integers(1000, 70_000))
    def test_twisted_reads_ours(self, boxes: list[dict[bytes, bytes]], cut: int) -> None:
        """Twisted reads from our bytes what we wrote."""
        self.assertEqual(_twisted_reads(b"".join(map(encode_box, boxes)), cut), boxes)

    @examples(30)
    @given(st.lists(BOXES, min_size=1, max_size=3), st.integers(1000, 70_000))
    def test_we_read_twisteds(self, boxes: list[dict[bytes, bytes]], cut: int) -> None:
        """We read from Twisted's bytes what it wrote."""
        data = b"".join(amp.AmpBox(box).serialize() for box in boxes)
        parser, seen = BoxParser(), []
        for at in range(0, len(data), cut):
            seen += parser.feed(data[at : at + cut])
        self.assertEqual(seen, boxes)

    def test_long_values(self) -> None:
        """A value longer than a box is a row of boxes that Twisted reads one by one."""
        value = bytes(range(256)) * 600
        boxes = _twisted_reads(encode(encode_pair(b"_ask", b"1"), value), 65_536)
        self.assertEqual([box.get(b"_command") for box in boxes], [b"more", b"more", None])
        self.assertEqual(b"".join(box[b"v"] for box in boxes), value)


class Calls(SynchronousTestCase):
    """Asking and answering with Twisted at the other end."""

    def setUp(self) -> None:
        """Connect Twisted's end."""
        self.transport = StringTransport()
        self.protocol = Server()
        self.protocol.makeConnection(self.transport)

    def said(self) -> list[dict[bytes, bytes]]:
        """What Twisted has sent since the last time, as we read it."""
        data = self.transport.value()
        self.transport.clear()
        return Receiver(max_bytes=1 << 20).feed(data)

    def ask(self, a: bytes, text: bytes) -> list[dict[bytes, bytes]]:
        """Ask Twisted and read its answer."""
        head = encode_pair(b"_ask", b"9") + encode_pair(b"_command", b"Add") + encode_pair(b"a", a)
        self.protocol.dataReceived(encode(head, text))
        return self.said()

    def test_we_ask(self) -> None:
        """What we ask, Twisted answers under our tag."""
        self.assertEqual(self.ask(b"40", b"ab"), [{b"_answer": b"9", b"sum": b"22"}])

    def test_we_ask_and_fail(self) -> None:
        """What a responder raises comes as an error box under our tag."""
        (box,) = self.ask(b"1", b"")
        self.assertEqual((box[b"_error"], box[b"_error_code"]), (b"9", b"ZERO"))
        self.assertIn(b"_error_description", box)

    def test_twisted_asks(self) -> None:
        """What Twisted asks, we answer under its tag."""
        answer = self.protocol.callRemote(Add, a=1, v="\xe9")
        (box,) = self.said()
        self.assertEqual((box[b"_command"], box[b"v"].decode("utf-8")), (b"Add", "\xe9"))
        self.protocol.dataReceived(encode_box({b"_answer": box[b"_ask"], b"sum": b"3"}))
        self.assertEqual(self.successResultOf(answer), {"sum": 3})

    def test_twisted_asks_and_we_fail(self) -> None:
        """An error box of ours, `v` beside it, is Twisted's failure with our code."""
        failures: list[Failure] = []
        self.protocol.callRemote(Add, a=1, v="x").addErrback(failures.append)
        (box,) = self.said()
        head = b"".join(
            encode_pair(key, value)
            for key, value in (
                (b"_error", box[b"_ask"]),
                (b"_error_code", b"ZERO"),
                (b"_error_description", b"the script failed"),
            )
        )
        self.protocol.dataReceived(encode(head, b'{"name":"Error"}'))
        self.assertEqual([failure.type for failure in failures], [ZeroDivisionError])
