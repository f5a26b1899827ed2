"""
What scripts log: stored, searched, followed.

Lines are evidence: they are never held back and never rolled back.  They wait at most
`FLUSH_SECONDS` in memory and are then written in one transaction, so a script that logs
much costs one commit, and a server that is killed loses at most that window.  The
outcome of an invocation is known later than its lines; it is written to them then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.interfaces import Clock
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.observe.timer import Timer
from aiwebengine.settings.schema import LogSettings
from aiwebengine.values import Invocation, LogLine

_log = Logger()

FLUSH_SECONDS = 0.2
TRIM_SECONDS = 60.0
MOST_WAITING = 20_000
"""Most lines that wait to be written; beyond it they are counted and dropped."""
MOST_WAITING_BYTES = 32 * 1024 * 1024
MOST_FOLLOWERS = 100
_STACK = "    at "
LEVELS = ("debug", "info", "warn", "error")
"""From unimportant to important."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One line with where it came from."""

    uri: str
    version: str
    invocation: str
    kind: str
    line: LogLine
    outcome: str | None = None
    """`committed` or an error's code; None while the invocation runs, or if the server died with it."""
    id: int | None = None
    """Its place in the database; None while it is on its way there."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the management API and followers see it."""
        return {
            "id": self.id,
            "at": int(self.line.at * 1000),
            "uri": self.uri,
            "version": self.version,
            "invocation": self.invocation,
            "kind": self.kind,
            "level": self.line.level,
            "message": self.line.message,
            "fields": dict(self.line.fields),
            "outcome": self.outcome,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which lines are selected."""

    uri: str | None = None
    level: str = "debug"
    """This and above."""
    invocation: str | None = None
    of_script: bool = False
    """Only what the script itself logged."""
    contains: str | None = None
    since: float | None = None
    """Seconds since 1970; this moment and later."""
    until: float | None = None
    """Before this moment."""
    before: int | None = None
    """Only lines whose id is lower: the next older page."""
    limit: int = 100

    def matches(self, record: LogRecord) -> bool:
        """Return whether a new line is selected; `before` and `limit` say nothing about new lines."""
        return (
            (self.uri is None or record.uri == self.uri)
            and (self.invocation is None or record.invocation == self.invocation)
            and level_number(record.line.level) >= level_number(self.level)
            and not (self.of_script and record.line.of_server)
            and (self.contains is None or self.contains in record.line.message)
            and (self.since is None or record.line.at >= self.since)
            and (self.until is None or record.line.at < self.until)
        )


class LogRows(Protocol):
    """Where lines are stored."""

    def write(self, records: Sequence[LogRecord], outcomes: Sequence[tuple[str, str]]) -> Deferred[None]:
        """
        Add lines and mark earlier ones, in one transaction.

        Args:
            outcomes: Invocation and outcome, for lines that were written before it was known.
        """

    def find(self, log_filter: LogFilter) -> Deferred[list[LogRecord]]:
        """Return the newest matching lines, oldest first."""

    def trim(self, *, before: float, keep: int) -> Deferred[int]:
        """Remove lines older than *before* (seconds since 1970) and all but the newest *keep*; return how many."""


Readable = Callable[[str, str], "str | Deferred[str]"]
"""Returns a message, for a version's id and what it logged, with positions in the author's files; it never fails."""


def unmapped(version: str, text: str) -> str:  # noqa: ARG001  its shape
    """Return the string itself."""
    return text


class ScriptLogs(Service):
    """
    Collects lines, writes them in groups, lets people follow them.

    Args:
        rows: Where they are stored.
        readable: Called for lines that show a stack.
        settings: Retention.
        clock: Says when to write.
        seconds: The server's clock, since 1970.
        passed: Is notified of the points on the way.
    """

    def __init__(
        self,
        *,
        rows: LogRows,
        settings: LogSettings,
        clock: Clock,
        seconds: Callable[[], float],
        readable: Readable = unmapped,
        passed: Passed = unwatched,
    ) -> None:
        self._rows = rows
        self._readable = readable
        self._settings = settings
        self._seconds = seconds
        self._passed = passed
        self._waiting: list[LogRecord] = []
        self._waiting_bytes = 0
        self._held: deque[LogRecord] = deque()  # behind the first of them, which is being made readable
        self._after_held: list[Deferred[None]] = []
        self._open: set[str] = set()  # invocations that have logged and still run
        self._unmarked: set[str] = set()  # of those, the ones with lines in the database
        self._ended: dict[str, str] = {}  # outcomes that are not written yet
        self._dropped = 0
        self._lost = 0
        self._dropped_ever = 0
        self._written = 0
        self._failures = 0
        self._flush_timer = Timer(clock=clock, seconds=FLUSH_SECONDS, call=self.flush)
        self._trim_timer = Timer(clock=clock, seconds=TRIM_SECONDS, call=self._trim)
        self._writing: Deferred[None] | None = None
        self._after_write: list[Deferred[None]] = []
        self._followers: dict[int, tuple[LogFilter, Callable[[LogRecord], None]]] = {}
        self._next_follower = 0

    def startService(self) -> None:
        """Begin to remove what is too old."""
        super().startService()
        self._trim_timer.start()

    def stopService(self) -> Deferred[None]:
        """Write what waits."""
        super().stopService()
        self._trim_timer.stop()
        self._followers.clear()
        return self.flush()

    def append(self, invocation: Invocation, lines: Sequence[LogLine], outcome: str | None = None) -> None:
        """
        Keep *lines* of an invocation.

        Args:
            outcome: Set if the invocation has ended with these lines; see `finish`.
        """
        if lines:
            self._open.add(invocation.id)
        if invocation.trace:
            lines = [replace(line, fields={**line.fields, "trace": invocation.trace[3:35]}) for line in lines]
        for line in lines:
            self._take(
                LogRecord(
                    uri=invocation.script,
                    version=invocation.version,
                    invocation=invocation.id,
                    kind=invocation.kind,
                    line=line,
                )
            )
        if outcome is not None:
            self.finish(invocation, outcome)

    def finish(self, invocation: Invocation, outcome: str) -> None:
        """Mark the lines of an invocation, written or not, with how it ended; once, after its last line."""
        if invocation.id in self._open:
            self._open.discard(invocation.id)
            self._ended[invocation.id] = outcome
            self._schedule()

    def flush(self) -> Deferred[None]:
        """
        Write what waits, now.

        Returns:
            Fires when it is written; never fails: what cannot be written is counted and the log says so.
        """
        self._flush_timer.stop()
        if self._held or self._writing is not None:
            again: Deferred[None] = Deferred()
            (self._after_held if self._held else self._after_write).append(again)
            return again.addCallback(lambda _: self.flush())
        if not self._waiting and not self._ended and not self._dropped and not self._lost:
            return succeed(None)
        return self._write()

    def query(self, log_filter: LogFilter) -> Deferred[list[LogRecord]]:
        """
        Find lines, those of this moment included.

        Returns:
            The newest `limit` matching ones, oldest first.

        Raises:
            Unavailable: The database does not answer.
        """
        return self.flush().addCallback(lambda _: self._rows.find(log_filter))

    def follow(self, log_filter: LogFilter, callback: Callable[[LogRecord], None]) -> Callable[[], None]:
        """
        Call *callback* with each new matching line, at once.

        Returns:
            Call it to end.

        Raises:
            OverflowError: There are `MOST_FOLLOWERS` already.
        """
        if len(self._followers) >= MOST_FOLLOWERS:
            raise OverflowError(MOST_FOLLOWERS)
        self._next_follower += 1
        number = self._next_follower
        self._followers[number] = (log_filter, callback)
        return lambda: self._followers.pop(number, None) and None

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {
            "waiting": len(self._waiting),
            "written": self._written,
            "dropped": self._dropped_ever,
            "failures": self._failures,
            "followers": len(self._followers),
        }

    def _take(self, record: LogRecord) -> None:
        """Add a record, behind those that came before it."""
        if len(self._held) >= MOST_WAITING:
            self._dropped += 1
            self._dropped_ever += 1
            return
        self._held.append(record)
        if len(self._held) == 1:
            self._add_held()

    def _add_held(self) -> None:
        while self._held:
            line = self._held[0].line
            text = self._readable(self._held[0].version, line.message) if _STACK in line.message else line.message
            if isinstance(text, Deferred):
                text.addCallback(self._found)
                return
            self._add_first(text)
        after, self._after_held = self._after_held, []
        for waiter in after:
            waiter.callback(None)

    def _found(self, text: str) -> None:
        self._add_first(text)
        self._add_held()

    def _add_first(self, text: str) -> None:
        record = self._held.popleft()
        line = record.line
        self._add(record if text is line.message else replace(record, line=replace(line, message=text)))

    def _add(self, record: LogRecord) -> None:
        if len(self._waiting) >= MOST_WAITING or self._waiting_bytes >= MOST_WAITING_BYTES:
            self._dropped += 1
            self._dropped_ever += 1
            return
        self._waiting.append(record)
        self._waiting_bytes += len(record.line.message) + 200
        self._schedule()
        for number, (log_filter, callback) in list(self._followers.items()):
            if not log_filter.matches(record):
                continue
            try:
                callback(record)
            except Exception:  # noqa: BLE001 - an observer that fails must not harm who is observed
                _log.failure("a follower of logs failed and was dropped")
                self._followers.pop(number, None)

    def _schedule(self) -> None:
        if self.running:
            self._flush_timer.start()

    def _write(self) -> Deferred[None]:
        records, self._waiting, self._waiting_bytes = self._waiting, [], 0
        ended, self._ended = self._ended, {}
        dropped, self._dropped = self._dropped, 0
        lost, self._lost = self._lost, 0
        updated = [
            replace(record, outcome=ended[record.invocation]) if record.invocation in ended else record
            for record in records
        ]
        lines = len(updated)
        if dropped:
            updated.append(
                self._note(f"{dropped} log lines were dropped: scripts logged faster than the database writes.")
            )
        if lost:
            updated.append(self._note(f"Log lines lost: {lost}; the database could not write them."))
        outcomes = [(invocation, outcome) for invocation, outcome in ended.items() if invocation in self._unmarked]
        self._unmarked.difference_update(ended)
        self._unmarked.update(
            record.invocation for record in updated if record.outcome is None and record.invocation in self._open
        )
        done: Deferred[None] = Deferred()
        self._writing = writing = self._rows.write(updated, outcomes)

        def settled(result: Any) -> None:
            self._writing = None
            if isinstance(result, Failure):
                self._failures += 1
                self._dropped_ever += lines
                self._dropped += dropped
                self._lost += lost + lines
                _log.error(
                    "{count} log lines of scripts could not be written: {why}",
                    count=lines,
                    why=result.getErrorMessage(),
                )
            else:
                self._written += len(updated)
                self._passed("log.flushed")
            done.callback(None)
            after, self._after_write = self._after_write, []
            for waiter in after:
                waiter.callback(None)

        writing.addBoth(settled)
        return done

    def _note(self, message: str) -> LogRecord:
        line = LogLine(at=self._seconds(), level="warn", message=message, of_server=True)
        return LogRecord(uri="", version="", invocation="", kind="engine", line=line, outcome="committed")

    def _trim(self) -> None:
        self._trim_timer.start()
        before = self._seconds() - self._settings.retention_days * 86_400
        trimmed = self._rows.trim(before=before, keep=self._settings.max_lines)
        trimmed.addErrback(
            lambda failure: _log.error("old log lines could not be removed: {why}", why=failure.getErrorMessage())
        )


def level_number(level: str) -> int:
    """Return the place of *level* among `LEVELS`; an unknown one counts as `info`."""
    return LEVELS.index(level) if level in LEVELS else 1
