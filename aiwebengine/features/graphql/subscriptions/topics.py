"""
The topics of subscriptions on the bus: one for each field.

They live as long as a script registers the field; who is subscribed stays when it is deployed
again.  Where the resolver returned a function, that chooses: a function cannot leave its process,
so the resolver is called again for each message, for all its subscribers at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from aiwebengine.features.graphql.schema.entries import GRAPHQL, SchemaPart
from aiwebengine.host.filters import FILTER_LIMITS, MessageFilter
from aiwebengine.runtime.invoker import Callee, Invoker
from aiwebengine.runtime.registry import Registry
from aiwebengine.services.bus import Bus
from aiwebengine.services.topics import DISCONNECT, ChooseSubscribers, Reason, TopicMessage, TopicOptions
from aiwebengine.values import Invocation

if TYPE_CHECKING:
    from aiwebengine.features.graphql.schema.assembly import AssembledSchema

FILTER = "\0filter"
"""Attribute of subscribers whose resolver returned a function."""

_GONE = Reason(code="gone", message="The subscription has ended: its script was changed or removed.")
_MOST_FILTERED = 500
"""Number of arguments that a resolver gets at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """The arguments with which a resolver is called again for its function."""

    arguments: str
    """`"a":{...},"i":{...}`, as JSON."""


def topic_of(field: str) -> str:
    """Return the topic of a subscription's field."""
    return f"graphql:{field}"


class SubscriptionTopics:
    """
    See the module.

    Args:
        bus: Has the topics.
        invoker: Runs filters.
        warn: Writes a warning into a script's log.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        invoker: Invoker,
        warn: Callable[[Invocation, str], None],
    ) -> None:
        self._bus = bus
        self._invoker = invoker
        self._warn = warn
        self._parts: dict[str, SchemaPart] = {}
        self._filtered: set[str] = set()

    def swapped(self, registry: Registry) -> None:
        """Use the registry that serves now."""
        before = self._parts
        assembled: AssembledSchema | None = registry.index(GRAPHQL)
        roots = assembled.roots if assembled is not None else {}
        self._parts = {name: part for (kind, name), part in roots.items() if kind == "subscription"}
        for name, part in self._parts.items():
            if before.get(name) != part:
                self._configure(part)
        for name in before.keys() - self._parts.keys():
            self._filtered.discard(name)
            self._bus.remove(topic_of(name), _GONE)

    def owner(self, field: str) -> str | None:
        """Return the script that registered a field; None if there is none."""
        part = self._parts.get(field)
        return part.script if part is not None else None

    def of(self, script: str) -> Sequence[str]:
        """Return the fields of a script."""
        return [name for name, part in self._parts.items() if part.script == script]

    def keeps(self, field: str) -> bool:
        """Return whether messages are kept for clients that reconnect."""
        part = self._parts.get(field)
        return part is not None and bool(part.options.get("history"))

    def topic(self, field: str) -> str:
        """Return the topic of a field."""
        return topic_of(field)

    def filtering(self, field: str) -> None:
        """Have the resolver of *field* choose from now on."""
        if field not in self._filtered and field in self._parts:
            self._filtered.add(field)
            self._configure(self._parts[field])

    def _configure(self, part: SchemaPart) -> None:
        choose = self._choose(part) if part.name in self._filtered else None
        history = part.options.get("history", 0)
        self._bus.configure(topic_of(part.name), TopicOptions(history=history, slow=DISCONNECT, choose=choose))

    def _choose(self, part: SchemaPart) -> ChooseSubscribers:
        callee = Callee(
            kind="subfilter",
            script=part.script,
            version=part.version,
            handler=part.handler,
            label=f"filter {part.name}",
            allowance=self._invoker.allowance(FILTER_LIMITS),
        )
        message_filter: MessageFilter[str] = MessageFilter(
            invoker=self._invoker, warn=self._warn, callee=callee, encode=_encoded, most=_MOST_FILTERED
        )

        async def choose(message: TopicMessage, clients: Sequence[Mapping[str, Any]]) -> Sequence[bool]:
            # Subscribers with the same arguments get the same answer.
            arguments = [client[FILTER].arguments if FILTER in client else None for client in clients]
            distinct = [argument for argument in dict.fromkeys(arguments) if argument is not None]
            answers: dict[str | None, bool] = {None: True}
            answers.update(zip(distinct, await message_filter.choose(message, distinct), strict=True))
            return [answers[argument] for argument in arguments]

        return lambda message, clients: Deferred.fromCoroutine(choose(message, clients))


def _encoded(arguments: str) -> str:
    return f"{{{arguments}}}"
