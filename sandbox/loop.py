"""
One child's conversation with the server.

The child blocks on its data socket and has one run in hand.  A run that arrives meanwhile
waits; answers to the child's own host calls are let through.  Before each run the kernel
is given the deadline: two interval timers whose signals, left at their default action,
end the process wherever it is, a native loop included.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable

from sandbox.boxes import Parser, encode
from sandbox.engine import Engine

Box = dict[bytes, bytes]

MAX_VALUE_BYTES = 64 * 1024 * 1024
_READ_BYTES = 256 * 1024
_STREAMED = ("answer.start", "answer.write", "answer.send")


class Conversation:
    """
    The child's end of the data socket.

    Args:
        data: The socket, blocking.
        engine: Runs the script.
    """

    def __init__(self, *, data: socket.socket, engine: Engine) -> None:
        self._data = data
        self._engine = engine
        self._parser = Parser(max_bytes=MAX_VALUE_BYTES)
        self._arrived: deque[Box] = deque()
        self._waiting: deque[Box] = deque()
        self._out: list[bytes] = []
        self._logs: list[str] = []
        self._poll = select.poll()
        self._poll.register(data, select.POLLIN)

    def load(self) -> bool:
        """Take the one `load`, run it and answer; false if the server has gone."""
        box = self._next(None)
        if box is None or box.get(b"_command") != b"load":
            return False
        self._drive("L" + box[b"v"].decode("ascii"), box)
        return True

    def serve(self, *, once: bool) -> None:
        """Take runs until the server goes, or one run if *once*."""
        while True:
            box = self._waiting.popleft() if self._waiting else self._next(None)
            if box is None:
                return
            if box.get(b"_command") != b"run":
                continue
            wall, cpu = int(box[b"d"]), int(box[b"c"])
            signal.setitimer(signal.ITIMER_REAL, wall / 1000)
            signal.setitimer(signal.ITIMER_PROF, cpu / 1000)
            self._wall_seconds = wall / 1000
            self._drive("R" + box[b"v"].decode("ascii"), box)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            if once:
                return

    _wall_seconds = 0.0

    def _drive(self, text: str, asked: Box) -> None:
        tag = asked[b"_ask"]
        while True:
            said = self._engine.pump(text)
            last = self._lines(said)
            kind = last[0]
            if kind == "D":
                self._answer(tag, last)
                return
            if kind == "F":
                code, _, told = last[1:].partition(" ")
                self._flush_logs()
                self._send(
                    {
                        b"_error": tag,
                        b"_error_code": code.encode("ascii"),
                        b"_error_description": b"the script failed",
                        b"v": told.encode("ascii"),
                    }
                )
                self._flush()
                return
            self._flush_logs()
            self._flush()
            text = self._wait(int(last[1:]))

    def _lines(self, said: str) -> str:
        """Send what the world wants sent; give the last line, whose body may hold anything."""
        while said[0] in "CG":
            line, _, said = said.partition("\n")
            if line[0] == "G":
                self._logs.append(line[1:])
                continue
            number, name, args = line[1:].split(" ", 2)
            if name in _STREAMED and self._wall_seconds:
                # Each part of an answer that goes on has a deadline of its own.
                signal.setitimer(signal.ITIMER_REAL, self._wall_seconds)
            self._flush_logs()
            self._send(
                {
                    b"_ask": number.encode("ascii"),
                    b"_command": b"host",
                    b"n": name.encode("ascii"),
                    b"v": args.encode("ascii"),
                }
            )
        return said

    def _answer(self, tag: bytes, last: str) -> None:
        length, _, rest = last[1:].partition(" ")
        size = int(length)
        self._flush_logs()
        self._send(
            {
                b"_answer": tag,
                b"h": rest[1 : 1 + size].encode("ascii"),
                b"e": rest[0].encode("ascii"),
                b"v": rest[1 + size :].encode("ascii"),
            }
        )
        self._flush()

    def _wait(self, milliseconds: int) -> str:
        """Wait for the host or the clock; give what to pump next."""
        ends = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
        while True:
            left = None if ends is None else max(0.0, ends - time.monotonic())
            box = self._next(left)
            if box is None:
                return f"T{_now()}"
            answer = box.get(b"_answer")
            if answer is not None:
                return f"A{_now()} {answer.decode('ascii')} {box[b'v'].decode('ascii')}"
            command = box.get(b"_command")
            if command == b"cancel":
                return f"X{_now()}"
            if command == b"run":
                self._waiting.append(box)

    def _next(self, seconds: float | None) -> Box | None:
        """
        Give the next box.

        Args:
            seconds: Longest wait; None for ever.

        Returns:
            None when the time is over, or, without a time, when the server has gone.
        """
        while not self._arrived:
            if seconds is not None and not self._poll.poll(max(0, round(seconds * 1000 + 0.5))):
                return None
            data = self._data.recv(_READ_BYTES)
            if not data:
                os._exit(0)
            self._arrived.extend(self._parser.feed(data))
        return self._arrived.popleft()

    def _flush_logs(self) -> None:
        if self._logs:
            self._send({b"_command": b"log", b"v": ("[" + ",".join(self._logs) + "]").encode("ascii")})
            self._logs.clear()

    def _send(self, box: Box) -> None:
        self._out.append(encode(box))

    def _flush(self) -> None:
        data = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        self._data.sendall(data)


def _now() -> int:
    return time.time_ns() // 1_000_000


Serve = Callable[[], None]
