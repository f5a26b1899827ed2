"""What is removed from the databases because its time is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.engine import Connection
from twisted.application.service import Service

from aiwebengine.observe.background import Background
from aiwebengine.services.db.connect import Database

_EXPIRE_SECONDS = 60.0
_FORGET_SECONDS = 3600.0


class Upkeep(Service):
    """
    Removes what is over: old rows of features, ids of old units.

    Args:
        background: Does it now and then.
        database: The main one.
        forget: Each drops the ids of old units in some databases.
        expire: Each removes rows whose time is over from some databases.
        remove: Each removes a bounded number of rows whose time is over from the main one, and returns how many.
    """

    def __init__(
        self,
        *,
        background: Background,
        database: Database,
        forget: Sequence[Callable[[], Awaitable[None]]],
        expire: Sequence[Callable[[], Awaitable[None]]],
        remove: Sequence[Callable[[Connection], int]],
    ) -> None:
        self._background = background
        self._database = database
        self._forget = tuple(forget)
        self._expires = tuple(expire)
        self._remove = tuple(remove)

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._background.every("remove expired rows", _EXPIRE_SECONDS, self._expire)
        self._background.every("forget old units", _FORGET_SECONDS, self._forget_units)

    async def _expire(self) -> None:
        for remove in self._remove:
            while await self._database.run(remove):
                pass
        for expire in self._expires:
            await expire()

    async def _forget_units(self) -> None:
        for forget in self._forget:
            await forget()
