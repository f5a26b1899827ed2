"""
Which packages of npm work: `python bench/packages/survey.py`.

Each case in `cases/` uses packages in a few lines and ends in one JSON value.  It runs in Node.js and, deployed to a
server that this program starts, in the engine; both values must be the same.  Outcomes are kept in
`outcomes.json`, by case and versions, so that a run which was stopped goes on where it was; `--again` repeats
all, `--only NAME,NAME` repeats some.  From the outcomes `docs/reference/packages.md` is written.

It stands here and not with the tests because it takes an hour and needs a registry of npm.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aiwebengine.build.paths import without_paths
from bench.packages.case import Case, read_cases
from bench.packages.page import PAGE, page

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / "build-cache" / "packages"
OUTCOMES = HERE / "outcomes.json"
_INSTALL = ("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--loglevel=error")
_MAIN = """import answer from './case.js';
import { registerWebHandler } from 'aiwebengine';
registerWebHandler(PATH, async () => {
  try {
    return { value: JSON.stringify(await answer()) };
  } catch (error) {
    return { error: String(error), stack: String(error && error.stack).slice(0, 2000) };
  }
});
"""
_NODE = """import answer from './case.mjs';
process.stdout.write('\\n' + JSON.stringify({ value: JSON.stringify(await answer()) }) + '\\n', () => process.exit(0));
"""
_SETTINGS = (
    "build.build_seconds=280", "limits.wall_seconds=60", "limits.cpu_seconds=55", "limits.load_seconds=60",
    "limits.memory_bytes=402653184", "server.port=0",
)  # fmt: skip


class NodeFailed(Exception):
    """Node.js itself gives no answer, so the case is wrong."""


def main(arguments: Sequence[str]) -> int:
    """Run the survey; the exit code is 1 if a package is silently wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of cases, separated by commas")
    parser.add_argument("--again", action="store_true", help="repeat cases whose outcome is known")
    options = parser.parse_args(arguments)
    cases = read_cases()
    only = {name for name in options.only.split(",") if name}
    unknown = only - {case.name for case in cases}
    if unknown:
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    outcomes = _known(cases)
    todo = [case for case in cases if (case.name in only if only else options.again or case.name not in outcomes)]
    with tempfile.TemporaryDirectory(prefix="packages-") as folder, closing(_Server(Path(folder))) as server:
        for number, case in enumerate(todo, 1):
            outcome = _outcome(server, case)
            outcomes[case.name] = {"versions": dict(case.versions), **outcome}
            print(f"{number}/{len(todo)} {case.name}: {outcome['result']} {outcome['why'][:200]}", flush=True)
            _keep(cases, outcomes)
    _keep(cases, outcomes)
    return int(any(outcome["result"] == "wrong" for outcome in outcomes.values()))


def _known(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the outcomes of earlier runs with the versions of now."""
    kept = json.loads(OUTCOMES.read_text("utf-8")) if OUTCOMES.exists() else {}
    return {case.name: kept[case.name] for case in cases if kept.get(case.name, {}).get("versions") == case.versions}


def _keep(cases: Sequence[Case], outcomes: dict[str, Any]) -> None:
    """Write what is known, with what another run beside this one has found."""
    outcomes.update((name, one) for name, one in _known(cases).items() if name not in outcomes)
    ordered = {case.name: outcomes[case.name] for case in cases if case.name in outcomes}
    OUTCOMES.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(cases, ordered), "utf-8")


def _outcome(server: _Server, case: Case) -> dict[str, Any]:
    """Run a case on both sides."""
    try:
        expected = _in_node(case)
    except (NodeFailed, subprocess.TimeoutExpired) as failed:
        return {"result": "no answer of node", "why": _first_error(str(failed))}
    try:
        return server.run(case, expected)
    except (OSError, HTTPException) as failed:
        return {"result": "failed", "why": f"the server does not answer: {failed}"}


def _in_node(case: Case) -> str:
    folder = CACHE / "installed" / case.folder
    folder.mkdir(parents=True, exist_ok=True)
    manifest = json.dumps({"private": True, "dependencies": dict(case.versions)})
    written = folder / "package.json"
    if not (folder / "node_modules").exists() or not written.exists() or written.read_text("utf-8") != manifest:
        written.write_text(manifest, "utf-8")
        _run([*_INSTALL, f"--cache={CACHE / 'npm'}", "--prefer-offline"], folder)
    (folder / "case.mjs").write_text(case.source, "utf-8")
    (folder / "run.mjs").write_text(_NODE, "utf-8")
    told = _run(["node", "run.mjs"], folder)
    return str(json.loads(told.strip().splitlines()[-1])["value"])


def _run(command: Sequence[str], folder: Path) -> str:
    environment = {**os.environ, "TZ": "UTC"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=200, check=False)
    if done.returncode != 0:
        raise NodeFailed(f"{command[0]} ended with {done.returncode}: {done.stderr.decode('utf-8', 'replace')}")
    return done.stdout.decode("utf-8")


class _Server:
    """
    A server in a folder of its own, in the development profile.

    Args:
        folder: For its data.
    """

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        settings = [*_SETTINGS, f"build.npm_cache={CACHE / 'npm'}", f"server.data_folder={self._data}"]
        flags = [word for setting in settings for word in ("--set", setting)]
        command = [sys.executable, "-m", "aiwebengine.cli", "serve", "--profile", "development", *flags]
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / "server.txt").open("wb") as output:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        self._address, self._token = self._started()

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()

    def run(self, case: Case, expected: str) -> dict[str, Any]:
        """Deploy a case, call it, and take it away."""
        uri = case.folder
        main = _MAIN.replace("PATH", json.dumps(f"/{uri}"))
        manifest = json.dumps({"dependencies": dict(case.versions)})
        files = {"main.js": main, "case.js": case.source, "package.json": manifest}
        status, told = self._ask("PUT", f"/engine/api/script?uri={uri}", {"files": files})
        if status not in {200, 201}:
            return {"result": "refused", "why": _problem(told)}
        build = {"build_ms": told["steps"]["build"]}
        status, answer = self._ask("GET", f"/{uri}")
        self._ask("DELETE", f"/engine/api/script?purge=true&uri={uri}")
        if status == 200 and "value" in answer:
            same = answer["value"] == expected
            why = "" if same else f"{answer['value'][:150]} instead of {expected[:150]}"
            return {"result": "right" if same else "wrong", "why": why, **build}
        return {"result": "failed", "why": str(answer.get("error") or answer)[:300], **build}

    def _started(self) -> tuple[str, str]:
        address = self._data / "address"
        for _ in range(1200):
            if address.exists() and address.read_text("ascii").strip():
                token = (self._data / "administrator-token").read_text("ascii")
                return address.read_text("ascii").strip(), token.strip()
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError("the server did not start")

    def _ask(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self._address + path, method=method, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=320) as response:
                return response.status, _parsed(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _parsed(error.read())


def _parsed(content: bytes) -> Any:
    with suppress(ValueError):
        found = json.loads(content)
        if isinstance(found, dict):
            return found
    return {"error": content.decode("utf-8", "replace")[:300]}


def _first_error(output: str) -> str:
    """Return the line of a failure that names it, without this machine's paths."""
    found = re.search(r"^.*Error\b.*$", output, re.MULTILINE)
    return without_paths(found[0])[:300] if found else "it ended without a message"


def _problem(told: Any) -> str:
    problems = [one["message"] for one in told.get("problems", ()) if one.get("severity", "error") == "error"]
    return str(problems[0] if problems else told)[:300]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
