"""
Servers that speak the APIs of well-known services, for the clients that scripts use.

They answer as the documentation of each service says, to a request that is authenticated with the key `good`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_CHAT = {
    "id": "chat-1",
    "object": "chat.completion",
    "created": 1,
    "model": "small",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop", "logprobs": None}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
_MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "small",
    "content": [{"type": "text", "text": "Hello!"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
_WORDS = ("Hel", "lo", "!")


_NOTE = {"id": 1, "text": "first"}
_USER = {
    "id": "u1",
    "aud": "authenticated",
    "app_metadata": {},
    "user_metadata": {},
    "created_at": "2026-01-01T00:00:00Z",
}


class _Refused(Exception):
    """
    An answer with an error.

    Args:
        status: Of the answer.
        body: Its JSON.
    """

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class _Api(BaseHTTPRequestHandler):
    """All of the services; their paths differ."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            made = self._made(f"{self.command} {urlsplit(self.path).path}", body)
        except _Refused as refused:
            self._send(refused.status, "application/json", json.dumps(refused.body).encode())
            return
        if isinstance(made, list) and made and isinstance(made[0], str):
            self._send(200, "text/event-stream", "".join(made).encode())
        else:
            self._send(200, "application/json", json.dumps(made).encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  name of the library
        """Say nothing."""

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _key(self) -> str:
        given = self.headers.get("x-api-key") or self.headers.get("authorization") or ""
        return given.split(" ")[-1]

    def _made(self, asked: str, body: bytes) -> Any:
        good = self._key() == "good"
        if asked == "GET /v1/models" and self.headers.get("anthropic-version"):
            return {"data": [{"type": "model", "id": "small"}], "has_more": False, "first_id": None, "last_id": None}
        if asked in {"GET /v1/models", "POST /v1/chat/completions", "POST /v1/embeddings"}:
            return _openai(asked, json.loads(body or b"{}"), good=good)
        if asked in {"POST /v1/messages", "POST /v1/messages/count_tokens"}:
            return _anthropic(asked, json.loads(body), good=good)
        if "/emails" in asked:
            return _resend(asked, json.loads(body or b"{}"), good=good)
        if "/rest/v1/" in asked or "/auth/v1/" in asked:
            return _supabase(asked, json.loads(body or b"{}"))
        raise _Refused(404, {"error": {"message": f"There is no {asked}."}})


def _openai(asked: str, given: Any, *, good: bool) -> Any:
    if not good:
        error = {"message": "Incorrect API key provided.", "type": "invalid_request_error", "code": "invalid_api_key"}
        raise _Refused(401, {"error": error})
    if asked == "GET /v1/models":
        return {"object": "list", "data": [{"id": name, "object": "model"} for name in ("small", "large")]}
    if asked == "POST /v1/embeddings":
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        data = [{"object": "embedding", "index": 0, "embedding": [0.5, -1.25]}]
        return {"object": "list", "model": "small", "data": data, "usage": usage}
    if not given.get("stream"):
        return _CHAT
    chunk = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "small"}
    parts = [{**chunk, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in _WORDS]
    end = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return [*(f"data: {json.dumps(part)}\n\n" for part in (*parts, end)), "data: [DONE]\n\n"]


def _anthropic(asked: str, given: Any, *, good: bool) -> Any:
    if not good:
        raise _Refused(
            401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}}
        )
    if asked.endswith("count_tokens"):
        return {"input_tokens": 7}
    if not given.get("stream"):
        return _MESSAGE
    begun = {**_MESSAGE, "content": [], "stop_reason": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
            for word in _WORDS
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 2},
        },
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]


def _resend(asked: str, given: Any, *, good: bool) -> Any:
    if not good:
        raise _Refused(401, {"statusCode": 401, "name": "validation_error", "message": "API key is invalid"})
    if asked.startswith("GET"):
        return {"object": "email", "id": asked.rsplit("/", 1)[1], "subject": "Hello"}
    return {"data": [{"id": f"mail-{at}"} for at in range(len(given))]} if "batch" in asked else {"id": "mail-1"}


def _supabase(asked: str, given: Any) -> Any:
    if asked.endswith("/none"):
        raise _Refused(404, {"code": "PGRST205", "message": "Could not find the table", "details": None, "hint": None})
    if "/auth/v1/" in asked:
        user = {**_USER, "email": given["email"]}
        return {"access_token": "a.b.c", "token_type": "bearer", "expires_in": 3600, "refresh_token": "r", "user": user}
    if "/rpc/" in asked:
        return 1
    return _NOTE if asked.startswith("POST") else [_NOTE]


@contextmanager
def apis() -> Iterator[str]:
    """Run the servers; their address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
