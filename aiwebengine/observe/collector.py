"""
Python's collector of garbage in cycles.

It looks at every object there is, now and then in the middle of whatever goes on, and a server that has just started
has more than a hundred thousand that will never be garbage: looking at these takes 50 ms and more, in which nobody is
answered.  So it rests while the server starts, and afterwards leaves alone what is there by then.
"""

from __future__ import annotations

import gc


def rest() -> None:
    """Collect nothing from now on; for a start, which makes much and throws little away."""
    gc.disable()


def settle() -> None:
    """Never look again at what is there now, and collect what comes after it."""
    gc.freeze()
    gc.enable()
