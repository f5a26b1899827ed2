"""
What a version does while it is being deployed: what it registers, and what it changes.

The host opens a book for each load and asks what the loading script was granted; the
deployment that started the load reads the book when it is over. What top level and `init` change elsewhere is stored
here too, because it becomes visible with the deployment or not at all. Both sides know the load by its invocation's id,
and not each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from aiwebengine.values import Entry, Invocation


class RegistrationBook(Protocol):
    """What one load registered."""

    @property
    def middleware(self) -> tuple[int, ...]:
        """Return handler ids, in order."""

    def placed(self, place: Callable[[str], str]) -> tuple[Entry, ...]:
        """
        Return every entry once.

        Args:
            place: Makes `file:line` of a stack.
        """

    def replaced(self, place: Callable[[str], str]) -> Sequence[tuple[Entry, Entry]]:
        """Return what was replaced, with the methods that it lost, and the later entries; *place* as for `placed`."""

    async def carry_out(self) -> None:
        """Pass what top level and `init` changed to what carries it out, and stores it for `Loads.hold`."""


B = TypeVar("B", bound=RegistrationBook)


@dataclass(kw_only=True)
class Load(Generic[B]):
    """One load that is under way, or over."""

    grants: frozenset[str]
    book: B | None = None
    """None until the host has opened it."""
    changes: list[Any] = field(default_factory=list)
    """What it changed elsewhere: changes for `Deployer.commit`."""


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
        self._loads: dict[str, Load[B]] = {}

    def expect(self, invocation: str, grants: frozenset[str]) -> None:
        """Announce the load of a version that will have *grants*."""
        self._loads[invocation] = Load(grants=grants)

    def open(self, invocation: Invocation) -> B:
        """Make the book of a load; the host calls this."""
        book = self._make(invocation)
        if load := self._loads.get(invocation.id):
            load.book = book
        return book

    def capabilities(self, invocation: Invocation) -> frozenset[str]:
        """Return what the script of an invocation may do; the host calls this."""
        load = self._loads.get(invocation.id)
        return load.grants if load else self._granted(invocation.script)

    def hold(self, invocation: Invocation, changes: Sequence[Any]) -> bool:
        """Keep *changes* for the deployment that loads; False if *invocation* is no such load."""
        load = self._loads.get(invocation.id)
        if load is None:
            return False
        load.changes.extend(changes)
        return True

    def book(self, invocation: str) -> B | None:
        """Return the book of a load; None if the host has opened none."""
        return self._loads[invocation].book

    def take(self, invocation: str) -> Load[B]:
        """Return what is known of a load that is over, and forget it."""
        return self._loads.pop(invocation)
