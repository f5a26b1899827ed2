"""What the loop asks of a JavaScript engine."""

from __future__ import annotations

from typing import Protocol


class Engine(Protocol):
    """One JavaScript world with the prelude loaded."""

    def pump(self, text: str) -> str:
        """
        Return the world something to do and let it run until it waits or is done.

        Args:
            text: ASCII, as `prelude/kernel/kernel.js` describes.

        Returns:
            ASCII lines, as `prelude/kernel/kernel.js` describes.

        Raises:
            EngineFailed: The engine itself failed; the process is of no use any more.
        """


class EngineFailed(Exception):
    """The engine failed in a way that no script can cause by itself, or it ran out of memory."""
