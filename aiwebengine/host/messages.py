"""
Messages that scripts send to clients: from a script's call to the bus.

Each kind of destination knows which topics of the bus a message is for and whether those keep a
history (`Destination`); the way there is the same for all.  A message is a held effect:
it is published when the unit has been committed, and never without that.  If something that it goes
to keeps a history, it is also a row of the outbox: should the server die between the commit and the
publishing, the next one publishes it.  If it died between the publishing and the removal of the row, the message
is published twice, with the same id.  The row is read by the relay in any case, which finds the
message published and forgets it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, Protocol

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.host.declare import described
from aiwebengine.host.effects import HeldEffect, Unit
from aiwebengine.host.session import CallSession
from aiwebengine.interfaces import Redaction
from aiwebengine.services.bus import Bus
from aiwebengine.services.db.units import Transaction, Write
from aiwebengine.services.matching import checked
from aiwebengine.services.outbox import OutboxMessage as Published
from aiwebengine.services.topics import END, GAP

GROUP = "messages"
"""Name of the effects, and the kind of their rows in the outbox."""

_LONGEST_EVENT = 100
_RESERVED_EVENTS = (GAP, END)
_MESSAGE_OPTIONS = ("to", "event", "immediate")


class Destination(Protocol):
    """Where messages of one kind go."""

    def topics(self, script: str, name: str | None) -> Sequence[str]:
        """
        Return the topics of the bus.

        Args:
            script: Whose they are.
            name: Of the stream, the subscription or the like; None: all that the script has.
        """

    def keeps(self, script: str, name: str | None) -> bool:
        """Return whether a message there is kept for clients that reconnect; see `topics`."""


SendBelow = Callable[[str, CallSession, str, Any, Mapping[str, Any] | None], None]
"""Sends a message: the rest of the path, the session, the function that was called, the data and the options."""


class Messages:
    """
    Holds messages back, publishes them, and answers for the effects.

    Args:
        bus: Where they are published.
        max_bytes: Largest message.
        redactions: By version of the script that sends, what takes secrets out of messages.
    """

    def __init__(self, *, bus: Bus, max_bytes: int, redactions: Mapping[str, Redaction] | None = None) -> None:
        self._redactions: Mapping[str, Redaction] = redactions if redactions is not None else {}
        self._bus = bus
        self.max_bytes = max_bytes
        self._destinations: dict[str, Destination] = {}
        self._below: dict[str, SendBelow] = {}
        self._published: dict[str, None] = {}
        """Keys of messages that were published, and whose rows the relay has not met yet."""
        self._leaving = False

    def add(self, kind: str, destination: Destination) -> None:
        """Let messages of *kind* be sent; before the engine starts."""
        self._destinations[kind] = destination

    def add_paths(self, prefix: str, send: SendBelow) -> None:
        """Have messages to paths that begin with *prefix* sent by *send*; before the engine starts."""
        self._below[prefix] = send

    def below(self, path: str) -> Callable[[CallSession, str, Any, Mapping[str, Any] | None], None] | None:
        """Return what sends to *path*, if messages there are not for streams."""
        for prefix, send in self._below.items():
            if path.startswith(prefix):
                return partial(send, path[len(prefix) :])
        return None

    def send(
        self,
        session: CallSession,
        call: str,
        kind: str,
        data: Any,
        *,
        script: str,
        name: str | None = None,
        to: Mapping[str, Any] | None = None,
        event: str | None = None,
        immediate: bool = False,
    ) -> None:
        """
        Hold a message, or publish it at once.

        Args:
            call: What the script called, for errors.
            kind: Of the destination.
            data: What JSON can hold.
            script: Whose stream, subscription or the like it goes to.
            name: See `Destination.topics`.
            to: Attributes that clients must have to get it; None: all get it.
            event: Its type, by which clients distinguish events.
            immediate: Publish it now, whatever becomes of the invocation.

        Raises:
            TooLarge, TooMany, Denied: It is not sent.
        """
        text = _json(data)
        redaction = self._redactions.get(session.invocation.version)
        if redaction is not None:
            text = redaction.text(text)
        size = len(text.encode())
        if size > self.max_bytes:
            raise TooLarge(f"{call}: a message may have at most {self.max_bytes} bytes; this one has {size}.")
        key = session.next_version()
        message: dict[str, Any] = {"k": key, "d": text, "m": kind, "s": script, "l": self._bus.epoch}
        if name is not None:
            message["n"] = name
        if to is not None:
            message["t"] = dict(to)
        if event is not None:
            message["e"] = event
        if immediate:
            session.act_at_once()
            self._publish(message)
        else:
            session.hold(HeldEffect(group=GROUP, key=key, value=message, size_bytes=size))

    def leave_rows(self, leaving: bool) -> None:  # noqa: FBT001  it is what it says
        """
        Write a row for every message, or only where a history is kept.

        While a successor begins to serve each of the two has clients; its relay forwards what is published here.
        """
        self._leaving = leaving

    # -- effects ------------------------------------------------------------------------------

    database: Literal["script"] = "script"
    """See `effects.Effects.database`."""

    def write(self, unit: Unit, effects: Sequence[HeldEffect]) -> Write | None:
        """See `effects.Effects.write`."""
        # What a load sends may go to streams that serve only when it is over.
        every = self._leaving or unit.invocation.kind == "load"
        durable = [effect.value for effect in effects if every or self._keeps(effect.value)]
        if not durable:
            return None

        def write(transaction: Transaction) -> None:
            for message in durable:
                transaction.publish(GROUP, message)

        for message in durable:
            message["o"] = True
        return write

    def happen(self, unit: Unit, effects: Sequence[HeldEffect]) -> None:  # noqa: ARG002  the messages have everything
        """See `effects.Effects.happen`."""
        for effect in effects:
            if "o" in effect.value:
                self._published[effect.value["k"]] = None
            self._publish(effect.value)

    def relayed(self, published: Published) -> None:
        """Publish what was committed, unless that was done; see `outbox.Deliver`."""
        message = published.payload
        if self._published.pop(message["k"], self) is self:
            self._publish(message)

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"unconfirmed": len(self._published)}

    def _keeps(self, message: Mapping[str, Any]) -> bool:
        destination = self._destinations.get(message["m"])
        return destination is not None and destination.keeps(message["s"], message.get("n"))

    def _publish(self, message: Mapping[str, Any]) -> None:
        destination = self._destinations.get(message["m"])
        if destination is None:
            # A feature that was there when it was committed is there no longer: nobody can listen.
            return
        for topic in destination.topics(message["s"], message.get("n")):
            self._bus.publish(
                topic,
                message["d"],
                to=message.get("t"),
                event=message.get("e"),
                key=message["k"],
                epoch=message.get("l"),
            )


def check_message_options(
    call: str, options: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, str | None, bool]:
    """
    Return `to`, `event` and `immediate` of a message.

    Raises:
        Invalid: A rule is broken; the message says which.
    """
    options = options or {}
    unknown = [described(name) for name in options if name not in _MESSAGE_OPTIONS]
    if unknown:
        raise Invalid(f"{call}: there is no option {', '.join(unknown)}; there are {', '.join(_MESSAGE_OPTIONS)}.")
    to, event, immediate = options.get("to"), options.get("event"), options.get("immediate", False)
    if event is not None:
        if not isinstance(event, str) or not event.isprintable() or not 0 < len(event) <= _LONGEST_EVENT:
            raise Invalid(
                f"{call}: event is a word of at most {_LONGEST_EVENT} characters; {described(event)} was given."
            )
        if event in _RESERVED_EVENTS:
            raise Invalid(f'{call}: the event "{event}" is the engine\'s own; choose another.')
    if immediate is not None and not isinstance(immediate, bool):
        raise Invalid(f"{call}: immediate is true or false; {described(immediate)} was given.")
    return None if to is None else checked(f"{call}: to", to), event, bool(immediate)


def _json(data: Any) -> str:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair, which only an escape can hold.
        return json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text
