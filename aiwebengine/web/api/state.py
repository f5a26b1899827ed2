"""`GET /engine/api/state`: the pool, the queues, the sandbox, the build worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger

from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, as_json, dumps
from aiwebengine.web.api.route import ApiRoute

_log = Logger()


class ServerState:
    """
    What the server is doing.

    Args:
        parts: By name, a function that returns one part's figures, ready for JSON; asked at each call.
    """

    def __init__(self, *, parts: Mapping[str, Callable[[], Any]]) -> None:
        self._parts = dict(parts)

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [ApiRoute("GET", "/engine/api/state", self.read)]

    async def read(self, call: ApiCall) -> Answer:
        """Ask every part."""
        call.only()
        return as_json({name: _shown(name, figures) for name, figures in self._parts.items()})


def _shown(name: str, figures: Callable[[], Any]) -> Any:
    """Return the figures of one part, or what is wrong with them: they must not hide the others."""
    try:
        shown = figures()
        dumps(shown)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a feature's fault
        _log.failure("the figures of {name} cannot be shown", name=name)
        return {"error": f"{type(error).__name__}; the server log has the details."}
    return shown
