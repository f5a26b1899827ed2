"""
How far the web standards are followed: `python bench/standards/survey.py`.

The tests in `probes/` run in scripts deployed to a server that this program starts, in Node.js, and in Deno, which is
installed from npm; `--wpt FOLDER` runs the Web Platform Tests of a checkout as well.  What passed is kept in
`outcomes.json`, and `docs/reference/web-standards.md` is written from it.  `--only TOPIC,TOPIC` runs some topics, shows
what failed, and keeps nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.standards.engines import HostOfTests, NothingTold, runtimes, script_host
from bench.standards.page import DIFFERENCES, OURS, OUTCOMES, PAGE, page, read
from bench.standards.peer import peer
from bench.standards.program import StandardFile, probes
from bench.standards.wpt import wpt_files, wpt_state

Results = dict[str, dict[str, dict[str, str]]]
"""By topic and host: what each test failed with, by file and name."""


def main(arguments: Sequence[str]) -> int:
    """Run the survey; the exit code is 1 if a test of our own fails in scripts and no reason for it is written down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of topics, separated by commas")
    parser.add_argument("--wpt", type=Path, help="a checkout of the Web Platform Tests")
    options = parser.parse_args(arguments)
    only = {name for name in options.only.split(",") if name}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="standards-"))
        script = stack.enter_context(script_host(Path(folder)))
        address = stack.enter_context(peer())
        hosts: list[HostOfTests] = [script, *runtimes()]
        server = f"const SERVER = {json.dumps(address)};\n"
        own = [replace(file, source=server + file.source) for file in probes() if not only or file.topic in only]
        results = run_all(own, hosts)
        new = unexplained(results)
        for line in new:
            print(line)
        if not only:
            _keep(hosts, results, {}, "")
        if options.wpt:
            others = run_all(_chosen(wpt_files(options.wpt), only), hosts)
            if not only:
                _keep(hosts, results, others, wpt_state(options.wpt))
    return int(bool(new))


def _chosen(files: Iterable[StandardFile], only: set[str]) -> Iterable[StandardFile]:
    return (file for file in files if not only or file.topic in only)


def run_all(files: Iterable[StandardFile], hosts: Sequence[HostOfTests]) -> Results:
    """Run each file everywhere, one after the other."""
    results: Results = {}
    for file in files:
        told = {host.name: _run(host, file) for host in hosts}
        names = dict.fromkeys(name for one in told.values() for name in one)
        for host, one in told.items():
            kept = results.setdefault(file.topic, {}).setdefault(host, {})
            kept.update({name: one.get(name, "no result") for name in names})
        counts = ", ".join(f"{host} {sum(not one.get(name, 'x') for name in names)}" for host, one in told.items())
        print(f"{file.name}: {len(names)} tests; {counts}", flush=True)
    return results


def _run(host: HostOfTests, file: StandardFile) -> dict[str, str]:
    try:
        return {f"{file.name}: {name}": message for name, message in host.run(file)}
    except NothingTold as failed:
        print(f"  {host.name}: {file.name} gave no results: {failed}", flush=True)
        return {}


def unexplained(results: Results) -> list[str]:
    """Return what fails in scripts though `differences.json` does not name it, and what it names though it passes."""
    reasons = read(DIFFERENCES)
    lines = []
    for topic, told in results.items():
        failed = {name.partition(": ")[2]: message for name, message in told[OURS].items() if message}
        known = reasons.get(topic, {})
        lines += [f"{topic}: {name}: {message}" for name, message in failed.items() if name not in known]
        lines += [f"{topic}: {name}: passes, though a reason is given" for name in known if name not in failed]
    return lines


def _keep(hosts: Sequence[HostOfTests], results: Results, wpt: Results, state: str) -> None:
    """Write the outcomes and the page; the results of the Web Platform Tests stay if they were not run."""
    before = read(OUTCOMES)
    outcomes: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {host.name: host.version for host in hosts},
        "probes": _counted(results),
        "wpt": _counted(wpt) if wpt else before.get("wpt", {}),
        "wpt_state": state if wpt else before.get("wpt_state", ""),
    }
    OUTCOMES.write_text(json.dumps(outcomes, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(outcomes, read(DIFFERENCES)), "utf-8")


def _counted(results: Results) -> dict[str, Any]:
    return {
        topic: {
            "total": max(len(one) for one in told.values()),
            "passed": {host: sum(not message for message in one.values()) for host, one in told.items()},
        }
        for topic, told in results.items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
