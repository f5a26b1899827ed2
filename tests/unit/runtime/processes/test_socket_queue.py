"""The second place in a child's socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.moves import IllegalMove
from aiwebengine.runtime.processes.socket_queue import QueuedState, SocketQueue

ACTIONS: dict[str, Callable[[SocketQueue[Any]], Any]] = {
    "follow": lambda queue: queue.follow("next"),
    "recall": lambda queue: queue.recall(),
    "advance": lambda queue: queue.advance(),
    "returned": lambda queue: queue.returned(),
    "disown": lambda queue: queue.disown(),
    "take": lambda queue: queue.take(),
}
WAYS = {
    QueuedState.EMPTY: (),
    QueuedState.WAITING: ("follow",),
    QueuedState.RECALLED: ("follow", "recall"),
    QueuedState.DISOWNED: ("follow", "disown"),
}
POSSIBLE = {
    QueuedState.EMPTY: {"follow"},
    QueuedState.WAITING: {"recall", "advance", "disown", "take"},
    QueuedState.RECALLED: {"returned", "advance", "disown", "take"},
    QueuedState.DISOWNED: {"returned"},
}


def queue_in(state: QueuedState) -> SocketQueue[Any]:
    """Return a queue that has come into *state*."""
    queue: SocketQueue[Any] = SocketQueue()
    for action in WAYS[state]:
        ACTIONS[action](queue)
    assert queue.state is state
    return queue


class SocketQueueTests(SynchronousTestCase):
    def test_possible(self) -> None:
        """In each state what can happen happens, and all else raises and changes nothing."""
        for state in QueuedState:
            for name, action in ACTIONS.items():
                queue = queue_in(state)
                if name in POSSIBLE[state]:
                    action(queue)
                    self.assertIsNot(queue.state, state)
                else:
                    before = (queue.run, queue.turn)
                    with self.assertRaises(IllegalMove):
                        action(queue)
                    self.assertEqual((queue.state, queue.run, queue.turn), (state, *before))

    def test_run(self) -> None:
        """The second run is handed out once: to who begins it, gives it back or runs it elsewhere."""
        for name in ("advance", "disown", "take"):
            queue = queue_in(QueuedState.WAITING)
            self.assertEqual(ACTIONS[name](queue), "next")
            self.assertIsNone(queue.run)
        self.assertEqual(queue_in(QueuedState.RECALLED).returned(), "next")
        self.assertIsNone(queue_in(QueuedState.DISOWNED).returned())

    def test_tags(self) -> None:
        """The two runs have different tags, and the second keeps its own when it begins."""
        queue = queue_in(QueuedState.WAITING)
        second = queue.second_tag
        queue.advance()
        queue.follow("third")
        self.assertNotEqual(queue.second_tag, second)
