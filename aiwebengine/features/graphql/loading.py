"""
GraphQL is loaded when it is first used.

To import graphql-core and what uses it takes a tenth of a second and six megabytes, which a server
whose scripts use no GraphQL saves.  It is imported in a thread, so the reactor does not wait: with
the first registration (`schema/registration.py`), and with the first schema or request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, succeed

from aiwebengine.features.graphql.schema.entries import GRAPHQL
from aiwebengine.observe.background import Background
from aiwebengine.runtime.registry import Registry
from aiwebengine.services.threads import Runs

if TYPE_CHECKING:
    from aiwebengine.features.graphql.build import GraphQL

_MODULE = "aiwebengine.features.graphql.build"

UNUSED: Mapping[str, int] = dict.fromkeys(
    (
        "operations", "documents", "documentHits", "documentMisses", "persisted",
        "subscriptions", "opening", "responseStreams", "events", "results",
        "eventStreams", "reservedStreams", "webSockets",
    ),
    0,
)  # fmt: skip
"""The figures of the state page until it is loaded."""


class GraphQLOnDemand:
    """
    See the module.

    Args:
        build: Build GraphQL; its modules are imported by now.
        threads: Import modules.
        background: Loads it for a schema.
    """

    def __init__(self, *, build: Callable[[], GraphQL], threads: Runs, background: Background) -> None:
        self._build = build
        self._threads = threads
        self._background = background
        self.loaded: GraphQL | None = None
        """It, if it is loaded."""

    def load(self) -> Deferred[GraphQL]:
        """Return it; it is loaded first if necessary."""
        if self.loaded is not None:
            return succeed(self.loaded)
        return self._threads.run(import_module, _MODULE).addCallback(lambda _: self._built())

    def swapped(self, registry: Registry) -> None:
        """Load it if there is a schema, so that it is ready for the first request."""
        if self.loaded is None and registry.index(GRAPHQL) is not None:
            self._background.start("load GraphQL", self._load())

    def state(self) -> Mapping[str, int]:
        """Return figures for the state page."""
        return self.loaded.state() if self.loaded is not None else UNUSED

    def end(self) -> None:
        """Close all subscriptions: the server stops."""
        if self.loaded is not None:
            self.loaded.end()

    async def _load(self) -> None:
        await self.load()

    def _built(self) -> GraphQL:
        if self.loaded is None:
            self.loaded = self._build()
        return self.loaded
