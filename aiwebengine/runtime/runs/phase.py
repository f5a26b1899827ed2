"""
How far a run is.

    queued --begin--> running
    running --release--> released                       its process has answered, or is dead; the commit may be left
    released --lose--> queued                           its process was lost for no fault of its own: it begins again
    running, released --yield--> awaiting its turn      what it had read was changed before it could commit
    awaiting its turn --turn--> queued                  it is repeated
    queued, running, released, awaiting its turn --end--> ended
"""

from __future__ import annotations

from enum import StrEnum

from aiwebengine.runtime.moves import Move


class Phase(StrEnum):
    """How far a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    RELEASED = "released"
    AWAITING_TURN = "awaiting its turn"
    ENDED = "ended"


BEGIN = Move("begin", {Phase.QUEUED: Phase.RUNNING})
RELEASE = Move("release", {Phase.RUNNING: Phase.RELEASED})
LOSE = Move("lose", {Phase.RELEASED: Phase.QUEUED})
YIELD = Move("yield", {Phase.RUNNING: Phase.AWAITING_TURN, Phase.RELEASED: Phase.AWAITING_TURN})
TURN = Move("turn", {Phase.AWAITING_TURN: Phase.QUEUED})
END = Move(
    "end",
    {
        Phase.QUEUED: Phase.ENDED,
        Phase.RUNNING: Phase.ENDED,
        Phase.RELEASED: Phase.ENDED,
        Phase.AWAITING_TURN: Phase.ENDED,
    },
)
