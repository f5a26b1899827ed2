"""Values that are there before they are requested: what stands where futures would, but is not awaited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class PendingValues:
    """
    The values that an operation waits for before it is executed.

    Args:
        count: How many there are.
        then: Called once when all are there.
    """

    __slots__ = ("_left", "_then")

    def __init__(self, count: int, then: Callable[[], None]) -> None:
        self._left = count
        self._then: Callable[[], None] | None = then

    def one(self) -> Slot:
        """Return one of them."""
        return Slot(self)

    def filled(self) -> None:
        """Count one of them as set."""
        self._left -= 1
        if not self._left:
            # What is held no longer needs no garbage collector.
            then, self._then = self._then, None
            if then is not None:
                then()


class Slot:
    """One value, or the error in its place."""

    __slots__ = ("_error", "_slots", "_value")

    def __init__(self, slots: PendingValues) -> None:
        self._slots = slots
        self._value: Any = None
        self._error: BaseException | None = None

    def fill(self, outcome: Any) -> None:
        """Set the value; called once."""
        if isinstance(outcome, BaseException):
            self._error = outcome
        else:
            self._value = outcome
        self._slots.filled()

    def get(self) -> Any:
        """Return the value, or raise the error."""
        if self._error is not None:
            raise self._error
        return self._value
