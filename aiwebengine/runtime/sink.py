"""Where an answer goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aiwebengine.errors import EngineError
from aiwebengine.values import Answer


class Sink(Protocol):
    """Who waits for an invocation's answer."""

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
