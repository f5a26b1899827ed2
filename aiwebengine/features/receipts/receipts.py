"""
What invocations cost: figures for every route, the last receipts in memory, the important ones stored.

Adding one up costs a few counters, for it is done for every request.  The last receipts of
each script lie in a ring; those of failed and slow invocations, and one of many others, go
to the evidence database in groups, a limited number of each script at a time, so that a script
that always fails cannot fill a disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.features.receipts.histogram import Histogram
from aiwebengine.features.receipts.settings import ReceiptSettings
from aiwebengine.interfaces import Clock
from aiwebengine.observe.timer import Timer
from aiwebengine.values import CallCost, Invocation, Receipt

_log = Logger()

FLUSH_SECONDS = 1.0
TRIM_SECONDS = 300.0
RECENT = 100
"""How many receipts of a script the ring holds."""
MOST_AT_ONCE = 100
"""Most receipts of one script that are kept in one second; the others are in the figures only."""
MOST_SCRIPTS = 10_000
MOST_LABELS = 2_000
OTHERS = "(others)"
"""Stands for routes beyond `MOST_LABELS`, and scripts beyond `MOST_SCRIPTS`."""

_GOOD = frozenset({"committed", "rolled_back"})
_REPEATED = frozenset({"lost", "rerun"})
"""Outcomes after which the same invocation was run once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRecord:
    """One receipt with where it came from."""

    at: float
    """When the invocation ended, seconds since 1970."""
    uri: str
    version: str
    kind: str
    label: str
    """See `Invocation.shown`."""
    receipt: Receipt
    why: str = ""
    """Why it was kept: `failed`, `slow` or `sampled`; empty if it is only remembered."""
    id: int | None = None
    """Its place in the database."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the management API shows it."""
        receipt = self.receipt
        return {
            "id": self.id,
            "at": int(self.at * 1000),
            "version": self.version,
            "invocation": receipt.invocation,
            "trace": receipt.trace or None,
            "kind": self.kind,
            "label": self.label,
            "outcome": receipt.outcome,
            "why": self.why or None,
            "wallMs": _milliseconds(receipt.wall_seconds),
            "queuedMs": _milliseconds(receipt.queued_seconds),
            "cpuMs": _milliseconds(receipt.cpu_seconds),
            "peakBytes": receipt.peak_bytes or None,
            "bytesOut": receipt.bytes_out,
            "logLines": receipt.log_lines,
            "logBytes": receipt.log_bytes,
            "rows": receipt.rows,
            "hostCalls": calls_as_json(receipt.host_calls),
        }


class ReceiptRows(Protocol):
    """Where receipts are stored."""

    def write(self, records: Sequence[ReceiptRecord]) -> Deferred[None]:
        """Add some, in one transaction."""

    def find(self, uri: str, *, limit: int, before: int | None, outcome: str | None) -> Deferred[list[ReceiptRecord]]:
        """Return a script's newest ones, newest first: those with ids below *before* and of *outcome*, if given."""

    def trim(self, *, before: float, keep: int) -> Deferred[int]:
        """Remove those older than *before* (seconds since 1970) and all but the newest *keep*; return how many."""


class Figures:
    """What the invocations of one route came to."""

    __slots__ = (
        "bytes_out",
        "cpu_seconds",
        "errors",
        "host_calls",
        "host_seconds",
        "log_lines",
        "peak",
        "repeated",
        "rows",
        "wall",
    )

    def __init__(self) -> None:
        self.wall = Histogram()
        self.cpu_seconds = 0.0
        self.host_calls = 0
        self.host_seconds = 0.0
        self.bytes_out = 0
        self.log_lines = 0
        self.rows = 0
        self.peak = 0
        self.repeated = 0
        self.errors: dict[str, int] = {}

    def add(self, receipt: Receipt) -> None:
        """Count one."""
        outcome = receipt.outcome
        if outcome in _REPEATED:
            self.repeated += 1
            return
        self.wall.add(receipt.wall_seconds)
        self.cpu_seconds += receipt.cpu_seconds
        self.bytes_out += receipt.bytes_out
        if outcome not in _GOOD:
            self.errors[outcome] = self.errors.get(outcome, 0) + 1
        if receipt.log_lines:
            self.log_lines += receipt.log_lines
        self.peak = max(self.peak, receipt.peak_bytes)
        if receipt.host_calls:
            self.rows += receipt.rows
            for cost in receipt.host_calls.values():
                self.host_calls += cost.count
                self.host_seconds += cost.seconds

    def as_json(self) -> dict[str, Any]:
        """Return it as the management API shows it."""
        return {
            "count": self.wall.count,
            "repeated": self.repeated,
            "errors": dict(self.errors),
            "p50Ms": _milliseconds(self.wall.percentile(50)),
            "p95Ms": _milliseconds(self.wall.percentile(95)),
            "p99Ms": _milliseconds(self.wall.percentile(99)),
            "wallMs": _milliseconds(self.wall.seconds),
            "cpuMs": _milliseconds(self.cpu_seconds),
            "hostCalls": self.host_calls,
            "hostMs": _milliseconds(self.host_seconds),
            "bytesOut": self.bytes_out,
            "logLines": self.log_lines,
            "rows": self.rows,
            "peakBytes": self.peak or None,
        }


class _Script:
    __slots__ = ("figures", "kept", "recent")

    def __init__(self) -> None:
        self.figures: dict[str, Figures] = {}
        self.recent: deque[tuple[float, str, str, str, Receipt]] = deque(maxlen=RECENT)
        self.kept = 0
        """Since the last flush."""


class Receipts(Service):
    """
    Adds receipts up and keeps the telling ones.

    Args:
        rows: Where they are stored.
        settings: Which, and for how long.
        clock: Says when to write.
        seconds: The server's clock, since 1970.
    """

    def __init__(
        self, *, rows: ReceiptRows, settings: ReceiptSettings, clock: Clock, seconds: Callable[[], float]
    ) -> None:
        self._rows = rows
        self._settings = settings
        self._seconds = seconds
        self._since = seconds()
        self._scripts: dict[str, _Script] = {}
        self._until_sample = settings.sample_every
        self._waiting: list[ReceiptRecord] = []
        self._left_out = 0
        self._failures = 0
        self._flush_timer = Timer(clock=clock, seconds=FLUSH_SECONDS, call=self.flush)
        self._trim_timer = Timer(clock=clock, seconds=TRIM_SECONDS, call=self._trim)

    def startService(self) -> None:
        """Begin to remove what is too old."""
        super().startService()
        self._trim_timer.start()

    def stopService(self) -> Deferred[None]:
        """Write what waits."""
        super().stopService()
        self._trim_timer.stop()
        return self.flush()

    def keep(self, invocation: Invocation, receipt: Receipt) -> None:
        """Take the receipt of an invocation that has ended."""
        script = self._scripts.get(invocation.script)
        if script is None:
            script = self._begin(invocation.script)
        label = invocation.label or invocation.kind
        figures = script.figures.get(label)
        if figures is None:
            label = label if len(script.figures) < MOST_LABELS else OTHERS
            figures = script.figures.setdefault(label, Figures())
        figures.add(receipt)
        # Figures are those of a route; of one receipt the request itself is shown.
        label = invocation.request_line or label
        at = self._seconds()
        script.recent.append((at, invocation.version, invocation.kind, label, receipt))
        self._until_sample -= 1
        if receipt.outcome not in _GOOD:
            self._keep(script, at, invocation, label, receipt, "failed")
        elif receipt.wall_seconds >= self._settings.slow_seconds:
            self._keep(script, at, invocation, label, receipt, "slow")
        elif not self._until_sample:
            self._keep(script, at, invocation, label, receipt, "sampled")
        if self._until_sample <= 0:
            self._until_sample = self._settings.sample_every

    def figures(self, uri: str) -> Mapping[str, Figures]:
        """Return what a script's routes came to since the server started, by label."""
        script = self._scripts.get(uri)
        return script.figures if script is not None else {}

    @property
    def since(self) -> float:
        """Since when figures are added up, seconds since 1970."""
        return self._since

    def recent(self, uri: str) -> list[ReceiptRecord]:
        """Return the last receipts of a script, newest first."""
        script = self._scripts.get(uri)
        if script is None:
            return []
        return [
            ReceiptRecord(at=at, uri=uri, version=version, kind=kind, label=label, receipt=receipt)
            for at, version, kind, label, receipt in reversed(script.recent)
        ]

    def kept(
        self, uri: str, *, limit: int, before: int | None = None, outcome: str | None = None
    ) -> Deferred[list[ReceiptRecord]]:
        """
        Return the receipts of a script that were kept, newest first.

        Raises:
            Unavailable: The database does not answer.
        """
        return self.flush().addCallback(lambda _: self._rows.find(uri, limit=limit, before=before, outcome=outcome))

    def forget(self, uri: str) -> None:
        """Drop the figures of a script that is no longer there."""
        self._scripts.pop(uri, None)

    def flush(self) -> Deferred[None]:
        """Write what waits; never fails: what cannot be written is counted and the log says so."""
        self._flush_timer.stop()
        records, self._waiting = self._waiting, []
        for script in self._scripts.values() if records else ():
            script.kept = 0
        if not records:
            return succeed(None)

        def failed(failure: Failure) -> None:
            self._failures += len(records)
            _log.error(
                "{count} receipts could not be written: {why}", count=len(records), why=failure.getErrorMessage()
            )

        return self._rows.write(records).addErrback(failed)

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {
            "scripts": len(self._scripts),
            "waiting": len(self._waiting),
            "leftOut": self._left_out,
            "failures": self._failures,
        }

    def _begin(self, uri: str) -> _Script:
        if len(self._scripts) >= MOST_SCRIPTS:
            uri = OTHERS
        return self._scripts.setdefault(uri, _Script())

    def _keep(self, script: _Script, at: float, invocation: Invocation, label: str, receipt: Receipt, why: str) -> None:
        if script.kept >= MOST_AT_ONCE:
            self._left_out += 1
            return
        script.kept += 1
        self._waiting.append(
            ReceiptRecord(
                at=at,
                uri=invocation.script,
                version=invocation.version,
                kind=invocation.kind,
                label=label,
                receipt=receipt,
                why=why,
            )
        )
        if self.running:
            self._flush_timer.start()

    def _trim(self) -> None:
        self._trim_timer.start()
        before = self._seconds() - self._settings.retention_days * 86_400
        trimmed = self._rows.trim(before=before, keep=self._settings.max_receipts)
        trimmed.addErrback(
            lambda failure: _log.error("old receipts could not be removed: {why}", why=failure.getErrorMessage())
        )


def calls_as_json(calls: Mapping[str, CallCost]) -> dict[str, dict[str, Any]]:
    """Return what host calls cost, by name."""
    return {
        name: {
            "count": cost.count,
            "ms": _milliseconds(cost.seconds),
            "bytesIn": cost.bytes_in,
            "bytesOut": cost.bytes_out,
        }
        for name, cost in calls.items()
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
