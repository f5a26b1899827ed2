"""
What a version registers while it is being deployed, and what it may do meanwhile.

The host opens a book for each load and asks what the loading script was granted; the
deployment that started the load reads the book when it is over.  The two meet here by
the invocation's id, so neither has to know the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from aiwebengine.values import Invocation, Route


class Book(Protocol):
    """What one load registered."""

    @property
    def middleware(self) -> tuple[int, ...]:
        """Give handler ids, in order."""

    def placed(self, place: Callable[[str], str]) -> tuple[Route, ...]:
        """
        Give every route once.

        Args:
            place: Makes `file:line` of a stack.
        """


B = TypeVar("B", bound=Book)


class Loads(Generic[B]):
    """
    The loads that are under way.

    Args:
        make: Makes the book of one load; the host's.
        granted: What the serving version of a script was granted, by URI; empty if none serves.
    """

    def __init__(self, *, make: Callable[[Invocation], B], granted: Callable[[str], frozenset[str]]) -> None:
        self._make = make
        self._granted = granted
        self._books: dict[str, B | None] = {}
        self._grants: dict[str, frozenset[str]] = {}

    def expect(self, invocation: str, grants: frozenset[str]) -> None:
        """Announce the load of a version that will have *grants*."""
        self._books[invocation] = None
        self._grants[invocation] = grants

    def open(self, invocation: Invocation) -> B:
        """Make the book of a load; the host calls this."""
        book = self._make(invocation)
        if invocation.id in self._books:
            self._books[invocation.id] = book
        return book

    def capabilities(self, invocation: Invocation) -> frozenset[str]:
        """Tell what the script of an invocation may do; the host calls this."""
        if invocation.id in self._grants:
            return self._grants[invocation.id]
        return self._granted(invocation.script)

    def take(self, invocation: str) -> B | None:
        """Give the book of a load that is over, and forget it; None if nothing was loaded."""
        self._grants.pop(invocation, None)
        return self._books.pop(invocation, None)
