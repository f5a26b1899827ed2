"""Ports at which features meet."""

from __future__ import annotations

import pytest

from aiwebengine.ports import Port, Ports, StandingPort

TEMPLATES: Port[str] = Port(name="templates")
CLOCK: StandingPort[str] = StandingPort(name="clock")


def test_offered_and_found() -> None:
    """What a feature offers is found by all others; where nobody offers anything there is nothing."""
    ports = Ports()
    ports.offer(TEMPLATES, "theirs")
    ports.settle()
    assert ports.find(TEMPLATES) == ports.offered(TEMPLATES) == "theirs"
    assert ports.find(Port(name="other")) is None


def test_standing() -> None:
    """At a standing port there is the machinery's own answer until a feature offers a better one."""
    for offered, found in ((None, "own"), ("theirs", "theirs")):
        ports = Ports()
        if offered is not None:
            ports.offer(CLOCK, offered)
        ports.stand_in(CLOCK, "own")
        ports.settle()
        assert (ports.find(CLOCK), ports.offered(CLOCK)) == (found, offered)


def test_too_early_and_too_late() -> None:
    """While features are built nobody is told what is at a port, and afterwards nobody can offer anything."""
    ports = Ports()
    with pytest.raises(RuntimeError, match="templates"):
        ports.find(TEMPLATES)
    ports.offer(TEMPLATES, "theirs")
    with pytest.raises(ValueError, match="twice"):
        ports.offer(TEMPLATES, "others'")
    ports.settle()
    with pytest.raises(ValueError, match="too late"):
        ports.offer(CLOCK, "late")
