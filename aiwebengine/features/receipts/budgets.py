"""
What scripts use over time, and who has used too much.

Each script has an account with a meter for every budget that holds for it: the server's and
those of its manifest.  When an invocation has ended its costs are added; at eight tenths
of a budget the script's log says so, and when it is spent the script's requests are refused until the period is over.
What is used at once, such as requests to other servers, is added at once; when its budget is spent it is refused alone.
Meters are written in groups, so that a restart does not reset a budget; a server that is killed forgets what was used
in its last second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import BudgetSpent
from aiwebengine.features.receipts.settings import BudgetSettings
from aiwebengine.interfaces import Clock
from aiwebengine.observe.timer import Timer
from aiwebengine.settings.budgets import BY_NAME, Budget, amount_of, read_budget
from aiwebengine.values import Invocation, LogLine, Receipt

_log = Logger()

FLUSH_SECONDS = 1.0
_WARN_AT = 0.8
_NEVER = math.inf

_COSTS: Mapping[str, Callable[[Receipt], int]] = {
    "invocations": lambda _: 1,
    "cpu_time": lambda receipt: int(receipt.cpu_seconds * 1e6),
    "host_calls": lambda receipt: sum(cost.count for cost in receipt.host_calls.values()) if receipt.host_calls else 0,
    "rows": lambda receipt: receipt.rows,
    "log_lines": lambda receipt: receipt.log_lines,
    "bytes_out": lambda receipt: receipt.bytes_out,
    "fetches": lambda _: 0,
    "fetch_bytes": lambda _: 0,
}
_AT_ONCE = {"fetches": "Further requests to other servers", "fetch_bytes": "Further requests to other servers"}
"""What is added by `spend`, and what is refused when it is spent."""
_TALK = frozenset({"host_calls", "rows", "log_lines", *_AT_ONCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """What a script has used in a stretch of time."""

    uri: str
    resource: str
    seconds: int
    """Length of the stretch."""
    begins: int
    """When it began, seconds since 1970."""
    used: int


class UseRows(Protocol):
    """Where the meters are stored."""

    def write(self, uses: Sequence[BudgetUse]) -> Deferred[None]:
        """Put them in place of earlier ones of the same script, resource and length."""

    def read(self, *, since: int) -> Deferred[list[BudgetUse]]:
        """Return those whose stretch ends later than *since*, seconds since 1970; the others are removed."""

    def remove(self, uri: str) -> Deferred[None]:
        """Forget what a script has used."""


class _Meter:
    __slots__ = ("begins", "budget", "changed", "cost", "ends", "mark", "refused", "used")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.cost = _COSTS[budget.resource]
        self.changed = False
        self.used = 0
        self.refused = 0
        self.begins = 0
        self.ends = 0
        self.mark: float = 0
        """When this share is used, a warning is logged."""

    def turn(self, now: float) -> None:
        """Begin the period that contains *now*."""
        self.begins = int(now // self.budget.seconds) * self.budget.seconds
        self.ends = self.begins + self.budget.seconds
        self.used = self.refused = 0
        self.mark = self.budget.most * _WARN_AT

    @property
    def spent(self) -> bool:
        return self.used >= self.budget.most


class _Account:
    __slots__ = ("meters", "spent", "talk", "version")

    def __init__(self) -> None:
        self.version = ""
        """For which the meters are."""
        self.meters: tuple[_Meter, ...] = ()
        self.spent: _Meter | None = None
        self.talk = False
        """All meters are of what only host calls and log lines cost."""


class Budgets(Service):
    """
    Keeps the accounts.

    Args:
        rows: Where they are stored.
        settings: The server's budgets.
        of_manifest: Returns the budgets that a script's manifest requests, by names of settings.
        tell: Takes a line for a script's log.
        clock: Says when to write.
        seconds: The server's clock, since 1970.
    """

    def __init__(
        self,
        *,
        rows: UseRows,
        settings: BudgetSettings,
        of_manifest: Callable[[str], Mapping[str, Iterable[str]]],
        tell: Callable[[Invocation, LogLine], None],
        clock: Clock,
        seconds: Callable[[], float],
    ) -> None:
        self._rows = rows
        self._of_server = _read(
            {
                "invocations": settings.invocations,
                "cpu_time": settings.cpu_time,
                "host_calls": settings.host_calls,
                "rows": settings.rows,
                "log_lines": settings.log_lines,
                "bytes_out": settings.bytes_out,
                "fetches": settings.fetches,
                "fetch_bytes": settings.fetch_bytes,
            }
        )
        self._of_manifest = of_manifest
        self._tell = tell
        self._seconds = seconds
        self._accounts: dict[str, _Account] = {}
        self._kept: dict[str, list[BudgetUse]] = {}
        """What was read at the start, of scripts that have no account yet."""
        self._changed: dict[tuple[str, str, int], _Meter] = {}
        self._flush_timer = Timer(clock=clock, seconds=FLUSH_SECONDS, call=self.flush)
        self._failures = 0

    def startService(self) -> Deferred[None]:
        """Read what was used before."""
        super().startService()

        def found(uses: list[BudgetUse]) -> None:
            for use in uses:
                self._kept.setdefault(use.uri, []).append(use)

        return self._rows.read(since=int(self._seconds())).addCallback(found)

    def stopService(self) -> Deferred[None]:
        """Write what has changed."""
        super().stopService()
        return self.flush()

    def refusal(self, invocation: Invocation) -> BudgetSpent | None:
        """Return why an invocation may not begin; None if it may."""
        account = self._account(invocation)
        meter = account.spent
        if meter is None:
            return None
        now = self._seconds()
        if now >= meter.ends:
            meter = account.spent = self._most_used(account, now)
            if meter is None:
                return None
        return _refused(invocation, meter, now)

    def spend(self, invocation: Invocation, resource: str, amount: int) -> BudgetSpent | None:
        """See `interfaces.ScriptBudgets.spend`."""
        account, now = self._account(invocation), self._seconds()
        meters = [meter for meter in account.meters if meter.budget.resource == resource]
        for meter in meters:
            if now >= meter.ends:
                meter.turn(now)
            if meter.spent:
                return _refused(invocation, meter, now)
        for meter in meters:
            self._add(account, meter, amount, invocation, now)
        if meters and self.running:
            self._flush_timer.start()
        return None

    def count(self, invocation: Invocation, receipt: Receipt) -> None:
        """Add what an invocation cost."""
        account = self._accounts.get(invocation.script)
        if account is None:
            account = self._fit(invocation)
        if account.talk and not receipt.host_calls and not receipt.log_lines:
            return
        now = self._seconds()
        for meter in account.meters:
            cost = meter.cost(receipt)
            if cost:
                self._add(account, meter, cost, invocation, now)
        if self._changed and self.running:
            self._flush_timer.start()

    def figures_of(self, uri: str) -> list[dict[str, Any]]:
        """Return a script's budgets and what it has used of them, as the management API shows it."""
        account = self._accounts.get(uri)
        now = self._seconds()
        return [
            {
                "resource": meter.budget.resource,
                "budget": str(meter.budget),
                "most": meter.budget.most,
                "seconds": meter.budget.seconds,
                "used": meter.used if now < meter.ends else 0,
                "refused": meter.refused if now < meter.ends else 0,
                "endsAt": meter.ends * 1000 if now < meter.ends else None,
            }
            for meter in (account.meters if account is not None else ())
        ]

    def reset(self, uri: str) -> Deferred[None]:
        """Let a script begin anew with all its budgets."""
        self._kept.pop(uri, None)
        self._accounts.pop(uri, None)
        self._changed = {key: meter for key, meter in self._changed.items() if key[0] != uri}
        return self._rows.remove(uri)

    def flush(self) -> Deferred[None]:
        """Write what has changed; never fails: the log says what could not be written."""
        self._flush_timer.stop()
        changed, self._changed = self._changed, {}
        if not changed:
            return succeed(None)
        uses = []
        for (uri, resource, seconds), meter in changed.items():
            meter.changed = False
            uses.append(BudgetUse(uri=uri, resource=resource, seconds=seconds, begins=meter.begins, used=meter.used))

        def failed(failure: Failure) -> None:
            self._failures += 1
            _log.error("budget usage could not be written: {why}", why=failure.getErrorMessage())

        return self._rows.write(uses).addErrback(failed)

    def state(self) -> dict[str, Any]:
        """Return figures for the state page: which scripts have spent what."""
        now = self._seconds()
        return {
            "spent": {
                uri: str(account.spent.budget)
                for uri, account in self._accounts.items()
                if account.spent is not None and now < account.spent.ends
            },
            "failures": self._failures,
        }

    def _account(self, invocation: Invocation) -> _Account:
        account = self._accounts.get(invocation.script)
        return account if account is not None and account.version == invocation.version else self._fit(invocation)

    def _add(self, account: _Account, meter: _Meter, amount: int, invocation: Invocation, now: float) -> None:
        if now >= meter.ends:
            meter.turn(now)
        meter.used += amount
        if not meter.changed:
            meter.changed = True
            self._changed[invocation.script, meter.budget.resource, meter.budget.seconds] = meter
        if meter.used >= meter.mark:
            self._passed(account, meter, invocation, now)

    def _fit(self, invocation: Invocation) -> _Account:
        """Make an account's meters those of the version that serves; what was used stays used."""
        uri = invocation.script
        account = self._accounts.get(uri)
        if account is None:
            account = self._accounts[uri] = _Account()
        account.version = invocation.version
        least: dict[tuple[str, int], Budget] = {}
        for budget in (*self._of_server, *_read(self._of_manifest(uri))):
            key = (budget.resource, budget.seconds)
            if key not in least or budget.most < least[key].most:
                least[key] = budget
        now = self._seconds()
        used = {(meter.budget.resource, meter.budget.seconds): (meter.begins, meter.used) for meter in account.meters}
        used.update({(meter.resource, meter.seconds): (meter.begins, meter.used) for meter in self._kept.pop(uri, ())})
        account.meters = tuple(_Meter(budget) for budget in least.values())
        account.talk = _TALK.issuperset(budget.resource for budget in least.values())
        for meter in account.meters:
            meter.turn(now)
            begins, amount = used.get((meter.budget.resource, meter.budget.seconds), (0, 0))
            if begins == meter.begins:
                meter.used = amount
                meter.mark = meter.mark if amount < meter.mark else _NEVER if meter.spent else meter.budget.most
        account.spent = self._most_used(account, now)
        return account

    def _most_used(self, account: _Account, now: float) -> _Meter | None:
        spent = [
            meter
            for meter in account.meters
            if meter.spent and now < meter.ends and meter.budget.resource not in _AT_ONCE
        ]
        return max(spent, key=lambda meter: meter.ends, default=None)

    def _passed(self, account: _Account, meter: _Meter, invocation: Invocation, now: float) -> None:
        budget, wait = meter.budget, math.ceil(meter.ends - now)
        amount = amount_of(meter.used, BY_NAME[budget.resource])
        if not meter.spent:
            meter.mark = budget.most
            level, message = "warn", f"{amount} of the budget of {budget} are used; {wait} s are left."
        else:
            meter.mark = _NEVER
            account.spent = self._most_used(account, now)
            level = "error"
            refused = _AT_ONCE.get(budget.resource, "Requests")
            message = f"The budget of {budget} is spent: {amount} were used. {refused} are refused for {wait} s."
        fields = {"budget": budget.resource, "used": meter.used, "most": budget.most}
        self._tell(invocation, LogLine(at=now, level=level, message=message, fields=fields, of_server=True))


def _refused(invocation: Invocation, meter: _Meter, now: float) -> BudgetSpent:
    meter.refused += 1
    wait = max(1, math.ceil(meter.ends - now))
    return BudgetSpent(
        f'The script "{invocation.script}" has used up its budget of {meter.budget}; try again in {wait} s.',
        retry_seconds=float(wait),
    )


def _read(texts: Mapping[str, Iterable[str]]) -> list[Budget]:
    """Read budgets by the names of their resources; they were checked before."""
    budgets = [read_budget(text, BY_NAME[name]) for name, values in texts.items() if name in BY_NAME for text in values]
    return [budget for budget in budgets if budget is not None]
