"""
Answers of several parts, `multipart/mixed`: results of `@defer` and `@stream`, and subscriptions over HTTP.

    deferred        accept: multipart/mixed                          in the newer format
                    accept: multipart/mixed;deferSpec=20220824       in that of `older_parts.py`
    subscription    accept: multipart/mixed;subscriptionSpec=1.0     {"payload": {"data": ...}}, and {} now and then
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiwebengine.features.graphql.execution.execute import Execution
from aiwebengine.features.graphql.execution.results import Results, next_response
from aiwebengine.features.graphql.transports.older_parts import IncrementalPartsOf2022
from aiwebengine.features.graphql.transports.outflow import Outflow
from aiwebengine.features.graphql.transports.wire import encode
from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.values import Answer
from aiwebengine.web.http.exchange import Exchange

_END = b"--\r\n"


class MultipartAnswer:
    """
    Several parts of one answer.

    Args:
        exchange: The request.
        parameters: Of the content type.
        boundary: Between the parts.
    """

    def __init__(self, exchange: Exchange, *, boundary: str, parameters: str = "") -> None:
        kind = f'multipart/mixed; boundary="{boundary}"{parameters}'
        headers = ((b"content-type", kind.encode("ascii")), (b"cache-control", b"no-store"))
        self.flow = Outflow(exchange, Answer(status=200, headers=headers, body=b""))
        self._boundary = b"--" + boundary.encode("ascii")
        self.flow.push(self._boundary)

    def send(self, document: str) -> None:
        """Send a part: JSON, and the boundary, by which the client knows that it is whole."""
        body = document.encode("utf-8", "replace")
        head = b"\r\ncontent-type: application/json; charset=utf-8\r\n\r\n"
        self.flow.push(b"".join((head, body, b"\r\n", self._boundary)))

    def finish(self) -> None:
        """End the answer."""
        self.flow.push(_END)
        self.flow.finish()


async def send_deferred(
    parts: MultipartAnswer, results: Results, execution: Execution, *, request: str, most: int, older: bool
) -> None:
    """
    Send the parts of a result as they come.

    Args:
        parts: Take them.
        results: With `more`.
        execution: Has the loop.
        request: Its id, for the log.
        most: Bytes of one part.
        older: In the format of 2022.
    """
    assert results.more is not None
    translated = IncrementalPartsOf2022() if older else None
    checkpoint = execution.loop.checkpoint
    parts.send(encode(results.first if translated is None else translated.first(results.first), checkpoint))
    async for part in results.more:
        await parts.flow.room(execution.loop)
        response: dict[str, Any] | None = next_response(part, request, most, checkpoint)
        last = response is not None and not response["hasNext"]
        if translated is not None and response is not None:
            response = translated.next(response)
        if response is not None:
            parts.send(encode(response, checkpoint))
            checkpoint()
        if last and getattr(part, "has_next", False):
            # It was too large; the rest is not sent.
            break
    parts.finish()


class MultipartSubscription:
    """
    A subscription as parts of an answer; see `subscribers.Outlet`.

    Args:
        exchange: The request.
        clock: Times heartbeats.
        heartbeat_seconds: Something is sent at least so often: proxies may end a silent connection.
    """

    def __init__(self, exchange: Exchange, *, clock: Clock, heartbeat_seconds: float) -> None:
        self._clock = clock
        self._seconds = heartbeat_seconds
        self._beating: DelayedCall | None = None
        self._parts = MultipartAnswer(exchange, boundary="graphql", parameters="; subscriptionSpec=1.0")
        self._heartbeat(first=True)

    def opened(self, *, drained: Callable[[], None], on_closed: Callable[[], None]) -> None:
        """Set the producer: notified when the client can receive more, and when it has left."""

        def gone() -> None:
            self._stop()
            on_closed()

        self._parts.flow.drained = drained
        self._parts.flow.left = gone

    @property
    def busy(self) -> bool:
        """See `subscribers.Outlet`."""
        return self._parts.flow.busy

    def joined(self) -> None:
        """See `subscribers.Outlet`; this protocol has no word for it."""

    def began(self, position: str) -> None:
        """See `subscribers.Outlet`; this protocol has no way to come back."""

    def gap(self, data: str) -> None:
        """The same."""

    def result(self, text: str, position: str) -> None:  # noqa: ARG002  the same
        """See `subscribers.Outlet`."""
        self._parts.send(f'{{"payload":{text}}}')

    def refused(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """See `subscribers.Outlet`."""
        self.result(encode({"errors": errors}), "")
        self.complete()

    def complete(self) -> None:
        """See `subscribers.Outlet`."""
        self._stop()
        self._parts.finish()

    def _heartbeat(self, *, first: bool = False) -> None:
        if not first and not self.busy:
            self._parts.send("{}")
        self._beating = self._clock.callLater(self._seconds, self._heartbeat)

    def _stop(self) -> None:
        beating, self._beating = self._beating, None
        if beating is not None and beating.active():
            beating.cancel()
