"""Paths that the engine and its features keep for themselves: no script registers anything there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

Reserved = tuple[str, re.Pattern[str]]
"""Some paths: how they are written in messages and documents, and what matches them."""


class ReservedPaths:
    """
    Answers which paths are reserved.

    Args:
        reserved: Those of the machinery and of all features; see `Declarations.reserved`.
    """

    def __init__(self, reserved: Sequence[Reserved] = ()) -> None:
        self._reserved = tuple(reserved)

    def form(self, path: str) -> str | None:
        """Return how the reserved paths are written to which *path* belongs; None if it is not reserved."""
        return next((written for written, matches in self._reserved if matches.fullmatch(path)), None)

    def holds(self, path: str) -> bool:
        """Return whether the path of a request, percent-encoded as it was sent, is reserved."""
        return self.form(unquote(path)) is not None

    def takes_segment(self, segment: str) -> bool:
        """Return whether paths are reserved that begin with this segment."""
        return self.form(f"/{segment}") is not None or self.form(f"/{segment}/") is not None
