"""
A process that has loaded one version, and forks the clones that run its invocations.

    loading --load--> loaded        top level and `init` are done; only its control socket is used from now on
    loading --fail--> failed        they threw, or took too long, or the process died

What top level and `init` ask of the host is answered by it in a deployment, and later from `processes.journal`.
"""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.interfaces import HostSession
from aiwebengine.runtime.moves import Move
from aiwebengine.runtime.processes.journal import Journal
from aiwebengine.runtime.wire.boxes import BadBox, Box, encode, encode_pair
from aiwebengine.runtime.wire.call_checks import TOO_MANY_PARTS, is_costly_to_read, overspent, read_call
from aiwebengine.runtime.wire.control import Control, Exit
from aiwebengine.runtime.wire.failure import Bounds, broken_protocol, death_error, read_position, script_failure
from aiwebengine.runtime.wire.lines import Lines
from aiwebengine.runtime.wire.link import Link
from aiwebengine.services.descriptors import socket_pairs
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance, Bundle

_log = Logger()

_LOAD = encode_pair(b"_ask", b"1") + encode_pair(b"_command", b"load")
_LIFETIME_CPU_SECONDS = 24 * 3600
_GRACE_SECONDS = 1.0
_PATIENCE_SECONDS = 2.0
_MAX_TOLD_BYTES = 1024 * 1024
_MOST_JOURNAL_MIB = 128


class LoadState(StrEnum):
    """What became of the load."""

    LOADING = "loading"
    LOADED = "loaded"
    FAILED = "failed"


LOAD = Move("load", {LoadState.LOADING: LoadState.LOADED})
FAIL = Move("fail", {LoadState.LOADING: LoadState.FAILED})


class Template:
    """
    One template process.

    Args:
        reactor: Watches its sockets, calls later.
        control: Of the zygote.
        number: Its id there.
        bundle: What it loads.
        journal: To be read from or written to.
        session: The host's side of the load; None to answer from the journal.
        limits: Of the load and of the process.
        allowed: What this load may use, if it is less.
        collect: It is done once more to find every refused registration: this many are thrown as they were before,
            those after them are collected, and what it logs is not stored again.
        once: Each of its clones will serve one run.
        memory_bytes: Of the process.
        wall_seconds: Longest load.
        wall: The time of log lines, seconds since 1970.
        exited: Called once when the process is dead.
        env: The script's plain settings; None for none.

    Raises:
        Unavailable: There are no descriptors for its sockets.
    """

    # Long: keeps each argument under its name, and begins each count.
    def __init__(
        self,
        *,
        reactor: Any,
        control: Control,
        number: int,
        bundle: Bundle,
        journal: Journal,
        session: HostSession | None,
        limits: LimitSettings,
        allowed: Allowance | None,
        collect: int | None,
        once: bool,
        memory_bytes: int,
        wall_seconds: float,
        wall: Callable[[], float],
        exited: Callable[[Template], None],
        env: Mapping[str, str] | None = None,
    ) -> None:
        (data, their_data), (ours, theirs) = socket_pairs(
            [socket.SOCK_STREAM, socket.SOCK_SEQPACKET], what=f'a process for the script "{bundle.script}"'
        )
        self._reactor = reactor
        self._number = number
        self._zygote = control
        self._journal = journal
        self._session = session
        self._limits = allowed or limits
        self._logs_again = collect is not None
        self._lines = Lines(self._limits)
        self._bounds = Bounds(
            script=bundle.script,
            phase="top level",
            wall_seconds=wall_seconds,
            cpu_seconds=wall_seconds,
            memory_bytes=memory_bytes,
        )
        self._wall = wall
        self._exited = exited
        self.pid = 0
        self.dead = False
        self.loaded: Deferred[Mapping[str, Any]] = Deferred()
        """Fires with what the kernel reported after loading; fails with an EngineError."""
        self.failure: EngineError | None = None
        """Why it could not load."""
        self.lost = False
        """It died through no fault of its own."""
        self.loading = LoadState.LOADING
        self._cause = ""
        self._position: str | None = ""
        """See `Bounds.position`."""
        self._tags: list[bytes] = []
        self._late: IDelayedCall | None = reactor.callLater(wall_seconds + _GRACE_SECONDS, self.kill, "script_timeout")
        self._link = Link(
            reactor=reactor,
            sock=data,
            max_bytes=limits.answer_bytes,
            received=self._received,
            broken=self._broken,
            lost=lambda: None,
        )
        self.control = Control(reactor=reactor, sock=ours, ready=lambda _: None, lost=self._control_lost)
        """Forks the clones; requests wait in it until the script has loaded."""
        process_limits = {
            "memory_bytes": memory_bytes,
            "cpu_seconds": _LIFETIME_CPU_SECONDS,
            "load_seconds": wall_seconds,
        }
        control.fork(number, {"op": "template", "once": once, "limits": process_limits}, [their_data, theirs], self)
        box: dict[str, Any] = {
            "script": bundle.script,
            "version": bundle.version,
            "source": bundle.source,
            "seed": journal.seed,
            "now": journal.now,
            "i": "load",
            "deadline": journal.now + round(wall_seconds * 1000),
        }
        if collect is not None:
            box["collect"] = collect
        if env:
            box["env"] = env
        self._link.send(encode(_LOAD, json.dumps(box).encode("ascii")))

    @property
    def can_fork(self) -> bool:
        """Return whether clones can be forked, now or as soon as it has loaded."""
        return not self.dead and self.failure is None and self.control.is_open

    def kill(self, cause: str) -> None:
        """End it and all its clones."""
        if self.dead:
            return
        self._cause = self._cause or cause
        self._zygote.kill(self._number)
        # If its end is not reported, it is assumed dead.
        self._expect(_PATIENCE_SECONDS, lambda: self.exited(Exit(status=None)))
        self.control.close()

    def forked(self, pid: int) -> None:
        """See `control.ForkListener.forked`."""
        self.pid = pid

    def exited(self, ended: Exit) -> None:
        """See `control.ForkListener.exited`."""
        if self.dead:
            return
        self.dead = True
        self._expect(None)
        self.lost = not self._cause and (ended.signal == signal.SIGKILL or (ended.status is None and not ended.refused))
        if self.loading is LoadState.LOADING:
            # What it had said before it died still counts.
            self._link.read_out()
        self._link.close()
        bounds = replace(self._bounds, position=self._position)
        self._fail(death_error(ended, cause=self._cause, bounds=bounds))
        self.control.close()
        self._exited(self)

    def _received(self, box: Box) -> None:
        if self.loading is not LoadState.LOADING:
            return
        if b"_error" in box:
            self._fail(script_failure(box))
        elif b"_answer" in box:
            self._answered(box.get(b"v", b""))
        elif box.get(b"_command") == b"host" and b"_ask" in box:
            self._host_call(box[b"_ask"], box.get(b"n", b""), box.get(b"v", b""))
        elif box.get(b"_command") == b"log":
            self._logged(box.get(b"v", b""))
        elif box.get(b"_command") == b"position":
            self._position = read_position(box.get(b"v", b""))
        else:
            self._broken("it sends an unknown command")

    def _answered(self, raw: bytes) -> None:
        try:
            report = json.loads(raw) if len(raw) <= _MAX_TOLD_BYTES else None
        except (ValueError, RecursionError):
            report = None
        if not isinstance(report, dict):
            self._broken("its answer to the load is not JSON")
            return
        if self._session is None and (name := self._journal.next_name):
            self._differs(f"did not ask for {name}")
            return
        self.loading = LOAD[self.loading]
        self._expect(None)
        self._link.close()
        self.loaded.callback(report)

    def _host_call(self, tag: bytes, raw_name: bytes, raw_argument: bytes) -> None:
        try:
            name, argument = read_call(tag, raw_name, raw_argument)
        except BadBox as error:
            self._broken(str(error))
            return
        if self._session is None:
            self._replay(tag, name, argument)
            return
        number = self._journal.ask(name, argument)
        refusal = self._refusal(number + 1)
        if refusal is not None:
            self._fail(refusal)
            self.kill(refusal.code)
            return
        result = TOO_MANY_PARTS if is_costly_to_read(argument) else self._session.call(name, argument)

        def answered(answer: str) -> None:
            if self.loading is LoadState.LOADING:
                self._journal.answer(number, answer)
                self._reply(tag, answer)

        if isinstance(result, str):
            answered(result)
        else:
            result.addCallback(answered)

    def _refusal(self, count: int) -> EngineError | None:
        """Return why this load may not go on: it is stored with the version, and replayed at each start."""
        if self._journal.size_bytes > _MOST_JOURNAL_MIB << 20:
            return ScriptFailed(
                f"Top level and init may send to the host, and be answered, at most {_MOST_JOURNAL_MIB} MiB in all; "
                "do the rest in a handler."
            )
        return overspent(count, self._limits)

    def _replay(self, tag: bytes, name: str, argument: str) -> None:
        due = self._journal.replay(name, argument)
        if due is None:
            self._differs(f"asked for {name[:100]}")
            return
        self._tags.append(tag)
        for number, answer in due:
            self._reply(self._tags[number], answer)

    def _differs(self, how: str) -> None:
        self._fail(
            ScriptFailed(
                f'The script "{self._bounds.script}" {how} while it loaded, unlike when it was deployed. '
                "What top level and init do may not depend on anything but the host's answers; deploy it again."
            )
        )
        self.kill("script_failed")

    def _reply(self, tag: bytes, answer: str) -> None:
        self._link.send(encode(encode_pair(b"_answer", tag), answer.encode("ascii")))

    def _logged(self, raw: bytes) -> None:
        if self._session is None or self._logs_again:
            return
        try:
            lines = self._lines.read(raw, at=self._wall())
        except BadBox as error:
            self._broken(str(error))
            return
        if lines:
            self._session.log(lines)

    def _broken(self, why: str) -> None:
        _log.warn(
            "process {pid} of {script} violated the protocol: {why}", pid=self.pid, script=self._bounds.script, why=why
        )
        self._fail(broken_protocol(self._bounds.script, why))
        self.kill("script_protocol")

    def _fail(self, error: EngineError) -> None:
        if self.loading is not LoadState.LOADING:
            return
        self.loading = FAIL[self.loading]
        self.failure = error
        if not self.dead:
            self._expect(_PATIENCE_SECONDS, lambda: self.kill(error.code))
        self.loaded.errback(error)

    def _expect(self, seconds: float | None, otherwise: Callable[[], None] = lambda: None) -> None:
        """Set the deadline of the next message; None: no message is expected."""
        if self._late is not None and self._late.active():
            self._late.cancel()
        self._late = None if seconds is None else self._reactor.callLater(seconds, otherwise)

    def _control_lost(self) -> None:
        if self.control.broken:
            self._broken("it sends invalid events about its clones")
            return
        # The zygote reports how it ended; a process that closed its socket and lives on is of no use.
        self._zygote.kill(self._number)
