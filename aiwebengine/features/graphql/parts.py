"""What an engine gets of GraphQL."""

from __future__ import annotations

from aiwebengine.features.graphql.build import build_graphql
from aiwebengine.features.graphql.schema.registration import schema_parts
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.subscriptions.messages import KIND, SubscriptionDestination, SubscriptionMessages
from aiwebengine.features.graphql.subscriptions.topics import SubscriptionTopics
from aiwebengine.features.graphql.transports.older import PREFIX
from aiwebengine.machinery import Machinery, Parts


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    topics = SubscriptionTopics(
        bus=machinery.bus,
        invoker=machinery.invoker,
        warn=machinery.warn,
    )
    machinery.current.on_change(topics.swapped)
    machinery.messages.add(KIND, SubscriptionDestination(topics))
    messages = SubscriptionMessages(messages=machinery.messages, topics=topics)
    machinery.messages.add_paths(PREFIX, messages.send_to)
    graphql = build_graphql(
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
    return Parts(
        groups=[messages],
        kinds=[schema_parts(base.settings.of(GraphQLSettings))],
        responders=[graphql.site],
        state={"graphql": graphql.state},
        ending=[graphql.end],
    )
