"""
Signals that arrive before the server can act on them.

Python and the engine take a second or two to be imported, and in that time SIGUSR2 would end the
process.  So the first thing that a server does is to hold it: `successor.on_signal` sees that it came.
This module imports nothing, for it comes first.
"""

from __future__ import annotations

import signal


class HeldSignal:
    """A signal handler that remembers that the signal arrived."""

    def __init__(self) -> None:
        self.arrived = False
        """Whether it did."""

    def __call__(self, _number: int, _frame: object) -> None:
        """Be called by Python."""
        self.arrived = True


def hold() -> None:
    """Hold SIGUSR2, unless something handles it already."""
    if signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL:
        signal.signal(signal.SIGUSR2, HeldSignal())


def arrived() -> bool:
    """Return whether SIGUSR2 arrived while it was held."""
    held = signal.getsignal(signal.SIGUSR2)
    return isinstance(held, HeldSignal) and held.arrived
