"""Whether the server is available, for process managers and monitoring."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from klein import Klein
from twisted.web.server import Request

from aiwebengine.services.breaker import State


def add_health(
    klein: Klein,
    *,
    ready: Callable[[], Mapping[str, bool]],
    breakers: Callable[[], Mapping[str, str]],
    writes: Callable[[], Mapping[str, str]],
    lockdown: Callable[[], Mapping[str, object] | None],
) -> None:
    """
    Add `/health/live` and `/health/ready` to the engine's own paths.

    The first says that the process answers, the second that all it needs is there: 200, or 503
    naming what is not.  What can be done without for a while makes it `degraded`, still with 200.

    Args:
        ready: Returns for each part whether it is available.
        breakers: Returns for each dependency the state of its breaker.
        writes: Returns for each database whose last write failed the reason.
        lockdown: Returns which protections against scripts this machine lacks; None while that is not known.
    """

    @klein.route("/health/live", methods=["GET"])
    def live(request: Request) -> bytes:
        return _answer(request, 200, {"status": "ok"})

    @klein.route("/health/ready", methods=["GET"])
    def is_ready(request: Request) -> bytes:
        parts = dict(ready())
        states = dict(breakers())
        good = all(parts.values())
        if not good:
            request.setHeader(b"retry-after", b"1")
        failing = dict(writes())
        whole = not failing and set(states.values()) <= {State.CLOSED}
        status = "unavailable" if not good else "ok" if whole else "degraded"
        body = {"status": status, "parts": parts, "breakers": states, "failingWrites": failing, "lockdown": lockdown()}
        return _answer(request, 200 if good else 503, body)

    @klein.route("/health/<path:_>")
    def nothing(request: Request, _: str) -> bytes:
        return _answer(request, 404, {"status": "unknown", "known": ["/health/live", "/health/ready"]})


def _answer(request: Request, status: int, body: Mapping[str, object]) -> bytes:
    body_bytes = json.dumps(body).encode("ascii")
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"content-length", b"%d" % len(body_bytes))
    request.setHeader(b"cache-control", b"no-store")
    return body_bytes
