"""However other servers answer to what scripts send, the reactor is not held."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli
import pytest

from tests.support.burden import BurdenedServer, burdened_server, check_burden

CALLING = """
function target(req) { return "http://127.0.0.1:" + req.query.port + req.query.path; }
registerWebHandler("/size", async (req) => {
  let size = 0;
  for await (const part of (await fetch(target(req))).body) size += part.length;
  return String(size);
});
registerWebHandler("/pass", (req) => fetch(target(req)));
registerWebHandler("/send", async (req) => (await fetch(target(req), { method: "POST", body: new Uint8Array(8000000) })).text());
registerWebHandler("/many", async (req) => String((await Promise.all(Array.from({ length: 60 }, () => fetch(target(req)).then((r) => r.text())))).length));
"""

_RANDOM = os.urandom(4_000_000)
_GZIP_BOMB = gzip.compress(bytes(20_000_000))
_BROTLI_BOMB = brotli.compress(bytes(20_000_000), quality=5)
ANSWERS: dict[str, tuple[dict[str, str], Callable[[], Iterator[bytes]]]] = {
    "/large": ({}, lambda: iter([_RANDOM])),
    "/gzip": ({"content-encoding": "gzip"}, lambda: iter([_GZIP_BOMB])),
    "/br": ({"content-encoding": "br"}, lambda: iter([_BROTLI_BOMB])),
    "/twice": ({"content-encoding": "gzip, gzip"}, lambda: iter([gzip.compress(_GZIP_BOMB)])),
    "/crumbs": ({}, lambda: (b"x" * 10 for _ in range(20_000))),
    "/headers": ({f"x-{number}": "v" * 290 for number in range(90)}, lambda: iter([b"x"])),
    "/fields": ({f"x{number}": "v" for number in range(490)}, lambda: iter([b"x"])),
}
"""By path: headers and pieces of the body."""


class _Other(BaseHTTPRequestHandler):
    """Another server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer in chunks."""
        headers, pieces = ANSWERS[self.path]
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for piece in pieces():
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def do_POST(self) -> None:
        """Take a body."""
        left = int(self.headers["content-length"])
        while left:
            left -= len(self.rfile.read(min(left, 65536)))
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"good")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the interface's
        """Write nothing."""


@pytest.fixture(scope="module")
def other() -> Iterator[int]:
    """Run the other server; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Other)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[BurdenedServer]:
    """Run a server with a script that calls the other one."""
    with burdened_server(CALLING) as running:
        yield running


@pytest.mark.parametrize(
    ("route", "path"),
    [
        *(("/pass", path) for path in ANSWERS if path != "/fields"),
        ("/size", "/crumbs"),
        ("/size", "/headers"),
        ("/send", "/taken"),
        ("/many", "/headers"),
        ("/many", "/fields"),
    ],
)
def test_answers_of_others(server: BurdenedServer, other: int, route: str, path: str) -> None:
    """Whatever another server answers, and however much a script sends, the reactor is not held."""
    statuses: list[int] = []
    check_burden(server, lambda: statuses.append(server.ask("GET", f"{route}?port={other}&path={path}")))
    assert set(statuses) == {200}
