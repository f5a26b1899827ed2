"""
What the engine reaches, beside what it is measured against, in one run: `make bench`.

Everything runs on this machine, one thing at a time.  The servers take turns in short
rounds, so that a noisy moment meets all of them; figures are medians, and ratios say more
than figures.  Exits with 0 whatever is reached: a slow machine is no error.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graphql_rows import graphql_rows
from servers import RIVALS, Ours, free_port, install_rivals, node, running, wrk
from streams import stream_rows

HANDLER = 'registerWebHandler("/hello/:name", function (req) { return { hello: req.params.name }; });'
PATH = "/hello/Ada"
CONNECTIONS = (1, 16, 64)
WANTED = {
    "twisted.web": "0.5",
    "klein": "1.0",
    "child process": "1.0",
    "piscina": "1.0",
    "isolated-vm": "0.8, two fronts",
}
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of every server (default 3)")
    parser.add_argument("--seconds", type=int, default=3, help="length of a round (default 3)")
    options = parser.parse_args(arguments)
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rows += http_rows(Path(folder), rounds=options.rounds, seconds=options.seconds)
        rows += engine_rows(Path(folder))
        rows += start_rows(Path(folder))
        say("==> streams")
        rows += stream_rows(Path(folder) / "streams")
        say("==> GraphQL")
        rows += graphql_rows(Path(folder) / "graphql", rounds=options.rounds, seconds=options.seconds)
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    say("")
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def say(text: str) -> None:
    """Return how far it is."""
    print(text, file=sys.stderr, flush=True)


# -- requests a second -----------------------------------------------------------------------


def http_rows(folder: Path, *, rounds: int, seconds: int) -> list[tuple[str, str, str]]:
    """Compare a warm JSON handler with the rivals."""
    ours = Ours(folder / "http")
    program, _ = node()
    why = install_rivals()
    ports = {name: free_port() for name in ("twisted.web", "klein", "isolated-vm", "piscina", "child process")}
    python = [sys.executable, RIVALS / "python_servers.py"]
    commands: dict[str, list[Any]] = {
        "twisted.web": [*python, "twisted", str(ports["twisted.web"])],
        "klein": [*python, "klein", str(ports["klein"])],
        "isolated-vm": [program, "--no-node-snapshot", RIVALS / "isolated.mjs", str(ports["isolated-vm"])],
        "piscina": [program, RIVALS / "pool.mjs", str(ports["piscina"])],
        "child process": [program, RIVALS / "process.mjs", str(ports["child process"])],
    }
    results: dict[tuple[str, int], list[tuple[float, float]]] = {}
    missing: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(ours.running())
        ours.deploy("hello", {"main.js": HANDLER})
        addresses = {"aiwebengine": ours.address}
        for name, command in commands.items():
            if why is not None and name in {"isolated-vm", "piscina"}:
                missing[name] = why
                continue
            try:
                stack.enter_context(running(command, f"http://127.0.0.1:{ports[name]}{PATH}"))
                addresses[name] = f"http://127.0.0.1:{ports[name]}"
            except RuntimeError as error:
                missing[name] = str(error)
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for connections in CONNECTIONS:
                for name, address in addresses.items():
                    results.setdefault((name, connections), []).append(load(address + PATH, connections, seconds))
    rows = [("what", "measured", "reached / wanted")]
    for connections in CONNECTIONS:
        for name in addresses:
            rate, p50 = median(results[name, connections])
            rows.append((f"{name}, {connections} connections", f"{rate:,.0f}/s, p50 {p50:.2f} ms", ""))
    own = median(results["aiwebengine", 16])[0]
    for name, wanted in WANTED.items():
        if name in addresses:
            rows.append((f"16 connections, beside {name}", "", f"{own / median(results[name, 16])[0]:.2f} / {wanted}"))
        else:
            rows.append((f"16 connections, beside {name}", "not measured", missing[name]))
    added = median(results["aiwebengine", 1])[1] - median(results["klein", 1])[1]
    rows.append(("added latency over klein, 1 connection", f"p50 {added:+.2f} ms", f"{added:.2f} / under 0.3 ms"))
    return rows


def load(url: str, connections: int, seconds: int) -> tuple[float, float]:
    """Return requests a second and p50 in milliseconds."""
    done = subprocess.run(
        [wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url],
        capture_output=True,
        text=True,
        check=True,
    )
    if bad := re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout):
        raise RuntimeError(f"{url}: {bad[1]} wrong answers")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout)
    assert rate is not None
    assert p50 is not None
    return float(rate[1]), float(p50[1]) * _UNITS[p50[2]]


def median(results: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the medians of both."""
    return statistics.median(result[0] for result in results), statistics.median(result[1] for result in results)


# -- the engine by itself --------------------------------------------------------------------


def typescript(lines: int, answer: str) -> str:
    """Return a TypeScript file of about so many lines, as people write them."""
    parts = [
        "interface Item { id: number; name?: string; tags: string[]; price: number }",
        "const items: Item[] = [];",
        "",
    ]
    number = 0
    while len(parts) < lines - 12:
        number += 1
        parts += [
            f"export function total{number}(list: Item[], rate = 0.{number}): number {{",
            "  let sum = 0;",
            "  for (const { price, tags } of list) {",
            "    if (tags.includes('free')) continue;",
            "    sum += price * (1 + rate);",
            "  }",
            "  return Math.round(sum * 100) / 100;",
            "}",
            f"export const label{number} = (item: Item): string => `${{item.name ?? 'none'}} (${{item.id}})`;",
            "",
        ]
    parts += [
        "async function find(id: number): Promise<Item | undefined> {",
        "  await Promise.resolve();",
        "  return items.find((item) => item.id === id);",
        "}",
        'registerWebHandler("/deployed", async (req) => {',
        "  const item = await find(Number(req.query.id ?? 1));",
        f'  return {{ answer: "{answer}", item, total: total1(items) }};',
        "});",
        "",
    ]
    return "\n".join(parts)


def timed(work: Callable[[], Any], times: int) -> float:
    """Return the median of *times* in milliseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def engine_rows(folder: Path) -> list[tuple[str, str, str]]:
    """Measure deployments, deaths and memory."""
    say("deployments, deaths and memory")
    ours = Ours(folder / "engine")
    rows: list[tuple[str, str, str]] = []
    with ours.running():
        ours.deploy("hello", {"main.js": HANDLER})
        ours.deploy("warm", {"main.ts": typescript(30, "warm")})
        versions = iter(range(100))

        def deploy() -> None:
            answer = f"v{next(versions)}"
            ours.deploy("warm", {"main.ts": typescript(200, answer)})
            assert answer.encode() in ours.get("/deployed")

        rows.append(("deploy 200 lines of TypeScript, to first answer", f"{timed(deploy, 7):.0f} ms", "under 300 ms"))

        def rollback() -> None:
            ours.api("POST", "/script/rollback?uri=warm")
            ours.get("/deployed")

        rows.append(("rollback, to first answer", f"{timed(rollback, 5):.0f} ms", "under 100 ms"))

        def clones(uri: str) -> list[Any]:
            state = ours.api("GET", "/state")["runtime"]["versions"]
            clones = [
                clone for script in state if script["version"].startswith(uri + "@") for clone in script["clones"]
            ]
            # A clone that was only just asked for has no pid yet.
            return [clone for clone in clones if clone["pid"] > 0]

        ours.get(PATH)
        first = private_memory(clones("hello")[0]["pid"])
        rows.append(("memory of a clone after its first request", f"{first:.1f} MB", "under 3 MB"))

        killed = []
        for _ in range(15):
            for clone in clones("hello"):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(clone["pid"], signal.SIGKILL)
            began = time.perf_counter()
            ours.get(PATH)
            killed.append((time.perf_counter() - began) * 1000)
        rows.append(("answer right after every clone was killed", f"{statistics.median(killed):.1f} ms", "under 10 ms"))
        for _ in range(1000):
            ours.get(PATH)
        later = private_memory(max(clones("hello"), key=lambda clone: int(clone["runs"]))["pid"])
        rows.append(("memory of a clone after 1,000 requests", f"{later:.1f} MB", "under 8 MB"))

        manifest = json.dumps({"aiwebengine": {"isolation": "request", "entry": "main.js"}})
        ours.deploy("fresh", {"package.json": manifest, "main.js": HANDLER.replace("/hello/", "/fresh/")})
        ours.get("/fresh/Ada")
        with contextlib.suppress(RuntimeError):
            rate, p50 = load(f"{ours.address}/fresh/Ada", 1, 3)
            rows.append(("a fresh process for every request", f"p50 {p50:.2f} ms, {rate:,.0f}/s", "p50 under 3 ms"))
    return rows


def private_memory(pid: int) -> float:
    """Return what a process has for itself, in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE)) / 1024


def start_rows(folder: Path) -> list[tuple[str, str, str]]:
    """Measure a start with 100 scripts and no node."""
    say("start with 100 scripts")
    data = folder / "start"
    ours = Ours(data)
    with ours.running():
        for number in range(100):
            ours.deploy(f"s{number}", {"main.js": HANDLER.replace("/hello/", f"/s{number}/")})
    taken = []
    for _ in range(3):
        again = Ours(data, "--set", "build.node=/nonexistent/node")
        began = time.perf_counter()
        with again.running():
            again.get("/s57/Ada")
            taken.append(time.perf_counter() - began)
    return [("start with 100 scripts, without node, to first answer", f"{statistics.median(taken):.2f} s", "under 2 s")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
