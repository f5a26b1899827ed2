"""
What every test gets: a check that it left nothing behind.

A unit or contract test must end with the reactor as it found it: no delayed call, no open socket, no
child process, no thread, no failure that nobody handled.  Tests with real processes may need a moment
to reap them, so there the end of the whole run is checked.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from twisted.internet import reactor
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

_QUIET = ("unit", "contract", "rules")
_GRACE_SECONDS = 5.0
_TESTS = Path(__file__).parent

# Who runs this in the background of a shell has SIGINT ignored; the programs under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says something of the machine, and nothing of the program.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves something behind."""
    if request.path.relative_to(_TESTS).parts[0] not in _QUIET:
        yield
        return
    failures: list[str] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace") == "twisted.internet.defer" and "log_failure" in event:
            failures.append(f"an unhandled failure: {event['log_failure'].getTraceback()}")

    before = _things()
    globalLogPublisher.addObserver(cast(Any, observe))
    try:
        yield
        # Failures are told when their Deferred is collected; the young generations hold what a test just made.
        gc.collect(1)
    finally:
        globalLogPublisher.removeObserver(cast(Any, observe))
    left = {kind: now - before[kind] for kind, now in _things().items()}
    told = [f"{kind}: {', '.join(sorted(map(str, things)))}" for kind, things in left.items() if things]
    for call in left["delayed calls"]:
        call.cancel()
    # Trial's own test case fails for what was logged, unless the test asked for it.
    if not isinstance(request.instance, SynchronousTestCase):
        told += failures
    if told:
        pytest.fail("The test left behind " + "; ".join(told), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that leaves child processes behind."""
    end = time.monotonic() + _GRACE_SECONDS
    while (left := _children()) and time.monotonic() < end:
        time.sleep(0.05)
    if left and session.exitstatus == pytest.ExitCode.OK:
        print(f"\nThe tests left processes behind: {', '.join(map(_command, left))}")  # noqa: T201
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _things() -> dict[str, set[Any]]:
    untyped: Any = reactor
    sockets = {each for each in (*untyped.getReaders(), *untyped.getWriters()) if each not in untyped._internalReaders}
    return {
        "delayed calls": set(untyped.getDelayedCalls()),
        "open sockets": sockets,
        "child processes": set(_children()),
        "threads": {thread for thread in threading.enumerate() if not thread.daemon},
    }


def _children() -> list[int]:
    found = []
    for path in Path("/proc/self/task").glob("*/children"):
        # A thread may end while we look.
        with contextlib.suppress(OSError):
            found += [int(word) for word in path.read_text().split()]
    return [pid for pid in found if _command(pid)]


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    # A zombie has no command line: it is dead, and whoever waits for it will reap it.
    return b" ".join(words).decode(errors="replace").strip()
