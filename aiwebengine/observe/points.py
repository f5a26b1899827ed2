"""
Named points on the way of an invocation.

The caller that builds an engine can be notified when one is passed: the tests that kill the server, the
zygote or a clone there, and then look whether anything half-done remains.  Nothing listens
in an engine that serves.
"""

from __future__ import annotations

from collections.abc import Callable

Passed = Callable[[str], None]
"""Called with the name of a point that is being passed, in whichever thread passes it."""

POINTS: dict[str, str] = {
    "run.begun": "a clone is about to be sent the invocation",
    "call.received": "a host call has arrived and is not yet looked at",
    "call.answered": "the answer of a host call is about to be sent",
    "effect.held": "an effect was put aside until the handler has returned",
    "log.received": "log lines have arrived",
    "log.flushed": "a group of log lines is in the database",
    "answer.received": "the script's whole answer has arrived and is not yet checked",
    "commit.asked": "the answer was found good; the effects are about to be committed",
    "commit.queued": "the unit waits for its turn at the database",
    "commit.begun": "the transaction has begun and nothing is written",
    "commit.unit_written": "one unit of a transaction is written",
    "commit.written": "every unit of the transaction is written; the next step is COMMIT",
    "commit.done": "COMMIT has returned, in the thread of the database",
    "commit.told": "the reactor knows of the commit",
    "joint.begun": "a unit that writes into several databases is about to be written",
    "joint.written": "it is written in all of them; the next step is COMMIT in the main one",
    "joint.decided": "the main database has committed it, and the file of its script has not",
    "joint.done": "all have",
    "volatile.next": "the effects that follow the commit are about to happen",
    "volatile.done": "they have happened",
    "answer.next": "the whole answer is about to be given to the connection",
    "answer.written": "it was given to the connection",
    "run.ended": "the invocation's receipt is kept",
    "relay.taken": "messages that wait to be delivered were read",
    "relay.next": "one of them is about to be delivered",
    "relay.delivered": "it was delivered, and the database does not know it",
    "relay.forgotten": "the database knows it",
}
"""What each name means."""


def unwatched(_point: str) -> None:
    """Do nothing."""
