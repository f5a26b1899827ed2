"""What an engine gets of GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiwebengine.features.graphql.loading import GraphQLOnDemand
from aiwebengine.features.graphql.schema.registration import schema_parts
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.subscriptions.messages import KIND, SubscriptionDestination, SubscriptionMessages
from aiwebengine.features.graphql.subscriptions.topics import SubscriptionTopics
from aiwebengine.features.graphql.transports.paths import OLDER
from aiwebengine.features.graphql.transports.site import GraphQLSite
from aiwebengine.machinery import Machinery, Parts

if TYPE_CHECKING:
    from aiwebengine.features.graphql.build import GraphQL


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    settings = base.settings.of(GraphQLSettings)
    topics = SubscriptionTopics(
        bus=machinery.bus,
        invoker=machinery.invoker,
        warn=machinery.warn,
    )
    machinery.current.on_change(topics.swapped)
    machinery.messages.add(KIND, SubscriptionDestination(topics))
    messages = SubscriptionMessages(messages=machinery.messages, topics=topics)
    machinery.messages.add_paths(OLDER, messages.send_to)
    graphql = GraphQLOnDemand(
        build=lambda: _graphql(machinery, topics), threads=base.unpacking_threads, background=base.background
    )
    machinery.current.on_change(graphql.swapped)
    return Parts(
        groups=[messages],
        kinds=[schema_parts(settings)],
        responders=[
            GraphQLSite(graphql=graphql, graphiql=settings.graphiql, background=base.background, tasks=base.tasks)
        ],
        state={"graphql": graphql.state},
        ending=[graphql.end],
    )


def _graphql(machinery: Machinery, topics: SubscriptionTopics) -> GraphQL:
    from aiwebengine.features.graphql.build import build_graphql  # noqa: PLC0415  See `loading.py`.

    base = machinery.base
    return build_graphql(
        reactor=base.reactor,
        tasks=base.tasks,
        settings=base.settings.of(GraphQLSettings),
        current=machinery.current,
        invoker=machinery.invoker,
        explain=machinery.explain,
        keep_failure=machinery.keep_failure,
        bus=machinery.bus,
        topics=topics,
        streams=machinery.event_streams,
        stream_server=machinery.stream_server,
        sockets=machinery.sockets,
        random=base.random,
        new_id=base.new_id,
        heartbeat_seconds=base.settings.live.heartbeat_seconds,
    )
