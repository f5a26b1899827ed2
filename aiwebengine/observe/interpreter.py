"""How Python's interpreter shares its time with the reactor."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

SWITCH_SECONDS = 0.001
"""After so long a thread that computes lets others run; usual are 5 ms, and a request needs the lock several times."""

_NEVER = 1_000_000_000
_OLD = 50
"""After this many collections of younger objects the old ones are collected; usual are 10."""


def pause_collector() -> None:
    """Switch garbage collection off until `favour_reactor`: a start makes many objects and frees few."""
    gc.disable()


@contextmanager
def no_collections() -> Iterator[None]:
    """
    Collect no garbage in the meantime; for a moment in which many objects without cycles are made and dropped.

    A collection would examine all of them while nothing else runs, and find nothing.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Collector:
    """Python's garbage collector, for code that makes many long-lived objects in a thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._makers = 0
        self._usual = gc.get_threshold()

    @contextmanager
    def young_objects_only(self) -> Iterator[None]:
        """Collect no old objects meanwhile: that looks at all that was made so far, in one step."""
        with self._lock:
            self._makers += 1
            if self._makers == 1:
                self._usual = gc.get_threshold()
                young, middle, _ = self._usual
                gc.set_threshold(young, middle, _NEVER)
        try:
            yield
        finally:
            with self._lock:
                self._makers -= 1
                if not self._makers:
                    gc.set_threshold(*self._usual)

    def set_aside(self) -> None:
        """
        Never look again at what there is now.

        What is freed is freed all the same, unless it is in a circle: callers break up their cycles themselves.
        """
        gc.freeze()


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
