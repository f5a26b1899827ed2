"""
JavaScript worlds for tests: the real prelude on the real engine, in a child process.

The binding is never loaded into the test process: one child, started from this file, loads the prelude
once and forks for each program of each test.  `stop_worlds` ends it.  Time is made up: a program that waits
for a timer gets it at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 120
_SEED = "00112233445566778899aabbccddeeff"
_BEGIN = 1_700_000_000_000

REQUEST: Mapping[str, Any] = {"method": "GET", "path": "/", "url": "/", "headers": {}, "ip": "::1", "id": "r1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What one world loads and then serves."""

    source: str
    """ES5 in ASCII."""
    requests: Sequence[Mapping[str, Any]] = (REQUEST,)
    """Each is handed to handler 0, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a program."""

    load: str
    """The last line of the load: `D...` or `F...`, or `died` if the process did."""
    answers: Sequence[str] = ()
    """The last line of each run."""
    logs: Sequence[Any] = field(default=())
    """Every log line: level, message, fields."""

    def failure(self) -> Mapping[str, Any] | None:
        """Read what the load or else the last run failed with; None if it did not."""
        last = self.answers[-1] if self.answers else self.load
        if not last.startswith("F"):
            return None
        code, _, text = last[1:].partition(" ")
        return {"failed": code, **json.loads(text)}

    def answer(self, index: int = -1) -> tuple[Mapping[str, Any], str, str]:
        """Read one answer as head, encoding and body; the head of plain JSON is filled in."""
        last = self.answers[index]
        if not last.startswith("D"):
            raise AssertionError(last)
        size, _, rest = last[1:].partition(" ")
        head = rest[1 : 1 + int(size)]
        body = rest[1 + int(size) :]
        shown: Mapping[str, Any] = (
            json.loads(head) if head else {"status": 200, "type": "application/json", "headers": []}
        )
        return shown, rest[0], json.loads(body) if rest[0] == "j" else body

    def value(self, index: int = -1) -> Any:
        """Read the body of one answer: what the JSON means, or else the text."""
        head, _, body = self.answer(index)
        return json.loads(body) if str(head["type"]).endswith("json") else body


def run_programs(programs: Sequence[Program]) -> list[Outcome]:
    """Run each program in a world of its own."""
    asked = json.dumps([{"source": program.source, "requests": list(program.requests)} for program in programs])
    child = _started()
    assert child.stdin is not None
    assert child.stdout is not None
    # A program that never ends is seen by nobody else: the sandbox's limits are not in force here.
    watch = threading.Timer(_PATIENCE_SECONDS, child.kill)
    watch.start()
    try:
        child.stdin.write(asked + "\n")
        child.stdin.flush()
        lines = [child.stdout.readline() for _ in programs]
    except BrokenPipeError:
        lines = [""]
    finally:
        watch.cancel()
        watch.join()
    if not all(lines):
        raise AssertionError(stop_worlds() or f"no answer in {_PATIENCE_SECONDS} seconds")
    return [Outcome(**json.loads(line)) for line in lines]


def stop_worlds() -> str:
    """End the child, if there is one, and return what it said of failures."""
    if not _started.cache_info().currsize:
        return ""
    child = _started()
    _started.cache_clear()
    child.kill()
    return child.communicate()[1]


@cache
def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A zone of its own, which scripts must not notice.
        env={"PYTHONPATH": str(_ROOT), "PATH": os.environ.get("PATH", ""), "TZ": "Asia/Kathmandu"},
    )


def evaluate(*bodies: str) -> list[Any]:
    """
    Run function bodies as handlers, each in a world of its own.

    A body answers with `return`; what it returns is read back from JSON.  One that throws gives
    the failure instead (see `Outcome.failure`).
    """
    source = "registerWebHandler('/', function (req, ctx) {%s\n}, { method: 'GET' });"
    outcomes = run_programs([Program(source=source % body) for body in bodies])
    return [outcome.failure() or outcome.value() for outcome in outcomes]


def _serve() -> None:
    from sandbox.duktape import Duktape
    from sandbox.surface import Surface
    from tests.support.sandbox import SURFACE

    answer = json.loads(SURFACE)
    engine = Duktape(
        surface=Surface(
            calls=json.dumps(answer["calls"]),
            files=tuple(map(Path, answer["files"])),
            advice=json.dumps(answer["advice"]),
        )
    )
    for program in (program for line in sys.stdin for program in json.loads(line)):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                json.dump(_outcome(engine, program), pipe)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            answer = pipe.read()
        os.waitpid(child, 0)
        print(answer or json.dumps({"load": "died"}), flush=True)  # noqa: T201 - it is what the test reads


def _outcome(engine: Any, program: Mapping[str, Any]) -> dict[str, Any]:
    logs: list[Any] = []
    box: dict[str, Any] = {"source": program["source"], "seed": _SEED, "now": _BEGIN, "script": "test", "wall_ms": 1000}
    answers = []
    load = _drive(engine, "L" + json.dumps(box), logs)
    for request in program["requests"] if load.startswith("D") else ():
        run = {"k": "http", "h": 0, "i": "i1", "seed": _SEED, "t": [*divmod(_BEGIN, 1_000_000), 5000]}
        run |= {"q": request, "user": None, "script": "test", "version": "v1"}
        answers.append(_drive(engine, "R" + json.dumps(run), logs))
    return {"load": load, "answers": answers, "logs": logs}


def _drive(engine: Any, text: str, logs: list[Any]) -> str:
    """Pump until it is done; host calls are answered: `echo` with its argument, the rest with null."""
    now, waiting = _BEGIN, [text]
    while True:
        *lines, last = engine.pump(waiting.pop(0)).split("\n")
        for line in lines:
            if line.startswith("G"):
                logs.append(json.loads(line[1:]))
                continue
            identity, name, arguments = line[1:].split(" ", 2)
            value = json.loads(arguments)[0] if name.startswith("echo") else None
            if name.startswith("answer."):
                logs.append([name, *json.loads(arguments)])
            waiting.append(f"A{now} {identity} {json.dumps({'ok': value})}")
        if not last.startswith("W"):
            return str(last)
        if not waiting:
            pause = int(last[1:])
            if pause < 0:
                return "stuck"
            now += pause
            waiting.append(f"T{now}")


if __name__ == "__main__":
    _serve()
