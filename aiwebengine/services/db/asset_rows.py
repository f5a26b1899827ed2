"""Assets in the main database: functions of a connection, used inside a transaction of the caller."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aiwebengine.services.db import blobs
from aiwebengine.services.db.tables import assets, key_of


def every(connection: Connection) -> list[Any]:
    """Give all rows, ordered by path."""
    return list(connection.execute(sa.select(assets).order_by(assets.c.path)).all())


def one(connection: Connection, path: str) -> tuple[Any, bytes] | None:
    """Give a row and its bytes; None if there is none."""
    row = connection.execute(sa.select(assets).where(assets.c.key == key_of(path))).first()
    if row is None:
        return None
    return row, blobs.get(connection, [row.digest])[row.digest]


def put(connection: Connection, *, path: str, content_type: str, content: bytes, now: int) -> bool:
    """Store an asset; True if it is a new one."""
    digest = blobs.digest_of(content)
    blobs.put(connection, {digest: content})
    values = {"type": content_type, "digest": digest, "size": len(content), "updated_at": now}
    key = key_of(path)
    before = connection.execute(sa.select(assets.c.digest).where(assets.c.key == key)).scalar()
    if before is None:
        connection.execute(sa.insert(assets).values(key=key, path=path, **values))
        return True
    connection.execute(sa.update(assets).where(assets.c.key == key).values(**values))
    if before != digest:
        blobs.drop_unused(connection, [before])
    return False


def remove(connection: Connection, path: str) -> bool:
    """Remove an asset; False if there was none."""
    key = key_of(path)
    digest = connection.execute(sa.select(assets.c.digest).where(assets.c.key == key)).scalar()
    if digest is None:
        return False
    connection.execute(sa.delete(assets).where(assets.c.key == key))
    blobs.drop_unused(connection, [digest])
    return True
