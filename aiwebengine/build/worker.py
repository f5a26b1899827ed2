"""
The build worker: a node process that lowers and bundles, started when it is needed.

It parses untrusted sources, so it is bounded in memory and time, and ends when it
does not answer.  Requests and answers are JSON, one object a line; one is in hand at a time,
and the queue of those that wait is the caller's.

What is large stands behind its line as it is, for to write it as JSON and to read it again would hold up the
reactor: the line says how many bytes of what follow, in that order.

    -> {"id": 1, "op": "build", "entry": "main.ts", ..., "files": [["main.ts", 14], ...]}
       export default words
    <- {"id": 1, "ok": {"problems": []}, "follows": {"source": 12034, "map": 4521}}
       (function () {...
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPullProducer
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from aiwebengine.build.paths import without_paths
from aiwebengine.errors import Unavailable
from aiwebengine.services.descriptors import cannot_start, require_free
from aiwebengine.settings.schema import BuildSettings

_log = Logger()

_MAX_ANSWER = 64 * 1024 * 1024
_LONGEST_LINE = 4 * 1024 * 1024
_SLICE = 64 * 1024
_START_SECONDS = 10.0
"""Starting may take so long, beside the time for the first request."""
_PIPES = 6
"""Descriptors that starting it takes: two for each of its standard streams."""
_QUICK = ("--min-semi-space-size=16", "--always-sparkplug")
"""
It makes much garbage within one build, and runs most of its code for the first few times: with more room for young
objects and with code compiled at its first run, a build takes a quarter less.
"""
_CAUSE = re.compile(r"(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Exception)\b.*|FATAL ERROR: .*|node: .*")
_WHAT = "the build worker"


class BuildFailed(Exception):
    """
    The worker could not build, and it is not the author's fault; says why.

    Args:
        crashed: The process could not be started or died, for a reason other than what it built.
        late: It took longer than it may.
    """

    def __init__(self, why: str, *, crashed: bool = False, late: bool = False) -> None:
        super().__init__(why)
        self.crashed = crashed
        self.late = late


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTerms:
    """How long one request may take, and what has precedence over it."""

    seconds: float
    """From when the process has started."""
    setting: str
    """What an administrator sets to change it."""
    niceness: int
    """More than that of the server."""


class Worker:
    """
    One worker at most, with one request at most.

    Args:
        reactor: Starts the process, calls later.
        node: Path of the node program.
        folder: The folder of `worker.mjs`.
        setup: The first line that is sent to it.
        settings: Its memory, and when it is stopped.
        terms: See there.
    """

    def __init__(
        self,
        *,
        reactor: Any,
        node: Path,
        folder: Path,
        setup: Mapping[str, Any],
        settings: BuildSettings,
        terms: WorkerTerms,
    ) -> None:
        self._reactor = reactor
        self._node = node
        self._folder = folder
        self._setup = setup
        self._settings = settings
        self._terms = terms
        self._process: _WorkerProcess | None = None
        self._current: Deferred[Mapping[str, Any]] | None = None
        self._progress: Callable[[int, int], None] | None = None
        self._deadline: IDelayedCall | None = None
        self._idle: IDelayedCall | None = None
        self._number = 0
        self._ready = False
        """It has started, and reads requests."""
        self._stopped: Deferred[None] | None = None
        self.starts = 0
        self.built = 0

    def ask(
        self,
        request: Mapping[str, Any],
        files: Mapping[str, bytes] | None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Deferred[Mapping[str, Any]]:
        """
        Have one request answered; not before the last one was.

        Args:
            files: What it is about, by path; None for a request that is about none.
            progress: Called now and then with the numbers of finished and of all files.

        Returns:
            What the worker says, and by name the bytes that followed it.

        Raises:
            BuildFailed: The worker died, ran out of time or has a fault.
            Unavailable: The server stops, or has no descriptors left to start the worker.
        """
        assert self._current is None
        done: Deferred[Mapping[str, Any]] = Deferred()
        if self._stopped is not None:
            done.errback(Unavailable("The server is stopping."))
            return done
        if self._process is None:
            try:
                self._start()
            except Unavailable as error:
                done.errback(error)
                return done
        process = self._process
        assert process is not None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        self._current = done
        self._progress = progress
        self._number += 1
        seconds = self._terms.seconds + (0 if self._ready else _START_SECONDS)
        self._deadline = self._reactor.callLater(seconds, self._time_out)
        process.send({**request, "id": self._number}, files)
        return done

    def stop(self) -> Deferred[None] | None:
        """End the process; what is in hand fails."""
        if self._process is None:
            return None
        self._stopped = Deferred()
        self._process.kill()
        return self._stopped

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {
            "pid": self._process.pid if self._process is not None else None,
            "busy": self._current is not None,
            "starts": self.starts,
            "built": self.built,
        }

    def _start(self) -> None:
        require_free(_PIPES, what=_WHAT)
        self.starts += 1
        self._ready = False
        self._process = process = _WorkerProcess(answered=self._answered, ended=self._ended)
        megabytes = max(64, self._settings.memory_bytes // (1024 * 1024))
        binary = self._folder / "bin" / "esbuild"
        try:
            self._reactor.spawnProcess(
                process,
                str(self._node),
                [
                    str(self._node),
                    f"--max-old-space-size={megabytes}",
                    *_QUICK,
                    "--disallow-code-generation-from-strings",
                    str(self._folder / "worker.mjs"),
                ],
                env={"PATH": os.environ.get("PATH", ""), "ESBUILD_BINARY_PATH": str(binary), "NO_COLOR": "1"},
                path="/",
            )
        except OSError as error:
            self._process = None
            raise cannot_start(error, what=_WHAT) from None
        if process.transport is not None and process.transport.pid:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.transport.pid, _nice(self._terms.niceness))
        process.send(self._setup)

    def _answered(self, message: Mapping[str, Any], followed: Mapping[str, bytes]) -> None:
        if message.get("ready"):
            self._ready = True
            if self._deadline is not None:
                self._deadline.reset(self._terms.seconds)
            return
        if message.get("id") != self._number or self._current is None:
            return
        if "files" in message:
            if self._progress is not None:
                self._progress(int(message["files"]), int(message["of"]))
            return
        current = self._done()
        self.built += 1
        if "ok" in message:
            current.callback({**message["ok"], **followed})
        else:
            _log.error("internal error of the build worker: {error}", error=message.get("error"))
            current.errback(BuildFailed(without_paths(str(message.get("error")).partition("\n")[0])))
        self._end_idle()

    def _done(self) -> Deferred[Mapping[str, Any]]:
        current, self._current = self._current, None
        assert current is not None
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
        return current

    def _end_idle(self) -> None:
        if self._current is None and self._process is not None and self._idle is None:
            self._idle = self._reactor.callLater(self._settings.idle_seconds, self._idled)

    def _idled(self) -> None:
        self._idle = None
        if self._process is not None and self._current is None:
            self._process.kill()

    def _time_out(self) -> None:
        self._deadline = None
        if self._process is not None:
            self._process.late = True
            self._process.reason = f"it did not finish within {self._terms.seconds:g} s ({self._terms.setting})"
            self._process.kill()

    def _ended(self, reason: str, crashed: bool) -> None:  # noqa: FBT001  a callback
        late = self._process is not None and self._process.late
        self._process = None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._current is not None:
            _log.error("the build worker exited: {reason}", reason=reason)
            self._done().errback(BuildFailed(reason, crashed=crashed, late=late))
        if self._stopped is not None:
            self._stopped.callback(None)
            self._stopped = None


@implementer(IPullProducer)
class _WorkerProcess(ProcessProtocol):
    """
    The worker as the reactor sees it.

    Args:
        answered: Called with each line that it writes, and what followed it.
        ended: Called when it has exited, with the reason and whether it is a fault of its own.
    """

    def __init__(
        self,
        *,
        answered: Callable[[Mapping[str, Any], Mapping[str, bytes]], None],
        ended: Callable[[str, bool], None],
    ) -> None:
        self._answered = answered
        self._ended = ended
        self._sending: Iterator[bytes] = iter(())
        self._line: Mapping[str, Any] | None = None
        """What was said and has bytes behind it that are not here yet."""
        self._parts: list[bytes] = []
        self._size = 0
        self._stderr = b""
        self.reason = ""
        self.late = False

    @property
    def pid(self) -> int | None:
        """Return its process id; None once it has ended."""
        return self.transport.pid if self.transport is not None else None

    def send(self, message: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> None:
        """Write one line, and files behind it."""
        if self.transport is None:
            return
        if files is None:
            self.transport.write(_line(message))
            return
        sizes = [[path, len(content)] for path, content in files.items()]
        self._sending = _slices([_line({**message, "files": sizes}), *files.values()])
        transport: Any = self.transport
        transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """See `IPullProducer`: the pipe has room."""
        transport: Any = self.transport
        piece = next(self._sending, None)
        if transport is None:
            return
        if piece is None:
            transport.unregisterProducer()
        else:
            transport.write(piece)

    def stopProducing(self) -> None:
        """See `IPullProducer`: nothing reads any more."""
        self._sending = iter(())

    def kill(self) -> None:
        """End it."""
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")

    def outReceived(self, data: bytes) -> None:
        """See `ProcessProtocol.outReceived`."""
        while data and not self.reason:
            data = self._read_line(data) if self._line is None else self._read_bytes(self._line, data)

    def _read_line(self, data: bytes) -> bytes:
        """Take what belongs to a line; the rest is returned."""
        begin, end, rest = data.partition(b"\n")
        self._add(begin, _LONGEST_LINE)
        if not end or self.reason:
            return b""
        try:
            message = json.loads(self._taken())
        except ValueError:
            return rest
        if sum(message.get("follows", {}).values()):
            self._line = message
        else:
            self._answered(message, dict.fromkeys(message.get("follows", ()), b""))
        return rest

    def _read_bytes(self, message: Mapping[str, Any], data: bytes) -> bytes:
        """Take what follows a line; the rest is returned."""
        missing = sum(message["follows"].values()) - self._size
        self._add(data[:missing], _MAX_ANSWER)
        if len(data) < missing or self.reason:
            return b""
        whole = memoryview(self._taken())
        followed: dict[str, bytes] = {}
        for name, size in message["follows"].items():
            followed[name] = bytes(whole[:size])
            whole = whole[size:]
        self._line = None
        self._answered(message, followed)
        return data[missing:]

    def _add(self, data: bytes, most: int) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > most:
            self.reason = f"its answer is larger than {most:,} bytes"
            self.kill()

    def _taken(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts, self._size = [], 0
        return taken

    def errReceived(self, data: bytes) -> None:
        self._stderr = (self._stderr + data)[-4000:]

    def processEnded(self, reason: Failure) -> None:
        crashed = not self.reason
        last = self._stderr.decode("utf-8", "replace").strip().splitlines()
        why = self.reason or without_paths(cause(last))[:300] or reason.getErrorMessage()
        if crashed and last:
            _log.error("the build worker wrote to its standard error: {stderr}", stderr="\n".join(last))
        if b"heap out of memory" in self._stderr:
            why, crashed = "it ran out of memory (build.memory_bytes)", False
        self._ended(why, crashed)


def cause(lines: Sequence[str]) -> str:
    """Return the line that says why node ended: it writes the source before, the stack and its version after."""
    return next((line.strip() for line in lines if _CAUSE.match(line)), lines[-1] if lines else "")


def _nice(more: int) -> int:
    return min(19, os.getpriority(os.PRIO_PROCESS, 0) + more)


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode("ascii") + b"\n"


def _slices(contents: Iterable[bytes]) -> Iterator[bytes]:
    """Cut what is large, and yield small ones together."""
    small: list[bytes] = []
    size = 0
    for content in contents:
        for at in range(0, len(content), _SLICE):
            piece = content[at : at + _SLICE]
            small.append(piece)
            size += len(piece)
            if size >= _SLICE:
                yield b"".join(small)
                small, size = [], 0
    if small:
        yield b"".join(small)
