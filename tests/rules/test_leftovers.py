"""What tests leave behind is seen, in whichever process they run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.rules.tree import ROOT

_SLEEP = '["sleep", "60"]'
# Linux shows no arguments of a process that has just been started; this one never has any.
_NAMELESS = '[""], executable="/bin/sh"'
_LEAVING = """
import subprocess

import pytest

LEFT = []

def test_leaving():
    "It leaves a process behind."
    LEFT.append(subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
    print("left", LEFT[0].pid)

@pytest.mark.slow("it takes an hour")
def test_slow():
    "It is slow."
    assert False
"""


def _pytest(folder: Path, group: str, command: str, *flags: str) -> str:
    tests = folder / "tests"
    (tests / group).mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    (tests / group / "test_it.py").write_text(_LEAVING.replace("COMMAND", command), "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --reactor=default -p no:cacheprovider\n", "utf-8")
    words = [sys.executable, "-m", "pytest", "-rAs", "--extent=quick", *flags, "tests"]
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    output = f"{done.stdout}{done.stderr}\nexit code {done.returncode}"
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(output.partition("\nleft ")[2].split()[0]), signal.SIGKILL)
    return output


def test_quiet_test_leaves_a_process(tmp_path: Path) -> None:
    """A unit test that leaves a process behind fails, and names each slow test that the run leaves out."""
    result = _pytest(tmp_path, "unit", _NAMELESS, f"--skipped={tmp_path / 'skipped'}")
    assert "The test left behind child processes" in result
    assert result.endswith("exit code 1")
    expected = "only in make test-all: it takes an hour\n    tests/unit/test_it.py::test_slow\n"
    assert (tmp_path / "skipped").read_text("utf-8") == expected


def test_worker_leaves_a_process(tmp_path: Path) -> None:
    """A run whose worker leaves a process behind fails, and names the process."""
    result = _pytest(tmp_path, "e2e", _SLEEP, "--numprocesses=1", "--dist=loadfile")
    assert "The tests left processes behind: sleep 60" in result
    assert "1 passed, 1 skipped" in result
    assert "only in make test-all: it takes an hour" in result
    assert result.endswith("exit code 1")
