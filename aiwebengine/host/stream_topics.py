"""
The streams that scripts have registered, as topics of the bus.

What serves changes as a whole: after each change a topic is made for every new stream and
removed for every one that is gone.  A stream that both versions have stays as it is, with its
clients and its history, and behaves from then on as the new version says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.runtime.allowance import allowance
from aiwebengine.runtime.registry import Registry
from aiwebengine.runtime.routes import Routes
from aiwebengine.runtime.run import Run
from aiwebengine.runtime.sink import Sink, Whole
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import Message, Reason, Sieve, TopicOptions
from aiwebengine.settings.schema import LimitSettings, StreamSettings
from aiwebengine.values import HandlerRef, Invocation, Principal, Route, RouteMatch

FILTER_SECONDS = 0.05
"""Processor time that a filter may use."""

FILTER_WALL_SECONDS = 1.0
"""How long it may take for that on a busy machine: it waits for nothing."""

_MOST_CLIENTS = 1000
_GONE = Reason(code="gone", message="The stream is gone: its script was changed or removed.")
_SERVICE = Principal(id="", kind="service")


def topic_of(script: str, pattern: str) -> str:
    """Give the topic of a stream."""
    return f"stream:{script}:{pattern}"


class StreamTopics:
    """
    See the module.

    Args:
        bus: Has the topics.
        run: Runs filters.
        limits: What an invocation may use.
        settings: Of streams.
        new_id: Makes ids of invocations.
        tell: Writes a warning into a script's log.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        run: Callable[[Invocation, Sink], Run],
        limits: LimitSettings,
        settings: StreamSettings,
        new_id: Callable[[], str],
        tell: Callable[[Invocation, str], None],
    ) -> None:
        self._bus = bus
        self._run = run
        self._limits = replace(limits, wall_seconds=FILTER_WALL_SECONDS, cpu_seconds=FILTER_SECONDS)
        self._settings = settings
        self._new_id = new_id
        self._tell = tell
        self._scripts: dict[str, dict[str, Route]] = {}
        self._trees: dict[str, Routes] = {}
        self._all = Routes()

    def swapped(self, registry: Registry) -> None:
        """Be told of what serves."""
        before = {(route.script, route.pattern): route for route in self._all.all}
        routes = [route for route in registry.routes.all if "stream" in route.options]
        self._scripts = {}
        self._trees = {}
        self._all = Routes.build(routes)
        for route in routes:
            self._scripts.setdefault(route.script, {})[route.pattern] = route
            if before.pop((route.script, route.pattern), None) is not route:
                self._bus.configure(topic_of(route.script, route.pattern), self._options(route))
        for script, pattern in before:
            self._bus.remove(topic_of(script, pattern), _GONE)

    def patterns(self, script: str) -> Sequence[str]:
        """Give the paths of a script's streams, as they were registered."""
        return list(self._scripts.get(script, ()))

    def topics(self, script: str, name: str | None) -> Sequence[str]:
        """See `messages.Destination.topics`: of one stream, by its pattern, or of all."""
        own = self._scripts.get(script, {})
        if name is not None:
            return [topic_of(script, name)] if name in own else []
        return [topic_of(script, one) for one in own]

    def keeps(self, script: str, name: str | None) -> bool:
        """See `messages.Destination.keeps`."""
        own = self._scripts.get(script, {})
        routes = own.values() if name is None else [own[name]] if name in own else []
        return any(self._history(route) for route in routes)

    def find(self, script: str, path: str, patterns: Sequence[str]) -> tuple[str, Mapping[str, str]] | None:
        """Give the stream of *script* that *path* leads to, and what the parameters of its path are."""
        if path in patterns:
            return path, {}
        if script not in self._trees:
            self._trees[script] = Routes.build(self._scripts.get(script, {}).values())
        match = self._trees[script].match("GET", path)
        return (match.route.pattern, match.params) if isinstance(match, RouteMatch) else None

    def elsewhere(self, path: str) -> tuple[str, str, Mapping[str, str]] | None:
        """Give the script, stream and parameters that *path* leads to."""
        match = self._all.match("GET", path)
        return (match.route.script, match.route.pattern, match.params) if isinstance(match, RouteMatch) else None

    def _told(self, failure: Failure, invocation: Invocation) -> Failure:
        """Have the owner read why nobody got a message; what the script itself did is in its log already."""
        if failure.check(EngineError) is not None and not failure.check(ScriptFailed):
            self._tell(invocation, f"{invocation.label}: nobody got the message. {failure.value}")
        return failure

    def _history(self, route: Route) -> int:
        own: int | None = route.options["stream"].get("history")
        return self._settings.history_messages if own is None else own

    def _options(self, route: Route) -> TopicOptions:
        stream = route.options["stream"]
        return TopicOptions(
            history=self._history(route),
            slow=stream["slow"],
            sieve=self._sieve(route) if stream.get("filter") is not None else None,
        )

    def _sieve(self, route: Route) -> Sieve:
        handler = HandlerRef(id=route.options["stream"]["filter"], name="filter")
        allowed = replace(allowance(self._limits, {}, {}, {}), host_calls=0)

        def ask(message: Message, clients: Sequence[Mapping[str, Any]]) -> Deferred[Sequence[bool]]:
            given = f'{{"message":{as_ascii(message.data)},"clients":{json.dumps([dict(one) for one in clients])}}}'
            invocation = Invocation(
                id=self._new_id(),
                script=route.script,
                version=route.version,
                kind="filter",
                handler=handler,
                principal=_SERVICE,
                payload=given,
                wall_seconds=allowed.wall_seconds,
                cpu_seconds=allowed.cpu_seconds,
                label=f"filter {route.pattern}",
                allowance=allowed,
            )
            whole = Whole()
            self._run(invocation, whole)
            return whole.body.addCallback(read_bits, len(clients)).addErrback(self._told, invocation)

        async def sieve(message: Message, clients: Sequence[Mapping[str, Any]]) -> Sequence[bool]:
            wanted: list[bool] = []
            for start in range(0, len(clients), _MOST_CLIENTS):
                wanted += await ask(message, clients[start : start + _MOST_CLIENTS])
            return wanted

        return lambda message, clients: Deferred.fromCoroutine(sieve(message, clients))


def read_bits(body: bytes, count: int) -> Sequence[bool]:
    """
    Read a filter's answer: a text of `0` and `1`, one for each client.

    Raises:
        ScriptFailed: It is something else.
    """
    if len(body) != count or body.strip(b"01"):
        raise ScriptFailed("A filter answered with something else than one truth for each client.")
    return [letter == ord("1") for letter in body]


def as_ascii(data: str) -> str:
    """Give JSON text in ASCII."""
    return data if data.isascii() else json.dumps(json.loads(data))
