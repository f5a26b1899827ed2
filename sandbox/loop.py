"""
One child's conversation with the server.

The child blocks on its data socket and runs one invocation at a time. A run that arrives in the meantime waits; answers
to the child's own host calls are let through. While the current one waits, the server may recall the other one:

    _command=recall t=2
                                                 _command=recalled t=2

    server                                       child
    _ask=1 _command=run d=2000 c=1000 v={...}
                                                 _command=log v=[["info","hello",null]]
                                                 _ask=7 _command=host n=notes.get v=["a"]
    _answer=7 v={"ok":1}
                                                 _answer=1 h= v={"a":1}

The body of an answer leaves as the bytes that the client gets: the base64 or JSON in which the engine gave it is read
here and not in the server, which serves others meanwhile.  Of a part of an answer that goes on, `v` has the head, NUL
and the body.

    _ask=7 _command=host n=answer.write v=NUL <the bytes of a piece>

`d` and `c` are the milliseconds of wall and processor time that the run may take.  A long body of a request follows the
JSON of a run, see `requests.py`.

At its deadline a child that computes reports where its script is, and one that waits reports
that; see `deadline_report.py`:

    _command=position v=at inner (input:12)      and a line for each caller
    _command=position

A run with `r=1` is recorded: with each pump step the child reports what it received, without the
answers themselves, which the server has.  A run after a box of `steps` (lines) is done over again:
the clock stands where it stood, at first at the milliseconds of the first line, and answers are taken in the order in
which they were taken then.  After the last step, or before one that this run cannot take because it made other
calls, it continues as any run does, with the clock from where it is.

    _command=step v=A1767225600123 7        the answer to call 7, at that millisecond
    _command=step v=T1767225600125          timers that were due
    _command=step v=X1767225600130          the client had disconnected
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from types import CodeType

from sandbox.answers import body_bytes, part_value
from sandbox.bodies import Receiver, encode
from sandbox.boxes import BadBox, Box, encode_pair
from sandbox.deadline import Deadline
from sandbox.engine import Engine, EngineFailed
from sandbox.failures import Failure, engine_failure, read_failure
from sandbox.garbage import GarbageCollector
from sandbox.requests import run_text

MAX_VALUE_BYTES = 64 * 1024 * 1024
"""Longest value that is taken from the server."""

_MAX_WAITING = 16
_READ_BYTES = 64 * 1024
_READ_MORE_BYTES = 1024 * 1024
_SHORT_HEAD = 200
_MOST_HEADS = 200
_PARTS = ("answer.start", "answer.write", "answer.send")
_HOST = encode_pair(b"_command", b"host")
_LOG = encode_pair(b"_command", b"log")
_STEP = encode_pair(b"_command", b"step")
_RECALLED = encode_pair(b"_command", b"recalled")
_ERROR_TEXT = encode_pair(b"_error_description", b"the script failed")


class ServerGone(BaseException):
    """The server has closed the socket: nothing is left to do for this process."""


class Conversation:
    """
    The child's end of the data socket.

    Args:
        data: The socket, blocking.
        engine: Runs the script.
        deadline: Is stored for each run.
    """

    def __init__(self, *, data: socket.socket, engine: Engine, deadline: Deadline) -> None:
        self._data = data
        self._engine = engine
        self._deadline = deadline
        self._receiver = Receiver(max_bytes=MAX_VALUE_BYTES)
        self._arrived: deque[Box] = deque()
        self._waiting: deque[Box] = deque()
        self._tag = b""
        """Of the run in hand."""
        self._out: list[bytes] = []
        self._logs: list[str] = []
        self._parts: set[bytes] = set()
        """Ids of the open calls with which the answer itself travels."""
        self._heads: dict[tuple[bytes, str], bytes] = {}
        """Encoded: most answers of a script begin as some before."""
        self._read_bytes = _READ_BYTES
        self._recording = False
        self._steps: deque[str] | None = None
        """What the run that is done over again was given, in order; None for any other run."""
        self._early: dict[bytes, bytes] = {}
        """Answers that came before their step."""
        self._open: set[bytes] = set()
        """Calls of a run that is done over again whose answers were not taken."""
        self._stands_at = 0
        """The time at the last step of such a run."""
        self._ahead = 0
        """How far its clock is from the real one after its last step, in milliseconds."""
        self._poll = select.poll()
        self._poll.register(data, select.POLLIN)

    def move_to(self, data: socket.socket) -> None:
        """Continue on another blocking socket, in a forked child."""
        self._data = data
        self._poll = select.poll()
        self._poll.register(data, select.POLLIN)

    @classmethod
    def waiting(cls) -> tuple[CodeType, ...]:
        """Return the functions in which a child waits and sends nothing."""
        return cls._wait.__code__, cls._take.__code__

    def load(self) -> bool:
        """
        Take the one `load`, run it and answer.

        Returns:
            Whether the version is loaded; if not, this process is of no use.
        """
        try:
            box = self._take()
            if box.get(b"_command") != b"load":
                raise BadBox("the first box is not a load")
            failure = self._drive(b"L" + box[b"v"], box[b"_ask"])
        except ServerGone:
            return False
        return failure is None

    def serve(self, *, garbage: GarbageCollector, once: bool) -> None:
        """
        Take runs until the server goes.

        Args:
            garbage: Is notified of each run.
            once: Take one run only.
        """
        try:
            self._serve(garbage, once=once)
        except ServerGone:
            self._deadline.end()

    def _serve(self, garbage: GarbageCollector, *, once: bool) -> None:
        while True:
            box = self._waiting.popleft() if self._waiting else self._take()
            if box.get(b"_command") == b"steps":
                self._steps = deque(box[b"v"].decode("ascii").split("\n"))
                self._stands_at = int(self._steps.popleft())
            # A cancel or an answer may come late; between runs nothing waits for them.
            if box.get(b"_command") != b"run":
                continue
            garbage.run_begins()
            self._recording = b"r" in box
            self._early.clear()
            self._open.clear()
            self._deadline.begin(wall_seconds=int(box[b"d"]) / 1000, cpu_seconds=int(box[b"c"]) / 1000)
            failure = self._drive(box[b"v"], box[b"_ask"])
            self._deadline.end()
            self._steps = None
            self._ahead = 0
            if once or (failure is not None and failure.unfit):
                return
            garbage.run_ended()

    def _drive(self, value: bytes, tag: bytes) -> Failure | None:
        """Pump until the run is over and answered."""
        self._tag = tag
        self._parts.clear()
        pump = self._engine.pump
        try:
            text = run_text(value)
            while True:
                output = pump(text)
                if output[0] in "CG":
                    output = self._pass_on(output)
                kind = output[0]
                if kind == "D":
                    self._answer(tag, output)
                    return None
                if kind == "F":
                    failure = read_failure(output)
                    break
                self._flush()
                text = "K" if kind == "P" else self._next(int(output[1:]))
        except (EngineFailed, MemoryError, UnicodeError) as error:
            # An answer that could not be put together has not left, and must not now.
            self._out.clear()
            self._logs = [line for line in self._logs if line.isascii()]
            failure = engine_failure(str(error))
        self._fail(tag, failure)
        return failure

    # -- to the server ------------------------------------------------------------------------

    def _pass_on(self, output: str) -> str:
        """Take the calls and log lines off the front; return the last line, whose body may hold anything."""
        while output[0] in "CG":
            line, _, output = output.partition("\n")
            if line[0] == "G":
                self._logs.append(line[1:])
                continue
            number, name, arguments = line[1:].split(" ", 2)
            tag = number.encode("ascii")
            if name in _PARTS:
                self._parts.add(tag)
                value = part_value(arguments)
            else:
                value = arguments.encode("ascii")
            if self._steps is not None:
                self._open.add(tag)
            self._put_logs()
            head = encode_pair(b"_ask", tag) + _HOST + encode_pair(b"n", name.encode("ascii"))
            self._out.append(encode(head, value))
        return output

    def _answer(self, tag: bytes, output: str) -> None:
        length, _, rest = output[1:].partition(" ")
        end = 1 + int(length)
        self._put_logs()
        self._out.append(encode(self._answer_head(tag, rest[1:end]), body_bytes(rest[0], rest[end:])))
        self._flush()

    def _answer_head(self, tag: bytes, head: str) -> bytes:
        known = self._heads.get((tag, head))
        if known is None:
            known = encode_pair(b"_answer", tag) + encode_pair(b"h", head.encode("ascii"))
            if len(head) <= _SHORT_HEAD and len(self._heads) < _MOST_HEADS:
                self._heads[tag, head] = known
        return known

    def _fail(self, tag: bytes, failure: Failure) -> None:
        self._put_logs()
        head = encode_pair(b"_error", tag) + encode_pair(b"_error_code", failure.code.encode("ascii")) + _ERROR_TEXT
        self._out.append(encode(head, failure.report.encode("ascii")))
        self._flush()

    def _put_logs(self) -> None:
        if self._logs:
            self._out.append(encode(_LOG, ("[" + ",".join(self._logs) + "]").encode("ascii")))
            self._logs.clear()

    def _flush(self) -> None:
        self._put_logs()
        if not self._out:
            return
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        try:
            self._data.sendall(data)
        except OSError:
            raise ServerGone from None

    # -- from the server ----------------------------------------------------------------------

    def _next(self, milliseconds: int) -> str:
        """Return what to pump next: as it comes, or as it came when the run was recorded."""
        if self._steps is not None:
            step = self._repeat_step(self._steps)
            if step:
                return step
        text = self._wait(milliseconds)
        if self._recording:
            # The time, and which answer: `A<now> <id> <json>` without the last.
            self._out.append(encode(_STEP, " ".join(text.split(" ", 2)[:2]).encode("ascii")))
        return text

    def _repeat_step(self, steps: deque[str]) -> str:
        """Return the next step of a recorded run; empty if there is none that this run can take."""
        moment, _, tag = steps.popleft().partition(" ") if steps else ("", "", "")
        expected = tag.encode("ascii")
        if not moment or (moment[0] == "A" and expected not in self._open):
            self._leave_steps()
            return ""
        self._stands_at = int(moment[1:])
        if moment[0] != "A":
            return moment
        self._open.discard(expected)
        while expected not in self._early:
            box = self._take()
            if b"_answer" in box:
                self._early[box[b"_answer"]] = box[b"v"]
                self._parts.discard(box[b"_answer"])
        return f"{moment} {tag} {self._early.pop(expected).decode('ascii')}"

    def _leave_steps(self) -> None:
        """Go on as any run does, first with the answers that are there already."""
        self._steps = None
        self._ahead = self._stands_at - _now()
        self._arrived.extendleft({b"_answer": tag, b"v": value} for tag, value in reversed(self._early.items()))
        self._early.clear()

    def _wait(self, milliseconds: int) -> str:
        """Wait for the host or the clock; return what to pump next."""
        ends = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
        if self._parts:
            self._deadline.pause()
        while True:
            left = None if ends is None else ends - time.monotonic()
            if left is not None and not self._arrived and not self._poll.poll(max(0, round(left * 1000 + 0.5))):
                self._deadline.resume()
                return f"T{_now() + self._ahead}"
            box = self._take()
            tag = box.get(b"_answer")
            if tag is not None:
                if tag in self._parts:
                    self._parts.discard(tag)
                    self._deadline.renew()
                else:
                    self._deadline.resume()
                return f"A{_now() + self._ahead} {tag.decode('ascii')} {box[b'v'].decode('ascii')}"
            command = box.get(b"_command")
            if command == b"recall":
                self._give_back(box.get(b"t", b""))
            if command == b"cancel" and box.get(b"t") == self._tag:
                # The prelude answers its open calls itself, those of the answer's parts too.
                self._parts.clear()
                self._deadline.resume()
                return f"X{_now() + self._ahead}"
            if command == b"run":
                self._waiting.append(box)
                if len(self._waiting) > _MAX_WAITING:
                    raise BadBox(f"more than {_MAX_WAITING} runs wait")

    def _give_back(self, tag: bytes) -> None:
        """Return a run back that has not begun; nothing is said of one that has."""
        for box in self._waiting:
            if box.get(b"_ask") == tag:
                self._waiting.remove(box)
                self._out.append(encode(_RECALLED + encode_pair(b"t", tag), b""))
                self._flush()
                return

    def _take(self) -> Box:
        """
        Wait for the next box.

        Raises:
            ServerGone: There will be none.
        """
        while not self._arrived:
            try:
                data = self._data.recv(self._read_bytes)
            except OSError:
                raise ServerGone from None
            if not data:
                raise ServerGone
            # A large value comes in large pieces; a large buffer for every small one would be slow.
            self._read_bytes = _READ_MORE_BYTES if len(data) >= _READ_BYTES else _READ_BYTES
            self._arrived.extend(self._receiver.feed(data))
        return self._arrived.popleft()


def _now() -> int:
    return time.time_ns() // 1_000_000
