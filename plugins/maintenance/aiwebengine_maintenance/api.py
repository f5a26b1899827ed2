"""`/engine/api/maintenance`: read and turn the switch."""

from __future__ import annotations

from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, as_json
from aiwebengine.web.api.route import ApiRoute
from aiwebengine_maintenance.switch import Switch

_PATH = "/engine/api/maintenance"


class MaintenanceApi:
    """
    Routes of the management API.

    Args:
        switch: What they turn.
    """

    def __init__(self, *, switch: Switch) -> None:
        self._switch = switch

    def routes(self) -> list[ApiRoute]:
        """See `web.api.route.ApiResource`."""
        return [
            ApiRoute("GET", _PATH, self.read),
            ApiRoute("PUT", _PATH, self.begin),
            ApiRoute("DELETE", _PATH, self.end),
        ]

    async def read(self, call: ApiCall) -> Answer:
        """Return whether it is on."""
        call.only()
        return as_json({"maintenance": self._switch.is_on})

    async def begin(self, call: ApiCall) -> Answer:
        """Turn it on."""
        call.only()
        self._switch.turn(True)
        return await self.read(call)

    async def end(self, call: ApiCall) -> Answer:
        """Turn it off."""
        call.only()
        self._switch.turn(False)
        return await self.read(call)
