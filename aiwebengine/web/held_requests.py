"""
Requests that admission steps have taken over: none waits forever.

A step that takes a request over answers it, or has its handler run, whose time is limited.  One that does neither
would leave the client without an answer and the connection in use, so it is answered here when its time is over.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from aiwebengine.errors import INTERNAL_ERROR, EngineError
from aiwebengine.web.http.exchange import Exchange

HELD_SECONDS = 60.0
"""How long a step may keep a request before it answers it or has its handler run."""

_LOOK_SECONDS = 5.0

_log = Logger()


class HeldRequests:
    """
    Answers what admission steps keep for too long.

    Args:
        clock: Measures how long that is.
    """

    def __init__(self, *, clock: IReactorTime) -> None:
        self._clock = clock
        self._held: dict[Exchange, tuple[str, float]] = {}
        """The step that has each, and until when."""

    def add(self, exchange: Exchange, step: str) -> None:
        """The admission step named *step* has taken a request over."""
        if not _kept(exchange):
            return
        if not self._held:
            self._clock.callLater(_LOOK_SECONDS, self._look)
        self._held[exchange] = (step, self._clock.seconds() + HELD_SECONDS)

    def _look(self) -> None:
        now = self._clock.seconds()
        self._held = {exchange: held for exchange, held in self._held.items() if _kept(exchange)}
        for exchange in [exchange for exchange, (_, until) in self._held.items() if until <= now]:
            step, _ = self._held.pop(exchange)
            _log.error(
                "request {request}: the admission step {step} had it for {seconds:g} seconds without an answer",
                request=exchange.id,
                step=step,
                seconds=HELD_SECONDS,
            )
            exchange.give_up(EngineError(INTERNAL_ERROR))
        if self._held:
            self._clock.callLater(_LOOK_SECONDS, self._look)


def _kept(exchange: Exchange) -> bool:
    """Return whether nothing works on the answer of a request, as far as can be seen."""
    return exchange.waiting and not exchange.begun and exchange.run is None
