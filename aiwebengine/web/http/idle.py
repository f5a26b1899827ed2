"""
A connection's time-out, which is begun anew for every request.

Twisted's moves a call in the reactor each time; this one only notes the time, and the call looks how long it was quiet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.protocols.policies import TimeoutMixin

_A_MOMENT = 0.001


class IdleTimeout(TimeoutMixin):
    """See the module; `timed_out` is called when nothing has happened for `timeOut` seconds."""

    timeOut: Any
    seconds: Callable[[], float]
    """The clock of `callLater`."""
    _since = 0.0
    """From when the time counts."""

    def timed_out(self) -> None:
        """Nothing has happened for too long; if nothing is done, there is nothing else to report."""
        raise NotImplementedError

    def setTimeout(self, period: float | None) -> Any:
        """See `TimeoutMixin.setTimeout`."""
        self._since = self.seconds()
        return super().setTimeout(period)

    def resetTimeout(self) -> None:
        """See `TimeoutMixin.resetTimeout`."""
        self._since = self.seconds()

    def timeoutConnection(self) -> None:
        """See `TimeoutMixin.timeoutConnection`."""
        period = self.timeOut
        left = self._since + period - self.seconds()
        if left > _A_MOMENT:
            super().setTimeout(left)
            self.timeOut = period
        else:
            self.timed_out()
