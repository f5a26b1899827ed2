"""
Connections that have left HTTP, of which there may be many thousands that are idle.

An HTTP channel has some fifty attributes for requests.  Another protocol needs none of them, so the
transport is given this in the channel's place, and the channel is free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from aiwebengine.errors import EngineError


class UpgradedProtocol(Protocol):
    """The handler of another protocol on a connection."""

    def dataReceived(self, data: bytes) -> None:
        """Take received data."""

    def connectionLost(self, reason: Failure) -> None:
        """The connection has ended."""

    def pauseProducing(self) -> None:
        """The client does not take what was sent."""

    def resumeProducing(self) -> None:
        """The client takes more."""


class SiteConnection(Protocol):
    """A connection, to the site that counts and ends it."""

    @property
    def idle(self) -> bool:
        """Nothing is in progress, not even the beginning of a request."""

    def end(self) -> None:
        """End when what was sent has left."""

    def give_up(self, error: EngineError) -> None:
        """End now: an answer that has not begun is *error*."""

    def forceAbortClient(self) -> None:
        """Cut it."""


def send_past_reactor(transport: Any) -> Callable[[bytes], int] | None:
    """Return what writes to the socket of *transport* at once; None where there is more between it and that."""
    if hasattr(transport, "writeSomeData") and hasattr(transport, "_tempDataBuffer"):
        send: Callable[[bytes], int] = transport.getHandle().send
        return send
    return None


def write_at_once(transport: Any, send_now: Callable[[bytes], int] | None, data: bytes) -> None:
    """
    Write *data*, past the reactor if nothing waits there.

    Nothing depends on the short cut, but it saves a turn of the reactor and two system calls.
    """
    if send_now is not None and not (
        transport._tempDataBuffer or transport.dataBuffer or transport.disconnecting  # noqa: SLF001  see above
    ):
        try:
            sent = send_now(data)
        except OSError:
            # It takes nothing now, or never again; what that means the transport finds out.
            sent = 0
        if sent == len(data):
            return
        data = data[sent:]
    transport.write(data)


@implementer(IHalfCloseableProtocol, IPushProducer)
class UpgradedConnection:
    """
    A connection on which something else than HTTP is spoken; see `SiteConnection`, too.

    Args:
        transport: The connection.
        send_now: See `send_past_reactor`.
        closed: Called once when it has ended.
    """

    __slots__ = ("_closed", "_ending", "_lost", "_send_now", "_taker", "transport")

    idle = False

    def __init__(
        self,
        *,
        transport: Any,
        send_now: Callable[[bytes], int] | None,
        closed: Callable[[UpgradedConnection], None],
    ) -> None:
        self.transport = transport
        self._send_now = send_now
        self._closed = closed
        self._taker: UpgradedProtocol | None = None
        self._ending = False
        self._lost = False

    def begin(self, taker: UpgradedProtocol) -> None:
        """Notify *taker* of what happens."""
        self._taker = taker

    # -- for the protocol ----------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """See `write_at_once`."""
        if not self._lost:
            write_at_once(self.transport, self._send_now, data)

    def hold_reading(self, held: bool) -> None:  # noqa: FBT001  it is what it says
        """Read no more for now, or read on."""
        if self._lost:
            return
        if held:
            self.transport.pauseProducing()
        else:
            self.transport.resumeProducing()

    def half_close(self) -> None:
        """Send no more once all has left; the client is still heard, where the transport can do that."""
        half_close = getattr(self.transport, "loseWriteConnection", None)
        if half_close is not None and not self._lost:
            half_close()

    def end(self) -> None:
        """See `SiteConnection.end`."""
        if not (self._lost or self._ending):
            self._ending = True
            # A transport does not end while more may be written.
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def forceAbortClient(self) -> None:
        """See `SiteConnection.forceAbortClient`."""
        if not self._lost:
            self.transport.abortConnection()

    # -- for the site -------------------------------------------------------------------------

    def give_up(self, error: EngineError) -> None:  # noqa: ARG002  there is no answer
        """See `SiteConnection.give_up`."""
        self.end()

    # -- from the transport -------------------------------------------------------------------

    def dataReceived(self, data: bytes) -> None:
        """See `IProtocol.dataReceived`."""
        if self._taker is not None:
            self._taker.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """See `IProtocol.connectionLost`."""
        if self._lost:
            return
        self._lost = True
        taker, self._taker = self._taker, None
        self._closed(self)
        if taker is not None:
            taker.connectionLost(reason)

    def readConnectionLost(self) -> None:
        """See `IHalfCloseableProtocol`; the client sends no more, so nothing more is said."""
        self.end()

    def writeConnectionLost(self) -> None:
        """See `IHalfCloseableProtocol`; `half_close` asked for it."""

    def pauseProducing(self) -> None:
        """See `IPushProducer`."""
        if self._taker is not None:
            self._taker.pauseProducing()

    def resumeProducing(self) -> None:
        """See `IPushProducer`."""
        if self._taker is not None:
            self._taker.resumeProducing()

    def stopProducing(self) -> None:
        """See `IPushProducer`; `connectionLost` tells."""
