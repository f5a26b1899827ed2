"""
What a run and the host say to each other while one process has the run: host calls and log lines.

Whatever the process sends may be forged: it is bounded and counted before it is acted on.
"""

from __future__ import annotations

from collections.abc import Callable

from aiwebengine.interfaces import HostSession
from aiwebengine.observe.points import Passed
from aiwebengine.runtime.processes.interfaces import Child
from aiwebengine.runtime.runs.run_recording import RunRecording
from aiwebengine.runtime.wire.boxes import BadBox
from aiwebengine.runtime.wire.call_checks import TOO_MANY_PARTS, is_costly_to_read, overspent
from aiwebengine.runtime.wire.lines import Lines
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance, CallCost

_MOST_NAMES = 200


class HostConversation:
    """
    The host calls and log lines of one attempt of a run.

    Args:
        child: The process that has the run.
        session: Answers.
        limits: What the run may use.
        recording: Where calls and answers are recorded; None: nowhere.
        seconds: A clock.
        passed: Is notified of the points on the way.
    """

    __slots__ = (
        "_child",
        "_limits",
        "_made",
        "_open",
        "_passed",
        "_recording",
        "_seconds",
        "_session",
        "_waits",
        "costs",
        "lines",
    )  # fmt: skip

    def __init__(
        self,
        *,
        child: Child,
        session: HostSession,
        limits: Allowance | LimitSettings,
        recording: RunRecording | None,
        seconds: Callable[[], float],
        passed: Passed,
    ) -> None:
        self._child: Child | None = child
        self._session = session
        self._limits = limits
        self._recording = recording
        self._seconds = seconds
        self._passed = passed
        self._made = 0
        """Host calls so far, the refused ones too."""
        self._open: dict[bytes, str] = {}
        """Names of the host calls that are not answered, by tag."""
        self._waits = 0
        """Host calls that are not answered, and pieces of the answer that the client has not received."""
        self.costs: dict[str, CallCost] = {}
        """By name of the host call."""
        self.lines: Lines | None = None
        """Counts log lines; None if there were none."""

    def count(self, name: str, argument: str | bytes) -> CallCost:
        """
        Count a call, whatever answers it.

        Raises:
            BadBox: A script cannot cause calls of this many names.
        """
        cost = self.costs.get(name)
        if cost is None:
            if len(self.costs) >= _MOST_NAMES:
                raise BadBox("it makes host calls that do not exist")
            cost = self.costs[name] = CallCost()
        cost.count += 1
        cost.bytes_in += len(argument)
        return cost

    def ask(self, tag: bytes, name: str, argument: str, cost: CallCost) -> None:
        """
        Have the host answer a call, now or later.

        Raises:
            ScriptFailed: The script keeps calling although its calls are used up.
        """
        self._made += 1
        spent = overspent(self._made, self._limits)
        if spent is not None:
            raise spent
        self._passed("call.received")
        if self._recording is not None:
            self._recording.add_call(tag, name, argument)
        asked_at = self._seconds()
        answer = TOO_MANY_PARTS if is_costly_to_read(argument) else self._session.call(name, argument)
        if isinstance(answer, str):
            self._answered(answer, tag, cost, asked_at)
        else:
            self._open[tag] = name
            self.wait()
            answer.addCallback(self._answered_later, tag, cost, asked_at)

    def log(self, raw: bytes, *, at: float) -> None:
        """
        Handle log lines.

        Args:
            at: The time that they get.

        Raises:
            BadBox: They are not valid.
        """
        if self.lines is None:
            self.lines = Lines(self._limits)
        lines = self.lines.read(raw, at=at)
        if lines:
            self._session.log(lines)

    def wait(self) -> None:
        """Count one thing more that the script waits for."""
        self._waits += 1
        if self._child is not None:
            self._child.park()

    def wait_over(self) -> None:
        """Count one of them less; the child is about to be notified."""
        self._waits -= 1
        if self._waits <= 0 and self._child is not None:
            self._child.resume()

    def open_calls(self) -> list[str]:
        """Return the names of the host calls that are not answered."""
        return list(self._open.values())

    def close(self) -> None:
        """Answer nothing more: the process has finished the run, or is dead."""
        self._child = None

    def _answered_later(self, answer: str, tag: bytes, cost: CallCost, asked_at: float) -> None:
        self._open.pop(tag, None)
        if self._child is not None:
            self.wait_over()
        self._answered(answer, tag, cost, asked_at)

    def _answered(self, answer: str, tag: bytes, cost: CallCost, asked_at: float) -> None:
        cost.seconds += self._seconds() - asked_at
        cost.bytes_out += len(answer)
        child = self._child
        if child is None:
            return
        self._passed("call.answered")
        if self._recording is not None:
            self._recording.add_result(tag, answer)
        child.answer(tag, answer.encode("ascii"))
