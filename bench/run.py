"""
What the engine reaches, beside what it is measured against, in one run: `make bench`.

Everything runs on this machine, one thing at a time.  The servers take turns in short
rounds, so that a noisy moment meets all of them; figures are medians, and ratios say more
than figures.  Exits with 0 whatever is reached, for a slow machine is no error, and with 1 if
a group could not be measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine_rows import deployment_rows, process_rows, start_rows
from fetch_rows import fetch_rows
from graphql_rows import graphql_rows
from http_rows import http_rows
from rows import Results, Row, machine
from servers import BENCH, say, wrk
from streams import stream_rows

RESULTS = BENCH.parent / "build-cache" / "bench.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    rounds: int
    seconds: int
    """Length of a round."""


SIZES = {"short": Size(rounds=2, seconds=1), "usual": Size(rounds=3, seconds=3), "nightly": Size(rounds=9, seconds=5)}

Group = Callable[[Path, Size], list[Row]]

GROUPS: Mapping[str, Group] = {
    "http": lambda folder, size: http_rows(folder, rounds=size.rounds, seconds=size.seconds),
    "deployments": lambda folder, size: deployment_rows(folder, rounds=size.rounds),
    "processes": lambda folder, size: process_rows(folder, rounds=size.rounds, seconds=size.seconds),
    "start": lambda folder, size: start_rows(folder, rounds=size.rounds),
    "fetch": lambda folder, size: fetch_rows(folder / "fetch", rounds=size.rounds, seconds=size.seconds),
    "streams": lambda folder, size: stream_rows(folder / "streams", seconds=3 * size.seconds),
    "graphql": lambda folder, size: graphql_rows(folder / "graphql", rounds=size.rounds, seconds=size.seconds),
}


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and keep the results for the next run to be set beside."""
    options = parsed(arguments)
    size = SIZES[options.size]
    wrk()
    results = Results(options.results)
    rows: list[Row] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in options.only or GROUPS:
            say(f"==> {name}")
            try:
                measured = GROUPS[name](Path(folder), size)
            except (OSError, RuntimeError, subprocess.SubprocessError) as error:
                say(f"bench: {name} could not be measured: {error}")
                failed.append(name)
                continue
            # What was measured is kept even if a later group fails, or is interrupted.
            results.keep(measured, seconds=size.seconds, rounds=size.rounds)
            rows += measured
    say("")
    print(f"{machine()}; {size.rounds} rounds of {size.seconds} s")
    print(results.table(rows))
    return 1 if failed else 0


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="GROUPS", type=groups, help=f"some of {', '.join(GROUPS)}, with commas")
    parser.add_argument(
        "--size", choices=SIZES, default="usual", help="short takes two minutes, usual six, nightly half an hour"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the last results are kept, as JSON")
    return parser.parse_args(arguments)


def groups(text: str) -> list[str]:
    """Read the names of groups."""
    names = text.split(",")
    for name in names:
        if name not in GROUPS:
            raise argparse.ArgumentTypeError(f"there is no group {name!r}; there are {', '.join(GROUPS)}")
    return names


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
