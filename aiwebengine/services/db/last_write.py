"""Whether a database can be written, as its last write has shown."""

from __future__ import annotations

from aiwebengine.errors import Unavailable


class LastWrite:
    """
    Remembers why the last write failed until one succeeds.

    One may stand for several databases on the same disk.  It is told in the threads of transactions.
    """

    __slots__ = ("problem",)

    def __init__(self) -> None:
        self.problem = ""
        """Why the last write failed; empty if it succeeded, or there was none."""

    def succeeded(self) -> None:
        """Something was written."""
        self.problem = ""

    def failed(self, error: BaseException) -> None:
        """Remember what the database refused for its own sake; what was wrong with the write is none of that."""
        if isinstance(error, Unavailable):
            self.problem = error.public
