"""
Pings to clients that are silent, and the end of those that do not answer.

Each connection has a place in one wheel, which one timer turns: a timer for each of ten thousand idle connections
would take more memory than the rest of them.  What a client sends only notes the time; the connection's place in the
wheel is looked at when it comes round.

The wheel turns in steps, so an idle client is pinged up to one step early, and one that does not answer is cut up to
one step late.
"""

from __future__ import annotations

import math
from collections import deque
from functools import partial
from typing import Protocol

from aiwebengine.interfaces import Clock, DelayedCall
from aiwebengine.services.reactor.turn_share import TurnShare

_STEPS = 20
"""Into which the shorter time is divided."""
_ROUNDING = 1e-6


class SilentClient(Protocol):
    """A connection whose client may be silent."""

    heard: int
    """The step of the wheel in which the client was last heard."""
    asked: int
    """The step in which it was sent a ping that it has not answered; 0 for none."""

    @property
    def over(self) -> bool:
        """It has ended."""

    def ping(self) -> None:
        """Send the client a ping."""

    def silent(self) -> None:
        """The client has not answered."""


class Heartbeats:
    """
    See the module.

    Args:
        clock: Times them.
        ping_seconds: How long a client may be silent before it is pinged.
        pong_seconds: How long it may take to answer.
        share: How many are pinged in one turn of the reactor.
    """

    def __init__(self, *, clock: Clock, ping_seconds: float, pong_seconds: float, share: TurnShare) -> None:
        self._clock = clock
        self._share = share
        self._seconds = min(ping_seconds, pong_seconds) / _STEPS
        self._ping_steps = math.ceil(ping_seconds / self._seconds)
        self._pong_steps = math.ceil(pong_seconds / self._seconds)
        self._places: dict[int, list[SilentClient]] = {}
        """By step in which they are looked at."""
        self._turning: DelayedCall | None = None
        self._began = clock.seconds()
        self._stopped = False
        self.now = 1
        """The present step."""

    def add(self, client: SilentClient) -> None:
        """Look after a connection."""
        if self._turning is None:
            self.now = self._step()
        client.heard = self.now
        self._place(client, self.now + self._ping_steps)

    def stop(self) -> None:
        """Look after none any more."""
        self._stopped = True
        self._places.clear()
        if self._turning is not None and self._turning.active():
            self._turning.cancel()
        self._turning = None

    def _step(self) -> int:
        return 1 + int((self._clock.seconds() - self._began) / self._seconds + _ROUNDING)

    def _turn(self) -> None:
        self._turning = None
        before, self.now = self.now, self._step()
        due = [
            client
            for step in range(before + 1, self.now + 1)
            for client in self._places.pop(step, ())
            if not client.over
        ]
        if self._places:
            self._turn_later()
        self._look_at(deque(due))

    def _look_at(self, clients: deque[SilentClient]) -> None:
        """Check each, as many in each turn as it has room for."""
        while clients:
            if self._share.used_up:
                self._share.later(partial(self._look_at, clients))
                return
            client = clients.popleft()
            if not client.over:
                self._ask(client)

    def _ask(self, client: SilentClient) -> None:
        if client.asked:
            due = client.asked + self._pong_steps
            if due <= self.now:
                client.silent()
                return
        else:
            due = client.heard + self._ping_steps
            if due <= self.now:
                client.asked = self.now
                due = self.now + self._pong_steps
                client.ping()
        self._place(client, due)

    def _place(self, client: SilentClient, step: int) -> None:
        if self._stopped:
            return
        self._places.setdefault(max(step, self.now + 1), []).append(client)
        if self._turning is None:
            self._turn_later()

    def _turn_later(self) -> None:
        self._turning = self._clock.callLater(self._seconds, self._turn)
