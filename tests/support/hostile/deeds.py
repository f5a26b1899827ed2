"""
Runs `world.js` in a clone and checks, with the server's own checks, all that comes out of it.

    with Zygote() as zygote:
        told = [look(world(zygote), seed=seed, deeds=60) for seed in range(100)]
"""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path

from aiwebengine.errors import ScriptFailed
from aiwebengine.runtime.wire.answer import read_answer
from aiwebengine.runtime.wire.boxes import Box
from aiwebengine.runtime.wire.call_checks import read_call
from aiwebengine.runtime.wire.failure import read_position
from aiwebengine.runtime.wire.lines import Lines
from aiwebengine.settings.schema import LimitSettings
from tests.support.sandbox import Clone, Template, Zygote

WORLD = (Path(__file__).parent / "world.js").read_text("ascii")
NAMES, DEEDS, POISONED, GOOD = range(4)
MEMORY_MIB = 96
_TIMERS = {signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU, signal.SIGVTALRM}
_FAULTS = {signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS}
_CODES = {b"thrown", b"hung", b"invalid_answer", b"memory"}


class Broken(AssertionError):
    """A script did what none can."""


def world(zygote: Zygote) -> Template:
    """Load the script."""
    template = zygote.template(WORLD, memory_mib=MEMORY_MIB)
    if template.loaded.code:
        raise Broken(template.loaded.failure)
    return template


def look(
    template: Template, handler: int = DEEDS, *, wall_ms: int = 400, bodies: list[bytes] | None = None, **query: int
) -> str:
    """
    Run a handler in a clone of its own.

    Args:
        query: Of the request, such as the number of what is done.
        bodies: Gets the body of an answer.

    Returns:
        How it ended: `answer`, the code of an error, `timeout` or `memory`.

    Raises:
        Broken: Something came out, or it died in a way, that no script can cause.
    """
    clone = template.clone()
    said: list[str] = []
    try:
        pairs = [[name, str(value)] for name, value in query.items()]
        clone.start(handler, wall_ms=wall_ms, cpu_ms=wall_ms, query=pairs)
        return _ending(clone, said, bodies if bodies is not None else [])
    except Exception as error:
        raise Broken(f"{query}: {error!r}; the last deeds were {said[-3:]}") from error
    finally:
        clone.close()


def _ending(clone: Clone, said: list[str], bodies: list[bytes]) -> str:
    lines, last = Lines(LimitSettings()), 0
    while (box := clone.take()) is not None:
        if box.get(b"_command") == b"log":
            said += [line.message for line in lines.read(box[b"v"], at=0.0)]
        elif box.get(b"_command") == b"position":
            position = read_position(box.get(b"v", b""))
            if position is not None and position.count("\n") + 1 != box[b"v"].count(b"\n"):
                raise Broken(f"it says that it is at {box[b'v'][:300]!r}")
        elif box.get(b"_command") == b"host":
            name, argument = _call(box)
            number = int(box[b"_ask"])
            if number <= last:
                raise Broken(f"call {number} comes after {last}")
            last = number
            # It may die of its deadline any time.
            with contextlib.suppress(BrokenPipeError):
                clone.send(_answer(name, argument), _answer=box[b"_ask"])
        else:
            return _last(clone, box, bodies)
    ended = clone.end()
    number, status = ended["status"] & 0x7F, ended["status"] >> 8
    if number in _TIMERS:
        return "timeout"
    if number in _FAULTS and ended["maxrss"] * 1024 > MEMORY_MIB << 19:
        return "memory"
    raise Broken(f"it died of signal {number}, status {status}, with {ended['maxrss']} KiB")


def _call(box: Box) -> tuple[str, str]:
    """Return the name and the arguments of a call; a part of the answer has none, but a head and a body."""
    if not box[b"n"].startswith(b"answer."):
        return read_call(box[b"_ask"], box[b"n"], box[b"v"])
    if b"\0" not in box[b"v"]:
        raise Broken(f"{box[b'n']!r} with {box[b'v'][:100]!r}")
    return box[b"n"].decode(), "[]"


def _answer(name: str, argument: str) -> str:
    given = json.loads(argument)
    if not isinstance(given, list):
        raise Broken(f"{name} with {argument[:100]}")
    if name == "getScript" and len(given) == 2:
        return '{"err":{"code":"denied","message":"no","call":"getScript"}}'
    return json.dumps({"ok": given[0] if given else None})


def _last(clone: Clone, box: Box, bodies: list[bytes]) -> str:
    clone.sock.setblocking(False)
    try:
        more = clone.sock.recv(1)
    except BlockingIOError:
        more = b""
    if more:
        raise Broken("it goes on after its answer")
    if box.get(b"_error") == b"r1":
        json.loads(box[b"v"])
        if box[b"_error_code"] not in _CODES:
            raise Broken(box)
        return box[b"_error_code"].decode()
    if box.get(b"_answer") != b"r1":
        raise Broken(f"it answers {box}")
    try:
        bodies.append(read_answer(box[b"h"], box[b"v"], max_bytes=1 << 24)[1].body)
    except ScriptFailed:
        return "refused"
    return "answer"
