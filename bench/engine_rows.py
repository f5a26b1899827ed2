"""The engine by itself: deployments, deaths, memory, a fresh process for every request, and starts."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from http_rows import HANDLER, PATH, load
from processes import private_memory
from rows import Row, row_of
from servers import Ours, say

SCRIPTS = 100


def deployment_rows(folder: Path, *, rounds: int) -> list[Row]:
    """Measure deployments and rollbacks, to the first answer."""
    say("deployments")
    ours = Ours(folder / "deployments")
    versions = iter(range(10_000))
    with ours.running():
        ours.deploy("warm", {"main.ts": typescript(30, "warm")})

        def deploy() -> None:
            answer = f"v{next(versions)}"
            ours.deploy("warm", {"main.ts": typescript(200, answer)})
            assert answer.encode() in ours.get("/deployed")

        def rollback() -> None:
            ours.api("POST", "/script/rollback?uri=warm")
            ours.get("/deployed")

        deployed = times(deploy, 2 * rounds + 1)
        return [
            row_of("deploy 200 lines of TypeScript, to first answer", deployed, unit="ms", wanted="150 ms"),
            row_of("rollback, to first answer", times(rollback, 2 * rounds), unit="ms", wanted="15 ms"),
        ]


def process_rows(folder: Path, *, rounds: int, seconds: int) -> list[Row]:
    """Measure clones: their memory, their death, and one for every request."""
    say("processes")
    ours = Ours(folder / "processes")
    with ours.running():
        ours.deploy("hello", {"main.js": HANDLER})
        ours.get(PATH)
        first = private_memory(clones(ours, "hello")[0]["pid"])
        killed = times(lambda: ours.get(PATH), 5 * rounds, before=lambda: kill(clones(ours, "hello")))
        for _ in range(1000):
            ours.get(PATH)
        later = private_memory(max(clones(ours, "hello"), key=lambda clone: int(clone["runs"]))["pid"])
        return [
            row_of("memory of a clone after its first request", [first], unit="MB", wanted="under 3 MB"),
            row_of("memory of a clone after 1,000 requests", [later], unit="MB", wanted="under 8 MB"),
            row_of("answer right after every clone was killed", killed, unit="ms", wanted="under 10 ms"),
            *fresh_rows(ours, rounds=rounds, seconds=seconds),
        ]


def fresh_rows(ours: Ours, *, rounds: int, seconds: int) -> list[Row]:
    """Measure a fresh process for every request."""
    manifest = json.dumps({"aiwebengine": {"isolation": "request", "entry": "main.js"}})
    ours.deploy("fresh", {"package.json": manifest, "main.js": HANDLER.replace("/hello/", "/fresh/")})
    url = f"{ours.address}/fresh/Ada"
    ours.get("/fresh/Ada")
    single = [load(url, 1, seconds) for _ in range(rounds)]
    many = [load(url, 16, seconds) for _ in range(rounds)]
    what = "a fresh process for every request"
    return [
        row_of(f"{what}, 1 connection, p50", [round_.p50 for round_ in single], unit="ms", wanted="1.5 ms"),
        row_of(f"{what}, 16 connections", [round_.rate for round_ in many], unit="requests/s", wanted="600 requests/s"),
    ]


def start_rows(folder: Path, *, rounds: int) -> list[Row]:
    """Measure a start with many scripts and no node, to the first answer of one."""
    say(f"start with {SCRIPTS} scripts")
    data = folder / "start"
    ours = Ours(data)
    with ours.running():
        for number in range(SCRIPTS):
            ours.deploy(f"s{number}", {"main.js": HANDLER.replace("/hello/", f"/s{number}/")})
    taken: list[float] = []
    for _ in range(rounds):
        again = Ours(data, "--set", "build.node=/nonexistent/node")
        began = time.perf_counter()
        with again.running():
            again.get("/s57/Ada")
            taken.append(time.perf_counter() - began)
    return [row_of(f"start with {SCRIPTS} scripts, to first answer", taken, unit="s", wanted="0.8 s")]


def clones(ours: Ours, uri: str) -> list[Any]:
    """Return what the state page says of a script's processes."""
    state = ours.api("GET", "/state")["runtime"]["versions"]
    listed = [clone for version in state if version["version"].startswith(uri + "@") for clone in version["clones"]]
    # A clone that was only just asked for has no pid yet.
    return [clone for clone in listed if clone["pid"] > 0]


def kill(processes: list[Any]) -> None:
    """Kill processes."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process["pid"], signal.SIGKILL)


def times(work: Callable[[], Any], count: int, *, before: Callable[[], None] = lambda: None) -> list[float]:
    """Return how many milliseconds work took, each time."""
    taken: list[float] = []
    for _ in range(count):
        before()
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


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
