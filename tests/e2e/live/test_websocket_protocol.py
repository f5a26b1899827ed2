"""
The WebSocket protocol, rule by rule, against the echo of a script.

The cases follow the sections of the Autobahn test suite: framing, pings, reserved bits, opcodes,
fragments, UTF-8, closing, sizes, compression.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest_twisted

from tests.support.clients.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawSocket, connect
from tests.support.engine import EngineUnderTest, running_engine

ECHO = """
registerWebSocket("/echo", {
  message(ws, data) { ws.send(data); },
});
"""

Steps = Callable[[RawSocket], None]
DEFLATE = {"sec-websocket-extensions": "permessage-deflate"}


@asynccontextmanager
async def echoing() -> AsyncIterator[EngineUnderTest]:
    """Run a server with the echo."""
    async with running_engine() as engine:
        await engine.deploy("echo", {"main.js": ECHO})
        yield engine


async def closed_with(engine: EngineUnderTest, steps: Steps, headers: dict[str, str] | None = None) -> int | None:
    """Do something, and give the code with which the server closes; None if it says none."""
    socket = await connect(engine, "/echo", headers)
    steps(socket)
    await socket.until(lambda: socket.over or any(opcode == CLOSE for opcode, _ in socket.frames))
    code = socket.closed_with
    socket.close(code or 1000)
    await socket.until(lambda: socket.over)
    return code


def packed(data: bytes, *, window: int = 15) -> bytes:
    """Compress a message as the extension does."""
    deflate = zlib.compressobj(wbits=-window)
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest_twisted.ensureDeferred
async def test_framing() -> None:
    """1: messages of all lengths of a frame's length come back as they were, texts and bytes."""
    async with echoing() as engine:
        socket = await connect(engine, "/echo")
        wanted = []
        for size in (0, 1, 125, 126, 127, 128, 65535, 65536, 70000):
            for opcode, byte in ((TEXT, b"*"), (BINARY, b"\xfe")):
                socket.frame(opcode, byte * size)
                wanted.append((opcode, byte * size))
        await socket.until(lambda: len(socket.frames) == len(wanted))
        assert socket.frames == wanted
        socket.close()
        await socket.until(lambda: socket.over)


@pytest_twisted.ensureDeferred
async def test_pings() -> None:
    """2: each ping is answered with its payload, in order; a pong that nobody asked for is nothing."""
    async with echoing() as engine:
        socket = await connect(engine, "/echo")
        payloads = [b"", b"hello", bytes(range(125)), *(str(number).encode() for number in range(10))]
        socket.frame(PONG, b"unasked")
        for payload in payloads:
            socket.frame(PING, payload)
        await socket.until(lambda: len(socket.frames) == len(payloads))
        assert socket.frames == [(PONG, payload) for payload in payloads]
        socket.leave()
        assert await closed_with(engine, lambda client: client.frame(PING, b"x" * 126)) == 1002


@pytest_twisted.ensureDeferred
async def test_reserved() -> None:
    """3 and 4: reserved bits and opcodes end the connection with 1002, and so do frames without a mask."""
    async with echoing() as engine:
        for rsv in range(1, 8):
            assert await closed_with(engine, lambda client, rsv=rsv: client.frame(TEXT, b"x", rsv=rsv)) == 1002
            assert await closed_with(engine, lambda client, rsv=rsv: client.frame(PING, b"x", rsv=rsv)) == 1002
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            assert await closed_with(engine, lambda client, opcode=opcode: client.frame(opcode, b"x")) == 1002
        assert await closed_with(engine, lambda client: client.frame(TEXT, b"x", masked=False)) == 1002


@pytest_twisted.ensureDeferred
async def test_fragments() -> None:
    """5: fragments are put together, with pings between them; what is no sequence of fragments ends with 1002."""

    def two_texts(client: RawSocket) -> None:
        client.frame(TEXT, b"a", fin=False)
        client.frame(TEXT, b"b")

    async with echoing() as engine:
        socket = await connect(engine, "/echo")
        socket.frame(TEXT, b"fragment ", fin=False)
        socket.frame(PING, b"between")
        socket.frame(CONTINUATION, b"", fin=False)
        socket.frame(CONTINUATION, b"one")
        socket.frame(BINARY, b"", fin=False)
        socket.frame(CONTINUATION, b"\x01")
        await socket.until(lambda: len(socket.frames) == 3)
        assert socket.frames == [(PONG, b"between"), (TEXT, b"fragment one"), (BINARY, b"\x01")]
        socket.leave()
        assert await closed_with(engine, lambda client: client.frame(PING, b"x", fin=False)) == 1002
        assert await closed_with(engine, lambda client: client.frame(PONG, b"x", fin=False)) == 1002
        assert await closed_with(engine, lambda client: client.frame(CONTINUATION, b"x")) == 1002
        assert await closed_with(engine, lambda client: client.frame(CONTINUATION, b"x", fin=False)) == 1002
        assert await closed_with(engine, two_texts) == 1002


@pytest_twisted.ensureDeferred
async def test_utf8() -> None:
    """6: text is UTF-8, however it is cut; what is not ends the connection with 1007, at once."""

    def cut(client: RawSocket) -> None:
        client.frame(TEXT, b"good \xce\xba", fin=False)
        client.frame(CONTINUATION, b"\xed\xa0\x80", fin=False)

    wrong = (
        b"\xff", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", b"\xc0\xaf", b"\xe0\x80\xaf",
        b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xed\xbf\xbf", b"\xce", b"\x80",
    )  # fmt: skip
    async with echoing() as engine:
        socket = await connect(engine, "/echo")
        texts = ["Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\0", "\U0010ffff", "￾￿", "🙂" * 100]
        for text in texts:
            data = text.encode()
            socket.frame(TEXT, data[:1], fin=False)
            for at in range(1, len(data) - 1):
                socket.frame(CONTINUATION, data[at : at + 1], fin=False)
            socket.frame(CONTINUATION, data[max(1, len(data) - 1) :])
        assert await socket.has(len(texts)) == texts
        socket.leave()
        for data in wrong:
            assert await closed_with(engine, lambda client, data=data: client.frame(TEXT, data)) == 1007
        assert await closed_with(engine, cut) == 1007


@pytest_twisted.ensureDeferred
async def test_closing() -> None:
    """7: a closing frame is answered; what comes after it is nothing; codes and reasons are what they may be."""

    def empty(client: RawSocket) -> None:
        client.frame(CLOSE)
        client.frame(TEXT, b"late")
        client.frame(PING, b"late")

    def twice(client: RawSocket) -> None:
        client.close(1000, b"first")
        client.close(1000, b"second")

    async with echoing() as engine:
        for steps in (empty, twice):
            socket = await connect(engine, "/echo")
            steps(socket)
            await socket.until(lambda socket=socket: socket.over)
            assert [opcode for opcode, _ in socket.frames] == [CLOSE]
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            assert await closed_with(engine, lambda client, code=code: client.close(code, b"because")) == code
        for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
            # It fails the connection; whether its own closing frame is read before that is up to the network.
            assert await closed_with(engine, lambda client, code=code: client.close(code)) in {1002, None}
        assert await closed_with(engine, lambda client: client.frame(CLOSE, b"\x03")) in {1002, None}
        assert await closed_with(engine, lambda client: client.frame(CLOSE, struct.pack("!H", 1000) + b"x" * 124)) in {
            1002,
            None,
        }
        assert await closed_with(engine, lambda client: client.close(1000, b"\xce\xba\xff")) in {1007, None}
        fragment = await connect(engine, "/echo")
        fragment.frame(TEXT, b"begun", fin=False)
        fragment.close()
        await fragment.until(lambda: fragment.over)
        assert fragment.closed_with == 1000


@pytest_twisted.ensureDeferred
async def test_sizes() -> None:
    """9: large messages, whole and in pieces; one that is larger than may be ends with 1009."""

    def pieces(client: RawSocket) -> None:
        client.frame(TEXT, b"x" * 700_000, fin=False)
        client.frame(CONTINUATION, b"x" * 700_000)

    async with echoing() as engine:
        socket = await connect(engine, "/echo")
        for number, size in enumerate((64 * 1024, 256 * 1024, 1024 * 1024), start=1):
            socket.frame(TEXT, b"*" * (size // 2), fin=False)
            socket.frame(CONTINUATION, b"*" * (size // 2))
            await socket.has(number)
            assert len(socket.texts[-1]) == size
        socket.leave()
        assert await closed_with(engine, lambda client: client.frame(TEXT, b"x" * 1_048_577)) == 1009
        assert await closed_with(engine, pieces) == 1009


@pytest_twisted.ensureDeferred
async def test_compression() -> None:
    """12 and 13: messages are compressed both ways as was agreed; a bomb and what is no deflate end the connection."""
    offers = (
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10",
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
    )
    texts = ["", "x", "hello " * 1000, "🙂" * 20000]
    async with echoing() as engine:
        for offer in offers:
            socket = await connect(engine, "/echo", {"sec-websocket-extensions": offer})
            assert "sec-websocket-extensions: permessage-deflate" in socket.head.lower()
            for text in texts:
                data = packed(text.encode())
                socket.frame(TEXT, data[:3], fin=False, rsv=4)
                socket.frame(PING, b"")
                socket.frame(CONTINUATION, data[3:])
            # One that is not worth it may come as it is.
            socket.frame(TEXT, b"plain")
            assert await socket.has(len(texts) + 1) == [*texts, "plain"]
            socket.leave()
        for offer in (
            "permessage-deflate; unknown=1",
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=1",
        ):
            socket = await connect(engine, "/echo", {"sec-websocket-extensions": offer})
            assert "permessage-deflate" not in socket.head or socket.status == 400
            socket.leave()
        bomb = packed(b"\0" * 50_000_000)
        assert await closed_with(engine, lambda client: client.frame(BINARY, bomb, rsv=4), DEFLATE) == 1009
        broken = await closed_with(engine, lambda client: client.frame(TEXT, b"\xff\xff\xff\xff\xff", rsv=4), DEFLATE)
        assert broken in {1002, 1007, 1011}


@pytest_twisted.ensureDeferred
async def test_a_flood() -> None:
    """Thousands of messages at once all come back, in order, while the client is made to wait."""
    async with echoing() as engine:
        socket = await connect(engine, "/echo")
        for number in range(1500):
            socket.say(str(number))
        assert await socket.has(1500) == [str(number) for number in range(1500)]
        socket.close()
        await socket.until(lambda: socket.over)
