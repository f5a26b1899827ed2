"""
The host's side of one invocation: what it holds back and what its own reads see.

A held effect is a small value.  `CallSession.hold` keeps it in order; a later effect on the
same thing takes the place of the earlier one, since only the last can matter.  A group
that reads asks `pending` first, so that a script sees its own writes at once, and says with
`remember_version` which version it read.  `commit` makes all of it one unit (`effects.py`), and only
then has anything happened; what the invocation does after that belongs to its next unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.errors import Denied, EngineError, ScriptFailed, TooLarge, TooMany
from aiwebengine.host.effects import UNSEEN, Commits, HeldEffect, Result, Unit
from aiwebengine.host.registration.book import Registrations
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.services.db.units import Unfinished
from aiwebengine.values import Answer, Invocation, LogLine, Receipt

ANSWERS = "answers"
"""Group of the effect that keeps the answer of an invocation which is done once: its value is (`AnswerKey`, answer)."""

_MOST_HELD = 1000
_MOST_HELD_BYTES = 64 * 1024 * 1024


class CallSession:
    """
    See `interfaces.HostSession`.

    Args:
        invocation: Whose calls these are.
        capabilities: What the script has been granted.
        answer: Answers one call; the dispatcher's.
        commits: Carries held effects out.
        keep_lines: Takes log lines as evidence.
        keep_failure: Takes what the script failed with.
        keep_receipt: Takes the receipt at the end.
        seconds: The server's clock, since 1970.
        passed: Is notified of the points on the way.
    """

    def __init__(
        self,
        *,
        invocation: Invocation,
        capabilities: frozenset[str],
        answer: Callable[[CallSession, str, str], Deferred[str] | str],
        commits: Commits,
        keep_lines: Callable[[Invocation, Sequence[LogLine]], None],
        keep_failure: Callable[[Invocation, ScriptFailed], None],
        keep_receipt: Callable[[Invocation, Receipt], None],
        seconds: Callable[[], float],
        passed: Passed = unwatched,
    ) -> None:
        self.invocation = invocation
        self.capabilities = capabilities
        self.registrations: Registrations | None = None
        """What the script registers, while it loads; None in every other invocation."""
        self.calls = 0
        """Weight of the calls so far."""
        self.rows = 0
        """Of the database, read or written."""
        self.cpu_seconds = 0.0
        """Of the server's processor time, for host calls that compute."""
        self.transaction: Unfinished | None = None
        """What the unit has written already, in the database of its script; whoever opens it puts it here."""
        self.open = 0
        """Calls that have not been answered."""
        self._versions = 0
        self._unit: Unit | None = None
        self._at_end: list[Callable[[], None]] = []
        self.ended = False
        self.repeatable = True
        """Nothing has happened that running the handler again would do twice."""
        self.units = 0
        """Parts of the invocation that were committed, or are being committed."""
        self._answer = answer
        self._commits = commits
        self._passed = passed
        self._keep_lines = keep_lines
        self._keep_failure = keep_failure
        self._keep_receipt = keep_receipt
        self._seconds = seconds
        self._held: dict[tuple[str, str], HeldEffect] = {}
        self._committing: dict[tuple[str, str], HeldEffect] = {}
        """What the unit before has done, until that is stored."""
        self._seen: dict[tuple[str, str], Any] = {}
        self._held_bytes = 0

    def call(self, name: str, argument: str) -> Deferred[str] | str:
        """See `interfaces.HostSession.call`."""
        return self._answer(self, name, argument)

    def log(self, lines: Sequence[LogLine]) -> None:
        """See `interfaces.HostSession.log`."""
        label = self.invocation.shown
        if label and self.invocation.kind != "load" and any(line.of_server for line in lines):
            lines = [line.at_route(label) if line.of_server else line for line in lines]
        self._keep_lines(self.invocation, lines)

    def failed(self, error: ScriptFailed) -> None:
        """See `interfaces.HostSession.failed`."""
        self._keep_failure(self.invocation, error)

    def note(self, level: str, message: str, **fields: Any) -> None:
        """Log one line in the script's name."""
        self.log([LogLine(at=self._seconds(), level=level, message=message, fields=fields, of_server=True)])

    def act_at_once(self) -> None:
        """
        Do something that takes effect whatever becomes of the invocation.

        Raises:
            Denied: The invocation may change nothing.
        """
        self.require_writing()
        self.repeatable = False

    def hold(self, effect: HeldEffect) -> None:
        """
        Keep *effect* until the handler has returned.

        Raises:
            Denied: The invocation may change nothing.
            TooMany, TooLarge: The invocation holds too much already.
        """
        self.require_writing()
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
        self._passed("effect.held")

    def require_writing(self) -> None:
        """
        Refuse an invocation that may change nothing.

        Raises:
            Denied: It may not.
        """
        if self.invocation.read_only:
            raise Denied(self.invocation.read_only)

    def remember_version(self, group: str, key: str, version: Any) -> None:
        """Remember which version of a thing the script was shown first; None if there was none."""
        if len(self._seen) < _MOST_HELD:
            self._seen.setdefault((group, key), version)

    def next_version(self) -> str:
        """Return a string that names no other version of anything, ever."""
        self._versions += 1
        return f"{self.invocation.id}.{self.units}.{self._versions}"

    def pending(self, group: str) -> Mapping[str, Any]:
        """Return what this invocation has done to *group* so far: values by key, None for removed ones."""
        return {
            held.key: held.value
            for done in (self._committing, self._held)
            for (name, _), held in done.items()
            if name == group
        }

    def holds(self, group: str, key: str) -> bool:
        """Return whether the unit that is not committed yet has done something to a thing."""
        return (group, key) in self._held

    def keep(self, answer: Answer | None) -> None:
        """See `interfaces.HostSession.keep`."""
        if self.invocation.answer_key is not None:
            answer_key = self.invocation.answer_key
            size = len(answer.body) if answer is not None else 0
            self.hold(HeldEffect(group=ANSWERS, key=answer_key.key, value=(answer_key, answer), size_bytes=size))

    def commit(self) -> Deferred[None] | None:
        """See `interfaces.HostSession.commit`."""
        seen = self._seen
        self._seen = {}
        transaction, self.transaction = self.transaction, None
        if not self._held and transaction is None:
            return None
        held = [replace(effect, seen=seen.get(key, UNSEEN)) for key, effect in self._held.items()]
        self._unit = unit = Unit(
            id=f"{self.invocation.id}.{self.units}", invocation=self.invocation, transaction=transaction
        )
        self.units += 1
        committing, self._held = self._held, {}
        self._held_bytes = 0
        if self.registrations is not None:
            # They belong to the deployment, which may be a mere check or may yet be refused.
            self.registrations.leave(lambda: self._commits.commit(unit, held))
            return None
        self._committing = committing
        done = self._commits.commit(unit, held)
        done.addBoth(self._stored, transaction)
        return done

    def _stored(self, result: Any, transaction: Unfinished | None) -> Any:
        self._committing = {}
        if transaction is not None:
            # If it was refused before it was committed.
            transaction.roll_back()
        return result

    def withdraw(self) -> None:
        """See `interfaces.HostSession.withdraw`."""
        if self._unit is not None:
            self._commits.withdraw(self._unit)

    def at_end(self, call: Callable[[], None]) -> None:
        """Have *call* called when the invocation is over."""
        self._at_end.append(call)

    def end(self, receipt: Receipt) -> None:
        """See `interfaces.HostSession.end`."""
        self.ended = True
        self._held.clear()
        self._held_bytes = 0
        if self.transaction is not None:
            self.transaction.roll_back()
        for call in self._at_end:
            call()
        if self.registrations is not None:
            self.registrations.close()
        self._keep_receipt(self.invocation, receipt)


Function = Callable[..., Result]
"""A group's function: takes the session and the checked arguments."""
