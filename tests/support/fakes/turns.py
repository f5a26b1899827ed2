"""Turns of the reactor that have room for everything, or for a few steps."""

from __future__ import annotations

from itertools import count

from twisted.internet.task import Clock

from aiwebengine.services.reactor.turn_share import TurnShare


def endless_turn() -> TurnShare:
    """Return a share of a turn that is never used up."""
    return TurnShare(clock=Clock(), now=lambda: 0.0)


class TurnClock(Clock):
    """A clock on which what is called later, at once, is called in the next turn, as by a reactor."""

    def turn(self) -> None:
        """Make a turn."""
        calls, self.calls = self.calls, []
        for call in calls:
            call.called = True
            call.func(*call.args, **call.kw)

    def turns(self) -> int:
        """Make turns until there is nothing to do; return how many."""
        made = 0
        while self.calls:
            self.turn()
            made += 1
        return made


def short_turns(clock: TurnClock, steps: int) -> TurnShare:
    """Return a share that is used up when it was asked for so many steps."""
    return TurnShare(clock=clock, now=count().__next__, seconds=steps)
