"""A server that answers the management API's paths with what a test says, on a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(kw_only=True)
class Answer:
    """What the server says once."""

    status: int = 200
    document: Any = None
    """Sent as JSON; None for no body."""
    lines: Sequence[Any] | None = None
    """Sent as newline-delimited JSON instead."""
    raw: bytes | None = None
    """Sent as it is instead."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class ReceivedRequest:
    """A request of a command."""

    method: str
    path: str
    query: dict[str, str]
    document: Any
    authorization: str | None


@dataclass
class FakeApi:
    """Answers in the order in which they were given."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    requests: list[ReceivedRequest] = field(default_factory=list)

    def will(self, **answer: Any) -> None:
        """Add an answer."""
        self.answers.append(Answer(**answer))

    def refuse(self, status: int, code: str, detail: str, **more: Any) -> None:
        """Add a problem."""
        self.will(status=status, document={"status": status, "code": code, "detail": detail, "title": code, **more})


@contextmanager
def fake_api() -> Iterator[FakeApi]:
    """Run one for the length of a `with` block."""
    api = FakeApi()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            api.requests.append(
                ReceivedRequest(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query)),
                    document=json.loads(body) if body else None,
                    authorization=self.headers.get("authorization"),
                )
            )
            answer = api.answers.pop(0)
            content = answer.raw
            if content is None:
                documents = [answer.document] if answer.lines is None else answer.lines
                content = b"\n".join(json.dumps(document).encode() for document in documents if document is not None)
            self.send_response(answer.status)
            self.send_header("content-length", str(len(content)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = _answer

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
