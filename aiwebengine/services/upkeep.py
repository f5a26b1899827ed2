"""What is removed from the main database because its time is over."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection
from twisted.application.service import Service

from aiwebengine.observe.background import Background
from aiwebengine.services.db import entry_rows
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.units import Units

_EXPIRE_SECONDS = 60.0
_FORGET_SECONDS = 3600.0
_AT_ONCE = 1000


class Upkeep(Service):
    """
    Removes what is over: expired entries, kept answers, ids of old units.

    Args:
        background: Does it now and then.
        database: The main one.
        units: Forgets its old ids.
        milliseconds: The server's clock, since 1970.
        remove_answers: Removes some kept answers whose time is over; gives how many.
    """

    def __init__(
        self,
        *,
        background: Background,
        database: Database,
        units: Units,
        milliseconds: Callable[[], int],
        remove_answers: Callable[[Connection], int],
    ) -> None:
        self._background = background
        self._database = database
        self._units = units
        self._milliseconds = milliseconds
        self._remove_answers = remove_answers

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._background.every("remove expired entries", _EXPIRE_SECONDS, self._expire)
        self._background.every("forget old units", _FORGET_SECONDS, self._units.forget_old)

    async def _expire(self) -> None:
        now = self._milliseconds()
        while await self._database.run(
            lambda connection: entry_rows.remove_expired(connection, now=now, limit=_AT_ONCE)
        ):
            pass
        while await self._database.run(self._remove_answers):
            pass
