"""
Whatever many clients get, one client floods, and lists hold, the reactor goes on.

See `test_reactor_is_not_held.py`.
"""

from __future__ import annotations

import json
import select
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.support.burden import BurdenedServer, burdened_server, check_burden
from tests.support.clients.websocket import BINARY, CONTINUATION, PING, TEXT, frame_bytes
from tests.support.waiting import wait_until

CROWD = """
registerWebStream("/all");
registerWebStream("/chosen", {
  attributes: function (req) { return { name: new Array(1000).join("x") }; },
  filter: function (message, clients) { return clients.map(function () { return true; }); },
});
registerWebStream("/listed", {
  attributes: function () { var all = []; for (var i = 0; i < 1000; i++) all.push(i); return { a: all, b: all }; },
});
registerWebHandler("/send/all", function () {
  for (var i = 0; i < 900; i++) sendStreamMessageToPath("/all", { i: i });
  return "1";
});
registerWebHandler("/send/chosen", function () { sendStreamMessageToPath("/chosen", "hello"); return "1"; });
registerWebHandler("/send/listed", function () {
  var none = [];
  for (var i = 0; i < 1000; i++) none.push(-1 - i);
  for (var j = 0; j < 2; j++) sendStreamMessageToPath("/listed", j, { to: { a: none, b: none } });
  return "1";
});
registerWebHandler("/send/long", function () {
  var text = new Array(10000).join("\\n");
  for (var i = 0; i < 5; i++) sendStreamMessageToPath("/all", text);
  return "1";
});
registerWebStream("/large", { history: 0 });
registerWebSocket("/crowd", { open: function (ws) { ws.subscribe("crowd"); } });
registerSubscriptionHandler("crowd", "crowd(of: Int): Int");
registerQueryHandler("nothing", "nothing: Int", function () { return null; });
registerWebHandler("/send/stream", function () { sendStreamMessageToPath("/large", "hello"); return "1"; });
registerWebHandler("/send/sockets", function () { sendSocketMessage("crowd", "hello"); return "1"; });
registerWebHandler("/send/subscribers", function () { sendSubscriptionMessage("crowd", 1); return "1"; });
registerWebSocket("/socket", { message: function (ws, data) { ws.send(String(data.length)); } });
"""

LISTS = """
registerWebHandler("/echo", function (req) { return String((req.body || "").length); }, "POST");
function wide() { return "\\u00e9".repeat(4000000); }
registerWebHandler("/wide", wide);
registerWebHandler("/wide/early", function (req, ctx) {
  ctx.waitUntil(new Promise(function (done) { setTimeout(done, 1); }));
  return wide();
});
registerWebHandler("/wide/parts", async function* () { yield wide(); yield new Uint8Array(8000000); });
registerWebHandler("/form", async function (req) { await req.formData(); return "1"; }, "POST");
registerWebHandler("/once", function () { return new Array(1000000).join("x"); }, { method: "POST", idempotent: true });
registerWebHandler("/lines", function () {
  for (var i = 0; i < 256; i++) console.log(new Array(16000).join("z"));
  return "1";
});
registerWebHandler("/logs", function () { return String(listLogs().length); });
registerWebHandler("/headers", function () {
  var headers = {};
  for (var i = 0; i < 80; i++) headers["x-" + i] = new Array(500).join("v");
  return new Response("x", { headers: headers });
});
registerWebHandler("/values", async function () {
  for (var i = 0; i < 3; i++) await kv.set("large" + i, new Array(1000000).join("x"));
  for (var j = 0; j < 3; j++) await kv.get("large" + j);
  await kv.list({ prefix: "large" });
  return "1";
});
registerWebHandler("/entries", async function () {
  for (var i = 0; i < 900; i++) await kv.set("small" + i, i);
  for (var j = 0; j < 4; j++) await kv.list({ prefix: "small", limit: 1000 });
  return "1";
});
"""
SENT_AWAY = """
registerWebStream("/away/stream", { history: 0 });
registerWebSocket("/away/socket", { open: function (ws) { ws.subscribe("away"); } });
"""
_LISTENERS = 100
_CROWD = 800
_UPGRADED = (
    b"host: a\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%b\r\n"
)
_UPGRADE = b"GET /socket HTTP/1.1\r\n" + _UPGRADED
_LARGEST_MESSAGE = 16 * 1024 * 1024
_DEFLATE = b"sec-websocket-extensions: permessage-deflate\r\n"
_FORM = b'--b\r\ncontent-disposition: form-data; name="a%d"\r\n\r\nx\r\n'
_CHUNKED = b"POST /quiet HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def crowded() -> Iterator[BurdenedServer]:
    """Run a server with streams and a WebSocket."""
    with burdened_server(CROWD) as running:
        yield running


@pytest.fixture(scope="module")
def listing() -> Iterator[BurdenedServer]:
    """Run a server with much to list."""
    with burdened_server(LISTS) as running:
        yield running


@contextmanager
def _listening(server: BurdenedServer, path: str) -> Iterator[list[socket.socket]]:
    """Open many connections to a stream."""
    connections = [server.connect() for _ in range(_LISTENERS)]
    try:
        for connection in connections:
            connection.sendall(b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % path.encode())
            connection.recv(1 << 16)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def _drain(connections: list[socket.socket]) -> None:
    """Read all that comes, until nothing does for a moment."""
    ends = time.monotonic() + 3
    while time.monotonic() < ends and (ready := select.select(connections, [], [], 0.2)[0]):
        for connection in ready:
            connection.recv(1 << 20)


@pytest.mark.parametrize(
    ("path", "send"), [("/all", "all"), ("/chosen", "chosen"), ("/listed", "listed"), ("/all", "long")]
)
def test_messages_to_many(crowded: BurdenedServer, path: str, send: str) -> None:
    """Many, long or selective messages to many clients are distributed in many turns."""
    with _listening(crowded, path) as connections:

        def publish() -> None:
            assert crowded.ask("GET", f"/send/{send}") == 200
            _drain(connections)

        check_burden(crowded, publish)


def _stream(path: str, _number: int) -> bytes:
    return b"GET %b HTTP/1.1\r\nhost: a\r\n\r\n" % path.encode()


def _socket(path: str, _number: int) -> bytes:
    return b"GET %b HTTP/1.1\r\n" % path.encode() + _UPGRADED % b""


def _subscriber(query: str) -> Callable[[str, int], bytes]:
    def request(path: str, number: int) -> bytes:
        protocol = b"sec-websocket-protocol: graphql-transport-ws\r\n"
        subscribe = {"type": "subscribe", "id": "1", "payload": {"query": query % number if "%" in query else query}}
        return (
            b"GET %b HTTP/1.1\r\n" % path.encode()
            + _UPGRADED % protocol
            + frame_bytes(TEXT, b'{"type":"connection_init"}')
            + frame_bytes(TEXT, json.dumps(subscribe).encode())
        )

    return request


@contextmanager
def _crowd(server: BurdenedServer, path: str, request: Callable[[str, int], bytes]) -> Iterator[list[socket.socket]]:
    """Open so many connections that one step for all of them would hold the reactor."""
    connections: list[socket.socket] = []
    try:
        for number in range(_CROWD):
            connections.append(server.connect())
            connections[-1].sendall(request(path, number))
            if number % 100 == 99:
                for connection in connections[-100:]:
                    assert connection.recv(1 << 16).startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 101 "))
        yield connections
    finally:
        for connection in connections:
            connection.close()


CROWDS: dict[str, tuple[str, Callable[[str, int], bytes], str]] = {
    "a stream": ("/large", _stream, "stream"),
    "WebSockets": ("/crowd", _socket, "sockets"),
    "subscribers with one query": ("/graphql/ws", _subscriber("subscription { crowd }"), "subscribers"),
    "subscribers with other queries": ("/graphql/ws", _subscriber("subscription { crowd(of: %d) }"), "subscribers"),
}
"""Where many clients listen, how they ask, and what sends to them."""


def _heard(connections: list[socket.socket], mark: bytes) -> int:
    """Return how many clients have been sent *mark* when nothing more comes."""
    poll = select.poll()
    by_descriptor = {connection.fileno(): connection for connection in connections}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    heard: set[int] = set()
    ends = time.monotonic() + 20
    while len(heard) < len(connections) and time.monotonic() < ends:
        for descriptor, _ in poll.poll(1000):
            data = by_descriptor[descriptor].recv(1 << 16)
            if mark in data:
                heard.add(descriptor)
            if not data:
                poll.unregister(descriptor)
    return len(heard)


@pytest.mark.parametrize("what", CROWDS)
def test_large_crowds(crowded: BurdenedServer, what: str) -> None:
    """One message to all of a large crowd reaches each of them, in many turns of the reactor."""
    path, request, send = CROWDS[what]
    with _crowd(crowded, path, request) as connections:

        def publish() -> bool:
            assert crowded.ask("GET", f"/send/{send}") == 200
            return _heard(connections, b'"crowd":1' if send == "subscribers" else b"hello") == _CROWD

        # Nothing says when the last subscription has begun.
        wait_until(publish)
        reached: list[bool] = []
        check_burden(crowded, lambda: reached.append(publish()))
        assert all(reached)


@pytest.mark.parametrize(
    ("path", "request_of", "mark"), [("/away/stream", _stream, b"event: end"), ("/away/socket", _socket, b"\x88")]
)
def test_a_crowd_is_sent_away(
    crowded: BurdenedServer, path: str, request_of: Callable[[str, int], bytes], mark: bytes
) -> None:
    """When the script of a large crowd is removed, each client is told, in many turns of the reactor."""
    with ExitStack() as stack:
        left: list[int] = []

        def send_away() -> None:
            assert crowded.deploy("away", f"var a = {time.monotonic()};{SENT_AWAY}") in {200, 201}
            connections = stack.enter_context(_crowd(crowded, path, request_of))
            crowded.begin()
            assert crowded.api("/script?uri=away", method="DELETE") in {200, 204}
            left.append(_heard(connections, mark))

        check_burden(crowded, send_away)
        assert set(left) == {_CROWD}


def test_many_come_back(crowded: BurdenedServer) -> None:
    """Clients that all come back at the same time are given the history of a stream; then all leave at once."""
    assert crowded.ask("GET", "/send/long") == 200

    def come_back() -> None:
        connections = [crowded.connect() for _ in range(_LISTENERS)]
        for connection in connections:
            connection.sendall(b"GET /all HTTP/1.1\r\nhost: a\r\nlast-event-id: x-1\r\n\r\n")
        _drain(connections)
        for connection in connections:
            connection.close()

    check_burden(crowded, come_back)


def _bomb() -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packing.compress(bytes(100_000_000)) + packing.flush(zlib.Z_SYNC_FLUSH)
    return frame_bytes(TEXT, data[:-4], rsv=4)


FLOODS: dict[str, Callable[[], bytes]] = {
    "the first": lambda: _UPGRADE % b"" + frame_bytes(TEXT, b"x"),
    "pings": lambda: _UPGRADE % b"" + frame_bytes(PING, b"p") * 30_000,
    "frames of one byte": lambda: (
        _UPGRADE % b"" + frame_bytes(TEXT, b"x", fin=False) + frame_bytes(CONTINUATION, b"x", fin=False) * 30_000
    ),
    "long text": lambda: _UPGRADE % b"" + frame_bytes(TEXT, "é".encode() * 500_000) * 3,
    "long bytes": lambda: _UPGRADE % b"" + frame_bytes(BINARY, bytes(1_000_000)) * 3,
    "the largest text": lambda: _UPGRADE % b"" + frame_bytes(TEXT, "é".encode() * (_LARGEST_MESSAGE // 2)),
    "the largest bytes": lambda: _UPGRADE % b"" + frame_bytes(BINARY, b"\xff" * _LARGEST_MESSAGE),
    "many messages": lambda: _UPGRADE % b"" + frame_bytes(TEXT, b"x") * 1000,
    "what is small only as long as it is compressed": lambda: _UPGRADE % _DEFLATE + _bomb(),
    "tiny chunks": lambda: _CHUNKED + b"1\r\nx\r\n" * 200_000 + b"0\r\n\r\n",
    "pipelined requests": lambda: b"GET /none HTTP/1.1\r\nhost: a\r\n\r\n" * 5000,
    "empty lines": lambda: b"\r\n" * 100_000 + b"GET /quiet HTTP/1.1\r\nhost: a\r\n\r\n",
}
"""What one client sends on one connection."""


@pytest.mark.parametrize("what", FLOODS)
def test_floods(crowded: BurdenedServer, what: str) -> None:
    """Whatever one client floods its connection with, the reactor is not held."""
    data = FLOODS[what]()
    check_burden(crowded, lambda: crowded.send(data, seconds=0.5))


def _nested(size: int) -> bytes:
    return b"[" + b"[]," * (size // 3) + b"1]"


BODIES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "text": ("/echo", lambda: b"x" * 10_000_000, "text/plain"),
    "text of two bytes a letter": ("/echo", lambda: "é".encode() * 5_000_000, "text/plain"),
    "bytes": ("/echo", lambda: bytes(range(256)) * 39_000, "application/octet-stream"),
    "nested lists": ("/echo", lambda: _nested(9_000_000), "application/json"),
    "a form": ("/form", lambda: b"&".join(b"a%d=%%41" % n for n in range(900)), "application/x-www-form-urlencoded"),
    "many parts": (
        "/form",
        lambda: b"".join(_FORM % n for n in range(10_000)) + b"--b--",
        "multipart/form-data; boundary=b",
    ),
}
"""Bodies for a script."""


@pytest.mark.parametrize("what", BODIES)
def test_bodies(listing: BurdenedServer, what: str) -> None:
    """Whatever body a visitor sends, it goes to the script in pieces."""
    path, make, kind = BODIES[what]
    body = make()
    check_burden(listing, lambda: listing.ask("POST", path, body, {"content-type": kind}))


RECORDED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "nested lists": ("/echo", lambda: _nested(1_000_000), "application/json"),
    "a form": ("/form", lambda: b"&".join(b"a%d=%%41" % n for n in range(95_000)), "application/x-www-form-urlencoded"),
    "many parts": (
        "/form",
        lambda: b"".join(_FORM % n for n in range(8_000)) + b"--b--",
        "multipart/form-data; boundary=b",
    ),
}
"""Bodies of requests that are recorded."""


@pytest.mark.parametrize("what", RECORDED)
def test_recordings(listing: BurdenedServer, what: str) -> None:
    """Whatever is recorded, it is searched for secrets and packed in a thread, and can be read and replayed."""
    path, make, kind = RECORDED[what]
    body = make()
    check_burden(listing, lambda: listing.record("POST", path, body, kind), tick_seconds=0.1)
    newest = wait_until(lambda: listing.json("/recordings?limit=1")["recordings"])[0]["id"]
    check_burden(listing, lambda: listing.api(f"/recording?id={newest}"))
    check_burden(listing, lambda: listing.api(f"/replay?id={newest}", method="POST"))


def _posted(server: BurdenedServer, **members: object) -> bytes:
    """Return a recording that was posted: of the script with lists, with what is said instead."""
    newest = server.json("/recordings?limit=1")["recordings"][0]["id"]
    recording = server.json(f"/recording?id={newest}")
    return json.dumps({"recording": {**recording, **members}}).encode()


POSTED: dict[str, tuple[dict[str, object], int]] = {
    "a long argument": ({"calls": [["kv.set", "x" * 15_000_000, None]]}, 200),
    "many calls": ({"calls": [["kv.get", '["a"]', '{"ok":1}']] * 60_000}, 200),
    "many steps": ({"steps": ["A1 1"] * 100_000}, 200),
    "a long argument of escapes": ({"calls": [["kv.set", '"\\n' * 3_000_000, None]]}, 200),
    "a long argument of other letters": ({"calls": [["kv.set", "é😀" * 800_000, None]]}, 200),
    "too long an argument of other letters": ({"calls": [["kv.set", "é😀" * 1_000_000, None]]}, 400),
    "many long arguments": ({"calls": [["kv.set", "é" * 25_000, "x" * 50_000]] * 75}, 200),
    "a long body": ({"request": {"method": "POST", "path": "/echo", "body": "x" * 15_000_000}}, 200),
    "too many values": ({"calls": [[]] * 4_000_000}, 400),
}
"""Recordings that are posted for a replay, and the status of the answer."""


@pytest.mark.parametrize("what", POSTED)
def test_posted_recordings(listing: BurdenedServer, what: str) -> None:
    """A recording that an administrator sends for a replay is read and prepared beside the reactor."""
    listing.record("GET", "/headers")
    wait_until(lambda: listing.json("/recordings?limit=1")["recordings"])
    members, status = POSTED[what]
    body = _posted(listing, **members)
    statuses: list[int] = []
    check_burden(listing, lambda: statuses.append(listing.api("/replay", body, method="POST")))
    assert set(statuses) == {status}


HANDLERS = ("/headers", "/values", "/entries", "/lines", "/wide", "/wide/early", "/wide/parts")
"""Routes that answer, store or log much."""


@pytest.mark.parametrize("path", HANDLERS)
def test_handlers(listing: BurdenedServer, path: str) -> None:
    """Whatever a handler answers, stores and logs, the reactor is not held."""
    check_burden(listing, lambda: listing.ask("GET", path))


def test_repeated_requests(listing: BurdenedServer) -> None:
    """A long request that may be repeated, and its answer that is kept, do not hold the reactor."""
    body = b"x" * 9_000_000
    check_burden(listing, lambda: listing.ask("POST", "/once", body, {"idempotency-key": "again"}))


def _routes(script: int) -> str:
    return (
        f'for (var i = 0; i < 1500; i++) registerWebHandler("/{script}/" + i, function () {{ return "1"; }}, '
        '{ summary: "What this route is for", tags: ["one"] });'
    )


def test_many_routes(listing: BurdenedServer) -> None:
    """Scripts with as many routes as there may be are deployed, listed and rolled back beside the reactor."""
    for script in range(2):
        assert listing.deploy(f"many{script}", _routes(script)) == 201
    check_burden(listing, lambda: listing.deploy("many2", f"var a = {time.monotonic()};" + _routes(2)))
    check_burden(listing, lambda: listing.api("/scripts"))
    check_burden(listing, lambda: listing.api("/script?uri=many2"))
    check_burden(listing, lambda: listing.api("/script/rollback?uri=many2&version=1", method="POST"))
    check_burden(listing, lambda: listing.api("/script/receipts?uri=many2&limit=1000"))
    check_burden(listing, lambda: listing.api("/script/history?uri=many2"))


def test_large_files(listing: BurdenedServer) -> None:
    """A large bundle, and large files that are read again, do not hold the reactor."""
    large = f"var a = {json.dumps('x' * 4_500_000)}; registerWebHandler('/large', function () {{ return '1'; }});"
    assert listing.deploy("large", large) == 201
    check_burden(listing, lambda: listing.ask("GET", "/large"))
    files = {f"public/{n}.txt": "x" * 4_000_000 for n in range(4)}
    document = json.dumps({"files": {**files, "main.js": "registerWebHandler('/files', function () {});"}})
    check_burden(listing, lambda: listing.api("/script?uri=files", document.encode()))
    check_burden(listing, lambda: listing.api("/script?uri=files&content=true"))
    check_burden(listing, lambda: listing.ask("GET", "/0.txt"))


def test_lists(listing: BurdenedServer) -> None:
    """Long lists of log lines and assets are written beside the reactor."""
    for _ in range(2):
        assert listing.ask("GET", "/lines") == 200
    check_burden(listing, lambda: listing.api("/logs?limit=1000"))
    check_burden(listing, lambda: listing.ask("GET", "/logs"))
    for number in range(3):
        assert listing.api(f"/asset?path=/stored/{number}&uri=script1", b"x" * 1_000_000, "text/plain") in {201, 204}
    check_burden(listing, lambda: listing.api("/assets"))
    check_burden(listing, lambda: listing.api("/asset?path=/stored/1&uri=script1"))
    check_burden(listing, lambda: listing.ask("GET", "/stored/1"))
