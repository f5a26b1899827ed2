"""
The streams that scripts have registered, as topics of the bus.

What serves changes as a whole: after each change a topic is made for every new stream and
removed for every one that no longer exists.  A stream that both versions have stays as it is, with its
clients and its history, and behaves from then on as the new version says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.features.streams.options import STREAM
from aiwebengine.features.streams.settings import StreamSettings
from aiwebengine.host.filters import FILTER_LIMITS, NO_CALLS, MessageFilter
from aiwebengine.runtime.invoker import Callee, Invoker
from aiwebengine.runtime.registry import Registry
from aiwebengine.runtime.routes import Routes
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import ChooseSubscribers, Reason, TopicOptions
from aiwebengine.values import Entry, HandlerRef, Invocation, RouteMatch

_MOST_FILTERED = 1000
"""Number of clients that a filter gets at a time."""
_GONE = Reason(code="gone", message="The stream has ended: its script was changed or removed.")


def topic_of(script: str, pattern: str) -> str:
    """Return the topic of a stream."""
    return f"stream:{script}:{pattern}"


class StreamTopics:
    """
    See the module.

    Args:
        bus: Has the topics.
        invoker: Runs filters.
        settings: Of streams.
        warn: Writes a warning into a script's log.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        invoker: Invoker,
        settings: StreamSettings,
        warn: Callable[[Invocation, str], None],
    ) -> None:
        self._bus = bus
        self._invoker = invoker
        self._settings = settings
        self._warn = warn
        self._scripts: dict[str, dict[str, Entry]] = {}
        self._trees: dict[str, Routes] = {}
        self._all = Routes()

    def swapped(self, registry: Registry) -> None:
        """Use the registry that serves now."""
        before = {(route.script, route.key): route for route in self._all.all}
        routes: Sequence[Entry] = registry.index(STREAM)
        self._scripts = {}
        self._trees = {}
        self._all = Routes.build(routes)
        for route in routes:
            self._scripts.setdefault(route.script, {})[route.key] = route
            if before.pop((route.script, route.key), None) is not route:
                self._bus.configure(topic_of(route.script, route.key), self._options(route))
        for script, pattern in before:
            self._bus.remove(topic_of(script, pattern), _GONE)

    def patterns(self, script: str) -> Sequence[str]:
        """Return the paths of a script's streams, as they were registered."""
        return list(self._scripts.get(script, ()))

    def topics(self, script: str, name: str | None) -> Sequence[str]:
        """See `messages.Destination.topics`: of one stream, by its pattern, or of all."""
        own = self._scripts.get(script, {})
        if name is not None:
            return [topic_of(script, name)] if name in own else []
        return [topic_of(script, stream) for stream in own]

    def keeps(self, script: str, name: str | None) -> bool:
        """See `messages.Destination.keeps`."""
        own = self._scripts.get(script, {})
        routes = own.values() if name is None else [own[name]] if name in own else []
        return any(self._history(route) for route in routes)

    def find(self, script: str, path: str, patterns: Sequence[str]) -> tuple[str, Mapping[str, str]] | None:
        """Return the stream of *script* that *path* leads to, and what the parameters of its path are."""
        if path in patterns:
            return path, {}
        if script not in self._trees:
            self._trees[script] = Routes.build(self._scripts.get(script, {}).values())
        match = self._trees[script].match("GET", path)
        return (match.route.key, match.params) if isinstance(match, RouteMatch) else None

    def elsewhere(self, path: str) -> tuple[str, str, Mapping[str, str]] | None:
        """Return the script, stream and parameters that *path* leads to."""
        match = self._all.match("GET", path)
        return (match.route.script, match.route.key, match.params) if isinstance(match, RouteMatch) else None

    def _history(self, route: Entry) -> int:
        own: int | None = route.options.get("history")
        return self._settings.history_messages if own is None else own

    def _options(self, route: Entry) -> TopicOptions:
        return TopicOptions(
            history=self._history(route),
            slow=route.options["slow"],
            choose=self._choose(route) if route.options.get("filter") is not None else None,
        )

    def _choose(self, route: Entry) -> ChooseSubscribers:
        callee = Callee(
            kind="filter",
            script=route.script,
            version=route.version,
            handler=HandlerRef(id=route.options["filter"], name="filter"),
            label=f"filter {route.key}",
            allowance=self._invoker.allowance(FILTER_LIMITS, NO_CALLS),
        )
        message_filter: MessageFilter[Mapping[str, Any]] = MessageFilter(
            invoker=self._invoker, warn=self._warn, callee=callee, encode=_encoded, most=_MOST_FILTERED
        )
        return lambda message, clients: Deferred.fromCoroutine(message_filter.choose(message, clients))


def _encoded(client: Mapping[str, Any]) -> str:
    return json.dumps(dict(client))
