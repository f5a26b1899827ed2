"""
What the host answered while a version loaded.

Loading is a conversation: the script's top level and `init` make host calls.  In the deployment the host answers
them, and the answers are written down; whenever the template is made again they are read from there, so that nothing
is done twice.

    journal   {"seed": "<32 hex>", "now": <ms>, "calls": [[name, argument, answer], ...]}

with "order": [...], the numbers of the calls as they were answered, if that was not the order in which they were made.
"""

from __future__ import annotations

import json
from typing import Any

_CHANGING = ("call", "options", "stack")


class Journal:
    """
    What the host answered while a version loaded.

    Answers come back in the order in which they came the first time, for what a script does next
    may depend on it.

    Args:
        text: An earlier journal to read from; empty to write a new one.
        seed: 32 hexadecimal digits, for a new one.
        now: Milliseconds since 1970, for a new one.

    Raises:
        ValueError, KeyError, TypeError: *text* is not a journal.
    """

    def __init__(self, text: str, *, seed: str, now: int) -> None:
        self.seed = seed
        self.now = now
        self._calls: list[list[str | None]] = []
        self._order: list[int] = []
        self._made = 0
        self._answered = 0
        self.size_bytes = 0
        """Of what was written so far."""
        if text:
            document = json.loads(text)
            self.seed, self.now = str(document["seed"]), int(document["now"])
            self._calls = [[name, argument, answer] for name, argument, answer in document["calls"]]
            self._order = document.get("order", list(range(len(self._calls))))

    def ask(self, name: str, argument: str) -> int:
        """Write down a call, and return its number."""
        self._calls.append([name, argument, None])
        self.size_bytes += len(name) + len(argument)
        return len(self._calls) - 1

    def answer(self, number: int, answer: str) -> None:
        """Write down what the host answered to the call of that number."""
        self._calls[number][2] = answer
        self.size_bytes += len(answer)
        self._order.append(number)

    def replay(self, name: str, argument: str) -> list[tuple[int, str]] | None:
        """
        Read on, for the next call.

        Returns:
            Numbers of calls and their answers that are due now; None if the script asks something else than it did.
        """
        if self._made >= len(self._calls) or not _same_call(self._calls[self._made], name, argument):
            return None
        self._made += 1
        due: list[tuple[int, str]] = []
        while self._answered < len(self._order) and self._order[self._answered] < self._made:
            number = self._order[self._answered]
            self._answered += 1
            due.append((number, self._calls[number][2] or "null"))
        return due

    @property
    def next_name(self) -> str:
        """Name of the call that a replay has yet to see; empty if it has seen all."""
        return str(self._calls[self._made][0]) if self._made < len(self._calls) else ""

    def text(self) -> str:
        """Return the journal as it is stored."""
        document: dict[str, Any] = {"seed": self.seed, "now": self.now, "calls": self._calls}
        if self._order != list(range(len(self._calls))):
            document["order"] = self._order
        return json.dumps(document, separators=(",", ":"))


def _same_call(known: list[str | None], name: str, argument: str) -> bool:
    if known[0] != name:
        return False
    return known[1] == argument or (
        name.startswith("register.") and _registered(known[1] or "") == _registered(argument)
    )


def _registered(argument: str) -> Any:
    """Return what a registration decides: its stack, its caller and the form of its options change with the engine."""
    try:
        (registration,) = json.loads(argument)
        decided = {name: value for name, value in registration.items() if name not in _CHANGING}
        handler = decided.pop("handler")
        return decided, None if handler is None else handler["id"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return argument
