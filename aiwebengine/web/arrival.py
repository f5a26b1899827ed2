"""A request with the entry that answers it, for steps that take it over; see `RegistrationKind.opens`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiwebengine.errors import EngineError
from aiwebengine.runtime.runs.run import Run
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.values import Invocation, Request, RouteMatch
from aiwebengine.web.http.exchange import Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request at the path of an entry that is more than a plain web handler."""

    exchange: Exchange
    """Whose client gets the response, whatever that is."""
    request: Request
    match: RouteMatch
    invocation: Invocation
    """Of the entry's handler behind the script's middleware; not begun."""
    middleware: bool
    """Whether the script has middleware for all that it answers."""
    run: Callable[[Invocation, Sink], Run]
    """Begins an invocation; code that keeps the client waiting for it sets `Exchange.run`."""
    tell: Callable[[Exchange, EngineError], None]
    """Answers with an error."""


Opener = Callable[[Arrival], None]
"""Takes a matched request over: raises an EngineError to refuse it, or answers it in its own time."""
