"""Tests of a machine that cannot hold scripts' processes: the server refuses, or says so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.servers import SERVE, TWISTD, started

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can give up its rights"
)

# Root of a container that was given no right: processes of scripts stay root.
NO_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
ALLOWED = ("--set", "sandbox.allow_missing=unprivileged")


@pytest.mark.parametrize("command", [SERVE, TWISTD], ids=["serve", "twistd"])
def test_refuses_to_start(tmp_path: Path, command: tuple[str, ...]) -> None:
    """In production a server that lacks a protection does not start, and names it and the setting that allows it."""
    with started(tmp_path, "--profile", "production", command=(*NO_RIGHTS, *command)) as server:
        assert server.ended() == 1
        assert "Required protections of script processes are missing" in server.output
        assert "missing: unprivileged (children are root" in server.output
        assert "sandbox.allow_missing: [unprivileged]" in server.output
        assert "Traceback" not in server.output
    assert not (tmp_path / "data" / "address").exists()


def test_allowed(tmp_path: Path) -> None:
    """With the setting it starts, and every health report shows what is missing."""
    with (
        started(tmp_path, "--profile", "production", *ALLOWED, command=(*NO_RIGHTS, *SERVE)) as server,
        urllib.request.urlopen(f"{server.address}/health/ready", timeout=10) as answer,
    ):
        assert json.load(answer)["lockdown"] == {"missing": ["unprivileged"]}


def doctor(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Call the doctor in *folder*."""
    command = [*NO_RIGHTS, sys.executable, "-m", "aiwebengine.cli", "doctor", "--profile", "production", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False, text=True)


def test_doctor(tmp_path: Path) -> None:
    """The doctor says the same beforehand, for people and for programs, and changes nothing."""
    done = doctor(tmp_path, "--json")
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    found = {finding["name"]: finding for finding in answer["findings"]}
    assert found["sandbox"]["state"] == "failed"
    assert "unprivileged" in found["sandbox"]["found"]
    assert found["data folder"]["state"] == "ok"
    done = doctor(tmp_path, *ALLOWED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Missing, but allowed by sandbox.allow_missing: unprivileged" in done.stdout
    assert list(tmp_path.iterdir()) == []
