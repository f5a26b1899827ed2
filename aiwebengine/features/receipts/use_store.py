"""What scripts have used of their budgets, in the evidence database. See `budgets.UseRows`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from twisted.internet.defer import Deferred

from aiwebengine.features.receipts.budgets import BudgetUse
from aiwebengine.features.receipts.tables import budget_use
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.connect import Database


class DatabaseUseRows:
    """
    See `budgets.UseRows`.

    Args:
        database: The evidence one.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def write(self, uses: Sequence[BudgetUse]) -> Deferred[None]:
        """See `UseRows.write`."""
        rows = [_row(use) for use in uses]
        same = sa.and_(
            budget_use.c.key == sa.bindparam("which_key"),
            budget_use.c.resource == sa.bindparam("which_resource"),
            budget_use.c.seconds == sa.bindparam("which_seconds"),
        )
        old = [{f"which_{name}": row[name] for name in ("key", "resource", "seconds")} for row in rows]

        def work(connection: Connection) -> None:
            # Every database knows these two; each has another word for an upsert.
            connection.execute(sa.delete(budget_use).where(same), old)
            connection.execute(sa.insert(budget_use), rows)

        return self._database.run(work)

    def read(self, *, since: int) -> Deferred[list[BudgetUse]]:
        """See `UseRows.read`."""
        over = budget_use.c.begins + budget_use.c.seconds <= since

        def work(connection: Connection) -> list[BudgetUse]:
            connection.execute(sa.delete(budget_use).where(over))
            return [
                BudgetUse(uri=row.uri, resource=row.resource, seconds=row.seconds, begins=row.begins, used=row.used)
                for row in connection.execute(sa.select(budget_use)).all()
            ]

        return self._database.run(work)

    def remove(self, uri: str) -> Deferred[None]:
        """See `UseRows.remove`."""

        def work(connection: Connection) -> None:
            connection.execute(sa.delete(budget_use).where(budget_use.c.key == key_of(uri)))

        return self._database.run(work)


def _row(use: BudgetUse) -> dict[str, Any]:
    return {
        "key": key_of(use.uri),
        "resource": use.resource,
        "seconds": use.seconds,
        "uri": use.uri[:255],
        "begins": use.begins,
        "used": min(use.used, 2**62),
    }
