"""
State machines, as tables.

A machine is an enumeration of its states and one `Move` for each thing that can happen to it.  An object keeps its
state in an attribute and changes it in the methods that are named for what happens:

    class Gate(StrEnum):
        OPEN = "open"
        SHUT = "shut"

    SHUT_IT = Move("shut it", {Gate.OPEN: Gate.SHUT})

    self.gate = SHUT_IT[self.gate]

The head of such a module draws its table, and a test compares the two:

    open --shut it--> shut      whatever there is to say about it

A move that its state does not allow raises `IllegalMove`: it is a fault of the engine, and going on would hide it.

Measured: a move costs 0.06 microseconds; one input of an Automat machine costs 1.5, and a request makes eight of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NoReturn, TypeVar

S = TypeVar("S", bound=StrEnum)


class IllegalMove(Exception):
    """Something happened to an object that cannot happen in its state."""


class Move(dict[S, S]):
    """
    One thing that can happen: for each state in which it may, the state that follows.

    Args:
        name: What happens, for the message of `IllegalMove`.
        steps: By state.
    """

    __slots__ = ("name",)

    def __init__(self, name: str, steps: Mapping[S, S]) -> None:
        super().__init__(steps)
        self.name = name

    def __missing__(self, state: S) -> NoReturn:
        raise IllegalMove(f'"{self.name}" is not possible in the state "{state}" of {type(state).__name__}')
