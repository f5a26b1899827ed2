"""
Requests that are done once however often they come: the header `idempotency-key`.

The answer of such a request is kept in the transaction that makes its effects durable, so
there is never one without the other. When the request is repeated, the stored answer is sent and nothing is run. A
request that failed has left nothing, and is run when it comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from aiwebengine.errors import Conflict, Invalid
from aiwebengine.features.idempotency import store as answer_rows
from aiwebengine.host.effects import HeldEffect, Unit
from aiwebengine.services.db.per_script import ScriptDatabases
from aiwebengine.services.db.units import Transaction, Write
from aiwebengine.values import Answer, AnswerKey


class KeptAnswers:
    """
    Keeps answers and finds them again.

    Args:
        databases: Of scripts.
        milliseconds: The server's clock, since 1970.
        keep_seconds: How long answers are stored.
    """

    def __init__(
        self,
        *,
        databases: ScriptDatabases,
        milliseconds: Callable[[], int],
        keep_seconds: float,
    ) -> None:
        self._databases = databases
        self._milliseconds = milliseconds
        self._keep = round(keep_seconds * 1000)
        self._open: set[str] = set()

    async def begin(self, script: str, idempotent: AnswerKey) -> Answer | None:
        """
        Return the stored answer of a script to a request; if there is none, the request is being handled until `end`.

        Returns:
            The kept answer; None: it is to be run.

        Raises:
            Conflict: It is in progress already, or its answer cannot be repeated.
            Invalid: The key was used for another request.
            Unavailable: It cannot be found out.
        """
        if idempotent.key in self._open:
            raise Conflict("A request with this idempotency-key is in progress; retry in a moment.", retry_seconds=1.0)
        self._open.add(idempotent.key)
        try:
            answer = await self._find(script, idempotent)
        except BaseException:
            self.end(idempotent)
            raise
        if answer is not None:
            self.end(idempotent)
        return answer

    def end(self, idempotent: AnswerKey) -> None:
        """The request is over, answered or not."""
        self._open.discard(idempotent.key)

    database: Literal["script"] = "script"
    """See `effects.Effects.database`."""

    def write(self, unit: Unit, effects: Sequence[HeldEffect]) -> Write:
        """See `effects.Effects.write`."""

        def keep(transaction: Transaction) -> None:
            for effect in effects:
                idempotent, answer = effect.value
                since = transaction.now - self._keep
                answer_rows.put(
                    transaction.connection,
                    idempotent,
                    answer,
                    script=unit.invocation.script,
                    now=transaction.now,
                    since=since,
                )

        return keep

    def happen(self, unit: Unit, effects: Sequence[HeldEffect]) -> None:
        """See `effects.Effects.happen`."""

    def remove_old(self, connection: Any) -> int:
        """Remove answers whose time is over, some at a time; return how many they were."""
        return answer_rows.remove_old(connection, before=self._milliseconds() - self._keep, limit=1000)

    async def _find(self, script: str, idempotent: AnswerKey) -> Answer | None:
        since = self._milliseconds() - self._keep
        row = await self._databases.of(script).read(
            lambda connection: answer_rows.find(connection, idempotent.key, since=since)
        )
        if row is None:
            return None
        request, answer = row
        if request != idempotent.request:
            raise Invalid(
                "This idempotency-key was used for another request (another path, query or body); "
                "make a new key for each request."
            )
        if answer is None:
            raise Conflict(
                "This request was carried out before, and its answer was not stored: it was streamed, or larger than "
                f"{answer_rows.LARGEST_BODY} bytes. Read what it changed instead."
            )
        return Answer(status=answer.status, headers=(*answer.headers, _REPLAYED), body=answer.body)


_REPLAYED = (b"idempotency-replayed", b"true")
