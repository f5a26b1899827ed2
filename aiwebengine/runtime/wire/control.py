"""
A control socket: one JSON object a message, with descriptors beside it.

The other end is the fork loop of a zygote or of a template. Requests have a number, and its `ForkListener` is notified
of the outcome: `forked`, `failed` and in the end `exited`.
"""

from __future__ import annotations

import array
import json
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from twisted.internet.interfaces import IReactorFDSet, IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

MOST_AT_ONCE = 6
"""Processes that are requested in one message: each has a descriptor, of which a template may have few."""
_MAX_MESSAGE = 32 * 1024
_MAX_WAITING = 10_000
_AT_ONCE = 64
_MAX_STATUS = 0xFFFF
_MAX_PID = 1 << 22
_MAX_RSS_KIB = 1 << 32
_MAX_SECONDS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a process ended."""

    status: int | None
    """Raw wait status; None if it is not known."""
    refused: str = ""
    """Why there never was a process, if there was none."""
    cpu_seconds: float = 0.0
    max_rss_bytes: int = 0

    @property
    def signal(self) -> int:
        """Return the signal that ended it, 0 if none."""
        return os.WTERMSIG(self.status) if self.status is not None and os.WIFSIGNALED(self.status) else 0


class ForkListener(Protocol):
    """Is notified of what happens to a requested process."""

    def forked(self, pid: int) -> None:
        """It runs."""

    def exited(self, ended: Exit) -> None:
        """It runs no longer, or never did."""


class ForkRequest(NamedTuple):
    """One of several processes that are requested at once."""

    number: int
    """Its id; never used twice."""
    sock: socket.socket
    """What it gets; not to be used here any more."""
    child: ForkListener
    """What is notified of what happens to it."""


@implementer(IReadWriteDescriptor)
class Control:
    """
    One control socket.

    Args:
        reactor: Watches the descriptor.
        sock: SOCK_SEQPACKET; belongs to this object from now on.
        ready: Called with the start message.
        lost: Called once when the other side has closed the connection; everything it forked goes with it.
    """

    def __init__(
        self,
        *,
        reactor: IReactorFDSet,
        sock: socket.socket,
        ready: Callable[[Mapping[str, Any]], None],
        lost: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._reactor = reactor
        self._sock: socket.socket | None = sock
        self._ready = ready
        self._lost = lost
        self._children: dict[int, ForkListener] = {}
        self._unanswered: dict[int, float] = {}
        self._waiting: deque[tuple[bytes, list[int]]] = deque()
        self.broken = False
        """The other side sent an invalid event; it counts as lost."""
        reactor.addReader(self)

    def fileno(self) -> int:
        """Return the descriptor, -1 when closed."""
        return self._sock.fileno() if self._sock is not None else -1

    def logPrefix(self) -> str:
        """Name this for Twisted's log."""
        return "control"

    @property
    def is_open(self) -> bool:
        """Return whether the other side is there."""
        return self._sock is not None

    def fork(
        self, number: int, message: Mapping[str, Any], sockets: Sequence[socket.socket], child: ForkListener
    ) -> None:
        """
        Ask for a process.

        Args:
            number: Its id; never used twice.
            message: The request without `id`.
            sockets: What it gets; not to be used here any more.
            child: What is notified of what happens to it.
        """
        descriptors = [sock.detach() for sock in sockets]
        if self._sock is None or len(self._waiting) >= _MAX_WAITING:
            _close(descriptors)
            child.exited(Exit(status=None))
            return
        self._children[number] = child
        self._unanswered[number] = 0.0
        self._post({**message, "id": number}, descriptors)

    def fork_several(self, message: Mapping[str, Any], processes: Sequence[ForkRequest]) -> None:
        """
        Ask for several processes in one message.

        Args:
            message: The request without ids.
            processes: At most `MOST_AT_ONCE`, each with one socket.
        """
        if self._sock is None or len(self._waiting) >= _MAX_WAITING or len(processes) == 1:
            for number, sock, child in processes:
                self.fork(number, message, [sock], child)
            return
        for number, _, child in processes:
            self._children[number] = child
            self._unanswered[number] = 0.0
        self._post(
            {**message, "ids": [number for number, _, _ in processes]}, [sock.detach() for _, sock, _ in processes]
        )

    def kill(self, number: int) -> None:
        """Ask for the end of a process that this side forked."""
        if self._sock is not None and number in self._children:
            self._post({"op": "kill", "id": number}, [])

    def silent(self, now: float, seconds: float) -> bool:
        """Return whether the other side has left a request unanswered for so long; to be called repeatedly."""
        for number, since in self._unanswered.items():
            if not since:
                self._unanswered[number] = now
            elif since + seconds < now:
                return True
        return False

    def close(self) -> None:
        """Close the socket: the other side ends, and all that it forked."""
        if self._sock is None:
            return
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        self._sock.close()
        self._sock = None
        for _, descriptors in self._waiting:
            _close(descriptors)
        self._waiting.clear()
        self._unanswered.clear()
        children, self._children = self._children, {}
        for child in children.values():
            child.exited(Exit(status=None))

    def doRead(self) -> None:
        """Take what is there, but not without end: a hostile template might never stop talking."""
        for _ in range(_AT_ONCE):
            if self._sock is None:
                return
            try:
                data = self._sock.recv(_MAX_MESSAGE)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._lost_connection()
                return
            try:
                events = _read_events(json.loads(data))
            except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
                # A template holds a script's memory and may say anything.
                self.broken = True
                self._lost_connection()
                return
            for event in events:
                self._take(event)

    def doWrite(self) -> None:
        """Send what waits."""
        while self._waiting and self._sock is not None:
            data, descriptors = self._waiting[0]
            if not self._sent(data, descriptors):
                return
            self._waiting.popleft()
        self._reactor.removeWriter(self)

    def connectionLost(self, reason: Failure) -> Any:  # noqa: ARG002  the interface's
        """Handle a descriptor that the reactor cannot use any more."""
        if self._sock is not None:
            self._lost_connection()

    def _take(self, event: tuple[str, int, Any]) -> None:
        kind, number, detail = event
        if kind == "ready":
            self._ready(detail)
            return
        self._unanswered.pop(number, None)
        if kind == "forked":
            if number in self._children:
                self._children[number].forked(detail)
            return
        child = self._children.pop(number, None)
        if child is not None:
            child.exited(detail)

    def _post(self, message: Mapping[str, Any], descriptors: list[int]) -> None:
        data = json.dumps(message).encode("ascii")
        if self._waiting or not self._sent(data, descriptors):
            self._waiting.append((data, descriptors))
            self._reactor.addWriter(self)

    def _sent(self, data: bytes, descriptors: list[int]) -> bool:
        assert self._sock is not None
        beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self._sock.sendmsg([data], beside)
        except BlockingIOError:
            return False
        except OSError:
            # The reading side will notice and report it.
            pass
        _close(descriptors)
        return True

    def _lost_connection(self) -> None:
        self.close()
        self._lost()


def _read_events(event: Any) -> Sequence[tuple[str, int, Any]]:
    """
    Check a message: the event, the process it concerns, and its data.

    Raises:
        ValueError, KeyError, TypeError, ArithmeticError: It is not one.
    """
    kind = event["ev"]
    if kind == "ready":
        if not isinstance(event["report"], dict):
            raise TypeError("no report")
        return ((kind, 0, {"pid": _within(event["pid"], _MAX_PID), "report": event["report"]}),)
    if kind == "forked" and "ids" in event:
        pairs = zip(event["ids"], event["pids"], strict=True)
        return [(kind, int(number), _within(pid, _MAX_PID)) for number, pid in pairs]
    number = int(event["id"])
    if kind == "forked":
        return ((kind, number, _within(event["pid"], _MAX_PID)),)
    if kind == "exit":
        ended = Exit(
            status=_within(event["status"], _MAX_STATUS),
            cpu_seconds=_within_seconds(event["utime"]) + _within_seconds(event["stime"]),
            max_rss_bytes=_within(event["maxrss"], _MAX_RSS_KIB) * 1024,
        )
        return ((kind, number, ended),)
    return (("failed", number, Exit(status=None, refused=str(event["message"])[:500])),)


def _within(value: Any, most: int) -> int:
    number = int(value)
    if not 0 <= number <= most:
        raise ValueError(f"{number} is out of range")
    return number


def _within_seconds(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= _MAX_SECONDS:
        raise ValueError(f"{number} is out of range")
    return number


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
