"""The options of `registerWebStream` and of the calls that send messages."""

from __future__ import annotations

from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.features.streams.declarations import STREAM_OPTIONS
from aiwebengine.host.declare import described
from aiwebengine.host.registration.kinds import OptionChecks, Registration
from aiwebengine.services.topics import DISCONNECT, DROP_OLDEST
from aiwebengine.values import Entry

STREAM = "stream"
"""The kind of registration."""

STREAM_CALL = "registerWebStream"

_AUTH = ("none", "optional", "required")
_SLOW = (DROP_OLDEST, DISCONNECT)
_MOST_HISTORY = 10_000


def check_stream(registration: Registration) -> Entry:
    """
    Return the entry of one stream; see `RegistrationKind.check`.

    Its handler answers who may connect.

    Raises:
        Invalid: A rule is broken; the message says which.
    """
    options: dict[str, Any] = {"auth": "none", "slow": DROP_OLDEST}
    checks = OptionChecks(STREAM_CALL)
    for name, value in registration.options.items():
        with checks.of(name):
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
    checks.settle()
    return registration.entry(methods=("GET",), handler=registration.handler(), options=options)


def _one_of(name: str, value: Any, words: tuple[str, ...]) -> str:
    if value not in words:
        raise Invalid(f"{STREAM_CALL}: {name} must be one of {', '.join(words)}; {described(value)} was given.")
    return str(value)


def _history(value: Any) -> int:
    if value is False:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_HISTORY:
        raise Invalid(
            f"{STREAM_CALL}: history is a number of messages from 0 to {_MOST_HISTORY}; {described(value)} was given."
        )
    return value
