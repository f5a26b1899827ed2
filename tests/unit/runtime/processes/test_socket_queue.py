"""The places in a child's socket behind the run in hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.moves import IllegalMove
from aiwebengine.runtime.processes.socket_queue import MOST_WAITING, TAGS, QueuedState, SocketQueue

ACTIONS: dict[str, Callable[[SocketQueue[Any]], Any]] = {
    "advance": lambda queue: queue.advance(),
    "return": lambda queue: queue.returned(TAGS[queue.entries[0].turn]),
    "disown": lambda queue: queue.disown(),
    "take": lambda queue: queue.take(),
}
WAYS: dict[QueuedState, tuple[Callable[[SocketQueue[Any]], Any], ...]] = {
    QueuedState.WAITING: (),
    QueuedState.RECALLED: (lambda queue: queue.recall(),),
    QueuedState.DISOWNED: (lambda queue: queue.disown(),),
}
POSSIBLE = {
    QueuedState.WAITING: {"advance", "disown", "take"},
    QueuedState.RECALLED: {"return", "advance", "disown", "take"},
    QueuedState.DISOWNED: {"return", "take"},
}


def queue_in(state: QueuedState) -> SocketQueue[Any]:
    """Return a queue with one run, which has come into *state*."""
    queue: SocketQueue[Any] = SocketQueue()
    queue.follow("next", quick=True)
    for action in WAYS[state]:
        action(queue)
    assert queue.entries[0].state is state
    return queue


def three() -> SocketQueue[str]:
    """Return a queue with three runs."""
    queue: SocketQueue[str] = SocketQueue()
    for run in ("a", "b", "c"):
        queue.follow(run, quick=True)
    return queue


class SocketQueueTests(SynchronousTestCase):
    def test_possible(self) -> None:
        """In each state what can happen happens, and all else raises and changes nothing."""
        for state in WAYS:
            for name, action in ACTIONS.items():
                queue = queue_in(state)
                (entry,) = queue.entries
                if name in POSSIBLE[state]:
                    action(queue)
                    gone = QueuedState.DISOWNED if name == "disown" else QueuedState.GONE
                    self.assertIs(entry.state, state if (name, state) == ("take", QueuedState.DISOWNED) else gone)
                else:
                    with self.assertRaises(IllegalMove):
                        action(queue)
                    self.assertEqual((entry.state, list(queue.entries), queue.turn), (state, [entry], 0))

    def test_run(self) -> None:
        """A run is handed out once: to who begins it, gives it back or runs it elsewhere."""
        self.assertEqual(queue_in(QueuedState.WAITING).advance(), "next")
        for name in ("disown", "take"):
            queue = queue_in(QueuedState.WAITING)
            self.assertEqual((ACTIONS[name](queue), queue.count), (["next"], 0))
        self.assertEqual(ACTIONS["return"](queue_in(QueuedState.RECALLED)), "next")
        disowned = queue_in(QueuedState.DISOWNED)
        self.assertTrue(disowned.disowned)
        self.assertEqual((ACTIONS["return"](disowned), disowned.disowned), (None, False))
        self.assertEqual(queue_in(QueuedState.DISOWNED).take(), [])

    def test_order(self) -> None:
        """Runs begin in the order in which they were sent, and are asked for in the other."""
        queue = three()
        self.assertEqual([queue.advance(), queue.advance()], ["a", "b"])
        queue = three()
        turns = [entry.turn for entry in queue.entries]
        self.assertEqual(queue.recall("b"), [turns[1]])
        self.assertEqual(queue.recall(), [turns[2], turns[0]])
        self.assertEqual(queue.recall(), [])
        self.assertEqual(queue.returned(TAGS[turns[2]]), "c")
        self.assertEqual((queue.advance(), queue.take()), ("a", ["b"]))

    def test_only_what_was_asked_for(self) -> None:
        """A child may give back what it was asked for, and nothing else."""
        queue = three()
        queue.recall("b")
        tags = [TAGS[entry.turn] for entry in queue.entries]
        self.assertEqual(
            [queue.may_return(tag) for tag in (*tags, queue.tag, None)], [False, True, False, False, False]
        )

    def test_room(self) -> None:
        """So many may wait, none behind one that may take long, and none where the process is about to end."""
        queue = three()
        self.assertEqual([queue.room(most) for most in (2, 3, 4)], [False, False, True])
        queue.follow("slow", quick=False)
        self.assertFalse(queue.room(7))
        self.assertTrue(SocketQueue().room(1))
        self.assertFalse(queue_in(QueuedState.DISOWNED).room(7))

    def test_tags(self) -> None:
        """However long it goes on, the runs in a socket have different tags, and each keeps its own when it begins."""
        queue: SocketQueue[int] = SocketQueue()
        for number in range(5 * len(TAGS)):
            while len(queue.entries) < MOST_WAITING:
                queue.follow(number, quick=True)
            tags = [queue.tag, *(TAGS[entry.turn] for entry in queue.entries)]
            self.assertEqual(len(set(tags)), MOST_WAITING + 1)
            queue.advance()
            self.assertEqual(queue.tag, tags[1])
            if number % 3 == 0:
                queue.recall()
                queue.returned(TAGS[queue.entries[number % 2].turn])
