"""What `registerWebStream` and the calls that send messages may be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.host.declare import told
from aiwebengine.host.registration.kinds import Registration
from aiwebengine.services.matching import checked
from aiwebengine.services.topics import DISCONNECT, DROP_OLDEST, GAP
from aiwebengine.values import Entry

STREAM = "stream"
"""The kind of registration."""

STREAM_CALL = "registerWebStream"

STREAM_OPTIONS: dict[str, str] = {
    "auth": '`"required"` refuses clients that nobody is signed in at; `"optional"` and `"none"` let everybody in',
    "attributes": "`(req, ctx) => object`: what the `to` of messages is compared with, beside the parameters of the "
    "path; what it throws refuses the client",
    "onConnect": "`(req, ctx) => message`: runs when a client connects, after `attributes`; what it returns is the "
    "client's first message, and what it throws refuses the client",
    "filter": "`(message, clients) => boolean[]`: of all clients whom `to` lets through, given as their attributes, "
    "which ones get the message; it is synchronous, has 50 ms of processor time and makes no calls to the server",
    "history": "how many of the last messages are kept for clients who come back; 0 for none",
    "slow": '`"drop-oldest"` for a client that reads too slowly, who is told by a `gap` event, or `"disconnect"`',
    "summary": "one sentence for people who read the list of routes",
    "tags": "words that group routes in that list",
}
"""Options of `registerWebStream`, with what they mean."""

END = "end"
"""The event that says that a stream has ended, and why."""

_AUTH = ("none", "optional", "required")
_SLOW = (DROP_OLDEST, DISCONNECT)
_MOST_HISTORY = 10_000
_LONGEST_EVENT = 100
_RESERVED_EVENTS = (GAP, END)
_MESSAGE_OPTIONS = ("to", "event", "immediate")


def check_stream(registration: Registration) -> Entry:
    """
    Return the entry of one stream; see `RegistrationKind.check`.

    Its handler answers who may connect.

    Raises:
        Invalid: A rule is broken; the message says which.
    """
    options: dict[str, Any] = {"auth": "none", "slow": DROP_OLDEST}
    for name, value in registration.options.items():
        if name not in (*STREAM_OPTIONS, "middleware"):
            raise registration.unknown_option(name, STREAM_OPTIONS)
        if value is None:
            continue
        if name in {"auth", "slow"}:
            options[name] = _one_of(name, value, _AUTH if name == "auth" else _SLOW)
        elif name == "history":
            options[name] = _history(value)
        elif name == "middleware":
            options[name] = registration.functions(value, name)
        elif name == "summary":
            options[name] = registration.short_string(value, name)
        elif name == "tags":
            options[name] = registration.short_strings(value, name)
        else:
            options[name] = registration.function(value, name)
    return registration.entry(methods=("GET",), handler=registration.handler(), options=options)


def check_message_options(call: str, given: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, str | None, bool]:
    """
    Give `to`, `event` and `immediate` of a message.

    Raises:
        Invalid: A rule is broken; the message says which.
    """
    options = given or {}
    for name in options:
        if name not in _MESSAGE_OPTIONS:
            raise Invalid(f"{call}: there is no option {told(name)}; there are {', '.join(_MESSAGE_OPTIONS)}.")
    to, event, immediate = options.get("to"), options.get("event"), options.get("immediate", False)
    if event is not None:
        if not isinstance(event, str) or not event.isprintable() or not 0 < len(event) <= _LONGEST_EVENT:
            raise Invalid(f"{call}: event is a word of at most {_LONGEST_EVENT} characters; {told(event)} was given.")
        if event in _RESERVED_EVENTS:
            raise Invalid(f'{call}: the event "{event}" is the engine\'s own; choose another.')
    if immediate is not None and not isinstance(immediate, bool):
        raise Invalid(f"{call}: immediate is true or false; {told(immediate)} was given.")
    return None if to is None else checked(f"{call}: to", to), event, bool(immediate)


def _one_of(name: str, value: Any, words: tuple[str, ...]) -> str:
    if value not in words:
        raise Invalid(f"{STREAM_CALL}: {name} must be one of {', '.join(words)}; {told(value)} was given.")
    return str(value)


def _history(value: Any) -> int:
    if value is False:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_HISTORY:
        raise Invalid(
            f"{STREAM_CALL}: history is a number of messages from 0 to {_MOST_HISTORY}; {told(value)} was given."
        )
    return value
