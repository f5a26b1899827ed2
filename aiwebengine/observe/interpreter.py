"""How Python's interpreter shares its time with the reactor."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SWITCH_SECONDS = 0.001
"""After so long a thread that computes lets others run; usual are 5 ms, and a request needs the lock several times."""

_OLD = 50
"""After so many collections of younger objects the old ones are looked at; usual are 10."""


def pause_collector() -> None:
    """Switch garbage collection off until `favour_reactor`: a start makes many objects and frees few."""
    gc.disable()


@contextmanager
def no_collections() -> Iterator[None]:
    """
    Collect no garbage meanwhile, for a moment in which much is made and thrown away again that has no circles.

    A collection looks at all of it while nothing else runs, and finds nothing.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def favour_reactor() -> None:
    """
    Have the interpreter hold up the reactor for less; called once the server has started.

    A full collection of garbage looks at every object while nothing else runs.  What is there at the start, most
    of it code, takes more than 100 ms and is never garbage, so it is set aside: later collections look at what came
    since, and they are rarer than usual: a deployment with a large schema would cause several.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _OLD)
    gc.freeze()
    gc.enable()
