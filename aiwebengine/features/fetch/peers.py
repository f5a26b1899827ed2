"""What is known of the servers that scripts call: how many requests are under way, and whether they fail."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.features.fetch.network.failures import unavailable
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.interfaces import Clock
from aiwebengine.services.breaker import Breaker, Permit, Rules, State
from aiwebengine.services.bulkhead import Bulkhead, BulkheadFull

_MOST_PEERS = 2000

PeerKey = tuple[str, str, str, int]
"""Script, scheme, host and port: what one script does to a server is not held against another."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One server, as one script sees it."""

    name: str
    breaker: Breaker
    bulkhead: Bulkhead

    def permit(self) -> Permit:
        """
        Return the right to send a request.

        Raises:
            Unavailable: Too many have failed.
        """
        permit = self.breaker.enter()
        if isinstance(permit, Permit):
            return permit
        raise unavailable(
            "breaker",
            f"fetch: {self.name}: circuit breaker open after repeated failures; the last one: {self.breaker.why}",
            retry_seconds=max(permit, 0.1),
        )

    def enter(self) -> Callable[[], None] | Deferred[Callable[[], None]]:
        """
        Take a place, at once or when there is one.

        Returns:
            A function that returns it, to be called once.

        Raises:
            Unavailable: There is no free place in time.
        """
        return self.bulkhead.enter() or Deferred.fromCoroutine(self._queue())

    async def _queue(self) -> Callable[[], None]:
        entered: Deferred[None] = Deferred(lambda _: place.cancel())
        left: Deferred[None] = Deferred()

        def work() -> Deferred[None]:
            entered.callback(None)
            return left

        place = self.bulkhead.run(work)
        place.addErrback(lambda failure: entered.errback(failure) if not entered.called else None)
        try:
            await entered
        except BulkheadFull as error:
            raise unavailable(
                "busy",
                f"fetch: too many requests to {self.name} are under way; try again.",
                retry_seconds=error.retry_seconds,
            ) from None
        return lambda: left.callback(None)


class Peers:
    """
    The servers that were called last.

    Args:
        settings: How much is allowed.
        clock: Times.
    """

    def __init__(self, *, settings: FetchSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._peers: OrderedDict[PeerKey, Peer] = OrderedDict()

    def of(self, script: str, origin: tuple[str, str, int]) -> Peer:
        """Return a server as a script sees it."""
        key = (script, *origin)
        peer = self._peers.get(key)
        if peer is None:
            peer = self._peers[key] = self._new(*origin)
            self._forget()
        self._peers.move_to_end(key)
        return peer

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {
            "servers": len(self._peers),
            "open": sum(peer.bulkhead.running for peer in self._peers.values()),
            "waiting": sum(peer.bulkhead.waiting for peer in self._peers.values()),
            "breakers": {
                f"{key[0]} {peer.name}": peer.breaker.figures()
                for key, peer in self._peers.items()
                if peer.breaker.state is not State.CLOSED
            },
        }

    def _new(self, scheme: str, host: str, port: int) -> Peer:
        name = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        settings = self._settings
        return Peer(
            name=name,
            breaker=Breaker(name=name, rules=Rules(failures=settings.breaker_failures), seconds=self._clock.seconds),
            bulkhead=Bulkhead(
                name=name,
                places=settings.max_open,
                waiting=settings.max_waiting,
                wait_seconds=settings.answer_seconds,
                clock=self._clock,
            ),
        )

    def _forget(self) -> None:
        """Forget those that were called longest ago, unless requests to them are under way."""
        for key in list(self._peers)[: max(0, len(self._peers) - _MOST_PEERS)]:
            bulkhead = self._peers[key].bulkhead
            if not bulkhead.running and not bulkhead.waiting:
                del self._peers[key]
