"""Requests that wait to be sent: functions of a connection, inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aiwebengine.features.fetch.tables import deliveries
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.script_index import NEVER

WAITING = "waiting"
FAILED = "failed"

_LONGEST_ERROR = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One request that waits, or has failed."""

    id: str
    uri: str
    version: str
    request: Mapping[str, Any]
    """As the script requested it; see `requests.read_wanted`."""
    created_at: int
    attempts: int
    state: str
    next_at: int
    error: str

    def as_json(self) -> dict[str, Any]:
        """Return its public description: neither headers nor body, which may hold secrets."""
        return {
            "id": self.id,
            "uri": self.uri,
            "method": self.request.get("method", ""),
            "url": str(self.request.get("url", "")).partition("?")[0],
            "state": self.state,
            "createdAt": self.created_at,
            "attempts": self.attempts,
            "nextAt": self.next_at if self.state == WAITING else None,
            "error": self.error or None,
        }


def add(connection: Connection, identity: str, *, uri: str, version: str, request: str, now: int) -> None:
    """
    Have a request sent.

    Args:
        request: JSON.
        now: Milliseconds since 1970.
    """
    connection.execute(
        sa.insert(deliveries).values(
            id=identity,
            script=key_of(uri),
            uri=uri,
            version=version,
            request=request,
            created_at=now,
            attempts=0,
            state=WAITING,
            next_at=now,
            error="",
        )
    )


def count(connection: Connection, uri: str) -> int:
    """Return how many of a script wait."""
    query = sa.select(sa.func.count()).where(deliveries.c.script == key_of(uri), deliveries.c.state == WAITING)
    return int(connection.execute(query).scalar_one())


def attention(connection: Connection) -> int | None:
    """Return when the first one is due; `NEVER` if there are only failed ones, None if there is none at all."""
    moment = next_due(connection, without=[])
    if moment is not None:
        return moment
    return None if connection.execute(sa.select(deliveries.c.id).limit(1)).first() is None else NEVER


def due(connection: Connection, *, now: int, limit: int, without: Collection[str]) -> Sequence[Delivery]:
    """Return those that are due, the one that waits longest first, but for some."""
    query = (
        sa.select(deliveries)
        .where(deliveries.c.state == WAITING, deliveries.c.next_at <= now, deliveries.c.id.not_in(list(without)))
        .order_by(deliveries.c.next_at, deliveries.c.id)
        .limit(limit)
    )
    return [_delivery(row) for row in connection.execute(query)]


def next_due(connection: Connection, *, without: Collection[str]) -> int | None:
    """Return when the next one is due, but for some; None if none waits."""
    query = sa.select(sa.func.min(deliveries.c.next_at)).where(
        deliveries.c.state == WAITING, deliveries.c.id.not_in(list(without))
    )
    moment: int | None = connection.execute(query).scalar_one()
    return moment


def remove(connection: Connection, identity: str) -> bool:
    """Remove one; return whether it was there."""
    return connection.execute(sa.delete(deliveries).where(deliveries.c.id == identity)).rowcount > 0


def postpone(connection: Connection, identity: str, *, error: str, next_at: int | None) -> None:
    """
    Keep what an attempt came to.

    Args:
        next_at: When to try again; None: never.
    """
    values: dict[str, Any] = {"attempts": deliveries.c.attempts + 1, "error": error[:_LONGEST_ERROR]}
    values |= {"state": FAILED} if next_at is None else {"next_at": next_at}
    connection.execute(sa.update(deliveries).where(deliveries.c.id == identity).values(**values))


def retry(connection: Connection, *, identity: str | None, now: int) -> int:
    """Have one that has failed or waits sent now, or without an id all failed ones; return how many."""
    query = sa.update(deliveries).values(state=WAITING, next_at=now, attempts=0)
    if identity is not None:
        query = query.where(deliveries.c.id == identity)
    else:
        query = query.where(deliveries.c.state == FAILED)
    return connection.execute(query).rowcount


def find(connection: Connection, *, state: str | None, limit: int) -> Sequence[Delivery]:
    """Return the newest, in a state if that is given."""
    query = sa.select(deliveries).order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(deliveries.c.state == state)
    return [_delivery(row) for row in connection.execute(query)]


def _delivery(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        uri=row.uri,
        version=row.version,
        request=json.loads(row.request),
        created_at=row.created_at,
        attempts=row.attempts,
        state=row.state,
        next_at=row.next_at,
        error=row.error,
    )
