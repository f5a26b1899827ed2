"""
`/graphql/subscription/<name>`: the messages of a subscription as plain server-sent events.

It is the older way to subscribe, and still works: the field's resolver decides who the client is, and what is published
comes as it was sent, without any selection. A field with `history` sends reconnecting clients what they missed.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from graphql import GraphQLNonNull, Undefined
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import INTERNAL_ERROR, EngineError, Invalid, NotFound, ScriptFailed, WrongMethod
from aiwebengine.features.graphql.execution.execute import Execution, NoSchema
from aiwebengine.features.graphql.execution.failures import FieldFailed
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.subscriptions.sources import SourceRequest, YieldedValues
from aiwebengine.features.graphql.subscriptions.topics import FILTER, SubscriptionTopics, topic_of
from aiwebengine.features.graphql.transports.accept import JSON
from aiwebengine.features.graphql.transports.http import NO_SCHEMA, answer, caller_of, refusal
from aiwebengine.features.graphql.transports.outflow import Outflow
from aiwebengine.features.graphql.transports.paths import OLDER
from aiwebengine.values import Request
from aiwebengine.web.events.sse import event_bytes, head
from aiwebengine.web.events.streams import StreamServer
from aiwebengine.web.http.exchange import Exchange

_log = Logger()

_STATUS = {"UNAUTHENTICATED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "BAD_USER_INPUT": 400, "TOO_MANY": 429}


class OlderSubscriptions:
    """
    See the module.

    Args:
        execution: Has the schema.
        feeds: Ask resolvers.
        topics: Have the messages.
        streams: Lets clients of streams in.
    """

    def __init__(
        self, *, execution: Execution, feeds: Feeds, topics: SubscriptionTopics, streams: StreamServer
    ) -> None:
        self._execution = execution
        self._feeds = feeds
        self._topics = topics
        self._streams = streams

    def enter(self, exchange: Exchange, request: Request) -> None:
        """Answer a request for one subscription."""
        try:
            if request.method != "GET":
                raise WrongMethod(f"{request.path[:200]} answers GET, not {request.method}.", allowed=("GET",))
            part = self._part(unquote(request.path.removeprefix(OLDER)))
        except NoSchema:
            exchange.answered(refusal(NotFound(NO_SCHEMA), JSON, request=exchange.id))
        except EngineError as error:
            exchange.answered(refusal(error, JSON, request=exchange.id))
        else:
            work = self._feeds.loop.run(self._open(exchange, request, part))
            if not work.called:
                exchange.on_disconnect = work.cancel
            work.addErrback(self._failed, exchange)

    async def _open(self, exchange: Exchange, request: Request, part: SchemaPart) -> None:
        last_id = request.headers.get("last-event-id")
        place = self._streams.place(exchange, topic_of(part.name), owner=part.script, attributes={}, last_id=last_id)
        info = {"fieldName": part.name, "parentType": "Subscription", "path": [part.name], "fields": {}}
        info["operation"] = {"kind": "subscription", "name": None}
        arguments = f'"a":{{}},"i":{json.dumps(info)}'
        reply = await self._feeds.ask(part, caller_of(exchange, request), arguments)
        exchange.on_disconnect = None
        if isinstance(reply, YieldedValues):
            self._pass_on(exchange, reply)
            return
        attributes = dict(reply.attributes)
        if reply.filter is not None:
            self._topics.filtering(part.name)
            attributes[FILTER] = reply.filter
        place = self._streams.place(
            exchange, place.topic, owner=part.script, attributes=attributes, last_id=last_id or place.position
        )
        first: dict[str, Any] | None = (
            {"first": reply.first} if isinstance(reply, SourceRequest) and reply.begins else None
        )
        self._streams.begin(place, first)

    def _pass_on(self, exchange: Exchange, source: YieldedValues) -> None:
        flow = Outflow(exchange, head())

        async def pump() -> None:
            try:
                async for event in source:
                    await flow.room(self._feeds.loop)
                    flow.push(event_bytes(json.dumps(event.value, ensure_ascii=False)))
                flow.finish()
            finally:
                await source.aclose()

        flow.work = self._feeds.loop.run(pump())
        flow.work.addErrback(self._broke, exchange)

    def _part(self, name: str) -> SchemaPart:
        assembled = self._execution.assembled
        part = assembled.subscription(name)
        root = assembled.schema.subscription_type
        if part is None or root is None:
            raise NotFound(f"There is no subscription {name[:100]}; registerSubscriptionHandler makes one.")
        for argument, what in root.fields[name].args.items():
            if isinstance(what.type, GraphQLNonNull) and what.default_value in (None, Undefined):
                raise Invalid(
                    f"The subscription {name} needs the argument {argument}, which this path cannot give; subscribe at "
                    "/graphql/sse or /graphql/ws."
                )
        return part

    def _broke(self, failure: Failure, exchange: Exchange) -> None:
        if not failure.check(CancelledError):
            exchange.failed(ScriptFailed("The script's stream of values failed."))

    def _failed(self, failure: Failure, exchange: Exchange) -> None:
        exchange.on_disconnect = None
        error = failure.value
        if isinstance(error, FieldFailed):
            reply = {"errors": [{"message": error.message, "extensions": error.extensions}]}
            status = error.extensions.get("status", _STATUS.get(str(error.extensions.get("code")), 500))
            exchange.answered(answer(reply, JSON, status=status))
        elif isinstance(error, EngineError):
            exchange.answered(refusal(error, JSON, request=exchange.id))
        elif not isinstance(error, CancelledError):
            _log.failure("a GraphQL subscription could not start", failure)
            fault = EngineError(INTERNAL_ERROR)
            exchange.answered(refusal(fault, JSON, request=exchange.id))
