"""
The fuzzers of the ordinary tests, for longer: thousands of generated scripts, and thousands of hostile children.

`AIWEBENGINE_CHAOS_SEED` says where the numbers begin, `AIWEBENGINE_CHAOS_SCRIPTS` how many there are.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hostile.deeds import Broken, look, world
from tests.support.sandbox import Zygote
from tests.unit.runtime.processes import test_hostile_child as children
from tests.unit.runtime.processes import test_hostile_load as loads

SEED = int(os.environ.get("AIWEBENGINE_CHAOS_SEED", "1"))
SCRIPTS = int(os.environ.get("AIWEBENGINE_CHAOS_SCRIPTS", "2000"))
EXAMPLES = settings(max_examples=5000)


def test_scripts() -> None:
    """Thousands of scripts made by chance, short and long ones: none does what no script can."""
    endings: Counter[str] = Counter()
    broken: list[str] = []
    with Zygote() as zygote:
        template = world(zygote)
        for seed in range(SEED * 1_000_000, SEED * 1_000_000 + SCRIPTS):
            try:
                endings[look(template, seed=seed, deeds=(30, 60, 200, 800)[seed % 4])] += 1
            except Broken as error:
                broken.append(str(error))
    print(f"\n{SCRIPTS} scripts from number {SEED * 1_000_000}: {dict(endings)}, broken: {broken}")  # noqa: T201
    assert not broken


class ManyChildren(children.HostileChild):
    """Hostile children, for longer."""

    @EXAMPLES
    @given(children.PENDING, st.lists(children.STEPS, max_size=20))
    def test_anything(self, pending: list[bool], steps: list[tuple[Any, ...]]) -> None:
        """Whoever waits is told exactly one outcome, its parts in order, and the next run is served."""
        self.play(pending, steps)


class ManyLoads(loads.HostileLoads):
    """Hostile loads, for longer."""

    @EXAMPLES
    @given(st.lists(loads.STEPS, max_size=15))
    def test_anything(self, steps: list[tuple[str, Any]]) -> None:
        """Whatever it says, the load ends with one answer, and a later load is as good as ever."""
        self.play(steps)
