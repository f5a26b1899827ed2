"""
The order in which the calls of one invocation take effect: that in which it made them.

Calls that nobody awaits run beside each other, and a write that has to look something up first would be overtaken by
the read behind it.  A write therefore waits for the writes before it, and a read too; reads wait for nobody else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.host.session import CallSession, Function


class Order:
    """The writes of one group of calls that are still under way, by invocation."""

    def __init__(self) -> None:
        self._waiting: dict[CallSession, list[Deferred[None]]] = {}
        """The Deferreds that wait for the last write, by session."""
        self._ready: deque[Deferred[None]] = deque()
        self._releasing = False

    def write(self, function: Function) -> Function:
        """Return *function* as one that begins when the writes before it are done."""

        async def in_order(session: CallSession, *arguments: Any) -> Any:
            before = self._waiting.get(session)
            behind = self._waiting[session] = []
            try:
                if before is not None:
                    await _end_of(before)
                return await _result(function(session, *arguments))
            finally:
                if self._waiting.get(session) is behind:
                    del self._waiting[session]
                self._release(behind)

        return in_order

    def _release(self, waiters: list[Deferred[None]]) -> None:
        """Let calls begin, each only when the one before has returned: hundreds in a row must not fill the stack."""
        self._ready.extend(waiters)
        if self._releasing:
            return
        self._releasing = True
        try:
            while self._ready:
                waiter = self._ready.popleft()
                if not waiter.called:
                    waiter.callback(None)
        finally:
            self._releasing = False

    def read(self, function: Function) -> Function:
        """Return *function* as one that begins when the writes before it are done, and holds up nobody."""

        def in_order(session: CallSession, *arguments: Any) -> Any:
            before = self._waiting.get(session)
            return function(session, *arguments) if before is None else _behind(before, function, session, *arguments)

        return in_order


async def _behind(before: list[Deferred[None]], function: Function, session: CallSession, *arguments: Any) -> Any:
    await _end_of(before)
    return await _result(function(session, *arguments))


def _end_of(before: list[Deferred[None]]) -> Deferred[None]:
    # One for each that waits: giving up one must not end the others.
    waiter: Deferred[None] = Deferred()
    before.append(waiter)
    return waiter


async def _result(result: Any) -> Any:
    return await result if isinstance(result, Awaitable) else result
