"""
A database for each script: what the rest of the engine may know of it.

`script_databases.py` keeps each in a SQLite file of its own.  Where the engine's database is a server, another
implementation gives each script a schema and a login role there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred

from aiwebengine.services.db.last_write import LastWrite
from aiwebengine.services.db.open_transactions import OpenTransaction, TransactionTerms
from aiwebengine.services.db.units import Transaction

T = TypeVar("T")


class ScriptDatabase(Protocol):
    """The database of one script."""

    def read(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See `Database.read`."""

    def run(self, work: Callable[[Connection], T]) -> Deferred[T]:
        """See `Database.run`."""

    def commit(self, unit: str, work: Callable[[Transaction], T]) -> Deferred[T]:
        """See `Units.commit`."""

    def withdraw(self, unit: str) -> None:
        """See `Units.withdraw`."""

    def transaction(self, terms: TransactionTerms) -> OpenTransaction:
        """Return a transaction for what lasts; nothing is begun yet."""

    def export(self, target: Path) -> Deferred[None]:
        """
        Write a copy of it to *target*, whole or not there.

        Raises:
            Unavailable: It could not be written.
        """

    def remove(self) -> Deferred[None]:
        """
        Remove it with all that is in it; what is used afterwards is a new one.

        Raises:
            Unavailable: It is in use for too long, or the main database is away; it may be removed at the next start.
        """


class ScriptDatabases(Protocol):
    """The databases of all scripts."""

    last_write: LastWrite
    """Whether they can be written: the last write to any of them."""

    def of(self, uri: str) -> ScriptDatabase:
        """Return the database of a script."""

    def add_due(self, due: Callable[[Connection], int | None]) -> None:
        """
        Have *due* say, of a database that is not used any more, when something is to be done in it.

        Args:
            due: Returns milliseconds since 1970; None: never; `script_index.NEVER`: never, but it holds something
                that somebody may look at.
        """

    def add_upkeep(self, remove: Callable[[Connection], int]) -> None:
        """Have *remove* remove a bounded number of rows whose time is over, and return how many, now and then."""

    def due(self, before: int) -> Deferred[list[str]]:
        """Return the scripts in whose database something is or may be due before this time, without opening any."""

    def holding(self) -> Deferred[dict[str, int]]:
        """Return all scripts in whose database something is or may be due, or to be looked at, and when."""

    def share(self, shared: bool) -> None:  # noqa: FBT001  it is what it says
        """Know whether another process serves from the same databases."""

    async def forget_old(self) -> None:
        """Drop the ids of old units in the databases that are in use."""

    async def expire(self) -> None:
        """Remove what is over from the databases that are in use."""

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
