"""A few at a time: how many resolvers of one script run at once for new subscriptions."""

from __future__ import annotations

from collections import deque
from typing import Any

from aiwebengine.features.graphql.execution.loop import Future, ReactorLoop

_MOST_ASKED = 16


class Gate:
    """
    Runs a few resolvers of each script at a time, in their order: many clients may come at once, as when a
    server starts anew, and would fill the queue of a script that others wait in too.

    Args:
        loop: Runs who waits.
    """

    def __init__(self, *, loop: ReactorLoop) -> None:
        self._loop = loop
        self._inside: dict[str, int] = {}
        self._waiting: dict[str, deque[Future[Any]]] = {}

    async def enter(self, script: str) -> None:
        """Wait for a place."""
        if self._inside.get(script, 0) < _MOST_ASKED:
            self._inside[script] = self._inside.get(script, 0) + 1
            return
        turn = self._loop.create_future()
        waiting = self._waiting.setdefault(script, deque())
        waiting.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.leave(script)
            elif turn in waiting:
                waiting.remove(turn)
            raise

    def leave(self, script: str) -> None:
        """Pass a place on to the next one."""
        waiting = self._waiting.get(script)
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                self._loop.settle(turn, None)
                return
        self._waiting.pop(script, None)
        left = self._inside.get(script, 0) - 1
        if left > 0:
            self._inside[script] = left
        else:
            self._inside.pop(script, None)
