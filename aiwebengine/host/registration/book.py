"""
What one script registers while it loads.

The prelude sends each registration here while the top level and `init` run.  It is checked at
once, so that a bad one throws where it stands; the whole is read when the load is over.  After
that the book is closed.

Within one script a later registration takes the place of an earlier one of the same kind and key,
or of the same method and path, with a warning; between scripts that is a conflict, which the deployment finds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiwebengine.errors import Closed, TooMany
from aiwebengine.host.registration.kinds import Registration, RegistrationKind, blaming
from aiwebengine.host.registration.paths import checked_path
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.runtime.routes import shape_of
from aiwebengine.values import Entry, Invocation

USE = "use"
"""The JavaScript function that registers middleware."""

_MOST_PATHS = 2000
_MOST_MIDDLEWARE = 64
_LONGEST_STACK = 4000
_MOST_REPLACED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _KeptRegistration:
    entry: Entry
    stack: str
    """Duktape's stack at the call; its positions are those of the bundle."""


class Registrations:
    """
    The book of one load.

    Args:
        invocation: The load.
        reserved: Paths at which it may register nothing.
    """

    def __init__(self, *, invocation: Invocation, reserved: ReservedPaths) -> None:
        self._invocation = invocation
        self._reserved = reserved
        self._kept: dict[tuple[str, str, str], _KeptRegistration] = {}
        """By what a later registration replaces: kind and key, or of what takes a path "", method and shape."""
        self._replaced: list[tuple[str, _KeptRegistration, _KeptRegistration]] = []
        """The method if there is one, what was replaced, and by what."""
        self._counts: dict[str, int] = {}
        """How many there are, by kind."""
        self._paths = 0
        """Methods and paths that were registered so far."""
        self._middleware: list[int] = []
        self._open = True
        self._effects: Callable[[], Awaitable[None]] | None = None

    @property
    def entries(self) -> Sequence[Entry]:
        """Return every entry once, in the order of registration; `place` is still empty."""
        return [registration.entry for registration in self._entries()]

    @property
    def middleware(self) -> tuple[int, ...]:
        """Return the numbers of the middleware for every route, in order."""
        return tuple(self._middleware)

    def placed(self, place: Callable[[str], str]) -> tuple[Entry, ...]:
        """
        Return every entry once, with its place.

        Args:
            place: Makes `file:line` in the author's source of a stack; empty if it is not known.
        """
        return tuple(replace(registration.entry, place=place(registration.stack)) for registration in self._entries())

    def replaced(self, place: Callable[[str], str]) -> tuple[tuple[Entry, Entry], ...]:
        """
        Return each entry of which something was replaced, with the methods that it lost, and what replaced it.

        Args:
            place: See `placed`.
        """
        methods: dict[tuple[int, int], list[str]] = {}
        pairs: dict[tuple[int, int], tuple[_KeptRegistration, _KeptRegistration]] = {}
        for method, earlier, later in self._replaced:
            key = (id(earlier), id(later))
            pairs[key] = (earlier, later)
            methods.setdefault(key, []).extend([method] if method else [])
        return tuple(
            (
                replace(earlier.entry, place=place(earlier.stack), methods=tuple(methods[key])),
                replace(later.entry, place=place(later.stack)),
            )
            for key, (earlier, later) in pairs.items()
        )

    def close(self) -> None:
        """Take nothing more."""
        self._open = False

    def leave(self, effects: Callable[[], Awaitable[None]]) -> None:
        """Keep what the top level and `init` have done for the deployment to carry out."""
        self._effects = effects

    async def carry_out(self) -> None:
        """
        Make the effects of the top level and of `init` durable; for the deployment, once.

        Raises:
            Unavailable, Conflict: As `interfaces.HostSession.commit`.
        """
        effects, self._effects = self._effects, None
        if effects is not None:
            await effects()

    def add(self, kind: RegistrationKind, message: Mapping[str, Any]) -> None:
        """
        Check and keep one registration.

        Args:
            message: `handler`, `options`, `stack`, `call`, `path` and whatever else the kind needs; not trusted.

        Raises:
            Closed: The load is over.
            Invalid: A rule is broken; the message says which.
            TooMany: The script has registered too much.
        """
        call = message.get("call")
        if call not in kind.functions:
            call = kind.functions[0]
        self._require_open(call)
        pattern = ""
        if kind.takes_path:
            with blaming(argument=0):
                pattern = checked_path(message.get("path"), call, self._reserved)
        registration = Registration(
            kind=kind.name,
            call=call,
            script=self._invocation.script,
            version=self._invocation.version,
            pattern=pattern,
            sent=message,
        )
        entry = kind.check(registration)
        stack = message.get("stack")
        kept = _KeptRegistration(entry=entry, stack=stack[:_LONGEST_STACK] if isinstance(stack, str) else "")
        if kind.takes_path:
            self._paths += len(entry.methods)
            if self._paths > _MOST_PATHS:
                raise TooMany(f"{call}: a script may register at most {_MOST_PATHS} routes.")
            shape = shape_of(entry.key)
            for method in entry.methods:
                self._keep(("", method, shape), kept)
            return
        self._keep((kind.name, entry.key, ""), kept)
        if self._counts[kind.name] > kind.most:
            raise TooMany(f"{call}: a script may register at most {kind.most} {kind.nouns}.")

    def add_middleware(self, message: Mapping[str, Any]) -> None:
        """
        Check and keep one `use`.

        Raises:
            Closed: The load is over.
            Invalid: It is not a handler.
            TooMany: The script has too many.
        """
        self._require_open(USE)
        registration = Registration(
            kind=USE, call=USE, script=self._invocation.script, version=self._invocation.version, sent=message
        )
        handler = registration.handler()
        if len(self._middleware) >= _MOST_MIDDLEWARE:
            raise TooMany(f"{USE}: a script may have at most {_MOST_MIDDLEWARE} middleware functions.")
        self._middleware.append(handler.id)

    def _keep(self, replaces: tuple[str, str, str], registration: _KeptRegistration) -> None:
        earlier = self._kept.pop(replaces, None)
        if earlier is None:
            self._counts[replaces[0]] = self._counts.get(replaces[0], 0) + 1
        elif len(self._replaced) < _MOST_REPLACED:
            self._replaced.append((replaces[1] if not replaces[0] else "", earlier, registration))
        self._kept[replaces] = registration

    def _entries(self) -> Sequence[_KeptRegistration]:
        """Return each entry once, with the methods that no later registration has replaced."""
        methods: dict[int, list[str]] = {}
        seen: dict[int, _KeptRegistration] = {}
        for (kind, method, _), registration in self._kept.items():
            seen[id(registration)] = registration
            if not kind:
                methods.setdefault(id(registration), []).append(method)
        return [
            replace(registration, entry=replace(registration.entry, methods=tuple(methods.get(key, ()))))
            for key, registration in seen.items()
        ]

    def _require_open(self, call: str) -> None:
        if not self._open:
            raise closed(call)


def closed(call: str) -> Closed:
    """Return the error for a registration outside of a load."""
    return Closed(f"{call} works only while the script loads, at its top level or in init; move the call there.")
