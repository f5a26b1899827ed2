"""A script can be killed at any instant and nothing half-done remains; so can all that it runs on."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from aiwebengine.observe.points import POINTS
from tests.support.examples import scaled
from tests.support.killing import Ledgers

SEED = 20260923
INSTANTS = 40
VICTIMS = ("clone",) * 5 + ("template",) * 3 + ("server",) * 3 + ("sandbox",)


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledgers]:
    """Return the program, started and with its script."""
    folder: Path = tmp_path_factory.mktemp("ledgers")
    ledgers = Ledgers(folder)
    ledgers.start()
    try:
        ledgers.deploy()
        yield ledgers
    finally:
        ledgers.stop()


# Passed a few times a second at most, whatever the load; all others with every request.
GROUPED = ("log.flushed", "relay.taken", "relay.forgotten")


@pytest.mark.parametrize("point", sorted(POINTS))
def test_server_killed_at(ledgers: Ledgers, point: str) -> None:
    """Wherever on its way the server is killed, every unit is there whole or not at all after a restart."""
    if not ledgers.alive:
        ledgers.start()
    ledgers.arm(point, "server", times=1 if point in GROUPED else 5)
    with ledgers.load():
        ledgers.until("ended")
    assert not ledgers.alive, f"the point {point} was never passed"
    ledgers.start()
    ledgers.check()


@pytest.mark.parametrize("point", ["commit.asked", *sorted(point for point in POINTS if point.startswith("joint."))])
def test_deployment_killed_at(ledgers: Ledgers, point: str) -> None:
    """A script that stores something and deploys another has done both or neither, wherever the server is killed."""
    if not ledgers.alive:
        ledgers.start()
    assert ledgers.ask("POST", "/publish/before") == "published"
    ledgers.arm(point, "server")
    assert ledgers.ask("POST", f"/publish/{point}") == ""
    ledgers.until("ended")
    ledgers.start()
    expected = "before" if point in {"commit.asked", "joint.begun", "joint.written"} else point
    assert (ledgers.ask("GET", "/kept"), ledgers.ask("GET", "/published")) == (expected, expected)


def test_messages_outlive_the_server(ledgers: Ledgers) -> None:
    """What was committed and not yet published when the server is killed is published by the next one."""
    if not ledgers.alive:
        ledgers.start()
    ledgers.arm("volatile.next", "server")
    with ledgers.load(least=1):
        ledgers.until("ended")
    ledgers.start()
    ledgers.check()
    first, *messages = ledgers.kept()
    assert first == "gap"
    assert messages


# A template or a sandbox that dies again and again is waited for longer each time.
IN_HAND = ("answer.received", "call.answered", "commit.written", "log.received", "run.begun", "volatile.next")


@pytest.mark.parametrize(("victim", "points"), [("clone", sorted(POINTS)), ("template", IN_HAND), ("sandbox", IN_HAND)])
def test_process_killed_at(ledgers: Ledgers, victim: str, points: Sequence[str]) -> None:
    """Whichever process is killed and wherever, nobody loses an answer that was given, and no unit is torn."""
    if not ledgers.alive:
        ledgers.start()
    before = len(ledgers.books.done)
    for point in points:
        ledgers.arm(point, victim, times=1 if point in GROUPED else 4)
        with ledgers.load(least=8):
            ledgers.until("killed")
        assert not ledgers.armed, f"the point {point} was never passed"
    ledgers.check()
    assert ledgers.alive
    assert len(ledgers.books.done) - before > len(points)
    ledgers.check_logs(ledgers.books.done[before:] + ledgers.books.refused[-20:])


def test_random_instants(ledgers: Ledgers) -> None:
    """At whatever instant anything is killed, nothing half-done remains."""
    chance = random.Random(SEED)
    for _ in range(scaled(INSTANTS)):
        if not ledgers.alive:
            ledgers.start()
            ledgers.check()
        victim = chance.choice(VICTIMS)
        with ledgers.load(least=4):
            time.sleep(chance.uniform(0, 0.15))
            ledgers.kill(victim)
            if victim == "server":
                ledgers.until("ended")
    if not ledgers.alive:
        ledgers.start()
    ledgers.check()
