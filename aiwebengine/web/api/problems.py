"""Errors of the management API: always problem+json, whatever the client accepts."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import INTERNAL_ERROR, TABLE, EngineError
from aiwebengine.values import Answer
from aiwebengine.web.api.call import dumps

_log = Logger()


def note(error: BaseException, *, request_id: str) -> None:
    """Put into the log what the answer does not say."""
    if not isinstance(error, EngineError):
        _log.failure("request {request} to the management API failed", Failure(error), request=request_id)
    elif error.private:
        _log.info("request {request}: {why}", request=request_id, why=error.private)


def problem_body(error: BaseException, *, request_id: str) -> dict[str, Any]:
    """Return the RFC 9457 object of *error*; an unknown exception is a bare 500."""
    known = error if isinstance(error, EngineError) else EngineError(INTERNAL_ERROR)
    row = TABLE[known.code]
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": row.title,
        "status": row.status,
        "detail": known.public,
        "code": known.code,
        "requestId": request_id,
    }
    if isinstance(known.details, dict):
        body.update({key: value for key, value in known.details.items() if key not in body})
    if known.retry_seconds is not None:
        body["retryAfter"] = known.retry_seconds
    return body


def problem_answer(error: BaseException, *, request_id: str) -> Answer:
    """Return the whole answer."""
    body = problem_body(error, request_id=request_id)
    headers = [(b"content-type", b"application/problem+json"), (b"x-request-id", request_id.encode())]
    if body["code"] == "unauthenticated":
        headers.append((b"www-authenticate", b'Bearer realm="aiwebengine"'))
    if body["code"] == "upgrade_required":
        headers += [(b"upgrade", b"websocket"), (b"connection", b"upgrade"), (b"sec-websocket-version", b"13")]
    if "retryAfter" in body:
        headers.append((b"retry-after", str(max(1, round(body["retryAfter"]))).encode()))
    if "acceptEncoding" in body:
        headers.append((b"accept-encoding", ", ".join(body["acceptEncoding"]).encode()))
    if "allowed" in body:
        headers.append((b"allow", ", ".join(body["allowed"]).encode()))
    return Answer(status=body["status"], headers=tuple(headers), body=dumps(body))
