"""
How long the reactor was held, and by whom.

One reactor serves every script, so a step that computes for long lets all of them wait.  The time
from one poll to the next is measured at each turn of the reactor, which costs 0.3 microseconds.  A thread
looks on: while a step lasts for more than `HELD_SECONDS` it takes the stack of the reactor's
thread, and when the step is over the log says how long it took, for which script, and where.

It watches the reactor that Linux has (epoll); with another one nothing is measured, and the state says so.
"""

from __future__ import annotations

import faulthandler
import re
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger

_log = Logger()

HELD_SECONDS = 0.05
"""A step that takes longer is in the log."""

_LOOK_SECONDS = 0.025
_COUNTED = (0.01, HELD_SECONDS, 0.25)
_MOST_FRAMES = 40
_MOST_KEPT = 20
_LINES, _LINES_SECONDS = 10, 60.0
_OWN = "aiwebengine"
_THREAD = re.compile(r"(?:Current thread|Thread) 0x(?P<id>[0-9a-f]+) .*")
_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)')


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactorHold:
    """One step that held the reactor for long."""

    at: float
    """When it began, in seconds since 1970."""
    seconds: float
    subject: str
    """For whom it worked, such as `GET /notes of "notes"`; empty if that is not known."""
    phase: str
    """The innermost function of the engine that was seen, such as `web.http.payload.payload`; empty if none was."""

    def as_json(self) -> dict[str, Any]:
        """Return it ready for JSON; times are milliseconds."""
        return {
            "at": round(self.at * 1000),
            "ms": round(self.seconds * 1000, 1),
            "subject": self.subject,
            "phase": self.phase,
        }


class ReactorPulse:
    """
    The turns of one reactor, as `Watchdog` sees them.

    Args:
        monotonic: A clock, seconds.
        held: Called with a step that took more than `HELD_SECONDS`: when it began on that clock, and how long it took.
    """

    __slots__ = ("_held", "_monotonic", "busy_since", "counts", "longest", "subject")

    def __init__(self, *, monotonic: Callable[[], float], held: Callable[[float, float], None]) -> None:
        self._monotonic = monotonic
        self._held = held
        self.busy_since = 0.0
        """When the current step began; 0 while the reactor waits."""
        self.counts = [0] * len(_COUNTED)
        """Steps that took longer than each of `_COUNTED`."""
        self.longest = 0.0
        self.subject: Any = None
        """For whom the reactor works: an `Entry` or an `Invocation`; set by who takes up the work."""

    def sleeps(self) -> None:
        """The reactor has nothing to do and waits."""
        began, self.busy_since = self.busy_since, 0.0
        if began:
            seconds = self._monotonic() - began
            if seconds > _COUNTED[0]:
                self._count(began, seconds)
        self.subject = None

    def wakes(self) -> None:
        """Something has happened."""
        self.busy_since = self._monotonic()

    def _count(self, began: float, seconds: float) -> None:
        for index, bound in enumerate(_COUNTED):
            self.counts[index] += seconds > bound
        self.longest = max(self.longest, seconds)
        if seconds > HELD_SECONDS:
            self._held(began, seconds)


def unwatched_pulse() -> ReactorPulse:
    """Return a pulse that is not measured, for what is built without an engine."""
    return ReactorPulse(monotonic=time.monotonic, held=lambda _began, _seconds: None)


class WatchedPoller:
    """
    A poller of the operating system that reports when it waits.

    Args:
        poller: The one that the reactor had.
        pulse: Told.
    """

    def __init__(self, poller: Any, pulse: ReactorPulse) -> None:
        self.inner = poller
        self._poll = poller.poll
        self._sleeps, self._wakes = pulse.sleeps, pulse.wakes
        self.register, self.modify, self.unregister = poller.register, poller.modify, poller.unregister
        self.close, self.fileno = poller.close, poller.fileno

    def poll(self, timeout: float, maxevents: int) -> Any:
        """See `select.epoll`."""
        self._sleeps()
        try:
            return self._poll(timeout, maxevents)
        finally:
            self._wakes()


class Watchdog(Service):
    """
    Watches a reactor while the engine runs.

    Args:
        reactor: Watched if it polls with epoll.
        wall: Seconds since 1970.
        monotonic: A clock, seconds.
    """

    def __init__(
        self, *, reactor: Any, wall: Callable[[], float], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._reactor = reactor
        self._wall = wall
        self._monotonic = monotonic
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: tuple[float, list[traceback.FrameSummary], Any] = (0.0, [], None)
        """When the step began that was seen last, its stack, and for whom it worked then: later it may be another."""
        self._holds: deque[ReactorHold] = deque(maxlen=_MOST_KEPT)
        self._lines: deque[float] = deque(maxlen=_LINES)
        self.pulse = ReactorPulse(monotonic=monotonic, held=self._held)

    def startService(self) -> None:
        """Begin; called in the reactor's thread."""
        super().startService()
        poller = getattr(self._reactor, "_poller", None)
        if poller is None:
            return
        self._reactor._poller = WatchedPoller(poller, self.pulse)  # noqa: SLF001  epollreactor has no other place for it
        self._end.clear()
        self._thread = threading.Thread(
            target=self._watch, args=(threading.get_ident(),), name="reactor watchdog", daemon=True
        )
        self._thread.start()

    def stopService(self) -> None:
        """End."""
        super().stopService()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._end.set()
        thread.join()
        poller = self._reactor._poller  # noqa: SLF001  As above.
        if isinstance(poller, WatchedPoller):
            self._reactor._poller = poller.inner  # noqa: SLF001  As above.

    def state(self) -> dict[str, Any]:
        """Return how often the reactor was held, how long at most, and the last times; ready for JSON."""
        return {
            "watched": self._thread is not None,
            **{f"over{round(bound * 1000)}ms": count for bound, count in zip(_COUNTED, self.pulse.counts, strict=True)},
            "longestMs": round(self.pulse.longest * 1000, 1),
            "last": [hold.as_json() for hold in reversed(self._holds)],
        }

    def look(self, thread: int) -> None:
        """
        Keep the stack of a step that has lasted for long already; called in the thread that looks on.

        Args:
            thread: The identifier of the reactor's thread.
        """
        began = self.pulse.busy_since
        if began and began != self._seen[0] and self._monotonic() - began >= HELD_SECONDS:
            self._seen = (began, stack_of(thread), self.pulse.subject)

    def _watch(self, reactor_thread: int) -> None:
        while not self._end.wait(_LOOK_SECONDS):
            self.look(reactor_thread)

    def _held(self, began: float, seconds: float) -> None:
        seen_of, stack, subject = self._seen
        if seen_of != began:
            stack, subject = [], self.pulse.subject
        hold = ReactorHold(
            at=self._wall() - seconds,
            seconds=seconds,
            subject=describe(subject),
            phase=phase_of(stack),
        )
        self._holds.append(hold)
        now = self._monotonic()
        if len(self._lines) == _LINES and now - self._lines[0] < _LINES_SECONDS:
            return
        self._lines.append(now)
        _log.warn(
            "the reactor was held for {ms} ms{subject}{phase}{stack}",
            ms=round(seconds * 1000),
            subject=f" by {hold.subject}" if hold.subject else "",
            phase=f" in {hold.phase}" if hold.phase else "",
            stack="".join(f"\n    {PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in stack),
        )


def stack_of(thread: int) -> list[traceback.FrameSummary]:
    """
    Return the innermost frames of a thread, the outermost of them first; none if there is no such thread.

    `faulthandler` reads them in one go.  With `frame.f_back` the thread may go on between two frames and switch to
    another task of `services/reactor/cooperative.py`; the frames of a task that does not run end in memory that may
    be something else by then.

    Args:
        thread: Its identifier, as of `threading.get_ident`.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        lines = file.read().splitlines()
    frames: list[traceback.FrameSummary] = []
    inside = False
    for line in lines:
        if (heading := _THREAD.fullmatch(line)) is not None:
            inside = int(heading["id"], 16) == thread
        elif inside and (frame := _FRAME.fullmatch(line)) is not None and len(frames) < _MOST_FRAMES:
            made = traceback.FrameSummary(frame["file"], int(frame["line"]), frame["name"], lookup_line=False)
            frames.append(made)
    return frames[::-1]


def phase_of(stack: list[traceback.FrameSummary]) -> str:
    """Return the innermost function of the engine in a stack, with its module; empty if there is none."""
    for frame in reversed(stack):
        parts = PurePath(frame.filename).with_suffix("").parts
        if _OWN in parts:
            return ".".join([*parts[len(parts) - parts[::-1].index(_OWN) :], frame.name])
    return ""


def describe(subject: Any) -> str:
    """Return for what the reactor worked: a registered entry, an invocation, or nothing in particular."""
    script = getattr(subject, "script", "")
    methods = "/".join(getattr(subject, "methods", ()))
    what = getattr(subject, "label", "") or f"{methods} {getattr(subject, 'key', '')}".lstrip()
    return f'{what} of "{script}"' if script else ""
