"""`/engine/api/deliveries`, `/engine/api/delivery`: requests that wait to be sent, and those that have failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiwebengine.errors import Invalid, NotFound
from aiwebengine.features.fetch.deliveries import store
from aiwebengine.features.fetch.deliveries.store import Delivery
from aiwebengine.scripts.package import check_uri
from aiwebengine.services.db.per_script import ScriptDatabases
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
        databases: Of scripts.
        milliseconds: The server's clock, since 1970.
        wake: Told the script of which something is to be sent now.
    """

    def __init__(
        self, *, databases: ScriptDatabases, milliseconds: Callable[[], int], wake: Callable[[str], None]
    ) -> None:
        self._databases = databases
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
        found: list[Delivery] = []
        for script in await self._scripts(uri):
            found += await self._databases.of(script).read(
                lambda connection: store.find(connection, state=state, limit=limit)
            )
        found.sort(key=lambda delivery: (delivery.created_at, delivery.id), reverse=True)
        del found[limit:]
        return LongAnswer(lambda: {"deliveries": [delivery.as_json() for delivery in found]})

    async def retry(self, call: ApiCall) -> Answer:
        """Send one now, or all of a script that have failed."""
        call.only("id", "uri")
        identity, uri = call.text("id"), call.text("uri")
        if (identity is None) == (uri is None):
            raise Invalid("Specify either id or uri.")
        now = self._milliseconds()
        count = 0
        for script in await self._scripts(uri):
            found = await self._databases.of(script).run(
                lambda connection: store.retry(connection, identity=identity, now=now)
            )
            if found:
                count += found
                self._wake(script)
        if identity is not None and not count:
            raise NotFound("There is no such delivery.")
        return as_json({"count": count})

    async def remove(self, call: ApiCall) -> Answer:
        """Remove one; it is not sent any more."""
        call.only("id")
        identity = call.required("id")
        for script in await self._scripts(None):
            if await self._databases.of(script).run(lambda connection: store.remove(connection, identity)):
                return nothing()
        raise NotFound("There is no such delivery.")

    async def _scripts(self, uri: str | None) -> Sequence[str]:
        """Return the scripts in whose databases there may be some, or the one that is asked for."""
        holding = await self._databases.holding()
        return sorted(holding) if uri is None else [checked for checked in [check_uri(uri)] if checked in holding]
