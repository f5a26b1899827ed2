"""The parts of GraphQL, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from aiwebengine.build.builder import BROWSER_BUNDLES
from aiwebengine.errors import ScriptFailed
from aiwebengine.features.graphql.execution.documents import Documents
from aiwebengine.features.graphql.execution.execute import Execution
from aiwebengine.features.graphql.execution.loop import ReactorLoop
from aiwebengine.features.graphql.schema.runs import ScriptRuns
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.subscriptions.feeds import Feeds
from aiwebengine.features.graphql.subscriptions.topics import SubscriptionTopics
from aiwebengine.features.graphql.transports.http import Enter, GraphQLOverHttp
from aiwebengine.features.graphql.transports.older import OlderSubscriptions
from aiwebengine.features.graphql.transports.page import GraphiQLPage
from aiwebengine.features.graphql.transports.paths import ASSETS, EVENTS, OLDER, QUERIES, SOCKET
from aiwebengine.features.graphql.transports.sse import GraphQLOverSse
from aiwebengine.features.graphql.transports.websocket import ConnectionParts, GraphQLOverWebSocket, ResultMessages
from aiwebengine.runtime.invoker import Invoker
from aiwebengine.runtime.registry import Current
from aiwebengine.scripts.failures import Explain
from aiwebengine.services.bus import Bus
from aiwebengine.services.reactor.cooperative import CooperativeTasks
from aiwebengine.services.topics import Reason
from aiwebengine.values import Invocation
from aiwebengine.web.events.sse import EventStreams
from aiwebengine.web.events.streams import StreamServer
from aiwebengine.web.websocket.connection import WebSockets

_STOPPING = Reason(code="stopping", message="The server is shutting down; subscribe again in a moment.")


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQL:
    """The parts of GraphQL that the engine uses."""

    enter: Mapping[str, Enter]
    """By path, what answers requests."""
    execution: Execution
    feeds: Feeds
    events: GraphQLOverSse
    conversations: GraphQLOverWebSocket

    def end(self) -> None:
        """Close all subscriptions: the server stops."""
        self.feeds.end(_STOPPING)
        self.events.end()

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {**self.execution.state(), **self.feeds.state(), **self.events.state(), **self.conversations.state()}


# Long: a list of the parts, each handed to the next.
def build_graphql(
    *,
    reactor: Any,
    tasks: CooperativeTasks,
    settings: GraphQLSettings,
    current: Current,
    invoker: Invoker,
    explain: Explain | None,
    keep_failure: Callable[[Invocation, ScriptFailed], None],
    bus: Bus,
    topics: SubscriptionTopics,
    streams: EventStreams,
    stream_server: StreamServer,
    sockets: WebSockets,
    random: Random,
    new_id: Callable[[], str],
    heartbeat_seconds: float,
) -> GraphQL:
    """
    Build it; nothing runs before a request comes.

    Args:
        tasks: Do long work in slices.
        invoker: Runs resolvers.
        explain: Returns the author's frames of a failure; None if they are not shown.
        keep_failure: Writes a failure into a script's log.
        bus: Has the messages of subscriptions.
        topics: Know the subscriptions.
        streams: Write server-sent events.
        stream_server: Lets clients of streams in.
        sockets: Open WebSockets.
        random: Spreads reconnecting clients over time.
        new_id: Makes ids of operations.
        heartbeat_seconds: A subscription over HTTP is written to at least so often.
    """
    loop = ReactorLoop(clock=reactor, tasks=tasks)  # type: ignore[abstract]  # What asyncio needs is there.
    execution = Execution(
        current=current,
        documents=Documents(settings=settings, checkpoint=loop.checkpoint),
        loop=loop,
        scripts=ScriptRuns(invoker=invoker, explain=explain, keep=keep_failure),
        settings=settings,
        clock=reactor,
    )
    feeds = Feeds(execution=execution, bus=bus, topics=topics, settings=settings)
    current.on_change(feeds.swapped)
    events = GraphQLOverSse(
        execution=execution, feeds=feeds, streams=streams, settings=settings, clock=reactor, random=random
    )
    older = OlderSubscriptions(execution=execution, feeds=feeds, topics=topics, streams=stream_server)
    page = GraphiQLPage(folder=BROWSER_BUNDLES / "graphql")
    over_http = GraphQLOverHttp(
        execution=execution,
        settings=settings,
        distinct=events.distinct,
        feeds=feeds,
        clock=reactor,
        heartbeat_seconds=heartbeat_seconds,
        page=page,
    )
    conversations = GraphQLOverWebSocket(
        ConnectionParts(
            execution=execution, feeds=feeds, settings=settings, clock=reactor, new_id=new_id, results=ResultMessages()
        )
    )
    enter: Mapping[str, Enter] = {
        QUERIES: over_http.enter,
        EVENTS: events.enter,
        SOCKET: sockets.endpoint(conversations),
        OLDER: older.enter,
        ASSETS: page.file,
    }
    return GraphQL(enter=enter, execution=execution, feeds=feeds, events=events, conversations=conversations)
