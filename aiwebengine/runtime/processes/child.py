"""
One clone: a process that runs invocations of one version, one at a time.

Everything may be written before the process exists, for both sockets keep what is sent; so a clone is used as soon as
it has been requested. Two state machines describe what it is doing:

    idle --start--> busy                        its work
    busy, lingering --linger--> lingering       its run takes long, or its answer is streamed; nothing follows it
    busy, lingering --park--> parked            its run waits for the host or its client, and for nothing else
    parked --linger--> parked
    parked --resume--> lingering
    busy, lingering, parked --release--> idle   its run is answered, or continues without it, or it is dead

    live, ending, exited --end--> ending        its life: a kill was sent, it was released, or its socket has ended
    live, ending, exited --spoil--> unfit       it reported that it cannot be used again, and ends by itself
    unfit --end--> unfit
    live --exit--> exited                       it exited by itself: what it had sent before still counts
    ending --exit--> ending
    unfit --exit--> unfit
    ending, unfit, exited --bury--> dead

More runs may wait in its socket while one is running; see `processes.socket_queue`. They begin when those before them
are answered: they are recalled when the current one begins to wait, and returned when the process dies. A process that
only computes does not read the recall; if it takes too long they are run elsewhere, and the process is ended when the
current run is over, before anything is read about the next.

Nothing that a child or its template says is believed: boxes are bounded, and a pid is used for nothing before the
kernel has confirmed whose child it is; see `processes.process`.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.interfaces import IReactorFDSet
from twisted.logger import Logger

from aiwebengine.runtime.moves import IllegalMove, Move
from aiwebengine.runtime.processes.interfaces import CurrentRun, Death
from aiwebengine.runtime.processes.process import Process
from aiwebengine.runtime.processes.socket_queue import TAGS, SocketQueue
from aiwebengine.runtime.wire.boxes import Box, boxes_of, encode, encode_pair
from aiwebengine.runtime.wire.control import Control, Exit, ForkRequest
from aiwebengine.runtime.wire.link import Link
from aiwebengine.values import ReplayInputs

_log = Logger()

R = TypeVar("R", bound=CurrentRun)

_STEPS = encode_pair(b"_command", b"steps")
_CANCEL = encode_pair(b"_command", b"cancel")
_RECALL = encode_pair(b"_command", b"recall")
_ASK_RUNS = tuple(encode_pair(b"_ask", tag) + encode_pair(b"_command", b"run") for tag in TAGS)
_NAMED = tuple(encode_pair(b"t", tag) for tag in TAGS)
_PATIENCE_SECONDS = 1.0
_MOST_UNREAD_BYTES = 64 * 1024 * 1024
_LONG_BYTES = 256 * 1024
_LONG_CPU_SECONDS = 0.02
_STARVED_SECONDS = 0.25
"""How long a run that got little processor time is assumed to wait for the processor."""
"""What has more is sent piece by piece."""
_UNREAD = (
    b'{"err":{"code":"too_many","message":"More than 64 MiB of answers have arrived and were not read yet; '
    b'this one is dropped. Await some calls before making the next."}}'
)
_UNFIT = frozenset({b"memory", b"internal"})


class CloneWork(StrEnum):
    """What a clone does."""

    IDLE = "idle"
    BUSY = "busy"
    LINGERING = "lingering"
    PARKED = "parked"


START = Move("start", {CloneWork.IDLE: CloneWork.BUSY})
LINGER = Move(
    "linger",
    {CloneWork.BUSY: CloneWork.LINGERING, CloneWork.LINGERING: CloneWork.LINGERING, CloneWork.PARKED: CloneWork.PARKED},
)
PARK = Move("park", {CloneWork.BUSY: CloneWork.PARKED, CloneWork.LINGERING: CloneWork.PARKED})
RESUME = Move("resume", {CloneWork.PARKED: CloneWork.LINGERING})
RELEASE = Move(
    "release", {CloneWork.BUSY: CloneWork.IDLE, CloneWork.LINGERING: CloneWork.IDLE, CloneWork.PARKED: CloneWork.IDLE}
)


class CloneLife(StrEnum):
    """How far a clone is on the way to its end."""

    LIVE = "live"
    ENDING = "ending"
    UNFIT = "unfit"
    EXITED = "exited"
    DEAD = "dead"


END = Move(
    "end",
    {
        CloneLife.LIVE: CloneLife.ENDING,
        CloneLife.ENDING: CloneLife.ENDING,
        CloneLife.UNFIT: CloneLife.UNFIT,
        CloneLife.EXITED: CloneLife.ENDING,
    },
)
SPOIL = Move(
    "spoil", {CloneLife.LIVE: CloneLife.UNFIT, CloneLife.ENDING: CloneLife.UNFIT, CloneLife.EXITED: CloneLife.UNFIT}
)
EXIT = Move(
    "exit", {CloneLife.LIVE: CloneLife.EXITED, CloneLife.ENDING: CloneLife.ENDING, CloneLife.UNFIT: CloneLife.UNFIT}
)
BURY = Move(
    "bury", {CloneLife.ENDING: CloneLife.DEAD, CloneLife.UNFIT: CloneLife.DEAD, CloneLife.EXITED: CloneLife.DEAD}
)

# For every request: an attribute of an enumeration takes three times as long as a name.
_IDLE, _BUSY, _PARKED = CloneWork.IDLE, CloneWork.BUSY, CloneWork.PARKED
_LIVE = CloneLife.LIVE
_HEARD = (CloneLife.LIVE, CloneLife.EXITED)
"""In which what it sends still counts."""


class CloneOwner(Protocol[R]):
    """What a clone reports to its group; each is called after the clone's own state has changed."""

    def clone_freed(self, clone: Clone[R], was: CloneWork) -> None:
        """Its run is over, which it did in the state *was*; it is idle, or ending."""

    def clone_gone(self, clone: Clone[R], was: CloneWork) -> None:
        """It is dead; *was* is not idle if a run died with it."""

    def run_parked(self, since: float) -> None:
        """Its run waits; it had worked *since* then."""

    def run_resumed(self) -> None:
        """Its run works again."""

    def run_returned(self, run: R) -> None:
        """A run that lay in its socket is not begun there."""


class Clone(Generic[R]):
    """
    One process.

    Args:
        reactor: Watches its socket.
        number: Its id on the control socket.
        control: Of its template.
        once: It ends after one run.
        max_bytes: Largest value it may send.
        parent: Returns the pid of its template, 0 if not known.
        owner: Is notified of what happens to it.
        seconds: A clock.
        asked_for: Gets the request for its process, to be sent with others; None: it is sent at once.

    Raises:
        OSError: There is no socket for it.
    """

    __slots__ = (
        "_ending_since", "_link", "_once", "_owner", "_seconds", "begun_at", "born_at", "cause", "current_run", "ended",
        "idle_since", "label", "life", "process", "queue", "runs", "spent", "work", "working_since",
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
        owner: CloneOwner[R],
        seconds: Callable[[], float],
        asked_for: list[ForkRequest] | None = None,
    ) -> None:
        self._once = once
        self._owner = owner
        self._seconds = seconds
        self._ending_since = 0.0
        self.process = Process(number=number, control=control, parent=parent)
        self.queue: SocketQueue[R] = SocketQueue()
        self.work = _IDLE
        self.life = _LIVE
        self.current_run: R | None = None
        """The current run."""
        self.label = ""
        """What its run is a run of."""
        self.begun_at = self.working_since = 0.0
        """When its run began, and since when it has not waited."""
        self.runs = 0
        self.spent = 0.0
        """Processor time of the last run; 0 where it is not known."""
        self.born_at = self.idle_since = seconds()
        self.cause = ""
        """Why the server killed it: an error code, or empty if it did not."""
        self.ended: Exit | None = None
        ours, theirs = socket.socketpair()
        self._link = Link(
            reactor=reactor,
            sock=ours,
            max_bytes=max_bytes,
            received=self._received,
            broken=self._broken,
            lost=self._lost,
        )
        if asked_for is None:
            control.fork(number, {"op": "clone", "once": once}, [theirs], self)
        else:
            asked_for.append(ForkRequest(number, theirs, self))

    # -- its runs -----------------------------------------------------------------------------

    def start(
        self, run: R, payload: bytes, body: bytes = b"", *, label: str, at: float, times: bytes, more: bytes = b""
    ) -> None:
        """
        Begin a run; the clone must be idle.

        Args:
            run: The current run from now on.
            payload: What the process is sent.
            body: Follows it.
            label: What it is a run of.
            at: When it begins.
            times: How long it may take; see `times_of`.
            more: Goes into the box.
        """
        if self.life is not _LIVE:
            raise IllegalMove(f'a run cannot start in a process that is in the state "{self.life}"')
        self._take_in_hand(run, label, at)
        self._send(_ASK_RUNS[self.queue.turn] + times + more, payload, body)

    def follow(self, run: R, payload: bytes, times: bytes, quick: bool) -> None:  # noqa: FBT001  as `QueuedRun`
        """Have one more run wait in the socket; the clone must have a current run, and room."""
        turn = self.queue.follow(run, quick)
        self._link.send(encode(_ASK_RUNS[turn] + times, payload))

    def advance(self, label: str, at: float) -> None:
        """Note that the next run has begun, since the current one was answered."""
        self._take_in_hand(self.queue.advance(), label, at)

    def _take_in_hand(self, run: R, label: str, at: float) -> None:
        self.work = START[self.work]
        self.current_run = run
        self.label = label
        self.begun_at = self.working_since = at
        self.runs += 1
        if self._once:
            # It has no other run behind which one could wait.
            self.work = LINGER[self.work]

    @property
    def goes_on(self) -> bool:
        """Return whether the next run in its socket has begun, now that the current one was answered."""
        queue = self.queue
        return bool(queue.entries) and not queue.disowned and not self.cause and self.life in _HEARD

    def recall(self, run: R | None = None) -> None:
        """
        Recall the runs that wait in its socket, unless they were recalled.

        Args:
            run: This one only; None for all.
        """
        if self.queue.entries and self.life is _LIVE:
            for turn in self.queue.recall(run):
                self._link.send(encode(_RECALL + _NAMED[turn], b""))

    def fall_back(self) -> None:
        """See `interfaces.Child.fall_back`."""
        if self.current_run is None or self.work is _PARKED or self._is_starved():
            return
        self.work = LINGER[self.work]
        self.recall()
        if self.queue.count:
            for run in reversed(self.queue.disown()):
                self._owner.run_returned(run)
        self.process.fall_behind()

    def _is_starved(self) -> bool:
        """Return whether the run takes long because the machine is busy, as it and those behind it would elsewhere."""
        spent = self.process.spending()
        late = self._seconds() - self.begun_at
        return spent is not None and spent < _LONG_CPU_SECONDS and late < _STARVED_SECONDS

    # -- for its run: see `interfaces.Child` ------------------------------------------

    def prepare(self, replay: ReplayInputs) -> None:
        """Have the next run repeated in the steps of *replay*."""
        self._link.send(encode(_STEPS, "\n".join((str(replay.now), *replay.steps)).encode("ascii")))

    def answer(self, tag: bytes, value: bytes) -> None:
        """Answer a host call; a script that calls much faster than it reads answers gets an error instead."""
        if self._link.unread_bytes > _MOST_UNREAD_BYTES:
            value = _UNREAD
        self._send(encode_pair(b"_answer", tag), value)

    def _send(self, head: bytes, value: bytes, body: bytes = b"") -> None:
        """Send one value, which *body* may follow."""
        size = len(value) + len(body)
        if size > _LONG_BYTES:
            self._link.send_pieces(boxes_of(head, value, body), size_bytes=size)
        else:
            self._link.send(encode(head, value + body if body else value))

    def park(self) -> None:
        """See `interfaces.Child.park`."""
        if self.work is not _PARKED and self.life is _LIVE and self.current_run is not None:
            since = self.working_since
            self.work = PARK[self.work]
            self.recall()
            self._owner.run_parked(since)

    def resume(self) -> None:
        """See `interfaces.Child.resume`."""
        if self.work is _PARKED:
            self.work = RESUME[self.work]
            self.working_since = self._seconds()
            self._owner.run_resumed()

    def cancel(self) -> None:
        """See `interfaces.Child.cancel`."""
        self._link.send(encode(_CANCEL + _NAMED[self.queue.turn], b""))

    def peak_bytes(self) -> int:
        """See `interfaces.Child.peak_bytes`."""
        return self.process.peak_bytes()

    def kill(self, cause: str) -> None:
        """See `interfaces.Child.kill`."""
        if not self.cause:
            self.cause = cause
        self.life = END[self.life]
        if cause == "script_protocol":
            # Nothing it says now is of use.
            self._link.close()
        self.process.end()

    def discard(self, cause: str) -> None:
        """See `interfaces.Child.discard`."""
        was, self.work = self.work, RELEASE[self.work]
        self.current_run = None
        self.idle_since = self._seconds()
        self.cause = cause
        self._link.close()
        self.kill(cause)
        self._owner.clone_freed(self, was)

    # -- its end ------------------------------------------------------------------------------

    @property
    def unfit(self) -> bool:
        """Return whether it said itself that it is of no use any more."""
        return self.life is CloneLife.UNFIT

    def retire(self) -> None:
        """Let an idle clone end by itself."""
        self.life = END[self.life]
        self._link.close()

    def overdue(self, now: float) -> bool:
        """
        Return whether an ending clone should have died long ago; to be called about once a second.

        One that does not end by itself is killed first.
        """
        if not self._ending_since:
            self._ending_since = now
        elif now - self._ending_since > 2 * _PATIENCE_SECONDS:
            return True
        elif now - self._ending_since > _PATIENCE_SECONDS:
            self.kill("")
        return False

    def forked(self, pid: int) -> None:
        """See `control.ForkListener.forked`."""
        self.process.forked(pid)

    def exited(self, ended: Exit) -> None:
        """See `control.ForkListener.exited`."""
        # If its end was not requested, what it had sent shows which of two runs it had begun.
        self.life = EXIT[self.life]
        self.process.reaped()
        if self.current_run is not None:
            # What it had sent before it died still counts.
            self._link.read_out()
        self.ended = ended
        self.life = BURY[self.life]
        self._link.close()
        current_run, self.current_run = self.current_run, None
        was = self.work
        if current_run is not None:
            self.work = RELEASE[was]
            current_run.died(Death(ended, self.cause, self.process.left_over(ended.cpu_seconds)))
        self._owner.clone_gone(self, was)

    # -- what it says -------------------------------------------------------------------------

    def _received(self, box: Box) -> None:
        current_run = self.current_run
        if current_run is None:
            self._broken("it sent a message outside of a run")
        elif b"_answer" in box or b"_error" in box:
            tag = TAGS[self.queue.turn]
            if box.get(b"_answer") != tag and box.get(b"_error") != tag:
                self._broken("it answered a run that it did not receive")
                return
            self._completed(current_run, box)
        else:
            self._command(current_run, box)

    def _command(self, current_run: R, box: Box) -> None:
        command = box.get(b"_command")
        if command == b"host" and b"_ask" in box:
            name = box.get(b"n", b"")
            if name.startswith(b"answer."):
                # Its answer is streamed, which may take long.
                self.work = LINGER[self.work]
                self.recall()
            current_run.host_called(box[b"_ask"], name, box.get(b"v", b""))
        elif command == b"log":
            current_run.logged(box.get(b"v", b""))
        elif command == b"step":
            current_run.stepped(box.get(b"v", b""))
        elif command == b"position":
            current_run.located(box.get(b"v", b""))
        elif command == b"recalled" and self.queue.may_return(box.get(b"t")):
            run = self.queue.returned(box[b"t"])
            if run is not None:
                self._owner.run_returned(run)
        else:
            self._broken("it sends an unknown command")

    def _completed(self, current_run: R, box: Box) -> None:
        process = self.process
        self.spent = spent = process.spend()
        fit = current_run.complete(box, spent)
        was = self.work
        self.work = RELEASE[was]
        self.current_run = None
        if process.low_priority:
            process.catch_up()
        self.idle_since = self._seconds()
        if not fit:
            self._broken("its answer is invalid")
        elif self._once:
            self.retire()
        elif box.get(b"_error_code") in _UNFIT:
            # The world is in doubt, and the child ends by itself.
            self.life = SPOIL[self.life]
        elif self.queue.disowned:
            # It begins with what is run elsewhere by now, and is not heard any more.
            self.life = END[self.life]
            self._link.close()
            process.end()
        # The process can have its next run while the answer of this one is on its way.
        self._owner.clone_freed(self, was)
        current_run.conclude()

    def _broken(self, why: str) -> None:
        _log.warn("process {pid} of a script violated the protocol: {why}", pid=self.process.pid, why=why)
        self.kill("script_protocol")

    def _lost(self) -> None:
        # The forker reports how it ended; if the socket was closed by a living process, that process is of no use.
        if self.life is _LIVE:
            self.life = END[self.life]
            if self.current_run is not None:
                self.process.end()


def times_of(*, wall_seconds: float, cpu_seconds: float) -> bytes:
    """Return the pairs of a run's box that say how long it may take."""
    return encode_pair(b"d", b"%d" % round(wall_seconds * 1000)) + encode_pair(b"c", b"%d" % round(cpu_seconds * 1000))


def describe(clone: Clone[Any]) -> dict[str, Any]:
    """Return a clone's figures for the state page."""
    return {
        "pid": clone.process.pid,
        "busy": clone.current_run is not None,
        "parked": clone.work is _PARKED,
        "following": clone.queue.count,
        "runs": clone.runs,
        "cpuSeconds": round(clone.process.cpu_seconds(), 3),
    }
