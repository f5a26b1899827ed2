"""What a run does when its unit is committed."""

from __future__ import annotations

from collections.abc import Callable

from aiwebengine.errors import EngineError


class PendingCommit:
    """A unit that is being committed, and *then*, which follows."""

    __slots__ = ("error", "then")

    def __init__(self, then: Callable[[], None]) -> None:
        self.then = then
        self.error: EngineError | None = None
        """The error of the script in the meantime; reported after what follows."""
