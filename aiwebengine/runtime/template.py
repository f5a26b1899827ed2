"""
A process that has loaded one version, and forks the clones that run its invocations.

Loading is a conversation: the script's top level and `init` make host calls.  In the
deployment the host answers them, and the answers are written down; whenever the template
is made again they are read from there, so that nothing is done twice.

    journal   {"seed": "<32 hex>", "now": <ms>, "calls": [[name, argument, answer], ...]}
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet
from twisted.logger import Logger

from aiwebengine.errors import EngineError, ScriptFailed, ScriptProtocol
from aiwebengine.interfaces import HostSession
from aiwebengine.runtime.boxes import Box, encode, encode_pair
from aiwebengine.runtime.control import Control, Exit
from aiwebengine.runtime.failure import death, script_failure
from aiwebengine.runtime.lines import read_lines
from aiwebengine.runtime.link import Link
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Bundle

_log = Logger()

_LOAD = encode_pair(b"_ask", b"1") + encode_pair(b"_command", b"load")
_LIFETIME_CPU_SECONDS = 24 * 3600


class Journal:
    """
    What the host answered while a version loaded.

    Args:
        text: An earlier journal to read from; empty to write a new one.
        seed: 32 hexadecimal digits, for a new one.
        now: Milliseconds since 1970, for a new one.
    """

    def __init__(self, text: str, *, seed: str, now: int) -> None:
        self.recorded = bool(text)
        self.seed = seed
        self.now = now
        self._calls: list[tuple[str, str, str]] = []
        self._next = 0
        if text:
            told = json.loads(text)
            self.seed, self.now = told["seed"], told["now"]
            self._calls = [(name, argument, answer) for name, argument, answer in told["calls"]]

    def add(self, name: str, argument: str, answer: str) -> None:
        """Write down one answer."""
        self._calls.append((name, argument, answer))

    def replay(self, name: str, argument: str) -> str | None:
        """Read the next answer; None if the script asks something else than it did."""
        if self._next >= len(self._calls):
            return None
        known_name, known_argument, answer = self._calls[self._next]
        # A registration carries a stack, whose numbers change with the prelude.
        if known_name != name or (not name.startswith("register.") and known_argument != argument):
            return None
        self._next += 1
        return answer

    def text(self) -> str:
        """Give the journal as it is stored."""
        return json.dumps({"seed": self.seed, "now": self.now, "calls": self._calls}, separators=(",", ":"))


class Template:
    """
    One template process.

    Args:
        reactor: Watches its sockets.
        control: Of the zygote.
        number: Its id there.
        bundle: What it loads.
        journal: To be read from or written to.
        session: The host's side of the load; None to answer from the journal.
        limits: Of the load and of the process.
        wall_seconds: Longest load.
        wall: The time of log lines, seconds since 1970.
        gone: Told once when the process is dead.
    """

    def __init__(
        self,
        *,
        reactor: IReactorFDSet,
        control: Control,
        number: int,
        bundle: Bundle,
        journal: Journal,
        session: HostSession | None,
        limits: LimitSettings,
        memory_bytes: int,
        wall_seconds: float,
        wall: Callable[[], float],
        gone: Callable[[Template], None],
    ) -> None:
        self._number = number
        self._zygote = control
        self._journal = journal
        self._session = session
        self._limits = limits
        self._memory_bytes = memory_bytes
        self._wall = wall
        self._gone = gone
        self.pid = 0
        self.dead = False
        self.loaded: Deferred[Mapping[str, Any]] = Deferred()
        """Fires with what the kernel told after loading; fails with an EngineError."""
        self.failure: EngineError | None = None
        """Why it could not load."""
        self._told = False
        self._lines = 0
        self._cause = ""
        data, their_data = socket.socketpair()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
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
        control.fork(number, {"op": "template", "limits": process_limits}, [their_data, theirs], self)
        box = {
            "script": bundle.script,
            "version": bundle.version,
            "source": bundle.source,
            "seed": journal.seed,
            "now": journal.now,
            "i": "load",
            "deadline": journal.now + round(wall_seconds * 1000),
        }
        self._link.send(encode(_LOAD, json.dumps(box).encode("ascii")))

    def kill(self, cause: str) -> None:
        """End it and every clone of it."""
        if self.dead:
            return
        self._cause = self._cause or cause
        self._zygote.kill(self._number)
        self.control.close()

    def forked(self, pid: int) -> None:
        """See `control.Forked.forked`."""
        self.pid = pid

    def exited(self, ended: Exit) -> None:
        """See `control.Forked.exited`."""
        if self.dead:
            return
        self.dead = True
        if not self._told and self._link.fileno() >= 0:
            self._link.doRead()
        self._link.close()
        self._fail(death(ended, cause=self._cause, memory_bytes=self._memory_bytes, phase="top level"))
        self.control.close()
        self._gone(self)

    def _received(self, box: Box) -> None:
        if self._told:
            return
        if b"_error" in box:
            self._fail(script_failure(box))
        elif b"_answer" in box:
            self._told = True
            try:
                told = json.loads(box.get(b"v", b""))
                if not isinstance(told, dict):
                    raise ValueError  # noqa: TRY301, TRY004  one refusal for both
            except (ValueError, RecursionError):
                self._told = False
                self._broken("its answer to the load is not JSON")
                return
            self._link.close()
            self.loaded.callback(told)
        elif box.get(b"_command") == b"host" and b"_ask" in box:
            self._asked(box[b"_ask"], box.get(b"n", b""), box.get(b"v", b""))
        elif box.get(b"_command") == b"log":
            self._logged(box.get(b"v", b""))
        else:
            self._broken("it sends an unknown command")

    def _asked(self, tag: bytes, raw_name: bytes, raw_argument: bytes) -> None:
        try:
            name, argument = raw_name.decode("ascii"), raw_argument.decode("ascii")
        except UnicodeDecodeError:
            self._broken("a host call is not ASCII")
            return
        if self._session is None:
            answer = self._journal.replay(name, argument)
            if answer is None:
                self._fail(
                    ScriptFailed(
                        f"The script asked for {name[:100]} while it loaded, which it did not when it was deployed. "
                        "What top level and init do may not depend on anything but the host's answers; deploy it again."
                    )
                )
                self.kill("script_failed")
                return
            self._reply(tag, answer)
            return
        given = self._session.call(name, argument)
        if isinstance(given, str):
            self._journal.add(name, argument, given)
            self._reply(tag, given)
            return

        def answered(answer: str) -> None:
            self._journal.add(name, argument, answer)
            self._reply(tag, answer)

        given.addCallback(answered)

    def _reply(self, tag: bytes, answer: str) -> None:
        self._link.send(encode(encode_pair(b"_answer", tag), answer.encode("ascii")))

    def _logged(self, raw: bytes) -> None:
        if self._session is None:
            return
        lines, self._lines = read_lines(raw, at=self._wall(), limits=self._limits, before=self._lines)
        if lines:
            self._session.log(lines)

    def _broken(self, why: str) -> None:
        self._fail(ScriptProtocol("The script's process broke the protocol and was ended.", private=why))
        self.kill("script_protocol")

    def _fail(self, error: EngineError) -> None:
        if self._told:
            return
        self._told = True
        self.failure = error
        self.loaded.errback(error)

    def _control_lost(self) -> None:
        # The zygote tells how it ended; a process that closed its socket and lives on is of no use.
        self._zygote.kill(self._number)
