"""The options of `registerWebSocket` and `sendSocketMessage`."""

from __future__ import annotations

import re
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.features.sockets.declarations import SOCKET_EVENTS, SOCKET_OPTIONS
from aiwebengine.host.declare import described
from aiwebengine.host.registration.kinds import OptionChecks, Registration
from aiwebengine.values import Entry

SOCKET = "socket"
"""The kind of registration."""

SOCKET_CALL = "registerWebSocket"

_AUTH = ("none", "optional", "required")
_PROTOCOL = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_ORIGIN = re.compile(r"\*|https?://[^\s/]{1,250}")
_MOST_LISTED = 50


def check_socket(registration: Registration) -> Entry:
    """
    Return the entry of one WebSocket; see `RegistrationKind.check`.

    Its handler answers who may connect; those of its events are among its options, by number.

    Raises:
        Invalid: A rule is broken; the message says which.
    """
    options: dict[str, Any] = {"auth": "none", "protocols": [], "origins": []}
    checks = OptionChecks(SOCKET_CALL)
    for name, value in registration.options.items():
        with checks.of(name):
            if name not in (*SOCKET_OPTIONS, *SOCKET_EVENTS, "middleware"):
                raise registration.unknown_option(name, SOCKET_OPTIONS)
            if value is None:
                continue
            if name in SOCKET_EVENTS:
                options[name] = registration.function(value, name)
            elif name == "middleware":
                options[name] = registration.functions(value, name)
            elif name == "auth":
                if value not in _AUTH:
                    raise Invalid(
                        f"{SOCKET_CALL}: auth must be one of {', '.join(_AUTH)}; {described(value)} was given."
                    )
                options[name] = value
            elif name in {"protocols", "origins"}:
                options[name] = _words(name, value, _PROTOCOL if name == "protocols" else _ORIGIN)
            elif name == "summary":
                options[name] = registration.short_string(value, name)
            else:
                options[name] = registration.short_strings(value, name)
    checks.settle()
    return registration.entry(methods=("GET",), handler=registration.handler(), options=options)


def _words(name: str, value: Any, form: re.Pattern[str]) -> list[str]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or len(words) > _MOST_LISTED:
        raise Invalid(f"{SOCKET_CALL}: {name} is a list of at most {_MOST_LISTED} words; {described(value)} was given.")
    for word in words:
        if not isinstance(word, str) or not form.fullmatch(word):
            example = '"chat.v1"' if name == "protocols" else '"https://example.org", without a path'
            raise Invalid(f"{SOCKET_CALL}: {name} are words such as {example}; {described(word)} was given.")
    return list(words)
