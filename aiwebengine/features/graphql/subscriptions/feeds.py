"""
Subscriptions: graphql-core's own response streams, and who gets their results.

    source  ->  map_source_to_response_event (graphql-core)  ->  result as JSON  ->  members

Clients that ask for the same document with the same variables, as the same principal, and whose
resolver said the same of them, share one stream: an event is executed once for all of them, and
they share its bytes.  Each has a queue of its own, so that a slow reader delays no one else.

When scripts are deployed, streams go on.  Their operations are checked against the new schema;
one that does not fit any more ends with an error that says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfo
from graphql.execution import (
    Executor,
    create_source_event_stream,
    execute_subscription_event,
    map_source_to_response_event,
)
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import INTERNAL_ERROR, EngineError, Unavailable
from aiwebengine.features.graphql.execution.execute import Execution, NoSchema, PreparedOperation, RequestFailed
from aiwebengine.features.graphql.execution.failures import FieldFailed, formatted, of_engine
from aiwebengine.features.graphql.execution.gate import Gate
from aiwebengine.features.graphql.execution.operation import Operation
from aiwebengine.features.graphql.execution.results import response_of
from aiwebengine.features.graphql.schema.batches import Caller
from aiwebengine.features.graphql.schema.entries import GRAPHQL, SchemaPart
from aiwebengine.features.graphql.schema.resolvers import RootValue, opening
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.subscriptions.plain import ResultShapes
from aiwebengine.features.graphql.subscriptions.sources import (
    Events,
    ResolverSink,
    SourceRequest,
    TopicSource,
    YieldedValues,
)
from aiwebengine.features.graphql.subscriptions.subscribers import Outlet, SubscribedOperation
from aiwebengine.features.graphql.subscriptions.topics import Filter, SubscriptionTopics
from aiwebengine.features.graphql.transports.wire import encode, run_payload
from aiwebengine.long_json import Checkpoint, no_checkpoint
from aiwebengine.runtime.registry import Registry
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import Reason

_log = Logger()
_MOST_AT_ONCE = 16
"""Members to which a result is sent in one step."""


class Feed:
    """
    One response stream and who gets its results.

    Args:
        feeds: All of them.
        key: What its members have in common.
        apart: It catches up with others of its key, who have had more.
        prepared: The operation.
        operation: Its context.
        executor: Executes it for each event.
        source: The events.
    """

    def __init__(
        self,
        *,
        feeds: Feeds,
        key: object,
        apart: bool,
        prepared: PreparedOperation,
        operation: Operation,
        executor: Executor[Any],
        source: TopicSource | YieldedValues,
    ) -> None:
        self._feeds = feeds
        self.key = key
        self.apart = apart
        self._busy = False
        self.done = source.position if isinstance(source, TopicSource) else ""
        """Id of the last event that every member has had."""
        self.prepared = prepared
        self._operation = operation
        self._executor = executor
        self._source = source
        self._shape = feeds.shapes.of(prepared)
        self._members: dict[SubscribedOperation, None] = {}
        self._work: Deferred[None] | None = None
        self.ended = False

    def begin(self) -> None:
        """Read the source."""
        if isinstance(self._source, TopicSource):
            self._source.take = self._take
        self._work = self._feeds.loop.run(self._read())
        self._work.addErrback(self._broke)

    def join(self, member: SubscribedOperation) -> None:
        """Have one more member."""
        member.feed = self
        self._members[member] = None

    def left(self, member: SubscribedOperation) -> None:
        """A subscriber has left; after the last one it ends."""
        self._members.pop(member, None)
        if not self._members:
            self._stop()

    @property
    def had(self) -> str | None:
        """The id up to which all is executed; None while something is being executed."""
        return self._source.had if isinstance(self._source, TopicSource) and not self._busy else None

    @property
    def keeps(self) -> bool:
        """Whether clients that reconnect get what they have missed."""
        return isinstance(self._source, TopicSource) and self._feeds.keeps(self._source.request.part.name)

    def merge(self, other: Feed) -> None:
        """Take over the members of *other*, which ends."""
        members, other._members = other._members, {}
        for member in members:
            self.join(member)
        other._stop()

    def event(self, value: Any) -> Any:
        """Execute one event, on the schema that serves now."""
        return execute_subscription_event(self._executor.build_per_event_executor(value))

    def renew(self, prepared: PreparedOperation, operation: Operation, executor: Executor[Any]) -> None:
        """Execute on another schema from now on."""
        self.prepared, self._operation, self._executor = prepared, operation, executor
        self._shape = self._feeds.shapes.of(prepared)

    def fail(self, errors: Sequence[Mapping[str, Any]]) -> None:
        """Break off: every member is notified."""
        members = list(self._members)
        self._stop()
        for member in members:
            member.end(lambda member=member: member.outlet.refused(errors))  # type: ignore[misc]

    async def _read(self) -> None:
        first_executor = self._executor

        def execute(executor: Executor[Any]) -> Any:
            self._busy = True
            # It was made of the executor that it began with.
            return (
                execute_subscription_event(executor)
                if self._executor is first_executor
                else self.event(executor.root_value)
            )

        stream = map_source_to_response_event(first_executor, self._source, execute)
        request = self._operation.caller.request
        async for result in stream:
            text = encode(self._feeds.response_of(result, request), self._feeds.loop.checkpoint)
            self._busy = False
            self._distribute(text, self._feeds.loop.checkpoint)
            if self.apart:
                self._feeds.caught_up(self)
        members = list(self._members)
        self._stop()
        for member in members:
            member.end(member.outlet.complete)

    def _take(self, event: RootValue) -> bool:
        """Send the result of an event at once if that is simple; see `plain.py`."""
        if self._shape is None or self.apart or self.ended or len(self._members) > _MOST_AT_ONCE:
            return False
        text = self._feeds.shapes.text(self._shape, event)
        if text is None:
            return False
        self._distribute(text, no_checkpoint)
        return True

    def _distribute(self, text: str, checkpoint: Checkpoint) -> None:
        """Send a result to all members; others' work comes in between if there are many."""
        self._feeds.count(len(self._members))
        self.done = self._source.position if isinstance(self._source, TopicSource) else ""
        position = self.done if self.keeps else ""
        for member in list(self._members):
            member.result(text, position)
            checkpoint()

    def _broke(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        error = failure.value
        if not isinstance(error, FieldFailed | GraphQLError):
            _log.failure("a GraphQL subscription failed", failure)
            error = FieldFailed(INTERNAL_ERROR, {"code": "INTERNAL"})
        graphql_error = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
        self.fail(formatted([graphql_error], request=self._operation.caller.request))

    def _stop(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._feeds.ended(self)
        self._operation.batches.cancel()
        if isinstance(self._source, TopicSource):
            self._source.close()
        if self._work is not None:
            self._work.cancel()


class Feeds:
    """
    See the module.

    Args:
        execution: Executes.
        bus: Has the messages.
        topics: Know the fields.
        settings: The limits.
    """

    def __init__(
        self, *, execution: Execution, bus: Bus, topics: SubscriptionTopics, settings: GraphQLSettings
    ) -> None:
        self.loop = execution.loop
        self.response_of = execution.response_of
        self.shapes = ResultShapes(self._encoded)
        self._execution = execution
        self._bus = bus
        self._topics = topics
        self._settings = settings
        self._gate = Gate(loop=self.loop)
        self._events_of = Events()
        self._feeds: dict[object, Feed] = {}
        self._apart: dict[Feed, None] = {}
        """Those of clients who came back and catch up."""
        self._members = 0
        self._opening = 0
        self._events = 0
        self._results = 0
        self._stopping: Reason | None = None

    def subscribe(
        self, prepared: PreparedOperation, caller: Caller, outlet: Outlet, *, after: str | None = None
    ) -> SubscribedOperation:
        """
        Begin a subscription; *outlet* is notified of everything that happens to it.

        Args:
            after: Id of the last result that the client has had, if it comes back.

        Returns:
            A handle with `cancel()`, for when the client ends it, and `drained()`, for when the client can receive
            more.
        """
        self._members += 1
        member = SubscribedOperation(outlet=outlet, most=self._settings.queue_results, on_end=self._member_left)
        if self._stopping is not None:
            self._refuse(member, of_engine(Unavailable(self._stopping.message, retry_seconds=1.0), shown=True), caller)
            return member
        if self._members > self._settings.max_subscriptions:
            most = self._settings.max_subscriptions
            text = f"There may be at most {most} open subscriptions (graphql.max_subscriptions); try again later."
            self._refuse(member, FieldFailed(text, {"code": "TOO_MANY"}), caller)
            return member
        self._opening += 1
        opening_now = self.loop.run(self._open(prepared, caller, member, after))
        opening_now.addBoth(self._opened)

        def cancel() -> None:
            if member.ended:
                return
            member.leave()
            opening_now.cancel()

        member.cancel = cancel
        opening_now.addErrback(self._not_opened, member, caller)
        return member

    def swapped(self, registry: Registry) -> None:
        """Continue the streams with the schema that serves now, or end them with an error."""
        for feed in [*self._feeds.values(), *self._apart]:
            if feed.ended or registry.index(GRAPHQL) is feed.prepared.assembled:
                continue
            try:
                prepared = self._execution.prepare(feed.prepared.params)
                operation = self._execution.operation(prepared, feed._operation.caller)  # noqa: SLF001  its own
                executor = self._execution.executor(prepared, operation, incremental=False)
            except RequestFailed as failed:
                errors = formatted(failed.errors, request="")
            except NoSchema:
                errors = [{"message": "The subscription has ended: its script was removed."}]
            else:
                feed.renew(prepared, operation, executor)
                continue
            for error in errors:
                error["message"] = f"The schema has changed: {error['message']}"
                error["extensions"] = {"code": "SCHEMA_CHANGED"}
            feed.fail(errors)

    def _encoded(self, data: dict[str, Any]) -> str:
        most = self._settings.max_response_bytes
        return encode(response_of(ExecutionResult(data), "", most, no_checkpoint))

    def count(self, members: int) -> None:
        """Note that an event was executed for this many."""
        self._events += 1
        self._results += members

    def ended(self, feed: Feed) -> None:
        """A stream is over."""
        self._apart.pop(feed, None)
        if self._feeds.get(feed.key) is feed:
            del self._feeds[feed.key]

    def keeps(self, field: str) -> bool:
        """Return whether results of a field are kept for clients that reconnect."""
        return self._topics.keeps(field)

    def caught_up(self, feed: Feed) -> None:
        """Have members that have caught up share the stream of the others."""
        had = feed.had
        if had is None or feed.ended:
            return
        known = self._feeds.get(feed.key)
        if known is None or known.ended:
            self._apart.pop(feed, None)
            feed.apart, feed.done = False, had
            self._feeds[feed.key] = feed
        elif known.had == had:
            known.merge(feed)

    def _opened(self, result: Any) -> Any:
        self._opening -= 1
        return result

    def _member_left(self) -> None:
        self._members -= 1

    def end(self, reason: Reason) -> None:
        """Refuse new subscriptions: the server stops."""
        self._stopping = reason

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {
            "subscriptions": self._members,
            "opening": self._opening,
            "responseStreams": len(self._feeds) + len(self._apart),
            "events": self._events,
            "results": self._results,
        }

    async def _open(
        self, prepared: PreparedOperation, caller: Caller, member: SubscribedOperation, after: str | None
    ) -> None:
        operation = self._execution.operation(prepared, caller)
        operation.opens = self._source
        executor = self._execution.executor(prepared, operation, incremental=False)
        try:
            source: Any = create_source_event_stream(executor)
            if not isinstance(source, ExecutionResult | TopicSource | YieldedValues):
                source = await source
        except BaseException:
            operation.batches.cancel()
            raise
        if isinstance(source, ExecutionResult):
            raise RequestFailed(source.errors or [])
        if member.ended:
            await source.aclose()
            return
        request = source.request if isinstance(source, TopicSource) else None
        if request is None or not self.keeps(request.part.name):
            after = None
        # Who comes back has had what it began with.
        begins = request is not None and request.begins and after is None
        if begins:
            member.hold()
        feed = self._join(prepared, operation, executor, source, member, after)
        member.outlet.joined()
        if begins:
            assert request is not None
            result = feed.event(RootValue(request.first))
            if not isinstance(result, ExecutionResult):
                result = await result
            member.first(encode(self.response_of(result, caller.request), self.loop.checkpoint))

    def _join(
        self,
        prepared: PreparedOperation,
        operation: Operation,
        executor: Executor[Any],
        source: TopicSource | YieldedValues,
        member: SubscribedOperation,
        after: str | None,
    ) -> Feed:
        key: object = source
        apart = False
        if isinstance(source, TopicSource):
            params = prepared.params
            variables = json.dumps(params.variables, sort_keys=True)
            principal = (operation.caller.principal.kind, operation.caller.principal.id)
            key = (params.query, params.operation_name, variables, principal, source.request.key)
            known = self._feeds.get(key)
            if known is not None and not known.ended and after in (None, known.had):
                known.join(member)
                if after is None and known.keeps:
                    member.outlet.began(known.done)
                return known
            if source.request.filter is not None:
                self._topics.filtering(source.request.part.name)
            source.open(self._bus, after=after)
            apart = after is not None
            if source.gap is not None:
                member.outlet.gap(source.gap)
        feed = Feed(
            feeds=self, key=key, apart=apart, prepared=prepared, operation=operation, executor=executor, source=source
        )
        if apart:
            self._apart[feed] = None
        else:
            self._feeds[key] = feed
        if after is None and feed.keeps:
            member.outlet.began(feed.done)
        feed.join(member)
        feed.begin()
        if apart:
            self.caught_up(feed)
        return feed

    async def _source(
        self, part: SchemaPart, operation: Operation, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]
    ) -> TopicSource | YieldedValues:
        opened = await self.ask(part, operation.caller, opening(operation, info, arguments))
        return (
            opened
            if isinstance(opened, YieldedValues)
            else TopicSource(loop=self.loop, request=opened, events=self._events_of)
        )

    async def ask(self, part: SchemaPart, caller: Caller, head: str) -> SourceRequest | YieldedValues:
        """
        Ask a resolver what its subscriber gets.

        Args:
            head: What it is called with: `"a":{...},"i":{...}`, as JSON.

        Raises:
            FieldFailed: It refuses.
        """
        if part.handler is None:
            return SourceRequest(part=part)
        await self._gate.enter(part.script)
        try:
            return await self._resolved_source(part, caller, head)
        finally:
            self._gate.leave(part.script)

    async def _resolved_source(self, part: SchemaPart, caller: Caller, head: str) -> SourceRequest | YieldedValues:
        assert part.handler is not None
        scripts = self._execution.scripts
        calls = f'[{{"t":"root","h":{part.handler.id},{head}}}]'
        payload, body = run_payload(calls, f",{caller.sender}" if caller.sender else "", self.loop.checkpoint)
        invocation = scripts.invocation(
            part,
            identity=caller.request,
            kind="subscribe",
            label=f"subscription {part.name}",
            payload=payload,
            body=body,
            read_only=False,
            caller=caller,
        )
        sink = ResolverSink(
            loop=self.loop, scripts=scripts, invocation=invocation, part=part, arguments=Filter(arguments=head)
        )
        run = scripts.run(invocation, sink)
        sink.stop = lambda: scripts.cancel(run)
        try:
            opened: SourceRequest | YieldedValues = await sink.opened
        except BaseException:
            scripts.cancel(run)
            raise
        return opened

    def _not_opened(self, failure: Failure, member: SubscribedOperation, caller: Caller) -> None:
        error = failure.value
        if failure.check(CancelledError) or member.ended:
            return
        if isinstance(error, RequestFailed):
            self._refuse(member, error, caller)
        elif isinstance(error, EngineError):
            self._refuse(member, of_engine(error, shown=True), caller)
        elif isinstance(error, FieldFailed):
            self._refuse(member, error, caller)
        else:
            _log.failure("a GraphQL subscription could not start", failure)
            self._refuse(member, FieldFailed(INTERNAL_ERROR, {"code": "INTERNAL"}), caller)

    def _refuse(self, member: SubscribedOperation, error: RequestFailed | FieldFailed, caller: Caller) -> None:
        errors = error.errors if isinstance(error, RequestFailed) else [GraphQLError(str(error), original_error=error)]
        member.leave()
        member.outlet.refused(formatted(errors, request=caller.request))
