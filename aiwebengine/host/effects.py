"""
The effects of scripts, held back until the handler has returned.

A held effect is a small value.  When the unit that made it commits, its group says what it
makes durable and what follows:

    write    in the unit's transaction, with everything else that the unit made durable: in the database of its script,
             or, if what it changes is not the script's own, in the main one
    publish  from within `write`: delivered after the commit, at least once, by the relay
    happen   after the commit and before the first byte leaves; lost if the server dies in between

A group that has effects has both functions, and everything that is promised of a unit applies to it: all of it or
nothing, in the order in which the script made them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError, Stale
from aiwebengine.host.turns import Turns
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.services.db.units import OwnWrites, Transaction, Unfinished, Write
from aiwebengine.values import Invocation

_log = Logger()

UNSEEN = object()
"""The unit has not read what it writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A part of an invocation that commits by itself: the handler, a piece of a stream, what `waitUntil` got."""

    id: str
    """The invocation's id and the number of the part."""
    invocation: Invocation
    transaction: Unfinished | None = None
    """What it has written already, in the database of its script; None: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEffect:
    """One effect that waits for the handler to return."""

    group: str
    """Name of the group that will carry it out."""
    key: str
    """What it acts on, within the group."""
    value: Any
    """Its new value; None: it removes it."""
    size_bytes: int = 0
    """What keeping it costs."""
    seen: Any = UNSEEN
    """The version of the thing that the unit had read before it wrote; `UNSEEN` if it had read none."""


class StaleRead(Exception):
    """
    A group's `write` found that something was changed since the unit had read it.

    Args:
        keys: What was changed, within the group.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(", ".join(keys))
        self.keys = tuple(keys)


class Effects(Protocol):
    """A group that can carry held effects out."""

    @property
    def database(self) -> Literal["script", "main"]:
        """Return which database it writes: that of the script, or the main one."""

    def write(self, unit: Unit, effects: Sequence[HeldEffect]) -> Write | None:
        """
        Say what *effects* make durable.

        Returns:
            What writes it, called in a thread with the unit's transaction; it raises `StaleRead`
            if an effect's `seen` is no longer true, or an `EngineError`, and then nothing of the unit
            happens.  None: nothing of it is durable.
        """

    def happen(self, unit: Unit, effects: Sequence[HeldEffect]) -> None:
        """Do what follows the commit; must not wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitWork:
    """What a unit does beside deploying scripts, for the transaction that stores these."""

    write: Callable[[Any], None]
    """Takes the connection of the transaction."""
    own: OwnWrites | None
    """What it writes into the database of its script."""
    happened: Callable[[], None]
    """To be called after its commit."""


class DeploymentCommitter(Protocol):
    """Commits a unit that deploys scripts, or that belongs to a deployment."""

    async def __call__(self, invocation: Invocation, effects: Sequence[HeldEffect], work: UnitWork) -> None:
        """Make the changes that *effects* ask for, and *work*, in one transaction."""


class UnitCommits(Protocol):
    """Commits units, in whichever databases they write."""

    def own(self, script: str, unit: str, write: Write) -> Deferred[None]:
        """Commit a unit that writes into the database of its script alone."""

    def begun(self, script: str, unit: str, transaction: Unfinished, write: Write | None) -> Deferred[None]:
        """Commit a unit that has begun to write into the database of its script."""

    def main(self, unit: str, write: Write) -> Deferred[None]:
        """Commit a unit that writes into the main database alone."""

    def both(self, own: OwnWrites, write: Write) -> Deferred[None]:
        """Commit a unit that writes into the database of its script and, with *write*, into the main one."""

    def withdraw(self, script: str, unit: str) -> None:
        """Have a unit fail with `Cancelled` if it was not begun."""


class Commits:
    """
    Turns the held effects of a unit into one transaction and what follows it.

    Args:
        units: Commits what they write.
        published: Told after a commit by *deploy* that left messages for the relay.
        milliseconds: The server's clock, since 1970.
        turns: Who may change what others have met over.
        passed: Is notified of the points on the way.
    """

    def __init__(
        self,
        *,
        units: UnitCommits,
        published: Callable[[], None],
        milliseconds: Callable[[], int],
        turns: Turns,
        passed: Passed = unwatched,
    ) -> None:
        self._effects: dict[str, Effects] = {}
        self._units = units
        self._deploy: DeploymentCommitter | None = None
        self._deploying = ""
        self._published = published
        self._milliseconds = milliseconds
        self._turns = turns
        self._passed = passed

    def add(self, name: str, effects: Effects) -> None:
        """Have *effects* carry out what the group *name* holds back."""
        self._effects[name] = effects

    def deploys(self, deploy: DeploymentCommitter, *, group: str = "") -> None:
        """
        Have *deploy* commit the units of loads.

        Args:
            group: Name of the group whose effects deploy: it commits their units, too.
        """
        self._deploy, self._deploying = deploy, group

    def commit(self, unit: Unit, held: Sequence[HeldEffect]) -> Deferred[None]:
        """
        Make *held* happen, whole or not at all.

        Raises:
            Stale: Something that the unit had read was changed; run the handler again.
            Unavailable, Conflict, BudgetSpent: Nothing was done.
        """
        self._passed("commit.asked")
        groups = {
            group: [effect for effect in held if effect.group == group]
            for group in dict.fromkeys(effect.group for effect in held)
        }
        if unit.invocation.kind == "load" or (self._deploying and self._deploying in groups):
            return Deferred.fromCoroutine(self._with_deployment(unit, groups))
        names = self._names(unit, held)
        barred = self._turns.barred(unit.invocation.id, names)
        if not barred:
            return self._transact(unit, groups, names)
        if any(effect.seen is not UNSEEN and self._name(unit, effect.group, effect.key) in barred for effect in held):
            # Another invocation that had to read this again has its turn; invocations that read before that wait, too.
            refused: Deferred[None] = Deferred()
            refused.errback(self._stale(unit, names))
            return refused
        return Deferred.fromCoroutine(self._in_turn(unit, groups, names))

    def withdraw(self, unit: Unit) -> None:
        """Have a unit fail with `Cancelled` if its transaction has not begun."""
        self._units.withdraw(unit.invocation.script, unit.id)

    async def _in_turn(self, unit: Unit, groups: Mapping[str, Sequence[HeldEffect]], names: frozenset[str]) -> None:
        release = await self._turns.take(unit.invocation.id, names)
        try:
            await self._transact(unit, groups, names)
        finally:
            release()

    def _transact(
        self, unit: Unit, groups: Mapping[str, Sequence[HeldEffect]], names: frozenset[str]
    ) -> Deferred[None]:
        own, main = self._writes(unit, groups)
        if own is None and main is None and unit.transaction is None:
            self._happen(unit, groups)
            return _succeeded()
        done = self._committed(unit, own, main)
        done.addCallbacks(
            lambda _: self._happen(unit, groups),
            lambda failure: self._refused(failure, unit, names),
        )
        return done

    def _committed(self, unit: Unit, own: Write | None, main: Write | None) -> Deferred[None]:
        script = unit.invocation.script
        if main is not None:
            if own is None and unit.transaction is None:
                return self._units.main(unit.id, main)
            return self._units.both(self._own_writes(unit, own), main)
        if unit.transaction is not None:
            return self._units.begun(script, unit.id, unit.transaction, own)
        assert own is not None  # One of the three is there.
        return self._units.own(script, unit.id, own)

    @staticmethod
    def _own_writes(unit: Unit, own: Write | None) -> OwnWrites:
        return OwnWrites(script=unit.invocation.script, unit=unit.id, write=own, transaction=unit.transaction)

    async def _with_deployment(self, unit: Unit, groups: Mapping[str, Sequence[HeldEffect]]) -> None:
        others = {group: held for group, held in groups.items() if group != self._deploying}
        own, main = (self._explained(unit, write) for write in self._writes(unit, others))
        published = 0

        def store(connection: Any) -> None:
            nonlocal published
            if main is not None:
                transaction = Transaction(connection=connection, unit=unit.id, now=self._milliseconds())
                main(transaction)
                published = transaction.published

        def happened() -> None:
            if published:
                self._published()
            self._happen(unit, groups)

        deployed = groups.get(self._deploying, ())
        assert self._deploy is not None  # Set before the engine starts.
        own_writes = self._own_writes(unit, own) if own is not None or unit.transaction is not None else None
        await self._deploy(unit.invocation, deployed, UnitWork(write=store, own=own_writes, happened=happened))

    def _explained(self, unit: Unit, write: Write | None) -> Write | None:
        """Have the groups' `StaleRead` become an error that says what to do."""
        if write is None:
            return None

        def explained(transaction: Transaction) -> None:
            try:
                write(transaction)
            except StaleRead as stale:
                raise self._stale(unit, frozenset(stale.keys)) from None

        return explained

    def _writes(self, unit: Unit, groups: Mapping[str, Sequence[HeldEffect]]) -> tuple[Write | None, Write | None]:
        """Return what writes into the database of the script, and what into the main one."""
        needed: dict[str, list[Write]] = {"script": [], "main": []}
        for group, held in groups.items():
            effects = self._effects[group]
            write = effects.write(unit, held)
            if write is not None:
                needed[effects.database].append(write)
        return _together(needed["script"]), _together(needed["main"])

    def _happen(self, unit: Unit, groups: Mapping[str, Sequence[HeldEffect]]) -> None:
        self._passed("volatile.next")
        for group, held in groups.items():
            try:
                self._effects[group].happen(unit, held)
            except (Exception, SystemExit):  # noqa: BLE001  the commit is made: a fault here must not make it look as if it were not
                _log.failure("a step after the commit failed in the group {group}", group=group)
        self._passed("volatile.done")

    def _refused(self, failure: Failure, unit: Unit, names: frozenset[str]) -> Failure:
        return Failure(self._stale(unit, names)) if failure.check(StaleRead) else failure

    def _stale(self, unit: Unit, names: frozenset[str]) -> EngineError:
        return Stale(
            "Conflict: another request changed data that this one had read. Nothing was changed; try again.",
            turn=lambda: self._turns.take(unit.invocation.id, names),
        )

    def _names(self, unit: Unit, held: Sequence[HeldEffect]) -> frozenset[str]:
        return frozenset(self._name(unit, effect.group, effect.key) for effect in held)

    @staticmethod
    def _name(unit: Unit, group: str, key: str) -> str:
        return f"{unit.invocation.script}\n{group}\n{key}"


def _together(writes: Sequence[Write]) -> Write | None:
    if not writes:
        return None

    def together(transaction: Transaction) -> None:
        for write in writes:
            write(transaction)

    return together


def _succeeded() -> Deferred[None]:
    done: Deferred[None] = Deferred()
    done.callback(None)
    return done


@dataclass(frozen=True, slots=True)
class EncodedResult:
    """A result that is JSON already: a long one is encoded where it was made, in a thread."""

    json: str
    """In ASCII."""


Result = Any | Awaitable[Any]
"""What a group's function returns: a value that JSON can carry, or an `EncodedResult`, now or later."""
