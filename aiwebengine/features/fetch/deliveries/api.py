"""`/engine/api/deliveries`, `/engine/api/delivery`: requests that wait to be sent, and those that have failed."""

from __future__ import annotations

from collections.abc import Callable

from aiwebengine.errors import Invalid, NotFound
from aiwebengine.features.fetch.deliveries import store
from aiwebengine.scripts.package import check_uri
from aiwebengine.services.db.connect import Database
from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, LongAnswer, as_json, nothing
from aiwebengine.web.api.route import ApiRoute

_MOST = 1000
_DEFAULT_LIMIT = 100
_STATES = (store.WAITING, store.FAILED)


class DeliveryList:
    """
    See the module.

    Args:
        database: The main one.
        milliseconds: The server's clock, since 1970.
        wake: Called when something is to be sent now.
    """

    def __init__(self, *, database: Database, milliseconds: Callable[[], int], wake: Callable[[], None]) -> None:
        self._database = database
        self._milliseconds = milliseconds
        self._wake = wake

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [
            ApiRoute("GET", "/engine/api/deliveries", self.find),
            ApiRoute("POST", "/engine/api/deliveries/retry", self.retry),
            ApiRoute("DELETE", "/engine/api/delivery", self.remove),
        ]

    async def find(self, call: ApiCall) -> LongAnswer:
        """List the newest."""
        call.only("uri", "state", "limit")
        uri, state = call.text("uri"), call.text("state")
        if state is not None and state not in _STATES:
            raise Invalid(f"state must be {' or '.join(_STATES)}.")
        limit = call.integer("limit", least=1, most=_MOST) or _DEFAULT_LIMIT
        found = await self._database.read(
            lambda connection: store.find(connection, uri=check_uri(uri) if uri else None, state=state, limit=limit)
        )
        return LongAnswer(lambda: {"deliveries": [delivery.as_json() for delivery in found]})

    async def retry(self, call: ApiCall) -> Answer:
        """Send one now, or all of a script that have failed."""
        call.only("id", "uri")
        identity, uri = call.text("id"), call.text("uri")
        if (identity is None) == (uri is None):
            raise Invalid("Specify either id or uri.")
        now = self._milliseconds()
        count = await self._database.run(
            lambda connection: store.retry(connection, identity=identity, uri=uri, now=now)
        )
        if identity is not None and not count:
            raise NotFound("There is no such delivery.")
        self._wake()
        return as_json({"count": count})

    async def remove(self, call: ApiCall) -> Answer:
        """Remove one; it is not sent any more."""
        call.only("id")
        identity = call.required("id")
        if not await self._database.run(lambda connection: store.remove(connection, identity)):
            raise NotFound("There is no such delivery.")
        return nothing()
