"""Things that happen, and that several wait for."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class Pulse:
    """Something that happens again and again; the waiting ones are notified the next time."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Deferred[None]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self) -> Deferred[None]:
        """Return what fires the next time."""
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def fire(self, result: Failure | None = None) -> None:
        """Fire the Deferreds of all who wait now."""
        waiters, self._waiting = self._waiting, []
        for waiting in waiters:
            if result is None:
                waiting.callback(None)
            else:
                waiting.errback(result)


class Latch(Pulse):
    """Something that happens once, well or with a failure; later ones are notified at once."""

    __slots__ = ("_fired", "_result")

    def __init__(self) -> None:
        super().__init__()
        self._fired = False
        self._result: Failure | None = None

    def wait(self) -> Deferred[None]:
        """See `Pulse.wait`."""
        waiting = super().wait()
        if self._fired:
            super().fire(self._result)
        return waiting

    def fire(self, result: Failure | None = None) -> None:
        """See `Pulse.fire`."""
        self._fired, self._result = True, result
        super().fire(result)
