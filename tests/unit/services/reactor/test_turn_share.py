"""A share of each turn."""

from __future__ import annotations

import contextlib

from aiwebengine.services.reactor.turn_share import TurnShare
from tests.support.fakes.turns import TurnClock


class Work:
    """Does one step after the other, as far as the share reaches."""

    def __init__(self, share: TurnShare, steps: int) -> None:
        self.share = share
        self.left = steps
        self.seconds = 0.0

    def go(self) -> None:
        """Do some."""
        while self.left:
            if self.share.used_up:
                self.share.later(self.go)
                return
            self.left -= 1
            self.seconds += 0.001


def test_steps_are_spread_over_turns() -> None:
    """Work goes on for its share of a turn, then in the next ones; without work there are no turns."""
    clock = TurnClock()
    work = Work(TurnShare(clock=clock, now=lambda: work.seconds, seconds=0.0035), 10)
    left = []
    work.go()
    while work.left:
        left.append(work.left)
        clock.turn()
    assert left == [6, 2]
    clock.turn()
    assert clock.getDelayedCalls() == []


def test_all_share_one_turn() -> None:
    """Several works have one share together, and each gets its turn."""
    clock = TurnClock()
    share = TurnShare(clock=clock, now=lambda: sum(work.seconds for work in works), seconds=0.0015)
    works: list[Work] = []
    works += [Work(share, 6) for _ in range(3)]
    for work in works:
        work.go()
    seen = []
    for _ in range(6):
        seen.append([work.left for work in works])
        clock.turn()
    assert seen[0] == [4, 6, 6]
    assert seen[1] == [2, 6, 6]
    assert seen[2] == [2, 4, 6]
    clock.turns()
    assert [work.left for work in works] == [0, 0, 0]


def test_what_fails_stops_nobody() -> None:
    """Work that fails is the reactor's to tell; the next turn goes on with the others."""
    clock = TurnClock()
    times = iter(range(100))
    share = TurnShare(clock=clock, now=lambda: next(times), seconds=1)
    done: list[str] = []

    def fail() -> None:
        raise ValueError("broken")

    assert not share.used_up
    assert share.used_up
    share.later(fail)
    share.later(lambda: done.append("done"))
    with contextlib.suppress(ValueError):
        clock.turn()
    assert done == []
    clock.turn()
    assert done == ["done"]
