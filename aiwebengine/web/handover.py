"""Making room for a successor, which listens on the same socket and holds the same data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import maybeDeferred

from aiwebengine.errors import Unavailable
from aiwebengine.observe.services import HeldService
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.services.folder import DataFolder
from aiwebengine.services.outbox import Relay
from aiwebengine.web.listener import Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverParticipant:
    """What one part of the engine does around a hand-over."""

    begin: Callable[[], Any] = lambda: None
    """Leave what the successor must know; may return a Deferred."""
    fail: Callable[[], None] = lambda: None
    """There is no successor: go on as before."""
    alone: Callable[[], None] = lambda: None
    """This engine has succeeded another, which has exited."""


class Handover:
    """
    What making room for a successor takes of an engine.

    Args:
        data: Its lock is inherited.
        listener: Its socket is.
        deployer: Changes nothing in the meantime, so that the successor misses nothing.
        alone: Started when this engine is the only one on its data.
        relay: Delivers nothing in the meantime: that is left to the successor, who has clients of its own.
        parts: What features leave to it, in order.
    """

    def __init__(
        self,
        *,
        data: DataFolder,
        listener: Listener,
        deployer: Deployer,
        alone: HeldService,
        relay: Relay,
        parts: Sequence[HandoverParticipant],
    ) -> None:
        self._data = data
        self._listener = listener
        self._deployer = deployer
        self._alone = alone
        self._relay = relay
        self._parts = tuple(parts)
        self._resting = False

    async def begin(self) -> tuple[int, int]:
        """
        Hold what a successor would miss.

        Returns:
            The descriptors of the listening socket and of the data folder's lock.

        Raises:
            Unavailable: The engine does not listen.
        """
        await self._deployer.hold()
        for part in self._parts:
            await maybeDeferred(part.begin)
        if self._relay.running:
            self._resting = True
            stopped = self._relay.stopService()
            if stopped is not None:
                await stopped
        listening, lock = self._listener.descriptor, self._data.lock_descriptor
        if listening is None or lock is None:
            self._deployer.resume()
            raise Unavailable("The server does not listen, so there is nothing to hand over.")
        return listening, lock

    def fail(self) -> None:
        """Go on as before."""
        self._deployer.resume()
        for part in self._parts:
            part.fail()
        if self._resting:
            self._resting = False
            self._relay.startService()

    def done(self) -> None:
        """Know that the successor serves; to be stopped after this."""
        self._listener.handed_over = True

    def inherit(self) -> None:
        """Know that the predecessor process has exited."""
        self._data.claim()
        for part in self._parts:
            part.alone()
        self._alone.release()
