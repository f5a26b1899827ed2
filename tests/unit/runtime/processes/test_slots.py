"""Places to run are shared fairly, by weight and by what runs cost."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.processes.slots import Share, Slots


class Script:
    """A script with as many runs as it likes; each holds its place for *seconds*."""

    def __init__(self, slots: Slots, *, weight: float = 1.0, seconds: float = 1.0, runs: int = 1000) -> None:
        self.slots = slots
        self.seconds = seconds
        self.left = runs
        self.begun = 0
        self.in_hand: list[float] = []
        self.share = Share(weight=weight, serve=self.serve)

    def ask(self, now: float = 0.0) -> None:
        """Begin a run, or wait."""
        self.now = now
        if self.slots.free(self.share):
            self.serve()
        else:
            self.slots.wait(self.share)
        self.slots.pump()

    def serve(self) -> bool:
        """Begin one run."""
        if not self.left:
            return False
        self.left -= 1
        self.begun += 1
        self.slots.enter(self.share)
        self.in_hand.append(self.now + self.seconds)
        return True

    def end(self, now: float) -> None:
        """End what is over at *now*."""
        self.now = now
        over = [end for end in self.in_hand if end <= now]
        self.in_hand = [end for end in self.in_hand if end > now]
        for _ in over:
            self.slots.leave(self.share, self.seconds)
        if self.left:
            self.slots.wait(self.share)


def play(scripts: list[Script], *, until: float) -> Counter[int]:
    """Let time pass; gives for how long each script had places."""
    for script in scripts:
        script.ask()
    now = 0.0
    held: Counter[int] = Counter()
    while now < until:
        now = min(end for script in scripts for end in script.in_hand)
        for script in scripts:
            script.now = now
        for number, script in enumerate(scripts):
            before = len(script.in_hand)
            script.end(now)
            held[number] += script.seconds * (before - len(script.in_hand))  # type: ignore[assignment]
        scripts[0].slots.pump()
    return held


class SlotsTests(SynchronousTestCase):
    """`Slots`."""

    def test_bounds(self) -> None:
        """Nobody begins when all places are taken; who waits is served when one is free."""
        slots = Slots(total=3)
        greedy, modest = Script(slots), Script(slots)
        for _ in range(5):
            greedy.ask()
        self.assertEqual((greedy.begun, slots.running), (3, 3))
        modest.ask()
        self.assertEqual((modest.begun, slots.state()["scriptsWaiting"]), (0, 2))
        slots.leave(greedy.share, 1.0)
        slots.pump()
        self.assertEqual((greedy.begun, modest.begun, slots.running), (3, 1, 3))

    def test_room_for_the_others(self) -> None:
        """A script that takes all it can get leaves some places to scripts that have none."""
        slots = Slots(total=8)
        greedy, modest = Script(slots), Script(slots, runs=1)
        for _ in range(20):
            greedy.ask()
        self.assertEqual((greedy.begun, slots.running), (6, 6))
        modest.ask()
        self.assertEqual((modest.begun, slots.running), (1, 7))
        self.assertEqual(greedy.begun, 6)

    def test_parked_goes_on(self) -> None:
        """Who was parked goes on although all places are taken; nobody else begins before there is one again."""
        slots = Slots(total=1)
        parked, other = Script(slots), Script(slots)
        parked.ask()
        slots.leave(parked.share, 0.1)
        other.ask()
        slots.enter(parked.share)
        self.assertEqual(slots.running, 2)
        slots.leave(other.share, 0.1)
        other.ask()
        self.assertEqual(other.begun, 1)
        slots.leave(parked.share, 0.1)
        slots.pump()
        self.assertEqual(other.begun, 2)

    def test_equal_time(self) -> None:
        """Long runs of one script and short ones of another have the same time, not the same number."""
        slots = Slots(total=2)
        held = play([Script(slots, seconds=1.0), Script(slots, seconds=0.1, runs=5000)], until=200)
        self.assertLess(abs(held[0] - held[1]), 0.2 * (held[0] + held[1]))

    def test_weights(self) -> None:
        """A script of weight 3 has about three times as much as one of weight 1."""
        slots = Slots(total=1)
        held = play([Script(slots, weight=3.0), Script(slots)], until=200)
        self.assertTrue(2.4 < held[0] / held[1] < 3.6, held)

    def test_no_credit(self) -> None:
        """Who did nothing for a while has saved nothing by it."""
        slots = Slots(total=1)
        early, late = Script(slots), Script(slots)
        play([early], until=100)
        begun = early.begun
        late.ask(early.now)
        play([early, late], until=early.now + 40)
        self.assertLess(abs((early.begun - begun) - late.begun), 5)

    @given(st.lists(st.tuples(st.sampled_from(["ask", "end"]), st.integers(0, 3)), max_size=200), st.integers(1, 6))
    def test_always(self, steps: list[tuple[str, int]], total: int) -> None:
        """Whatever comes and goes: never too many run, and nobody waits while there is room for him."""
        slots = Slots(total=total)
        scripts = [Script(slots, runs=50) for _ in range(4)]
        for step, number in steps:
            script = scripts[number]
            script.now = 0.0
            if step == "ask":
                script.ask()
            elif script.in_hand:
                script.in_hand.pop()
                slots.leave(script.share, 1.0)
                slots.pump()
            self.assertLessEqual(slots.running, total)
            self.assertEqual(slots.running, sum(script.share.running for script in scripts))
            if slots.running < max(1, total - total // 4):
                self.assertEqual(slots.state()["scriptsWaiting"], 0)
