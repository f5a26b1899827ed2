"""
The topics of subscriptions on the bus: one for each field.

They live as long as a script registers the field; who is subscribed stays when it is deployed
again.  Where the resolver returned a function, that chooses: a function cannot leave its process,
so the resolver is asked for it anew with every message, for all its subscribers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.host.stream_topics import as_ascii, read_bits
from aiwebengine.runtime.allowance import allowance
from aiwebengine.runtime.registry import Registry
from aiwebengine.runtime.run import Run
from aiwebengine.runtime.sink import Sink, Whole
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import DISCONNECT, Message, Reason, TopicOptions
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Invocation, Principal, SchemaPart

FILTER = "\0filter"
"""Attribute of subscribers whose resolver returned a function."""

_GONE = Reason(code="gone", message="The subscription is gone: its script was changed or removed.")
_SERVICE = Principal(id="", kind="service")
_FILTER_SECONDS = 0.05
_FILTER_WALL_SECONDS = 1.0
_MOST_CLIENTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a resolver is asked again for its function with."""

    arguments: str
    """`"a":{...},"i":{...}`, as JSON."""


def topic_of(field: str) -> str:
    """Give the topic of a subscription's field."""
    return f"graphql:{field}"


class SubscriptionTopics:
    """
    See the module.

    Args:
        bus: Has the topics.
        run: Runs filters.
        limits: What an invocation may use.
        new_id: Makes ids of invocations.
        tell: Writes a warning into a script's log.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        run: Callable[[Invocation, Sink], Run],
        limits: LimitSettings,
        new_id: Callable[[], str],
        tell: Callable[[Invocation, str], None],
    ) -> None:
        self._bus = bus
        self._run = run
        self._limits = replace(limits, wall_seconds=_FILTER_WALL_SECONDS, cpu_seconds=_FILTER_SECONDS)
        self._new_id = new_id
        self._tell = tell
        self._parts: dict[str, SchemaPart] = {}
        self._filtered: set[str] = set()

    def swapped(self, registry: Registry) -> None:
        """Be told of what serves."""
        before = self._parts
        self._parts = {
            part.name: part
            for script in registry.scripts.values()
            for part in script.schema
            if part.kind == "subscription"
        }
        for name, part in self._parts.items():
            if before.get(name) is not part:
                self._configure(part)
        for name in before.keys() - self._parts.keys():
            self._filtered.discard(name)
            self._bus.remove(topic_of(name), _GONE)

    def owner(self, field: str) -> str | None:
        """Give the script that registered a field; None if there is none."""
        part = self._parts.get(field)
        return part.script if part is not None else None

    def of(self, script: str) -> Sequence[str]:
        """Give the fields of a script."""
        return [name for name, part in self._parts.items() if part.script == script]

    def keeps(self, field: str) -> bool:
        """Tell whether messages are kept for clients who come back."""
        part = self._parts.get(field)
        return part is not None and bool(part.options.get("history"))

    def topic(self, field: str) -> str:
        """Give the topic of a field."""
        return topic_of(field)

    def filtering(self, field: str) -> None:
        """Have the resolver of *field* choose from now on."""
        if field not in self._filtered and field in self._parts:
            self._filtered.add(field)
            self._configure(self._parts[field])

    def _configure(self, part: SchemaPart) -> None:
        sieve = partial(self._sieve, part) if part.name in self._filtered else None
        history = part.options.get("history", 0)
        self._bus.configure(topic_of(part.name), TopicOptions(history=history, slow=DISCONNECT, sieve=sieve))

    def _sieve(
        self, part: SchemaPart, message: Message, clients: Sequence[Mapping[str, Any]]
    ) -> Deferred[Sequence[bool]]:
        async def chosen() -> Sequence[bool]:
            wanted = [True] * len(clients)
            asked = [at for at, one in enumerate(clients) if FILTER in one]
            # Those who were given the same arguments get the same answer.
            same: dict[str, list[int]] = {}
            for at in asked:
                same.setdefault(clients[at][FILTER].arguments, []).append(at)
            arguments = list(same)
            for start in range(0, len(arguments), _MOST_CLIENTS):
                some = arguments[start : start + _MOST_CLIENTS]
                for one, yes in zip(some, await self._ask(part, message, some), strict=True):
                    for at in same[one]:
                        wanted[at] = yes
            return wanted

        return Deferred.fromCoroutine(chosen())

    def _ask(self, part: SchemaPart, message: Message, arguments: Sequence[str]) -> Deferred[Sequence[bool]]:
        clients = ",".join("{" + one + "}" for one in arguments)
        allowed = allowance(self._limits, {}, {}, {})
        invocation = Invocation(
            id=self._new_id(),
            script=part.script,
            version=part.version,
            kind="subfilter",
            handler=part.handler,
            principal=_SERVICE,
            payload=f'{{"message":{as_ascii(message.data)},"clients":[{clients}]}}',
            wall_seconds=allowed.wall_seconds,
            cpu_seconds=allowed.cpu_seconds,
            label=f"filter {part.name}",
            allowance=allowed,
            read_only=True,
        )
        whole = Whole()
        self._run(invocation, whole)
        return whole.body.addCallback(read_bits, len(arguments)).addErrback(self._told, invocation)

    def _told(self, failure: Failure, invocation: Invocation) -> Failure:
        if failure.check(EngineError) is not None and not failure.check(ScriptFailed):
            self._tell(invocation, f"{invocation.label}: nobody got the message. {failure.value}")
        return failure
