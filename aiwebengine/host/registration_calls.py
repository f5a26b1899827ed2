"""The host calls that register something: one for each kind, and one for middleware."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.host.declare import REGISTRATION_BYTES, Argument, HostCall
from aiwebengine.host.registration.book import USE, closed
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.host.session import CallSession, Function
from aiwebengine.services.threads import Runs

MIDDLEWARE = HostCall(
    name="register.middleware",
    speaks_for=USE,
    group="Registration",
    arguments=(Argument(name="middleware", kind="object", doc="The middleware.", max_bytes=REGISTRATION_BYTES),),
    returns="void",
    effect="held",
    doc="Checks and keeps one middleware.",
    example="",
    errors=("too_many",),
)


def call_of(kind: RegistrationKind) -> HostCall:
    """Return the declaration of the call that registers one of *kind*."""
    return HostCall(
        name=f"register.{kind.name}",
        speaks_for=kind.functions[0],
        group="Registration",
        arguments=(
            Argument(name="registration", kind="object", doc="The registration.", max_bytes=REGISTRATION_BYTES),
        ),
        returns="void",
        effect="held",
        doc=f"Checks and keeps one {kind.noun}.",
        example="",
        errors=("too_many",),
    )


class MiddlewareCalls:
    """The call that registers middleware; it only works while a script loads."""

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return (MIDDLEWARE,)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {MIDDLEWARE.name: _use}


class RegistrationCalls:
    """
    The calls that register something; they only work while a script loads.

    Args:
        kinds: What may be registered.
        threads: Where what takes long is checked.
    """

    def __init__(self, kinds: Sequence[RegistrationKind], *, threads: Runs) -> None:
        self._threads = threads
        self._kinds = [kind for kind in kinds if kind.functions]

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return [call_of(kind) for kind in self._kinds]

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {f"register.{kind.name}": partial(_register, kind, self._threads) for kind in self._kinds}


def _register(
    kind: RegistrationKind, threads: Runs, session: CallSession, sent: Mapping[str, Any]
) -> Deferred[None] | None:
    book = session.registrations
    if book is None:
        raise closed(kind.functions[0])
    if kind.takes_long(sent):
        # The script waits for each of its registrations, so nothing else writes into its book in the meantime.
        return threads.run(book.add, kind, sent)
    book.add(kind, sent)
    return None


def _use(session: CallSession, sent: Mapping[str, Any]) -> None:
    if session.registrations is None:
        raise closed(USE)
    session.registrations.add_middleware(sent)
