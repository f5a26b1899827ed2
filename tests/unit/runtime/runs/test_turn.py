"""A run's turn to be repeated: waited for, had, and always given back."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Cancelled
from aiwebengine.runtime.moves import IllegalMove
from aiwebengine.runtime.runs.turn import Release, Turn, TurnState


class TurnTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.turn = Turn()
        self.log: list[Any] = []

    def wait(self, asked: Deferred[Release]) -> None:
        """Wait for a turn."""
        self.turn.wait(
            lambda: asked, granted=lambda: self.log.append("granted"), refused=lambda _: self.log.append("refused")
        )

    def test_granted(self) -> None:
        """A turn is given back once, at the latest when the next is waited for."""
        for number in (1, 2):
            self.wait(succeed(lambda: self.log.append("released")))
            self.assertEqual((self.turn.having, self.turn.count), (TurnState.HELD, number))
        self.turn.release()
        self.turn.release()
        self.assertEqual(self.log, ["granted", "released", "granted", "released"])
        self.assertIs(self.turn.having, TurnState.NONE)

    def test_refused(self) -> None:
        """A turn that is refused is not had, and the next may be waited for."""
        asked: Deferred[Release] = Deferred()
        self.wait(asked)
        asked.errback(Failure(Cancelled("no")))
        self.turn.release()
        self.assertEqual((self.log, self.turn.having), (["refused"], TurnState.NONE))
        self.wait(Deferred())
        self.assertIs(self.turn.having, TurnState.WAITING)

    def test_cancelled(self) -> None:
        """Who waits may give up; who does not wait has nothing to give up."""
        self.turn.cancel()
        self.wait(Deferred(lambda asked: asked.errback(Cancelled("gone"))))
        self.turn.cancel()
        self.turn.cancel()
        self.assertEqual((self.log, self.turn.having), (["refused"], TurnState.NONE))

    def test_two_at_once(self) -> None:
        """Nobody waits for two turns."""
        self.wait(Deferred())
        with self.assertRaises(IllegalMove):
            self.wait(Deferred())
