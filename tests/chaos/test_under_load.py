"""
Minutes of load with everything going wrong beside it.

Good scripts are asked all the time, first in quiet, then while hostile scripts run and while
children, templates, the sandbox and the build worker are killed.  Each answer must be right or
a clean 503.  `AIWEBENGINE_CHAOS_SECONDS` says how long; the figures are printed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.hostile.offender import HOSTILE
from tests.support.killing import children_of, command_of
from tests.support.servers import Server, started

SECONDS = float(os.environ.get("AIWEBENGINE_CHAOS_SECONDS", "120"))
SEED = int(os.environ.get("AIWEBENGINE_CHAOS_SEED", "1"))

GOOD = """
registerWebHandler("/good/:n", function (req) { return { n: req.params.n, twice: req.params.n * 2 }; });
registerWebHandler("/late/:n", function (req) {
  return new Promise(function (resolve) { setTimeout(function () { resolve({ n: req.params.n }); }, 5); });
});
"""


class RequestThread(threading.Thread):
    """
    One client on one connection, until told to stop.

    Args:
        address: `host:port`.
        paths: Makes the next path and the answer that is right; None: any answer is.
    """

    def __init__(self, address: str, paths: Any) -> None:
        super().__init__()
        self._address = address
        self._paths = paths
        self.over = threading.Event()
        self.milliseconds: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []

    def run(self) -> None:
        """Ask."""
        connection = http.client.HTTPConnection(self._address, timeout=30)
        while not self.over.is_set():
            path, right = self._paths()
            began = time.perf_counter()
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(f"{path}: {error!r}")
                connection.close()
                continue
            self.milliseconds.append((time.perf_counter() - began) * 1000)
            self.statuses[answer.status] += 1
            if right is None or (answer.status == 200 and json.loads(body) == right):
                continue
            if not (answer.status == 503 and json.loads(body).get("code") and answer.getheader("retry-after")):
                self.wrong.append(f"{path}: {answer.status} {body[:200]!r}")
        connection.close()


def _good(chance: random.Random) -> Any:
    def path() -> tuple[str, Any]:
        number = chance.randrange(1000)
        if number % 3:
            return f"/good/{number}", {"n": str(number), "twice": number * 2}
        return f"/late/{number}", {"n": str(number)}

    return path


@contextlib.contextmanager
def _hostile(address: str) -> Iterator[None]:
    """Have the hostile script asked by programs of their own, so that these clients are in nobody's way."""
    words = [sys.executable, "-m", "tests.support.hostile.offender", address]
    programs = [subprocess.Popen([*words, str(seed)]) for seed in range(2)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def _asked(address: str, makers: list[Any], seconds: float, meanwhile: Any = None) -> list[RequestThread]:
    callers = [RequestThread(address, maker) for maker in makers]
    for caller in callers:
        caller.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if meanwhile is None:
            time.sleep(0.2)
        else:
            meanwhile()
    for caller in callers:
        caller.over.set()
    for caller in callers:
        caller.join()
    return callers


def _deploy(server: Server, uri: str, source: str) -> int:
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=30)
    headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
    connection.request("PUT", f"/engine/api/script?uri={uri}", json.dumps({"files": {"main.ts": source}}), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def _kill_something(server: Server, chance: random.Random) -> None:
    time.sleep(chance.uniform(0.1, 0.6))
    below = children_of(server.process.pid)
    zygotes = [pid for pid in below if b"sandbox" in command_of(pid)]
    workers = [pid for pid in below if b"worker" in command_of(pid)]
    templates = [pid for zygote in zygotes for pid in children_of(zygote)]
    clones = [pid for template in templates for pid in children_of(template)]
    kind = chance.choice(("clone", "clone", "clone", "clone", "template", "template", "sandbox", "worker", "deploy"))
    if kind == "deploy":
        _deploy(server, "other", f"registerWebHandler('/other', () => {chance.randrange(1000)});")
        return
    found = {"clone": clones, "template": templates, "sandbox": zygotes, "worker": workers}[kind]
    if found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(found), signal.SIGKILL)


def _open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _p99(callers: list[RequestThread]) -> float:
    return statistics.quantiles([millisecond for caller in callers for millisecond in caller.milliseconds], n=100)[98]


def test_under_load(tmp_path: Path) -> None:
    """Good scripts are answered right, or with a clean 503, whatever happens beside them."""
    chance = random.Random(SEED)
    words = ("--profile", "production", "--set", "sandbox.allow_missing=all", "--set", "limits.memory_bytes=67108864")
    with started(tmp_path, *words) as server:
        address = server.address.removeprefix("http://")
        assert _deploy(server, "good", GOOD) == 201
        assert _deploy(server, "bad", HOSTILE) == 201
        good = [_good(random.Random(number)) for number in range(4)]
        _asked(address, good, 3)
        quiet = _asked(address, good, min(20.0, SECONDS / 4))
        with _hostile(address):
            _asked(address, good, min(20.0, SECONDS / 4), lambda: _kill_something(server, chance))
            files, resident = _open_files(server.process.pid), _resident(server.process.pid)
            hostile = _asked(address, good, SECONDS / 2)
            chaotic = _asked(address, good, SECONDS, lambda: _kill_something(server, chance))
        again = _asked(address, good, min(20.0, SECONDS / 4))
        files_after, resident_after = _open_files(server.process.pid), _resident(server.process.pid)
        wrong = [reply for callers in (quiet, hostile, chaotic, again) for caller in callers for reply in caller.wrong]
        statuses: Counter[int] = Counter()
        for caller in chaotic:
            statuses.update(caller.statuses)
        base = _p99(quiet)
        print(  # noqa: T201  the figures are what this is run for
            f"\nseed {SEED}, {SECONDS:.0f} s of kills and hostile scripts"
            f"\ngood requests meanwhile: {dict(statuses)}, wrong: {len(wrong)}"
            f"\np99 of good requests: quiet {base:.1f} ms, and once more afterwards {_p99(again):.1f} ms"
            f"\n  hostile scripts beside {_p99(hostile):.1f} ms (x{_p99(hostile) / base:.2f})"
            f"\n  kills too {_p99(chaotic):.1f} ms (x{_p99(chaotic) / base:.2f})"
            f"\nopen files {files} -> {files_after}, memory {resident >> 20} -> {resident_after >> 20} MiB"
        )
        assert not wrong, wrong[:5]
        assert files_after <= files + 10
        assert resident_after <= resident * 1.3 + (16 << 20)
