"""Where an answer goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.values import Answer


class Sink(Protocol):
    """Gets an invocation's answer."""

    def answered(self, answer: Answer) -> None:
        """The whole answer; nothing else follows."""

    def started(self, answer: Answer) -> None:
        """Status and headers of a streamed answer; its body is empty."""

    def write(self, data: bytes, done: Callable[[], None]) -> None:
        """One piece of a streamed answer; call *done* when there is room for the next."""

    def finished(self) -> None:
        """The streamed answer is complete."""

    def failed(self, error: EngineError) -> None:
        """There is no answer, or the streamed one breaks off here; nothing else follows."""


class BodySink:
    """Gets a whole answer of 200, for callers that need only its body."""

    def __init__(self) -> None:
        self.body: Deferred[bytes] = Deferred()
        """Fails with the EngineError that there was."""

    def answered(self, answer: Answer) -> None:
        """See `Sink.answered`."""
        if answer.status == 200:
            self.body.callback(answer.body)
        else:
            self.failed(
                ScriptFailed(f"The script answered with the status {answer.status}, where it had to answer 200.")
            )

    def started(self, answer: Answer) -> None:
        """See `Sink.started`; a streamed answer is refused."""

    def write(self, data: bytes, done: Callable[[], None]) -> None:  # noqa: ARG002  see above
        """See `Sink.write`."""
        done()

    def finished(self) -> None:
        """See `Sink.finished`."""
        self.failed(ScriptFailed("The script answered with a stream, where it had to answer at once."))

    def failed(self, error: EngineError) -> None:
        """See `Sink.failed`."""
        self.body.errback(error)
