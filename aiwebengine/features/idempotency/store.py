"""Answers that are repeated for a repeated request: functions of a connection, inside the caller's transaction."""

from __future__ import annotations

import json

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aiwebengine.features.idempotency.tables import answers
from aiwebengine.services.db.columns import key_of
from aiwebengine.values import Answer, AnswerKey

LARGEST_BODY = 1024 * 1024
"""A larger one is not stored, only that there was an answer."""


def put(
    connection: Connection, idempotent: AnswerKey, answer: Answer | None, *, script: str, now: int, since: int
) -> None:
    """
    Keep what was answered.

    Args:
        script: The URI of who answered.
        answer: None: it was streamed, and cannot be repeated.
        since: Older answers do not count any more.

    Raises:
        sqlalchemy.exc.IntegrityError: There is one already.
    """
    body = answer.body if answer is not None and len(answer.body) <= LARGEST_BODY else None
    pairs = answer.headers if answer is not None else ()
    connection.execute(sa.delete(answers).where(answers.c.key == idempotent.key, answers.c.at < since))
    connection.execute(
        sa.insert(answers).values(
            key=idempotent.key,
            request=idempotent.request,
            script=key_of(script),
            at=now,
            status=answer.status if answer is not None else 0,
            headers=json.dumps([[name.decode("latin-1"), value.decode("latin-1")] for name, value in pairs]),
            body=body,
        )
    )


def find(connection: Connection, key: str, *, since: int) -> tuple[str, Answer | None] | None:
    """Return the digest of the request and its answer, None if that was not kept; None for nothing at all."""
    row = connection.execute(sa.select(answers).where(answers.c.key == key, answers.c.at >= since)).one_or_none()
    if row is None:
        return None
    if row.body is None:
        return row.request, None
    pairs = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in json.loads(row.headers))
    return row.request, Answer(status=row.status, headers=pairs, body=bytes(row.body))


def remove_old(connection: Connection, *, before: int, limit: int) -> int:
    """Remove answers that are too old, a limited number at a time; return how many they were."""
    old = connection.execute(sa.select(answers.c.key).where(answers.c.at < before).limit(limit)).scalars().all()
    if old:
        connection.execute(sa.delete(answers).where(answers.c.key.in_(old)))
    return len(old)
