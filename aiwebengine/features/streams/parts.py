"""What an engine gets of streams."""

from __future__ import annotations

from aiwebengine.features.streams.calls import KIND, StreamCalls
from aiwebengine.features.streams.clients import StreamClients, streams_of_scripts
from aiwebengine.features.streams.settings import StreamSettings
from aiwebengine.features.streams.topics import StreamTopics
from aiwebengine.machinery import Machinery, Parts


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    topics = StreamTopics(
        bus=machinery.bus,
        invoker=machinery.invoker,
        settings=base.settings.of(StreamSettings),
        warn=machinery.warn,
    )
    machinery.messages.add(KIND, topics)
    machinery.current.on_change(topics.swapped)
    return Parts(
        groups=[StreamCalls(messages=machinery.messages, topics=topics)],
        kinds=[streams_of_scripts(StreamClients(server=machinery.stream_server))],
    )
