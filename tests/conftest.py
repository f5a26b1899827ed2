"""
What every test gets: a check that it left nothing behind.

A unit or contract test must end with the reactor as it found it: no delayed call, no open socket, no
child process, no thread, no failure that nobody handled.  Tests with real processes may need a moment
to reap them, so there the end of the whole run is checked: of each worker, when several run beside each other.

`--extent` says how much is tried: `quick` leaves out what is marked as slow and tries fewer generated
examples, `full` tries all and many more examples.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from twisted.internet import reactor
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from tests.support.shared.preloaded import end_preloaded

_QUIET = ("unit", "contract", "rules")
_GRACE_SECONDS = 5.0
_TESTS = Path(__file__).parent
_LEFT: list[str] = []
"""Processes that workers left behind."""

# Who runs this in the background of a shell has SIGINT ignored; the programs under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says something of the machine, and nothing of the program.
for _extent, _examples in {"quick": 30, "usual": 100, "full": 1000}.items():
    settings.register_profile(
        _extent, deadline=None, max_examples=_examples, suppress_health_check=[HealthCheck.too_slow]
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare our options."""
    parser.addoption("--extent", choices=("quick", "usual", "full"), default="usual", help="how much is tried")
    parser.addoption("--pinned", type=int, metavar="PLACE", help="run the tests of settings without the settings")
    parser.addoption("--skipped", metavar="FILE", help="write down here which tests were skipped, and why")


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples hypothesis generates; test modules are imported later."""
    settings.load_profile(config.getoption("--extent"))
    if (place := config.getoption("--pinned")) is not None:
        from tests.support.pinned import Pinning

        config.pluginmanager.register(Pinning(place))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while the tests are imported, and at none of what they have made ever after."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip slow tests in a quick run."""
    for item in items:
        for mark in item.iter_markers("slow"):
            if len(mark.args) != 1 or not isinstance(mark.args[0], str):
                raise pytest.UsageError(f'{item.nodeid}: say why: @pytest.mark.slow("reason")')
            if config.getoption("--extent") == "quick":
                item.add_marker(pytest.mark.skip(reason=f"only in make test-all: {mark.args[0]}"))


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
    received = [f"{kind}: {', '.join(sorted(map(str, things)))}" for kind, things in left.items() if things]
    for call in left["delayed calls"]:
        call.cancel()
    # Trial's own test case fails for what was logged, unless the test asked for it.
    if not isinstance(request.instance, SynchronousTestCase):
        received += failures
    if received:
        pytest.fail("The test left behind " + "; ".join(received), pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a worker says at its end."""
    _LEFT.extend(getattr(node, "workeroutput", {}).get("left", ()))


# The last one: xdist ends its workers in this hook, and hears from each what it left behind.
@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that leaves child processes behind."""
    end_preloaded()
    end = time.monotonic() + _GRACE_SECONDS
    while (left := _children()) and time.monotonic() < end:
        time.sleep(0.05)
    commands = [*_LEFT, *map(_command, left)]
    if (worker := getattr(session.config, "workeroutput", None)) is not None:
        worker["left"] = commands
    elif commands and session.exitstatus == pytest.ExitCode.OK:
        print(f"\nThe tests left processes behind: {', '.join(commands)}")  # noqa: T201
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write down what was skipped."""
    if (target := config.getoption("--skipped")) is None:
        return
    tests: dict[str, list[str]] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        tests.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    lines = [line for reason in sorted(tests) for line in (reason, *(f"    {name}" for name in sorted(tests[reason])))]
    Path(target).write_text("".join(f"{line}\n" for line in lines), "utf-8")


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
    return [pid for pid in found if _alive(pid)]


def _alive(pid: int) -> bool:
    """Return whether a process runs: a zombie is dead, and whoever waits for it will reap it."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    # The program's name stands in brackets before the state, and may hold brackets and blanks itself.
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def _command(pid: int) -> str:
    """Return how a process was started; the name of the program while it has not been handed its arguments yet."""
    folder = Path(f"/proc/{pid}")
    try:
        words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").strip() or (folder / "comm").read_bytes().strip()
    except OSError:
        return f"process {pid}"
    return words.decode(errors="replace")
