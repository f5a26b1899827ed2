"""
What changed between two commits: `python bench/compare.py FOLDER`.

FOLDER is a built checkout of the commit before (`make` builds one); this checkout is the commit
after.  Both servers take turns in short rounds on one machine, so that a noisy moment meets both,
and every row is a ratio of medians.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from http_rows import HANDLER, PATH, load
from processes import processor_seconds, shared_memory
from servers import BENCH, Ours, running

LONG_SCRIPT = "\n".join(
    f"interface Note{n} {{ title: string; size: number }}\n"
    f"function measure{n}(note: Note{n}): number {{ return note.title.length + note.size * {n}; }}"
    for n in range(66)
)


class Checkout(Ours):
    """The server of one checkout."""

    def __init__(self, source: Path, folder: Path) -> None:
        super().__init__(folder)
        # Without -P the folder that this was started in comes before PYTHONPATH, and both would be the same server.
        self.command.insert(1, "-P")
        self.environment = {"PYTHONPATH": str(source)}

    def running(self) -> contextlib.AbstractContextManager[int]:
        """Run it for the length of a `with` block; gives its pid."""
        return running(self.command, f"{self.address}/health/live", environment=self.environment)


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="a built checkout of the commit to compare with")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of load in a round (default 4)")
    options = parser.parse_args(arguments)
    sources = {"before": options.before.resolve(), "after": BENCH.parent}
    for source in sources.values():
        compile_modules(source)
    measurements: dict[str, dict[str, list[float]]] = {name: {} for name in sources}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
            order = list(sources.items())
            for name, source in order if number % 2 else reversed(order):
                measured = one_round(Checkout(source, Path(folder) / f"{name}{number}"), seconds=options.seconds)
                for what, value in measured.items():
                    measurements[name].setdefault(what, []).append(value)
    for what, before in measurements["before"].items():
        after = measurements["after"][what]
        ratio = statistics.median(after) / statistics.median(before)
        spread = ", ".join(f"{a / b:.2f}" for a, b in zip(after, before, strict=True))
        print(
            f"{what:36} {statistics.median(before):10,.1f} {statistics.median(after):10,.1f}   {ratio:.2f}   ({spread})"
        )
    return 0


def compile_modules(source: Path) -> None:
    """Compile a checkout's modules: a start that compiles them takes half as long again, and only the first does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    folders = [source / "aiwebengine", source / "sandbox"]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], env=environment, check=True)


def one_round(server: Checkout, *, seconds: int) -> Mapping[str, float]:
    """Start a server twice, deploy to it, load it."""
    started = time.perf_counter()
    with server.running() as pid:
        first_start = time.perf_counter() - started
        first_processor = processor_seconds(pid)
        server.deploy("hello", {"main.js": HANDLER})
        begun = time.perf_counter()
        server.deploy("long", {"main.ts": f'{LONG_SCRIPT}\nregisterWebHandler("/long", () => "long");'})
        server.get("/long")
        deployed = time.perf_counter() - begun
        begun = time.perf_counter()
        server.deploy("long", {"main.ts": f'{LONG_SCRIPT}\nregisterWebHandler("/longer", () => "longer");'})
        server.get("/longer")
        deployed_again = time.perf_counter() - begun
        begun = time.perf_counter()
        server.api("POST", "/script/rollback?uri=long")
        server.get("/long")
        rolled_back = time.perf_counter() - begun
    started = time.perf_counter()
    with server.running() as pid:
        server.get("/hello/Ada")
        second_start = time.perf_counter() - started
        second_processor = processor_seconds(pid)
        load(server.address + PATH, 16, 1)
        many = load(server.address + PATH, 16, seconds, pid=pid)
        single = load(server.address + PATH, 1, seconds)
        memory = shared_memory(pid)
    return {
        "requests/s, 16 connections": many.rate,
        "p50 ms, 16 connections": many.p50,
        "server's processor us per request": many.front,
        "children's processor us per request": many.children,
        "requests/s, 1 connection": single.rate,
        "p50 ms, 1 connection": single.p50,
        "start on a new folder, s": first_start,
        "start to first answer, s": second_start,
        "processor s of a start, new folder": first_processor,
        "processor s to the first answer": second_processor,
        "deploy TypeScript to answer, ms": deployed * 1000,
        "deploy it again to answer, ms": deployed_again * 1000,
        "rollback to answer, ms": rolled_back * 1000,
        "server's memory, MB (Pss)": memory,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
