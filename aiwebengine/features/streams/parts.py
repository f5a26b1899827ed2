"""What an engine gets of streams."""

from __future__ import annotations

from aiwebengine.host.stream_topics import StreamTopics
from aiwebengine.host.streams import KIND, StreamCalls
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.web.streams import streams_of_scripts


def build(machinery: Machinery) -> Parts:
    """Build them."""
    base = machinery.base
    topics = StreamTopics(
        bus=machinery.bus,
        invoker=machinery.invoker,
        settings=base.settings.streams,
        tell=machinery.tell,
    )
    machinery.messages.add(KIND, topics)
    machinery.current.tell(topics.swapped)
    return Parts(
        groups=[StreamCalls(messages=machinery.messages, topics=topics)],
        kinds=[streams_of_scripts(machinery.stream_door)],
    )
