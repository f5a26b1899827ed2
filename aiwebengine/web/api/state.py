"""`GET /engine/api/state`: the pool, the queues, the sandbox, the build worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, as_json
from aiwebengine.web.api.route import ApiRoute


class ServerState:
    """
    What the server is doing.

    Args:
        parts: By name, what gives one part's figures, ready for JSON; asked at each call.
    """

    def __init__(self, *, parts: Mapping[str, Callable[[], Any]]) -> None:
        self._parts = dict(parts)

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [ApiRoute("GET", "/engine/api/state", self.read)]

    async def read(self, call: ApiCall) -> Answer:
        """Ask every part."""
        call.only()
        return as_json({name: figures() for name, figures in self._parts.items()})
