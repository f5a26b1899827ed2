"""The server that the probes of `fetch` call."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_PACKED = b"packed " * 100


class _Answers(BaseHTTPRequestHandler):
    """What is answered, by the first word of the path."""

    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        body = self._body()
        word, _, rest = self.path.lstrip("/").partition("/")
        answer = getattr(self, f"_on_{word.split('?')[0]}", None)
        if answer is None:
            self._tell(404, b"")
        else:
            answer(rest, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = _any

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _tell(self, status: int, body: bytes, *headers: tuple[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in {204, 304}:
            self.send_header("content-length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD" and status not in {204, 304}:
            self.wfile.write(body)

    def _on_echo(self, _: str, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = {"method": self.command, "path": self.path, "headers": headers, "body": body.decode("utf-8", "replace")}
        self._tell(200, json.dumps(seen).encode(), ("content-type", "application/json"))

    def _on_status(self, rest: str, _: bytes) -> None:
        self._tell(int(rest), b"")

    def _on_cookies(self, _: str, __: bytes) -> None:
        self._tell(200, b"", ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-two", "a"), ("x-two", "b"))

    def _on_gzip(self, _: str, __: bytes) -> None:
        self._tell(200, gzip.compress(_PACKED), ("content-encoding", "gzip"))

    def _on_deflate(self, _: str, __: bytes) -> None:
        self._tell(200, zlib.compress(_PACKED), ("content-encoding", "deflate"))

    def _on_bytes(self, rest: str, _: bytes) -> None:
        self._tell(200, bytes(int(rest)))

    def _on_integrity(self, _: str, __: bytes) -> None:
        self._tell(200, b"abc")

    def _on_chunks(self, _: str, __: bytes) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in (b"one", b"two", b"three"):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _on_redirect(self, rest: str, _: bytes) -> None:
        url = urlsplit(rest)
        [to] = parse_qs(url.query).get("to", ["/echo"])
        self._tell(int(url.path), b"", *([] if to == "none" else [("location", to)]))

    def _on_redirects(self, rest: str, _: bytes) -> None:
        left = int(rest) - 1
        self._tell(302, b"", ("location", f"/redirects/{left}" if left else "/echo"))

    def _on_never(self, _: str, __: bytes) -> None:
        self._wait()

    def _on_half(self, _: str, __: bytes) -> None:
        self._tell(200, b"half", length=1000)
        self.wfile.flush()
        self._wait()

    def _on_short(self, _: str, __: bytes) -> None:
        self._tell(200, b"short", length=1000)
        self.close_connection = True

    def _on_drop(self, _: str, __: bytes) -> None:
        self.close_connection = True

    def _wait(self) -> None:
        """Say nothing more until the client has gone."""
        with contextlib.suppress(OSError):
            self.connection.settimeout(20)
            self.connection.recv(1)
        self.close_connection = True


@contextlib.contextmanager
def peer() -> Iterator[str]:
    """Run the server for the length of a `with` block; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
