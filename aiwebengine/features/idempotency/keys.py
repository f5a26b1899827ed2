"""
A request with the header `idempotency-key`: which one it is, and its way to an answer.

    key       script, method, route, who asks, and the header
    request   path, query, content type and body: the same key must not come with another
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from aiwebengine.errors import EngineError, Invalid
from aiwebengine.features.idempotency.declarations import OPTION
from aiwebengine.host.declare import described
from aiwebengine.host.registration.kinds import Registration
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.values import Answer, AnswerKey, Entry, Request

HEADER = "idempotency-key"

_FORM = re.compile(r"[\x21-\x7e]{1,255}")


def check_option(registration: Registration, value: Any) -> bool | str:
    """
    Return the option `idempotent` of a route.

    Raises:
        Invalid: It is something else.
    """
    if isinstance(value, bool) or value == "required":
        rule: bool | str = value
        return rule
    raise Invalid(f'{registration.call}: {OPTION} must be true, false or "required"; {described(value)} was given.')


def idempotent_request(request: Request, route: Entry) -> AnswerKey | None:
    """
    Return whether a request is to be done once only.

    Raises:
        Invalid: The route demands a key and there is none, or it is not one.
    """
    option = route.options.get(OPTION)
    if not option:
        return None
    key = request.headers.get(HEADER, "").strip()
    if not key:
        if option == "required":
            raise Invalid(
                f"{request.method} {request.path[:200]} needs the header {HEADER}: a value that is new for each "
                "request, such as a random UUID, and the same when it is sent again."
            )
        return None
    if not _FORM.fullmatch(key):
        raise Invalid(f"The header {HEADER} must be 1 to 255 visible ASCII characters without spaces.")
    who = request.headers.get("authorization", "")
    return AnswerKey(
        key=_digest(route.script, request.method, route.key, who, key),
        request=_digest(request.path, request.query, request.headers.get("content-type", ""), request.body),
    )


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


class CompletionSink:
    """
    A sink that reports the end of the answer.

    Args:
        sink: Gets everything.
        over: Called at the end, before the sink.
    """

    def __init__(self, sink: Sink, over: Callable[[], None]) -> None:
        self._sink = sink
        self._over = over
        self.started = sink.started
        self.write = sink.write

    def answered(self, answer: Answer) -> None:
        """See `Sink.answered`."""
        self._over()
        self._sink.answered(answer)

    def finished(self) -> None:
        """See `Sink.finished`."""
        self._over()
        self._sink.finished()

    def failed(self, error: EngineError) -> None:
        """See `Sink.failed`."""
        self._over()
        self._sink.failed(error)
