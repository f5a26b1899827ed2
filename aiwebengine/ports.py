"""
Where features meet that do not know each other.

One offers something at a port, others ask for what is there. The answer is None if no feature offers it, and the caller
works without it or says why it cannot. At a `StandingPort` there is always something: the machinery's own answer, until
a feature offers a better one.

    machinery.ports.offer(MAIL, sender)         in `build` of the feature that sends mail
    machinery.ports.find(MAIL).send(message)    in any other, when it has something to send

`docs/explain/ports.md` has an example of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from aiwebengine.interfaces import Console, Decide, Identify, Mail, OwnServer, ScriptBudgets, ScriptKeys, Secrets

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port(Generic[T]):
    """
    Something that one feature may offer and others may ask for, by name.

    The name is unique; the type is what is offered.
    """

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingPort(Port[T]):
    """A port at which there is always something."""


MAIL: StandingPort[Mail] = StandingPort(name="mail")
"""Sends mail; until a feature does, each message is written to the folder `mail` of the data folder and to the log."""

PRINCIPAL: StandingPort[Identify] = StandingPort(name="principal")
"""Finds out who sent a request; until a feature does, the administrator is known by the token, and there are no other
users."""

DECIDE: StandingPort[Decide] = StandingPort(name="decide")
"""Decides who may do what; until a feature does, the administrator everything, and a script what is its own."""

CONSOLE: StandingPort[Console] = StandingPort(name="console")
"""Shows the pages of all features; until a feature does, `aiwebengine pages` and `GET /engine/api/pages`."""

OWN_SERVER: StandingPort[OwnServer] = StandingPort(name="own server")
"""Takes requests of scripts to this server; the machinery itself is there."""

SECRETS: Port[Secrets] = Port(name="secrets")
"""Fills secrets into requests of scripts; without it requests are sent as they are."""

KEYS: Port[ScriptKeys] = Port(name="keys")
"""Makes keys for `crypto.subtle` of what scripts must not see."""

BUDGETS: Port[ScriptBudgets] = Port(name="budgets")
"""Counts what scripts use over time, and refuses what is too much; without it nothing is counted."""


class Ports:
    """What is offered, by port; features offer while they are built and ask when they need it."""

    def __init__(self) -> None:
        self._offered: dict[str, Any] = {}
        self._standing: dict[str, Any] = {}
        self._settled = False

    def offer(self, port: Port[T], value: T) -> None:
        """
        Offer *value*.

        Raises:
            ValueError: Another feature offers this port already, or the features are built.
        """
        if port.name in self._offered:
            raise ValueError(f'The port "{port.name}" is offered twice.')
        if self._settled:
            raise ValueError(f'The port "{port.name}" is offered too late: offer it while the feature is built.')
        self._offered[port.name] = value

    def stand_in(self, port: StandingPort[T], value: T) -> None:
        """Have *value* at a port as long as no feature offers it; for the machinery."""
        self._standing[port.name] = value

    def settle(self) -> None:
        """All features are built: from now on ports can be used."""
        self._settled = True

    @overload
    def find(self, port: StandingPort[T]) -> T: ...

    @overload
    def find(self, port: Port[T]) -> T | None: ...

    def find(self, port: Port[T]) -> T | None:
        """
        Return what is at *port*; None if nothing is.

        Raises:
            RuntimeError: Features are still being built, so that it is not known yet.
        """
        if not self._settled:
            raise RuntimeError(
                f'The port "{port.name}" is used while features are being built; use it when it is needed.'
            )
        value: T | None = self._offered.get(port.name, self._standing.get(port.name))
        return value

    def offered(self, port: Port[T]) -> T | None:
        """Return what a feature offers at *port*; None if none does, whatever the machinery has there."""
        value: T | None = self._offered.get(port.name)
        return value
