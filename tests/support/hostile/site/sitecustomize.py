"""
Put on the sandbox's path by a test: its processes then do what the path of the request says, on the bare socket.

This is what a script could do that had broken out of JavaScript, but not out of the locked-down process.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import sandbox.loop
from sandbox.bodies import encode
from sandbox.boxes import END, encode_pair
from sandbox.failures import Failure

MEBIBYTE = 1 << 20
ANSWER = encode_pair(b"_answer", b"1") + encode_pair(b"h", b"")
HOST = encode_pair(b"_command", b"host") + encode_pair(b"n", b"getScript")
MORE = encode_pair(b"_command", b"more") + encode_pair(b"v", b"x" * 65_535) + END
LOG = encode_pair(b"_command", b"log")


def _ask(number: int, argument: bytes = b'["x"]', name: bytes = b"getScript") -> bytes:
    head = encode_pair(b"_ask", b"%d" % number) + encode_pair(b"_command", b"host") + encode_pair(b"n", name)
    return encode(head, argument)


def _part(name: bytes, argument: bytes) -> bytes:
    return _ask(1, argument, b"answer." + name)


def _for_ever(piece: bytes) -> Callable[[socket.socket], None]:
    def deed(data: socket.socket) -> None:
        while True:
            data.sendall(piece)

    return deed


def _numbered(make: Callable[[int], bytes]) -> Callable[[socket.socket], None]:
    def deed(data: socket.socket) -> None:
        number = 0
        while True:
            number += 1
            data.sendall(make(number))

    return deed


def _byte_by_byte(data: socket.socket) -> None:
    box = encode_pair(b"h", b"x" * 65_000) + encode_pair(b"e", b"x" * 65_000) + encode_pair(b"v", b"x" * 65_000)
    data.sendall(box)
    while True:
        data.sendall(b"\0")
        data.sendall(b"\1")


def _once(*pieces: bytes, then: Callable[[], Any] | None = None) -> Callable[[socket.socket], None]:
    def deed(data: socket.socket) -> None:
        for piece in pieces:
            data.sendall(piece)
        if then is not None:
            then()

    return deed


def _heavy_abort() -> None:
    held = bytearray(40 * MEBIBYTE)
    for at in range(0, len(held), 4096):
        held[at] = 1
    os.abort()


def _wait() -> None:
    # A filter might not allow `pause`.
    select.poll().poll(60_000)


def _exit_soon() -> None:
    time.sleep(0.1)
    os._exit(3)


def _too_late() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)
    time.sleep(30)


DEEDS: dict[str, Callable[[socket.socket], None]] = {
    # Bytes that are no boxes.
    "garbage": _once(b"\xff" * 5000),
    "http": _once(b"HTTP/1.1 200 OK\r\n\r\n"),
    "endless garbage": _for_ever(bytes(range(256))),
    "a huge length": _once(b"\0\1v\xff\xff", b"x" * 60_000),
    "a long value without an end": _for_ever(MORE),
    "crumbs of a long value": _for_ever(encode(encode_pair(b"_command", b"more"), b"x")),
    "a box byte by byte": _byte_by_byte,
    "empty boxes": _for_ever(END * 100),
    "a box with ever new keys": _numbered(lambda number: encode_pair(b"k%d" % number, b"v")),
    # Boxes that mean nothing.
    "an unknown command": _once(encode(encode_pair(b"_command", b"shutdown"), b"")),
    "a run": _once(encode(encode_pair(b"_command", b"run") + encode_pair(b"_ask", b"1"), b"{}")),
    "an answer nobody asked for": _once(encode(encode_pair(b"_answer", b"2"), b"{}")),
    "the answer of another call": _once(_ask(7), encode(encode_pair(b"_answer", b"7"), b'{"ok":1}')),
    "an error of another call": _once(encode(encode_pair(b"_error", b"9"), b"{}")),
    "places without an end": _for_ever(encode(encode_pair(b"_command", b"position"), b"at a (b:1)\n" * 300)),
    "a place of bytes": _once(encode(encode_pair(b"_command", b"position"), b"\xff" * 60_000)),
    # Calls.
    "a call with a long name": _once(_ask(1, name=b"x" * 200)),
    "a call that is not ASCII": _once(_ask(1, b'["\xe9"]')),
    "ever new names": _numbered(lambda number: _ask(number, name=b"x%d" % number)),
    "a huge argument": _once(*[MORE] * 700, _ask(1)),
    "calls without an end": _numbered(_ask),
    "deep arguments": _once(_ask(1, b"[" * 50_000), encode(ANSWER, b'"deep"')),
    "bulky arguments": lambda data: data.sendall(
        _ask(1, b"[" + b"[]," * 2_000_000 + b"[]]") + encode(ANSWER, b'"bulky"')
    ),
    # Parts of an answer, out of their order.
    "a part before the start": _once(_part(b"write", b"\0x"), encode(ANSWER, b'"whole"')),
    "a part that is none": _once(_part(b"start", b"[]")),
    "parts without a pause": _once(_part(b"start", b"\0") + _part(b"write", b"\0x") * 50),
    "two answers": _once(_part(b"send", b"\0" + b"1") + encode(ANSWER, b"2")),
    "the end of no stream": _once(encode(encode_pair(b"_answer", b"1") + encode_pair(b"h", b'{"streamed":true}'), b"")),
    # Answers that are none.
    "a head that is none": _once(encode(encode_pair(b"_answer", b"1") + encode_pair(b"h", b"[" * 60_000), b"")),
    "a header in two": _once(
        encode(
            encode_pair(b"_answer", b"1") + encode_pair(b"h", b'{"status":200,"headers":[["a","b\\r\\nc: d"]]}'), b""
        )
    ),
    "an error that is none": _once(encode(encode_pair(b"_error", b"1"), b"[" * 60_000)),
    # Logs.
    "lines that are none": _once(encode(LOG, b"{}")),
    "lines without an end": _for_ever(encode(LOG, b'[["info","' + b"x" * 1000 + b'",null]]')),
    "a huge line": lambda data: data.sendall(
        encode(LOG, b'[["info","' + b"x" * (10 * MEBIBYTE) + b'",null]]') + encode(ANSWER, b'"logged"')
    ),
    "bulky fields": lambda data: data.sendall(
        encode(LOG, b'[["info","m",{"a":[' + b"{}," * 1_000_000 + b"{}]}]]") + encode(ANSWER, b'"fields"')
    ),
    # Time and death.
    "silence": _once(then=_wait),
    "silence without its timers": _once(then=_too_late),
    "half a box and silence": _once(b"\0\4_ask", then=_wait),
    "half a box and death": _once(b"\0\4_ask", then=lambda: os._exit(0)),
    "exit at once": _once(then=lambda: os._exit(0)),
    "exit with a status": _once(then=lambda: os._exit(3)),
    "a fault": _once(then=lambda: ctypes.string_at(0)),
    "abort": _once(then=os.abort),
    "abort with much memory": _once(then=_heavy_abort),
    "exit after a call": _once(_ask(1), then=lambda: os._exit(3)),
    "exit in the stream": _once(_part(b"start", b"\0"), then=_exit_soon),
    "exit after the answer": _once(encode(ANSWER, b'"answered"'), then=lambda: os._exit(3)),
    "talk after the answer": _once(encode(ANSWER, b'"more"') + encode(LOG, b"[]")),
}


CALLS: list[tuple[str, int]] = json.loads(os.environ.get("HOSTILE_CALLS", "[]"))
"""Names of host calls, and how many arguments they take."""
TEXTS = (
    "",
    "a",
    "good",
    "mine",
    "/",
    "../x",
    "\ud800",
    "a\0b",
    "x" * 3000,
    "__proto__",
    "é",
    "%00",
    "1",
    "*",
    "\u202e",
)
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, 10**300, 10**4200, 1e308, 1.5, -0.0, True, False)
KEYS = (
    "ttl",
    "version",
    "limit",
    "prefix",
    "after",
    "methods",
    "status",
    "filter",
    "onlyIf",
    "expires",
    "by",
    "a",
    "\ud800",
)


def _value(chance: random.Random, levels: int = 3) -> str:
    """Make JSON, and now and then what is none."""
    kind = chance.randrange(10 if levels else 6)
    if kind < 3:
        return json.dumps(chance.choice(TEXTS))
    if kind < 5:
        return json.dumps(chance.choice(NUMBERS)).lower() if chance.randrange(8) else "1e999"
    if kind == 5:
        return chance.choice(("null", "[]", "{}", "NaN", "[" * 400 + "]" * 400, '{"a":' * 300 + "1" + "}" * 300, "["))
    if kind == 6:
        return "[" + ",".join(_value(chance, levels - 1) for _ in range(chance.randrange(4))) + "]"
    pairs = (json.dumps(chance.choice(KEYS)) + ":" + _value(chance, levels - 1) for _ in range(chance.randrange(5)))
    return "{" + ",".join(pairs) + "}"


def calls_by_chance(data: socket.socket, seed: int) -> None:
    """Make host calls with any arguments, some at once and some one by one, and answer."""
    chance = random.Random(seed)
    poll = select.poll()
    poll.register(data, select.POLLIN)
    for number in range(1, 61):
        name, most = chance.choice(CALLS)
        values = [_value(chance) for _ in range(chance.randrange(most + 2))]
        if values and chance.randrange(2):
            # So that it gets as far as the rest.
            values[0] = '"a"'
        argument = "[" + ",".join(values) + "]"
        data.sendall(_ask(number, argument.encode("ascii", "replace"), name.encode("ascii")))
        if chance.randrange(3) and poll.poll(100):
            data.recv(65_536)
    data.sendall(encode(ANSWER, b'"done"'))


def _control(data: socket.socket) -> socket.socket:
    """Find the socket on which a template is asked for clones, and tells of them: it takes what is no JSON."""
    for number in range(3, 64):
        if number == data.fileno():
            continue
        # Looking what kind of socket it is, is not allowed here.
        with contextlib.suppress(OSError):
            found = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=number)
            try:
                found.send(b'{"ev":"forked","id":0,"pid":1}')
            except OSError:
                found.detach()
            else:
                return found
    raise LookupError("no control socket")


def _events(*events: bytes, times: int = 1) -> Callable[[socket.socket], None]:
    def deed(data: socket.socket) -> None:
        control = _control(data)
        for _ in range(times):
            for event in events:
                control.sendall(event)
        control.detach()

    return deed


def _claims(data: socket.socket) -> None:
    """Claim that every process there may be is a clone of this template, and that all have ended."""
    control = _control(data)
    for number in range(200):
        for pid in {1, os.getppid(), os.getpid(), number}:
            control.sendall(b'{"ev":"forked","id":%d,"pid":%d}' % (number, pid))
        control.sendall(b'{"ev":"exit","id":%d,"pid":1,"status":0,"utime":0,"stime":0,"maxrss":0}' % number)
    control.detach()


LOADS: dict[str, Callable[[socket.socket], None]] = {
    "garbage": _once(b"\xff" * 5000),
    "a long value without an end": _for_ever(MORE),
    "answers nonsense": _once(encode(encode_pair(b"_answer", b"1"), b'{"handlers":"many"}')),
    "answers deep nonsense": _once(encode(encode_pair(b"_answer", b"1"), b"[" * 500_000)),
    "fails with nonsense": _once(encode(encode_pair(b"_error", b"1"), b"[" * 500_000)),
    "calls without an end": _numbered(_ask),
    "lines without an end": _for_ever(encode(LOG, b'[["info","' + b"x" * 1000 + b'",null]]')),
    "silence": _once(),
    "silence without its timers": _once(then=_too_late),
    "a fault": _once(then=lambda: ctypes.string_at(0)),
    "no JSON on the control socket": _events(b"\xff" * 100),
    "deep JSON on the control socket": _events(b"[" * 30_000),
    "nothing on the control socket": _events(b""),
    "a closed control socket": lambda data: _control(data).close(),
    "events without an end": _events(b'{"ev":"exit","id":9,"status":0,"utime":0,"stime":0,"maxrss":0}', times=1 << 40),
    "events of impossible processes": _events(b'{"ev":"exit","id":1,"status":1e99,"utime":-1,"stime":0,"maxrss":0}'),
    "claims": _claims,
}


class Hostile(sandbox.loop.Conversation):
    """A child that does not keep to anything."""

    def _drive(self, value: bytes, tag: bytes) -> Failure | None:
        """Do what the path of a run says, or run it as ever if it names no deed."""
        if value[:1] == b"L":
            deed = json.loads(value[1:])["source"].removeprefix("// ").rstrip()
            if deed in LOADS:
                with contextlib.suppress(OSError):
                    LOADS[deed](self._data)
                _wait()
            return super()._drive(value, tag)
        asked = json.loads(value)["q"]
        path = asked["path"].removeprefix("/").replace("-", " ")
        if path == "calls by chance":
            # Answers that it did not read are dropped by whoever waits for the next run.
            calls_by_chance(self._data, int(dict(asked["query"])["seed"]))
            return None
        if path not in DEEDS:
            return super()._drive(value, tag)
        with contextlib.suppress(OSError):
            DEEDS[path](self._data)
        return None


sandbox.loop.Conversation = Hostile
