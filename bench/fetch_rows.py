"""A handler that calls another server, beside node's own fetch and Twisted's Agent in a Klein handler."""

from __future__ import annotations

import contextlib
import sys
import urllib.request
from pathlib import Path
from typing import Any

from http_rows import Load, load
from processes import resident_memory
from rows import Row, row_of
from servers import RIVALS, Ours, free_port, node, running, say

CONNECTIONS = (1, 16, 64)
_OWN, _NODE, _AGENT = "fetch", "fetch of node", "agent in klein"
_LARGE_MB = 200
_FLAGS = ("--set", "fetch.allow=all", "--set", "fetch.networks=127.0.0.0/8", "--set", "limits.wall_seconds=120")


def fetch_rows(folder: Path, *, rounds: int, seconds: int) -> list[Row]:
    """Measure."""
    program, _ = node()
    ours = Ours(folder, *_FLAGS)
    results: dict[tuple[str, int], list[Load]] = {}
    with contextlib.ExitStack() as stack:
        target = _start(stack, [program, RIVALS / "target.mjs"], "/")
        pid = stack.enter_context(ours.running())
        ours.deploy("calls", {"main.js": _handlers(target)})
        servers = {
            _OWN: ours.address + "/call",
            _NODE: _start(stack, [program, RIVALS / "caller.mjs", target], "/"),
            _AGENT: _start(stack, [sys.executable, RIVALS / "python_servers.py", "agent"], f"/call?{target}"),
        }
        for url in servers.values():
            load(url, 16, 1)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for connections in CONNECTIONS:
                for name in list(servers) if number % 2 else reversed(list(servers)):
                    loaded = load(servers[name], connections, seconds)
                    results.setdefault((name, connections), []).append(loaded)
        rows = _rate_rows(results)
        rows.append(_memory_row(ours, pid))
    return rows


def _start(stack: contextlib.ExitStack, command: list[Any], path: str) -> str:
    port = free_port()
    url = f"http://127.0.0.1:{port}{path}"
    stack.enter_context(running([*command, str(port)], url))
    return url


def _handlers(target: str) -> str:
    return (
        f'registerWebHandler("/call", async () => (await fetch("{target}")).json());\n'
        f'registerWebHandler("/large", () => fetch("{target}large?mb={_LARGE_MB}"));\n'
    )


def _rate_rows(results: dict[tuple[str, int], list[Load]]) -> list[Row]:
    rows = [
        row_of(
            f"{name}, {connections} connection{'s' if connections > 1 else ''}",
            [loaded.rate for loaded in results[name, connections]],
            unit="requests/s",
        )
        for connections in CONNECTIONS
        for name in (_OWN, _NODE, _AGENT)
    ]
    for connections in CONNECTIONS:
        pairs = zip(results[_OWN, connections], results[_NODE, connections], strict=True)
        ratios = [own.rate / other.rate for own, other in pairs]
        rows.append(row_of(f"fetch beside node's, {connections} connections", ratios, wanted="0.5"))
    pairs = zip(results[_OWN, 1], results[_AGENT, 1], strict=True)
    rows.append(
        row_of(
            "p50 of a fetch beyond the agent's",
            [own.p50 - other.p50 for own, other in pairs],
            unit="ms",
            wanted="under 1 ms",
        )
    )
    return rows


def _memory_row(ours: Ours, pid: int) -> Row:
    """Return how much more memory the server has while a large body goes through it."""
    before = resident_memory(pid)
    most = before
    with urllib.request.urlopen(ours.address + "/large", timeout=120) as answer:
        read = 0
        while piece := answer.read(1 << 20):
            read += len(piece)
            most = max(most, resident_memory(pid))
    if read != _LARGE_MB << 20:
        raise RuntimeError(f"a body of {_LARGE_MB} MB came as {read} bytes")
    return row_of(f"memory for a body of {_LARGE_MB} MB", [most - before], unit="MB", wanted="flat")
