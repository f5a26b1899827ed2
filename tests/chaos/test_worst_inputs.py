"""
The worst inputs of all entry points at the same time, and a script that has nothing to do with them.

Another process asks that script all the while, first in quiet and then in the burden, in turns; the two are compared
by the 99th percentile of its times.  `AIWEBENGINE_CHAOS_SECONDS` says how long; the figures are printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.e2e.hostile import test_reactor_and_cryptography, test_reactor_and_lists
from tests.e2e.hostile.test_reactor_and_crowds import BODIES, CROWD, FLOODS, HANDLERS, LISTS
from tests.e2e.hostile.test_reactor_is_not_held import BUSY, DEPLOYMENTS, OPERATIONS, REQUESTS, ROWS
from tests.support.burden import BurdenedServer, burdened_server

SECONDS = float(os.environ.get("AIWEBENGINE_CHAOS_SECONDS", "120"))
_ROUND_SECONDS = 10.0
_LEAST_MILLISECONDS = 10.0
"""What a quiet 99th percentile counts as at least: below it the machine's other work decides."""

_PROBE = """
import http.client, json, sys, time
connection = http.client.HTTPConnection(sys.argv[1], timeout=60)
times, ends = [], time.monotonic() + float(sys.argv[2])
while time.monotonic() < ends:
    began = time.perf_counter()
    connection.request("GET", "/quiet")
    answer = connection.getresponse()
    body = answer.read()
    times.append((time.perf_counter() - began) * 1000)
    assert (answer.status, body) == (200, b"quiet"), (answer.status, body)
    time.sleep(0.005)
print(json.dumps(times))
"""


_GRAPHQL = {"content-type": "application/json", "accept": "multipart/mixed, application/json"}


def _probe(server: BurdenedServer) -> list[float]:
    """Ask the quiet script for a round; return how long each answer took, in milliseconds."""
    words = [sys.executable, "-c", _PROBE, server.host, str(_ROUND_SECONDS)]
    asked = subprocess.run(words, capture_output=True, check=True, text=True)
    times: list[float] = json.loads(asked.stdout)
    return times


def _inputs(server: BurdenedServer) -> list[Callable[[], object]]:
    """Return all that is sent."""
    return [
        *(partial(server.ask, *request) for request in REQUESTS.values()),
        *(partial(server.api, "/script?uri=worst", make(), kind) for make, kind in DEPLOYMENTS.values()),
        *(partial(server.ask, "POST", path, make(), {"content-type": kind}) for path, make, kind in BODIES.values()),
        *(partial(server.send, flood(), seconds=0.5) for flood in FLOODS.values()),
        *(partial(server.ask, "POST", "/graphql", make(), _GRAPHQL) for make in OPERATIONS.values()),
        *(partial(server.ask, "GET", path) for path in HANDLERS),
        *(partial(server.ask, "GET", f"/compute/{what}") for what in test_reactor_and_cryptography.WORK),
        *(partial(server.api, path) for path in test_reactor_and_lists.LISTS),
    ]


@contextmanager
def _burdened(inputs: list[Callable[[], object]]) -> Iterator[None]:
    """Send one input after the other, again and again."""
    over = threading.Event()

    def send() -> None:
        while not over.is_set():
            for send_input in inputs:
                if not over.is_set():
                    send_input()

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()


def _percentile(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def test_a_script_beside_the_worst_inputs() -> None:
    """While the worst inputs of all entry points come, the 99th percentile of another script at most doubles."""
    quiet: list[float] = []
    burdened: list[float] = []
    with burdened_server(BUSY, CROWD, LISTS, ROWS, test_reactor_and_cryptography.SCRIPT) as server:
        server.seed("main.sqlite3", test_reactor_and_lists.MAIN)
        server.seed("evidence.sqlite3", test_reactor_and_lists.EVIDENCE)
        inputs = _inputs(server)
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            quiet += _probe(server)
            with _burdened(inputs):
                burdened += _probe(server)
    before, beside = _percentile(quiet), _percentile(burdened)
    sys.stdout.write(
        f"99th percentile: {before:.1f} ms in quiet, {beside:.1f} in the burden; {len(burdened)} answers\n"
    )
    assert beside < 2 * max(before, _LEAST_MILLISECONDS)
