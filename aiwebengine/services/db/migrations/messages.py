"""Messages that wait in the outbox, brought to the form that they have had since there is one kind of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations

_OUTBOX = sa.table(
    "outbox", sa.column("id", sa.BigInteger), sa.column("kind", sa.String), sa.column("payload", sa.Text)
)
_FORMER_KIND = "streams"
_KIND = "messages"
_NAMES = (("g", "subscription"), ("w", "socket"), ("p", "stream"))
"""By the key that named the destination of a message, the kind of destination."""
_KEPT = frozenset("kdste")
_AT_ONCE = 100


def unify_messages(op: Operations) -> None:
    """Rewrite the rows of the former kind, a few at a time."""
    connection = op.get_bind()
    waiting = sa.select(_OUTBOX).where(_OUTBOX.c.kind == _FORMER_KIND).limit(_AT_ONCE)
    while rows := connection.execute(waiting).all():
        for row in rows:
            payload = json.dumps(_rewritten(json.loads(row.payload)))
            connection.execute(sa.update(_OUTBOX).where(_OUTBOX.c.id == row.id).values(kind=_KIND, payload=payload))


def _rewritten(former: dict[str, Any]) -> dict[str, Any]:
    """Return a message in its new form: one without the name of a destination went to all streams of a script."""
    key, kind = next((candidate for candidate in _NAMES if candidate[0] in former), ("", "stream"))
    message = {name: value for name, value in former.items() if name in _KEPT}
    return {**message, "m": kind, **({"n": former[key]} if key else {})}
