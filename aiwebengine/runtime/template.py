"""
A process that has loaded one version, and forks the clones that run its invocations.

Loading is a conversation: the script's top level and `init` make host calls.  In the
deployment the host answers them, and the answers are written down; whenever the template
is made again they are read from there, so that nothing is done twice.

    journal   {"seed": "<32 hex>", "now": <ms>, "calls": [[name, argument, answer], ...]}

with "order": [...], the numbers of the calls as they were answered, if that was not the order
in which they were made.
"""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.interfaces import HostSession
from aiwebengine.runtime.asking import TOO_MANY_PARTS, is_bulky, read_call, went_on
from aiwebengine.runtime.boxes import BadBox, Box, encode, encode_pair
from aiwebengine.runtime.control import Control, Exit
from aiwebengine.runtime.failure import Bounds, broken_protocol, death, script_failure
from aiwebengine.runtime.lines import Lines
from aiwebengine.runtime.link import Link
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
_CHANGING = ("call", "options", "stack")


class Journal:
    """
    What the host answered while a version loaded.

    Answers come back in the order in which they came the first time, for what a script does next
    may depend on it.

    Args:
        text: An earlier journal to read from; empty to write a new one.
        seed: 32 hexadecimal digits, for a new one.
        now: Milliseconds since 1970, for a new one.

    Raises:
        ValueError, KeyError, TypeError: *text* is not a journal.
    """

    def __init__(self, text: str, *, seed: str, now: int) -> None:
        self.seed = seed
        self.now = now
        self._calls: list[list[str | None]] = []
        self._order: list[int] = []
        self._asked = 0
        self._answered = 0
        self.size_bytes = 0
        """Of what was written so far."""
        if text:
            told = json.loads(text)
            self.seed, self.now = str(told["seed"]), int(told["now"])
            self._calls = [[name, argument, answer] for name, argument, answer in told["calls"]]
            self._order = told.get("order", list(range(len(self._calls))))

    def ask(self, name: str, argument: str) -> int:
        """Write down a call; gives its number."""
        self._calls.append([name, argument, None])
        self.size_bytes += len(name) + len(argument)
        return len(self._calls) - 1

    def answer(self, number: int, answer: str) -> None:
        """Write down what the host answered to the call of that number."""
        self._calls[number][2] = answer
        self.size_bytes += len(answer)
        self._order.append(number)

    def replay(self, name: str, argument: str) -> list[tuple[int, str]] | None:
        """
        Read on, for the next call.

        Returns:
            Numbers of calls and their answers that are due now; None if the script asks something else than it did.
        """
        if self._asked >= len(self._calls) or not _same_call(self._calls[self._asked], name, argument):
            return None
        self._asked += 1
        due: list[tuple[int, str]] = []
        while self._answered < len(self._order) and self._order[self._answered] < self._asked:
            number = self._order[self._answered]
            self._answered += 1
            due.append((number, self._calls[number][2] or "null"))
        return due

    @property
    def next_name(self) -> str:
        """Name of the call that a replay has yet to see; empty if it has seen all."""
        return str(self._calls[self._asked][0]) if self._asked < len(self._calls) else ""

    def text(self) -> str:
        """Give the journal as it is stored."""
        told: dict[str, Any] = {"seed": self.seed, "now": self.now, "calls": self._calls}
        if self._order != list(range(len(self._calls))):
            told["order"] = self._order
        return json.dumps(told, separators=(",", ":"))


def _same_call(known: list[str | None], name: str, argument: str) -> bool:
    if known[0] != name:
        return False
    return known[1] == argument or (
        name.startswith("register.") and _registered(known[1] or "") == _registered(argument)
    )


def _registered(argument: str) -> Any:
    """Return what a registration decides: its stack, its caller and the form of its options change with the engine."""
    try:
        (one,) = json.loads(argument)
        decided = {name: value for name, value in one.items() if name not in _CHANGING}
        handler = decided.pop("handler")
        return decided, None if handler is None else handler["id"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return argument


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
        memory_bytes: Of the process.
        wall_seconds: Longest load.
        wall: The time of log lines, seconds since 1970.
        gone: Told once when the process is dead.

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
        memory_bytes: int,
        wall_seconds: float,
        wall: Callable[[], float],
        gone: Callable[[Template], None],
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
        self._lines = Lines(self._limits)
        self._bounds = Bounds(
            script=bundle.script,
            phase="top level",
            wall_seconds=wall_seconds,
            cpu_seconds=wall_seconds,
            memory_bytes=memory_bytes,
        )
        self._wall = wall
        self._gone = gone
        self.pid = 0
        self.dead = False
        self.loaded: Deferred[Mapping[str, Any]] = Deferred()
        """Fires with what the kernel told after loading; fails with an EngineError."""
        self.failure: EngineError | None = None
        """Why it could not load."""
        self.lost = False
        """It died through no fault of its own."""
        self._told = False
        self._cause = ""
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
        control.fork(number, {"op": "template", "limits": process_limits}, [their_data, theirs], self)
        box: dict[str, Any] = {
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
        # If nobody tells how it ended, it is taken for dead.
        self._expect(_PATIENCE_SECONDS, lambda: self.exited(Exit(status=None)))
        self.control.close()

    def forked(self, pid: int) -> None:
        """See `control.Forked.forked`."""
        self.pid = pid

    def exited(self, ended: Exit) -> None:
        """See `control.Forked.exited`."""
        if self.dead:
            return
        self.dead = True
        self._expect(None)
        self.lost = not self._cause and (ended.signal == signal.SIGKILL or (ended.status is None and not ended.refused))
        if not self._told:
            self._link.read_out()
        self._link.close()
        self._fail(death(ended, cause=self._cause, bounds=self._bounds))
        self.control.close()
        self._gone(self)

    def _received(self, box: Box) -> None:
        if self._told:
            return
        if b"_error" in box:
            self._fail(script_failure(box))
        elif b"_answer" in box:
            self._answered(box.get(b"v", b""))
        elif box.get(b"_command") == b"host" and b"_ask" in box:
            self._asked(box[b"_ask"], box.get(b"n", b""), box.get(b"v", b""))
        elif box.get(b"_command") == b"log":
            self._logged(box.get(b"v", b""))
        else:
            self._broken("it sends an unknown command")

    def _answered(self, raw: bytes) -> None:
        try:
            told = json.loads(raw) if len(raw) <= _MAX_TOLD_BYTES else None
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            self._broken("its answer to the load is not JSON")
            return
        if self._session is None and (name := self._journal.next_name):
            self._differs(f"did not ask for {name}")
            return
        self._told = True
        self._expect(None)
        self._link.close()
        self.loaded.callback(told)

    def _asked(self, tag: bytes, raw_name: bytes, raw_argument: bytes) -> None:
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
        given = TOO_MANY_PARTS if is_bulky(argument) else self._session.call(name, argument)

        def answered(answer: str) -> None:
            if not self._told:
                self._journal.answer(number, answer)
                self._reply(tag, answer)

        if isinstance(given, str):
            answered(given)
        else:
            given.addCallback(answered)

    def _refusal(self, asked: int) -> EngineError | None:
        """Tell why this load may not go on: it is kept with the version, and done over again at each start."""
        if self._journal.size_bytes > _MOST_JOURNAL_MIB << 20:
            return ScriptFailed(
                f"Top level and init may send to the host, and be answered, at most {_MOST_JOURNAL_MIB} MiB in all; "
                "do the rest in a handler."
            )
        return went_on(asked, self._limits)

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
        if self._session is None:
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
            "process {pid} of {script} broke the protocol: {why}", pid=self.pid, script=self._bounds.script, why=why
        )
        self._fail(broken_protocol(self._bounds.script, why))
        self.kill("script_protocol")

    def _fail(self, error: EngineError) -> None:
        if self._told:
            return
        self._told = True
        self.failure = error
        if not self.dead:
            self._expect(_PATIENCE_SECONDS, lambda: self.kill(error.code))
        self.loaded.errback(error)

    def _expect(self, seconds: float | None, otherwise: Callable[[], None] = lambda: None) -> None:
        """Wait so long for what comes next; None: for nothing more."""
        if self._late is not None and self._late.active():
            self._late.cancel()
        self._late = None if seconds is None else self._reactor.callLater(seconds, otherwise)

    def _control_lost(self) -> None:
        if self.control.broken:
            self._broken("it tells of its clones what makes no sense")
            return
        # The zygote tells how it ended; a process that closed its socket and lives on is of no use.
        self._zygote.kill(self._number)
