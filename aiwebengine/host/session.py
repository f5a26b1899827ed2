"""
The host's side of one invocation: what it holds back and what its own reads see.

A held effect is a small value.  `Session.hold` keeps it in order; a later effect on the
same thing takes the place of the earlier one, since only the last can matter.  A group
that reads asks `pending` first, so that a script sees its own writes at once.  `commit`
hands each group its effects in the order in which the script made them, and only then
has anything happened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from aiwebengine.errors import EngineError, ScriptFailed, TooLarge, TooMany
from aiwebengine.host.registration import Registrations
from aiwebengine.values import Invocation, LogLine, Receipt

_MOST_HELD = 1000
_MOST_HELD_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One effect that waits for the handler to return."""

    group: str
    """Name of the group that will carry it out."""
    key: str
    """What it acts on, within the group."""
    value: Any
    """What it makes of it; None: it removes it."""
    size_bytes: int = 0
    """What keeping it costs."""


class Effects(Protocol):
    """A group that can carry held effects out."""

    async def apply(self, invocation: Invocation, effects: Sequence[Held]) -> None:
        """
        Carry *effects* out, in order.

        Raises:
            Unavailable, Conflict: As `interfaces.HostSession.commit` may.
        """


class Session:
    """
    See `interfaces.HostSession`.

    Args:
        invocation: Whose calls these are.
        capabilities: What the script has been granted.
        answer: Answers one call; the dispatcher's.
        effects: By group name, who carries held effects out.
        keep_lines: Takes log lines as evidence.
        keep_failure: Takes what the script failed with.
        keep_receipt: Takes the receipt at the end.
        seconds: The server's clock, since 1970.
    """

    def __init__(
        self,
        *,
        invocation: Invocation,
        capabilities: frozenset[str],
        answer: Callable[[Session, str, str], Deferred[str] | str],
        effects: Mapping[str, Effects],
        keep_lines: Callable[[Invocation, Sequence[LogLine]], None],
        keep_failure: Callable[[Invocation, ScriptFailed], None],
        keep_receipt: Callable[[Invocation, Receipt], None],
        seconds: Callable[[], float],
    ) -> None:
        self.invocation = invocation
        self.capabilities = capabilities
        self.registrations: Registrations | None = None
        """What the script registers, while it loads; None in every other invocation."""
        self.calls = 0
        """Weight of the calls so far."""
        self.open = 0
        """Calls that have not been answered."""
        self.ended = False
        self._answer = answer
        self._effects = effects
        self._keep_lines = keep_lines
        self._keep_failure = keep_failure
        self._keep_receipt = keep_receipt
        self._seconds = seconds
        self._held: dict[tuple[str, str], Held] = {}
        self._held_bytes = 0

    def call(self, name: str, argument: str) -> Deferred[str] | str:
        """See `interfaces.HostSession.call`."""
        return self._answer(self, name, argument)

    def log(self, lines: Sequence[LogLine]) -> None:
        """See `interfaces.HostSession.log`."""
        self._keep_lines(self.invocation, lines)

    def failed(self, error: ScriptFailed) -> None:
        """See `interfaces.HostSession.failed`."""
        self._keep_failure(self.invocation, error)

    def note(self, level: str, message: str, **fields: Any) -> None:
        """Log one line in the script's name."""
        self.log([LogLine(at=self._seconds(), level=level, message=message, fields=fields)])

    def hold(self, effect: Held) -> None:
        """
        Keep *effect* until the handler has returned.

        Raises:
            TooMany, TooLarge: The invocation holds too much already.
        """
        key = (effect.group, effect.key)
        before = self._held.pop(key, None)
        size = self._held_bytes + effect.size_bytes - (before.size_bytes if before else 0)
        try:
            if len(self._held) >= _MOST_HELD:
                raise TooMany(f"One invocation may change at most {_MOST_HELD} things; do the rest in another request.")
            if size > _MOST_HELD_BYTES:
                raise TooLarge(
                    f"One invocation may write at most {_MOST_HELD_BYTES} bytes; do the rest in another request."
                )
        except EngineError:
            if before is not None:
                self._held[key] = before
            raise
        self._held[key] = effect
        self._held_bytes = size

    def pending(self, group: str) -> Mapping[str, Any]:
        """Give what this invocation has done to *group* so far: values by key, None for removed ones."""
        return {held.key: held.value for (name, _), held in self._held.items() if name == group}

    def commit(self) -> Deferred[None] | None:
        """See `interfaces.HostSession.commit`."""
        if not self._held:
            return None
        held = list(self._held.values())
        self._held.clear()
        self._held_bytes = 0
        if self.registrations is not None:
            # They belong to the deployment, which may be a mere check or may yet be refused.
            self.registrations.leave(lambda: self._commit(held))
            return None
        return Deferred.fromCoroutine(self._commit(held))

    def end(self, receipt: Receipt) -> None:
        """See `interfaces.HostSession.end`."""
        self.ended = True
        self._held.clear()
        self._held_bytes = 0
        if self.registrations is not None:
            self.registrations.close()
        self._keep_receipt(self.invocation, receipt)

    async def _commit(self, held: Sequence[Held]) -> None:
        for group in dict.fromkeys(effect.group for effect in held):
            await self._effects[group].apply(self.invocation, [one for one in held if one.group == group])


Result = Any | Awaitable[Any]
"""What a group's function gives: a value that JSON can carry, now or later."""

Function = Callable[..., Result]
"""A group's function: takes the session and the checked arguments."""
