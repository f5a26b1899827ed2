"""
What a run and the process that runs it ask of each other.

Neither knows the other's class: `Run` is the current run of a child, `Clone` is the child of a current run.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from aiwebengine.runtime.wire.boxes import Box
from aiwebengine.runtime.wire.control import Exit


class Death(NamedTuple):
    """How a busy process died."""

    exit: Exit
    cause: str
    """Code of the error for which the server killed it; empty if it did not."""
    cpu_seconds: float
    """Processor time of the run."""


class Child(Protocol):
    """The process, as its run sees it."""

    @property
    def runs(self) -> int:
        """Return how many runs it has begun, this one too."""

    @property
    def cause(self) -> str:
        """Return the code of the error for which the server killed it; empty if it did not."""

    def answer(self, tag: bytes, value: bytes) -> None:
        """Answer the host call *tag*."""

    def park(self) -> None:
        """Count the run as one that waits for the host or its client; nothing happens if it is ending."""

    def resume(self) -> None:
        """Count the run as one that works again; nothing happens if it did not wait."""

    def fall_back(self) -> None:
        """Let others have the processor first, for the run takes long; one that waits behind it is run elsewhere."""

    def cancel(self) -> None:
        """Notify the script that the client has disconnected."""

    def kill(self, cause: str) -> None:
        """
        End the process.

        Args:
            cause: Code of the error that its run fails with.
        """

    def discard(self, cause: str) -> None:
        """End the process, whose run continues without it."""

    def peak_bytes(self) -> int:
        """Return the largest memory it ever had; 0 where it is not known."""


class CurrentRun(Protocol):
    """The current run of a process."""

    def complete(self, box: Box, cpu_seconds: float) -> bool:
        """
        Take the script's answer, or what it failed with; not yet checked.

        Returns:
            Whether the process keeps to the protocol; if not it is ended.
        """

    def conclude(self) -> None:
        """Do what follows from `complete`; the process may have begun its next run already."""

    def host_called(self, tag: bytes, name: bytes, argument: bytes) -> None:
        """Handle a host call."""

    def logged(self, lines: bytes) -> None:
        """Handle log lines."""

    def stepped(self, step: bytes) -> None:
        """Take a step of a recorded run: the inputs of its world."""

    def located(self, stack: bytes) -> None:
        """Take where the script is at its deadline: frames of a raw stack."""

    def died(self, death: Death) -> None:
        """Handle the end of the process."""
