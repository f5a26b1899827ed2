"""Tests of the lockdown: real processes lock themselves and try to break out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.lockdown import landlock, seccomp

ROOT = Path(__file__).parents[3]
LINUX = sys.platform == "linux"
USERS = ("root", "nobody") if os.geteuid() == 0 else ("nobody",)
EFFECTS = {"files", "sockets", "processes", "programs", "signals", "tracing", "code", "memory"}

needs_filters = pytest.mark.skipif(seccomp.programs() is None, reason="no filters of system calls on this system")
needs_landlock = pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")


def tried(**asked: Any) -> dict[str, str]:
    """Have a process lock itself and give how its attempts ended."""
    words = [sys.executable, "-P", "-m", "tests.support.locked", json.dumps(asked)]
    done = subprocess.run(
        words, capture_output=True, timeout=60, check=False, cwd="/", env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.stdout, (done.returncode, done.stderr.decode()[-2000:])
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def report(*before: str) -> dict[str, Any]:
    """Return what the sandbox tells of itself."""
    done = subprocess.run(
        [*before, sys.executable, "-P", "-m", "sandbox", "--report"],
        capture_output=True,
        timeout=60,
        check=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@needs_filters
@pytest.mark.parametrize("user", USERS)
def test_clone(user: str) -> None:
    """A locked clone manages nothing that it tries, whoever the server is."""
    result = tried(**{"as": user, "seccomp": True, "landlock": True})
    assert {name: how for name, how in result.items() if how == "done"} == {}
    assert result["kill all"] == result["read a file"] == result["program"] == "EPERM"


@needs_filters
def test_clone_without_landlock() -> None:
    """On an older kernel the filter alone holds."""
    result = tried(**{"as": USERS[-1], "seccomp": True, "landlock": False})
    assert "done" not in result.values(), result


@needs_filters
def test_template() -> None:
    """A template, in which a script's top level runs, may fork, and nothing else that is tried."""
    result = tried(**{"as": USERS[-1], "seccomp": True, "landlock": True, "template": True})
    # It hands descriptors to clones, and gives up rights for them.
    allowed = {"fork", "being inspected", "outliving its parent", "give away a descriptor"}
    assert {name for name, how in result.items() if how == "done"} <= allowed, result


@needs_landlock
def test_landlock_alone() -> None:
    """Landlock by itself keeps files away."""
    files = ["read a file", "make a file", "list a folder", "make a folder", "link"]
    result = tried(**{"as": USERS[-1], "only": "landlock", "try": files})
    assert set(result.values()) == {"EACCES"}, result


def test_limits_alone() -> None:
    """Without filter and Landlock the limits still refuse files, sockets and, to all but root, processes."""
    result = tried(**{"as": "nobody", "seccomp": False, "landlock": False, "try": ["read a file", "socket", "fork"]})
    assert result == {"read a file": "EMFILE", "socket": "EMFILE", "fork": "EAGAIN"}


@pytest.mark.skipif(not LINUX, reason="what holds elsewhere differs")
def test_report() -> None:
    """The sandbox finds out by trying what holds, and says what does not."""
    result = report()
    assert {name for name in EFFECTS if not result[name]} == set()
    assert result["landlock"] == (landlock.version() > 0)
    assert result["seccomp"] == (seccomp.programs() is not None)
    assert all(not result[name] for name in result["notes"])


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can give up its rights")
def test_container() -> None:
    """Root of a container that was given no right is held as well, and is told what it lacks."""
    result = report("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    assert {name for name in EFFECTS if not result[name]} == set()
    assert (result["user"], result["unprivileged"], result["network"]) == (False, False, False)
    assert "children are root" in result["notes"]["unprivileged"]
