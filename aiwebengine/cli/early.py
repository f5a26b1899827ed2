"""
The first step of the command `aiwebengine`, and signals that arrive before the server can act on them.

Python and the engine take a second or two to be imported, and in that time SIGUSR2 would end the
process.  So the first thing that a server does is to hold it: `successor.on_signal` sees that it came.
This module imports nothing of the engine, for it comes first.
"""

from __future__ import annotations

import os
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


def interrupted(_number: int, _frame: object) -> None:
    """Be Python's own handler of Ctrl-C; a second one ends the process at once, for the first is being handled."""
    signal.signal(signal.SIGINT, _leave)
    raise KeyboardInterrupt


def ends_on_interrupt() -> bool:
    """Return whether Ctrl-C ends the process: nothing ignores or handles it."""
    return signal.getsignal(signal.SIGINT) in {signal.default_int_handler, interrupted}


def _leave(_number: int, _frame: object) -> None:
    os._exit(130)


def main() -> None:
    """Run the command line; Ctrl-C while it is being imported ends it with the code 130 and no traceback."""
    hold()
    ends = ends_on_interrupt()
    if ends:
        # Nothing has begun, so nothing is to be cleaned up.
        signal.signal(signal.SIGINT, _leave)
    from aiwebengine.cli.main import main as run  # noqa: PLC0415  It takes long: signals come first.

    if ends:
        signal.signal(signal.SIGINT, interrupted)
    run()
