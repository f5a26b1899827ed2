"""
When the processes of a version die again and again.

A few deaths in a row are each answered and forgotten.  After `MOST_IN_A_ROW` the version
rests, each time for twice as long; then one run tries whether it works again, and no other is let in before that one
has succeeded. A process that the server ended for time, or that was killed from outside, does not count.
"""

from __future__ import annotations

import signal

from aiwebengine.errors import Unavailable
from aiwebengine.runtime.wire.control import Exit

MOST_IN_A_ROW = 5
_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 60.0
_NO_FAULT = frozenset({signal.SIGKILL, signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU, signal.SIGVTALRM})


class Crashes:
    """Counts the deaths of one version's processes."""

    __slots__ = ("in_a_row", "not_before")

    def __init__(self) -> None:
        self.in_a_row = 0
        self.not_before = 0.0
        """Until then nothing is tried."""

    @property
    def looping(self) -> bool:
        """Return whether there were too many."""
        return self.in_a_row >= MOST_IN_A_ROW

    def add(self, now: float) -> float:
        """Count one, and return for how long nothing is tried now."""
        self.in_a_row += 1
        if not self.looping:
            return 0.0
        wait = min(_FIRST_SECONDS * 2.0 ** min(self.in_a_row - MOST_IN_A_ROW, 20), _LONGEST_SECONDS)
        self.not_before = now + wait
        return wait

    def refusal(self, script: str, *, now: float, trying: bool) -> Unavailable | None:
        """
        Return why a run may not begin; None if it may.

        Args:
            trying: Another one tries already whether it is better.
        """
        if not self.looping or (now >= self.not_before and not trying):
            return None
        return self.rest(script, max(1.0, self.not_before - now))

    def rest(self, script: str, wait: float) -> Unavailable:
        """Make the error for a run that comes while nothing is tried."""
        return Unavailable(
            f'The processes of the script "{script}" died {self.in_a_row} times in a row; its log has the causes. '
            f"The next attempt is in {wait:.0f} s.",
            retry_seconds=wait,
        )


def is_crash(*, cause: str, unfit: bool, ended: Exit | None) -> bool:
    """
    Return whether a process ended through what its script did, other than taking too long.

    Args:
        cause: Code of the error for which the server killed it; empty if it did not.
        unfit: It said itself that it is of no use any more.
        ended: How it ended; None if that is not known yet.
    """
    if unfit or cause == "script_protocol":
        return True
    return ended is not None and ended.status is not None and not cause and ended.signal not in _NO_FAULT
