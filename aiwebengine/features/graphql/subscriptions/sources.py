"""
Where the values of a subscription come from.

When a client subscribes, the resolver of its field decides what it gets.  What it
returns decides about the source:

    nothing, attributes, a text   the topic of the field on the bus, for these attributes
    a function                    the same, and the function chooses (see `topics.py`)
    an async iterable             the script itself: it is read for as long as the client stays

A source is what graphql-core's `subscribe` maps to results.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiwebengine.errors import EngineError, Invalid, ScriptFailed
from aiwebengine.exact_json import decode
from aiwebengine.features.graphql.execution.failures import FieldFailed, of_script
from aiwebengine.features.graphql.execution.loop import Future, ReactorLoop
from aiwebengine.features.graphql.schema.batches import Scripts
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.schema.resolvers import RootValue
from aiwebengine.features.graphql.subscriptions.topics import FILTER, Filter, topic_of
from aiwebengine.runtime.wire.failure import broken_protocol
from aiwebengine.services.bus import Bus
from aiwebengine.services.matching import checked
from aiwebengine.services.topics import GAP, Reason, Subscription, TopicMessage
from aiwebengine.values import Answer, Invocation

_MOST_WAITING = 16
"""Events that a source takes ahead of what is executed; more wait on the bus."""
_MOST_TAKEN_BYTES = 4096
"""Longest message whose event is offered to `take`."""
_NO_VALUE = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """What the resolver of a subscription said."""

    part: SchemaPart
    attributes: Mapping[str, Any] = field(default_factory=dict)
    filter: Filter | None = None
    first: Any = _NO_VALUE

    @property
    def begins(self) -> bool:
        """There is a first value, for this client alone."""
        return self.first is not _NO_VALUE

    @property
    def key(self) -> str:
        """Subscribers with equal keys share their events."""
        filtered = self.filter.arguments if self.filter is not None else None
        return json.dumps([self.part.name, self.attributes, filtered], sort_keys=True)


class Events:
    """Makes events of messages; the subscribers of one message share it."""

    def __init__(self) -> None:
        self._message: TopicMessage | None = None
        self._event = RootValue(None)

    def __call__(self, message: TopicMessage) -> RootValue:
        """Return the event."""
        if message is not self._message:
            self._message, self._event = message, RootValue(json.loads(message.data), message.id)
        return self._event


class TopicSource:
    """
    Events of a topic of the bus; an async iterator.

    Args:
        loop: Runs who waits for them.
        request: What the resolver said.
        events: Makes them of messages.
    """

    def __init__(self, *, loop: ReactorLoop, request: SourceRequest, events: Events) -> None:
        self.request = request
        self._event_of = events
        self._loop = loop
        self._events: deque[RootValue] = deque()
        self._waiting: Future[Any] | None = None
        self._subscription: Subscription | None = None
        self._reason: Reason | None = None
        self._paused = False
        self.take: Callable[[RootValue], bool] | None = None
        """Offered the event of a short message while the response stream waits for one; returns whether it was
        accepted."""
        self.position = ""
        """Id of the last event that was accepted, or of the last one before there was any."""
        self.gap: str | None = None
        """What is sent about messages that are no longer kept, as JSON; None if there are none."""

    def open(self, bus: Bus, *, after: str | None = None) -> None:
        """
        Listen.

        Args:
            after: Id of the last message that the client has had, if it comes back.

        Raises:
            TooManySubscribers: A limit is reached.
        """
        self.position = after if after is not None else bus.last_id(topic_of(self.request.part.name))
        attributes: dict[str, Any] = dict(self.request.attributes)
        if self.request.filter is not None:
            attributes[FILTER] = self.request.filter
        self._subscription = bus.subscribe(
            topic_of(self.request.part.name),
            attributes=attributes,
            deliver=self._deliver,
            ended=self._ended,
            after=after,
            owner=self.request.part.script,
        )

    @property
    def had(self) -> str | None:
        """Id of the newest message of the topic, if nothing up to it waits here or is for another subscriber; or
        None.
        """
        subscription = self._subscription
        return None if subscription is None or self._events or self._paused else subscription.last_id

    def __aiter__(self) -> TopicSource:
        return self

    async def __anext__(self) -> RootValue:
        while not self._events:
            if self._reason is not None:
                raise FieldFailed(self._reason.message, {"code": self._reason.code.upper()})
            if self._paused and self._subscription is not None:
                self._paused = False
                self._subscription.resume()
                continue
            self._waiting = self._loop.create_future()
            await self._waiting
        event = self._events.popleft()
        self.position = event.id
        return event

    async def aclose(self) -> None:
        """Listen no longer."""
        self.close()

    def close(self) -> None:
        """The same."""
        self.take = None
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.cancel()

    def _deliver(self, message: TopicMessage) -> None:
        if message.event == GAP:
            self.gap = message.data
            return
        event = self._event_of(message)
        if (
            self.take is not None
            and self._waiting is not None
            and not (self._events or self._paused)
            and len(message.data) <= _MOST_TAKEN_BYTES
        ):
            before, self.position = self.position, event.id
            if self.take(event):
                return
            self.position = before
        self._events.append(event)
        if len(self._events) >= _MOST_WAITING and self._subscription is not None and not self._paused:
            self._paused = True
            self._subscription.pause()
        self._wake()

    def _ended(self, reason: Reason) -> None:
        self._subscription = None
        self._reason = reason
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._loop.settle(waiting, None)


class YieldedValues:
    """
    Values that a script yields; an async iterator, fed line by line.

    Args:
        loop: Runs who waits for them.
        stop: Ends the run.
    """

    def __init__(self, *, loop: ReactorLoop, stop: Callable[[], None]) -> None:
        self._loop = loop
        self._stop = stop
        self._events: deque[tuple[RootValue, Callable[[], None]]] = deque()
        self._waiting: Future[Any] | None = None
        self._error: BaseException | None = None
        self._over = False

    def __aiter__(self) -> YieldedValues:
        return self

    async def __anext__(self) -> RootValue:
        while not self._events:
            if self._error is not None:
                error, self._error = self._error, None
                self._over = True
                raise error
            if self._over:
                raise StopAsyncIteration
            self._waiting = self._loop.create_future()
            await self._waiting
        event, done = self._events.popleft()
        done()
        return event

    async def aclose(self) -> None:
        """Stop reading: the subscriber is gone."""
        if not self._over:
            self._over = True
            self._stop()

    def take(self, line: bytes, done: Callable[[], None], script: str) -> None:
        """Have one more value; *done* is called when there is room for the next."""
        try:
            value = decode(line)
        except (ValueError, RecursionError):
            self.fail(broken_protocol(script))
            return
        self._events.append((RootValue(value), done))
        self._wake()

    def finish(self) -> None:
        """There are no more."""
        self._over = True
        self._wake()

    def fail(self, error: BaseException) -> None:
        """Fail: the script's stream of values did."""
        self._error = error
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._loop.settle(waiting, None)


class ResolverSink:
    """
    Takes what a subscription's resolver answers; see `runtime.runs.sink.Sink`.

    Args:
        loop: Runs who waits.
        scripts: Explain failures.
        invocation: The resolver's.
        part: Whose field it is.
        arguments: The arguments of the resolver, as JSON.
    """

    def __init__(
        self, *, loop: ReactorLoop, scripts: Scripts, invocation: Invocation, part: SchemaPart, arguments: Filter
    ) -> None:
        self._loop = loop
        self._scripts = scripts
        self._invocation = invocation
        self._part = part
        self._arguments = arguments
        self._source: YieldedValues | None = None
        self.stop: Callable[[], None] = _do_nothing
        """Ends the run."""
        self.opened: Future[Any] = loop.create_future()
        """A `SourceRequest` or a `YieldedValues`."""

    def answered(self, answer: Answer) -> None:
        """See `Sink.answered`."""
        try:
            reply = decode(answer.body)
        except (ValueError, RecursionError):
            reply = None
        if isinstance(reply, list) and len(reply) == 1 and isinstance(reply[0], dict) and "e" in reply[0]:
            error = of_script(reply[0]["e"])
            if isinstance(error, FieldFailed):
                self._loop.settle(self.opened, error)
            else:
                self.failed(error)
            return
        try:
            request = self._source_request(reply if isinstance(reply, dict) else {})
        except Invalid as error:
            self.failed(ScriptFailed(error.public))
            return
        if request is None:
            self.failed(broken_protocol(self._part.script))
        else:
            self._loop.settle(self.opened, request)

    def started(self, answer: Answer) -> None:  # noqa: ARG002  its head says nothing
        """See `Sink.started`."""
        self._source = YieldedValues(loop=self._loop, stop=lambda: self.stop())  # noqa: PLW0108  set later
        self._loop.settle(self.opened, self._source)

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """See `Sink.write`."""
        if self._source is None:
            done()
        else:
            self._source.take(data, done, self._part.script)

    def finished(self) -> None:
        """See `Sink.finished`."""
        if self._source is not None:
            self._source.finish()

    def failed(self, error: EngineError) -> None:
        """See `Sink.failed`."""

        def reply(failed: FieldFailed) -> None:
            if self._source is not None:
                self._source.fail(failed)
            else:
                self._loop.settle(self.opened, failed)

        self._scripts.explained(error, self._invocation, reply)

    def _source_request(self, reply: Mapping[str, Any]) -> SourceRequest | None:
        kind = reply.get("s")
        if kind == "all":
            return SourceRequest(part=self._part)
        if kind == "filter":
            return SourceRequest(part=self._part, filter=self._arguments)
        if kind == "first":
            return SourceRequest(part=self._part, first=reply.get("v"))
        if kind == "attributes":
            return SourceRequest(part=self._part, attributes=checked("attributes", reply.get("v")))
        return None


def _do_nothing() -> None:
    """End nothing yet."""
