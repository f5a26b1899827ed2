"""A warm JSON handler beside its rivals: requests a second, latency, and the processor time of a request."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processes import children_seconds, processor_seconds
from rows import Row, row_of
from servers import RIVALS, Ours, free_port, install_rivals, node, running, say, wrk

HANDLER = 'registerWebHandler("/hello/:name", function (req) { return { hello: req.params.name }; });'
PATH = "/hello/Ada"
CONNECTIONS = (1, 16, 64)
OWN = "aiwebengine"
WANTED = {
    "twisted.web": "1.5",
    "klein": "3.0",
    "piscina": "0.6",
    "child process, pipelined": "",
    "child process, killable": "",
    "isolated-vm": "",
}
"""How often as many requests a second as a rival answers, with 16 connections and with 64."""
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One round against one server."""

    rate: float
    """Requests a second."""
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""
    front: float = 0.0
    """Processor time of the server itself for a request, in microseconds."""
    children: float = 0.0
    """That of the processes below it."""


def http_rows(folder: Path, *, rounds: int, seconds: int) -> list[Row]:
    """Measure."""
    ours = Ours(folder / "http")
    missing: dict[str, str] = {}
    results: dict[tuple[str, int], list[Load]] = {}
    with contextlib.ExitStack() as stack:
        pid = stack.enter_context(ours.running())
        ours.deploy("hello", {"main.js": HANDLER})
        servers = {OWN: (ours.address + PATH, pid)}
        for name, (command, url) in rivals(missing).items():
            try:
                servers[name] = (url, stack.enter_context(running(command, url)))
            except RuntimeError as error:
                missing[name] = str(error)
        for url, _ in servers.values():
            load(url, 16, 1)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for connections in CONNECTIONS:
                # Forth and back: what slows down during a round meets the first and the last alike.
                for name in list(servers) if number % 2 else reversed(list(servers)):
                    url, pid = servers[name]
                    results.setdefault((name, connections), []).append(load(url, connections, seconds, pid=pid))
    rows: list[Row] = []
    for connections in CONNECTIONS:
        rows += _server_rows({name: results[name, connections] for name in servers}, connections)
    for connections in CONNECTIONS[1:]:
        rows += _ratio_rows(results, connections, missing)
    added = [
        own.p50 - other.p50 for own, other in zip(results[OWN, 1], results.get(("klein", 1), ()), strict=False)
    ]  # fmt: skip
    if added:
        rows.append(row_of("p50 beyond klein's, 1 connection", added, unit="ms", wanted="under 0.3 ms"))
    return rows


def _server_rows(results: Mapping[str, Sequence[Load]], connections: int) -> list[Row]:
    rows: list[Row] = []
    for name, loads in results.items():
        what = f"{name}, {connections} connections" if connections > 1 else f"{name}, 1 connection"
        note = f"p50 {_middle(load.p50 for load in loads):.2f} ms, p99 {_middle(load.p99 for load in loads):.2f} ms"
        rows.append(row_of(what, [load.rate for load in loads], unit="requests/s", note=note))
        if connections == 16:
            rows.append(row_of(f"  processor, {name}", [load.front for load in loads], unit="us/request"))
            if any(load.children for load in loads):
                rows.append(row_of(f"  children, {name}", [load.children for load in loads], unit="us/request"))
    return rows


def _ratio_rows(
    results: Mapping[tuple[str, int], Sequence[Load]], connections: int, missing: Mapping[str, str]
) -> list[Row]:
    rows: list[Row] = []
    for name, wanted in WANTED.items():
        what = f"{connections} connections, beside {name}"
        theirs = results.get((name, connections))
        if theirs is None:
            rows.append(Row(what=what, note=missing.get(name, "")))
            continue
        ratios = [own.rate / other.rate for own, other in zip(results[OWN, connections], theirs, strict=True)]
        rows.append(row_of(what, ratios, wanted=wanted))
    return rows


def rivals(missing: dict[str, str]) -> dict[str, tuple[Sequence[Any], str]]:
    """Return the command and the address of each rival; *missing* is told why one cannot be started."""
    program, _ = node()
    why = install_rivals()
    python = [sys.executable, RIVALS / "python_servers.py"]
    commands: dict[str, list[Any]] = {
        "twisted.web": [*python, "twisted"],
        "klein": [*python, "klein"],
        "isolated-vm": [program, "--no-node-snapshot", RIVALS / "isolated.mjs"],
        "piscina": [program, RIVALS / "pool.mjs"],
        "child process, pipelined": [program, RIVALS / "process.mjs"],
        "child process, killable": [program, RIVALS / "killable.mjs"],
    }
    started: dict[str, tuple[Sequence[Any], str]] = {}
    for name, command in commands.items():
        if why is not None and name in {"isolated-vm", "piscina"}:
            missing[name] = why
            continue
        port = free_port()
        started[name] = ([*command, str(port)], f"http://127.0.0.1:{port}{PATH}")
    return started


def load(url: str, connections: int, seconds: int, *, pid: int | None = None) -> Load:
    """Load a server; *pid* to say what it has used of the processor."""
    front, children = (processor_seconds(pid), children_seconds(pid)) if pid is not None else (0.0, 0.0)
    done = subprocess.run(
        [wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url],
        capture_output=True,
        text=True,
        check=True,
    )
    if pid is not None:
        front, children = processor_seconds(pid) - front, children_seconds(pid) - children
    if bad := re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout):
        raise RuntimeError(f"{url}: {bad[1]} wrong answers")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    count = re.search(r"(\d+) requests in", done.stdout)
    assert rate is not None
    assert count is not None
    requests = max(1, int(count[1]))
    return Load(
        rate=float(rate[1]),
        p50=_latency(done.stdout, 50),
        p99=_latency(done.stdout, 99),
        front=front * 1e6 / requests,
        children=children * 1e6 / requests,
    )


def _latency(text: str, percentile: int) -> float:
    match = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s)", text)
    assert match is not None
    return float(match[1]) * _UNITS[match[2]]


def _middle(values: Any) -> float:
    ordered = sorted(values)
    return float(ordered[len(ordered) // 2])
