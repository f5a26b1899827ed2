"""
One clone: a process that runs invocations of one version, one at a time.

Everything may be written before the process exists, for both sockets keep what is sent; so
a clone is used the moment it has been asked for.

    idle --start--> busy --answer--> idle       dying: the socket has ended or a kill was sent;
      any --kill / end of socket--> dying --exit--> dead     how it ended is known at dead

A second run may lie in its socket while one is in hand.  It has not begun before the first is
answered, so it is in nobody's hand: it is taken back when the first begins to wait, and given
back when the process dies.  A process that only computes does not hear that its second run is
wanted back; if it takes too long the run is given back without it, and the process is ended
when the first run is over, before anything that it says of the second is heard.

Nothing that a child or its template says is believed: boxes are bounded, and a pid is used for
nothing before the kernel has confirmed whose child it is.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.interfaces import IReactorFDSet
from twisted.logger import Logger

from aiwebengine.runtime.boxes import Box, encode, encode_pair
from aiwebengine.runtime.control import Control, Exit
from aiwebengine.runtime.link import Link

if TYPE_CHECKING:
    from aiwebengine.runtime.run import Run

_log = Logger()

_COMMAND_RUN = encode_pair(b"_command", b"run")
_STEPS = encode_pair(b"_command", b"steps")
_CANCEL = encode_pair(b"_command", b"cancel")
_RECALL = encode_pair(b"_command", b"recall")
_TAGS = (b"1", b"2")
_ASKS = tuple(encode_pair(b"_ask", tag) for tag in _TAGS)
_NAMED = tuple(encode_pair(b"t", tag) for tag in _TAGS)
_PATIENCE_SECONDS = 1.0
# How nice they are, beside the server: as a child begins (`sandbox/lockdown/process.py`), and much more.
_SHORT_RUNS = 5
_LONG_RUNS = 15
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PEAK = re.compile(rb"^VmHWM:\s+(\d{1,15}) kB", re.MULTILINE)
_MOST_UNREAD_BYTES = 64 * 1024 * 1024
_UNREAD = (
    b'{"err":{"code":"too_many","message":"Answers of more than 64 MiB have come and were not looked at yet; '
    b'this one is not given. Await some calls before you make the next."}}'
)
_UNFIT = frozenset({b"memory", b"internal"})


class Occupant(Protocol):
    """The run that a clone has in hand."""

    def over(self, box: Box, cpu_seconds: float) -> bool:
        """
        The script is done: its answer or what it failed with, not yet checked.

        Returns:
            Whether the process keeps to the protocol; if not it is ended.
        """

    def conclude(self) -> None:
        """Do what follows from `over`; the clone may have its next run in hand already."""

    def asked(self, tag: bytes, name: bytes, argument: bytes) -> None:
        """The script makes a host call."""

    def logged(self, lines: bytes) -> None:
        """The script logs."""

    def stepped(self, step: bytes) -> None:
        """The world of a recorded run was given something."""

    def died(self, clone: Clone) -> None:
        """The process is gone; `clone.ended` and `clone.cause` say how."""


class Clone:
    """
    One process.

    Args:
        reactor: Watches its socket.
        number: Its id on the control socket.
        control: Of its template.
        once: It ends after one run.
        max_bytes: Largest value it may send.
        parent: Gives the pid of its template, 0 if not known.
        freed: Told when it can take the next run.
        gone: Told once when it is dead.
        parks: Told when its run begins or ends to wait for others.
        returned: Given back a second run that was taken back.
        seconds: A clock.
    """

    __slots__ = (
        "_behind", "_control", "_cpu", "_disowned", "_doomed", "_dying_since", "_freed", "_gone", "_last_words",
        "_link", "_number", "_once", "_parent", "_parks", "_pidfd", "_recalling", "_returned", "_seconds", "_turn",
        "_unverified", "begun_at", "born_at", "cause", "died_busy", "dying", "ended", "idle_since", "label",
        "last_cpu_seconds", "lingers", "occupant", "parked", "pid", "placed", "placed_since", "runs", "second",
        "unfit",
    )  # fmt: skip

    # Long: keeps each argument under its name, and begins each count.
    def __init__(
        self,
        *,
        reactor: IReactorFDSet,
        number: int,
        control: Control,
        once: bool,
        max_bytes: int,
        parent: Callable[[], int],
        freed: Callable[[Clone], None],
        gone: Callable[[Clone], None],
        parks: Callable[[Clone], None],
        returned: Callable[[Run], None],
        seconds: Callable[[], float],
    ) -> None:
        self._number = number
        self._control = control
        self._once = once
        self._freed = freed
        self._gone = gone
        self._parks = parks
        self._returned = returned
        self._turn = 0
        """Which of the two tags the run in hand has."""
        self._recalling = False
        self._disowned = False
        """Its second run was given back, and may lie in the socket all the same."""
        self._seconds = seconds
        self._parent = parent
        self._pidfd = -1
        self._unverified = False
        self._doomed = False
        self._behind = False
        self._last_words = False
        self._cpu = 0.0
        self._dying_since = 0.0
        self.last_cpu_seconds = 0.0
        """Of the last run."""
        self.pid = 0
        """Confirmed by the kernel; 0 while it is not."""
        self.runs = 0
        self.born_at = self.idle_since = seconds()
        self.parked = False
        """Its run waits for the host or its client, and for nothing else."""
        self.placed = False
        """It is counted among those that have a run in hand; kept by its group, as is the next."""
        self.placed_since = 0.0
        self.unfit = False
        """It said itself that it is of no use any more."""
        self.occupant: Occupant | None = None
        self.second: Run | None = None
        """Lies in the socket, and has not begun."""
        self.label = ""
        """What its run is a run of."""
        self.begun_at = 0.0
        """When its run began."""
        self.lingers = False
        """Its run has waited, goes on with an answer, or takes long: nobody is put behind it."""
        self.dying = False
        self.cause = ""
        """Why the server killed it: an error code, or empty if it did not."""
        self.ended: Exit | None = None
        self.died_busy = False
        """It died with a run in hand."""
        ours, theirs = socket.socketpair()
        self._link = Link(
            reactor=reactor,
            sock=ours,
            max_bytes=max_bytes,
            received=self._received,
            broken=self._broken,
            lost=self._lost,
        )
        control.fork(number, {"op": "clone", "once": once}, [theirs], self)

    def start(self, occupant: Occupant, payload: bytes, wall_ms: int, cpu_ms: int, more: bytes = b"") -> None:
        """Begin a run; the clone must be idle.  *more* goes into the box."""
        self.occupant = occupant
        self.runs += 1
        self._turn = 0
        self.lingers = self._once
        self._send_run(0, payload, wall_ms, cpu_ms, more)

    def follow(self, run: Run, payload: bytes, wall_ms: int, cpu_ms: int) -> None:
        """Have a second run wait in the socket; the clone must have one in hand, and no second."""
        self.second = run
        self._recalling = False
        self._send_run(1 - self._turn, payload, wall_ms, cpu_ms, b"")

    def advance(self) -> Run:
        """Know that the second run has begun, for the first was answered."""
        run = self.second
        assert run is not None
        self.second, self.occupant = None, run
        self._turn = 1 - self._turn
        self.runs += 1
        self.lingers = False
        return run

    def recall(self) -> None:
        """Take the second run back, if there is one and it has not begun."""
        if self.second is not None and not self._recalling and not self.dying:
            self._recalling = True
            self._link.send(encode(_RECALL + _NAMED[1 - self._turn], b""))

    def give_up_second(self) -> None:
        """Give the second run back, if there is one, although the process may still have it."""
        self.recall()
        run = self.take_second()
        if run is not None:
            self._disowned = True
            self._returned(run)

    @property
    def goes_on(self) -> bool:
        """Tell whether its second run has begun, now that the first one was answered."""
        return self.second is not None and not self.unfit and not self.cause and (self._last_words or not self.dying)

    def take_second(self) -> Run | None:
        """Give the second run away, for this process will not do it."""
        run, self.second = self.second, None
        return run

    def _send_run(self, turn: int, payload: bytes, wall_ms: int, cpu_ms: int, more: bytes) -> None:
        head = _ASKS[turn] + _COMMAND_RUN + encode_pair(b"d", b"%d" % wall_ms) + encode_pair(b"c", b"%d" % cpu_ms)
        self._link.send(encode(head + more, payload))

    def prepare(self, steps: Sequence[str]) -> None:
        """Have the next run done over again in *steps*."""
        self._link.send(encode(_STEPS, "\n".join(steps).encode("ascii")))

    def answer(self, tag: bytes, value: bytes) -> None:
        """Answer a host call; a script that asks much faster than it listens is told so instead."""
        if self._link.unread_bytes > _MOST_UNREAD_BYTES:
            value = _UNREAD
        self._link.send(encode(encode_pair(b"_answer", tag), value))

    def park(self) -> None:
        """Its run waits for the host or for its client."""
        if not self.parked and not self.dying and self.occupant is not None:
            self.lingers = self.parked = True
            self.recall()
            self._parks(self)

    def go_on(self) -> None:
        """Its run need not wait any longer."""
        if self.parked and self.occupant is not None:
            self.parked = False
            self._parks(self)

    def cancel(self) -> None:
        """Tell the script that whoever asked has gone."""
        self._link.send(encode(_CANCEL + _NAMED[self._turn], b""))

    def kill(self, cause: str) -> None:
        """
        End the process.

        Args:
            cause: Code of the error that the run in hand fails with.
        """
        if not self.cause:
            self.cause = cause
        self.dying = True
        if cause == "script_protocol":
            # Nothing it says now is of use.
            self._link.close()
        self._end()

    def discard(self, cause: str) -> None:
        """End the process although it has a run in hand, which goes on without it."""
        self.occupant = None
        self.cause = cause
        self._link.close()
        self.kill(cause)

    def retire(self) -> None:
        """Let an idle clone end by itself."""
        self.dying = True
        self._link.close()

    def overdue(self, now: float) -> bool:
        """
        Tell whether a dying clone should be dead long since; to be asked about once a second.

        One that does not end by itself is killed first.
        """
        if not self._dying_since:
            self._dying_since = now
        elif now - self._dying_since > 2 * _PATIENCE_SECONDS:
            return True
        elif now - self._dying_since > _PATIENCE_SECONDS:
            self.kill("")
        return False

    def fall_back(self) -> None:
        """Let others have the processor first: its run takes long."""
        self.lingers = True
        self.give_up_second()
        if not self._behind and self.pid and self.occupant is not None:
            self._behind = _set_priority(self.pid, _LONG_RUNS)

    def cpu_seconds(self) -> float:
        """Give the processor time it has used so far; 0 where it cannot be told."""
        if not self.pid:
            return 0.0
        try:
            return time.clock_gettime((~self.pid << 3) | 2)
        except (OSError, OverflowError):
            return 0.0

    def memory_bytes(self) -> int:
        """Give the memory it has now, shared or its own; 0 where it cannot be told."""
        if not self.pid:
            return 0
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
        except (OSError, ValueError, IndexError):
            return 0

    def peak_bytes(self) -> int:
        """Give the largest memory it ever had; 0 where it cannot be told."""
        if not self.pid:
            return 0
        try:
            status = Path(f"/proc/{self.pid}/status").read_bytes()
        except OSError:
            return 0
        found = _PEAK.search(status)
        return int(found[1]) * 1024 if found else 0

    def forked(self, pid: int) -> None:
        """See `control.Forked.forked`."""
        if self.ended is not None or self._pidfd >= 0:
            return
        if not hasattr(os, "pidfd_open"):
            self.pid, self._unverified = pid, True
        else:
            self._hold(pid)
        if self._doomed:
            self._end()

    def exited(self, ended: Exit) -> None:
        """See `control.Forked.exited`."""
        # Nobody meant it to die: what it had sent tells which of two runs it had begun.
        self._last_words = not self.dying
        self.dying = True
        if self._pidfd >= 0:
            # Whoever told it may lie.
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = -1
        if self.occupant is not None:
            # What it had sent before it died still counts.
            self._link.read_out()
        self.ended = ended
        self.last_cpu_seconds = max(0.0, ended.cpu_seconds - self._cpu)
        self._link.close()
        occupant, self.occupant = self.occupant, None
        self.died_busy = occupant is not None
        if occupant is not None:
            occupant.died(self)
        self._gone(self)

    def _received(self, box: Box) -> None:
        occupant = self.occupant
        if occupant is None:
            self._broken("it speaks without being asked")
        elif b"_answer" in box or b"_error" in box:
            tag = _TAGS[self._turn]
            if box.get(b"_answer") != tag and box.get(b"_error") != tag:
                self._broken("it answers what nobody asked")
                return
            self._over(occupant, box)
        elif box.get(b"_command") == b"host" and b"_ask" in box:
            name = box.get(b"n", b"")
            if name.startswith(b"answer."):
                # Its answer goes on, which may take long.
                self.lingers = True
                self.recall()
            occupant.asked(box[b"_ask"], name, box.get(b"v", b""))
        elif box.get(b"_command") == b"log":
            occupant.logged(box.get(b"v", b""))
        elif box.get(b"_command") == b"step":
            occupant.stepped(box.get(b"v", b""))
        elif box.get(b"_command") == b"recalled" and self._recalling and box.get(b"t") == _TAGS[1 - self._turn]:
            run = self.take_second()
            self._recalling = self._disowned = False
            if run is not None:
                self._returned(run)
        else:
            self._broken("it sends an unknown command")

    def _over(self, occupant: Occupant, box: Box) -> None:
        now = self.cpu_seconds()
        spent, self._cpu = now - self._cpu, now
        self.last_cpu_seconds = spent
        fit = occupant.over(box, spent)
        self.occupant = None
        self._recalling = False
        if self._behind:
            # Only root may give back what was taken; for others it stays behind until it is replaced.
            self._behind = not _set_priority(self.pid, _SHORT_RUNS)
        self.idle_since = self._seconds()
        if not fit:
            self._broken("its answer is none")
        elif self._once:
            self.retire()
        elif box.get(b"_error_code") in _UNFIT:
            # The world is in doubt, and the child ends by itself.
            self.dying = self.unfit = True
        elif self._disowned:
            # It begins with what is run elsewhere by now, and is not heard any more.
            self.dying = True
            self._link.close()
            self._end()
        # The process can have its next run while the answer of this one is on its way.
        self._freed(self)
        occupant.conclude()

    def _broken(self, why: str) -> None:
        _log.warn("process {pid} of a script broke the protocol: {why}", pid=self.pid, why=why)
        self.kill("script_protocol")

    def _lost(self) -> None:
        # The forker tells how it ended; if the socket was closed by a living process, that process is of no use.
        if not self.dying:
            self.dying = True
            if self.occupant is not None:
                self._end()

    def _hold(self, pid: int) -> None:
        self._unverified = True
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            return
        # Now the number cannot be given to another process; whether it ever was the right one the kernel knows.
        if not _is_child(pid, self._parent()):
            os.close(pidfd)
            return
        self.pid, self._pidfd, self._unverified = pid, pidfd, False

    def _end(self) -> None:
        self._doomed = True
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        elif self._unverified:
            # Its template forked it and knows; one that may signal nobody ends itself, and so all its clones.
            self._control.kill(self._number)


def describe(clone: Clone) -> dict[str, Any]:
    """Give a clone's figures for the state page."""
    return {
        "pid": clone.pid,
        "busy": clone.occupant is not None,
        "parked": clone.parked,
        "following": clone.second is not None,
        "runs": clone.runs,
        "cpuSeconds": round(clone.cpu_seconds(), 3),
    }


def _set_priority(pid: int, behind: int) -> bool:
    try:
        os.setpriority(os.PRIO_PROCESS, pid, min(19, os.getpriority(os.PRIO_PROCESS, 0) + behind))
    except (PermissionError, ProcessLookupError):
        return False
    return True


def _is_child(pid: int, parent: int) -> bool:
    """Tell whether *pid* is a child of *parent*, as the kernel sees it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
        # The name, in parentheses, may hold anything.
        return bool(parent) and int(stat[stat.rindex(")") + 1 :].split()[1]) == parent
    except (OSError, ValueError, IndexError):
        return False
