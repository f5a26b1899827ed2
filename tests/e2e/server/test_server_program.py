"""The server as a program: how it starts, why it does not, how it stops."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.servers import SERVE, TWISTD, TWISTD_DAEMON, Server, started
from tests.support.waiting import wait_until

EVERY_WAY = pytest.mark.parametrize("command", [SERVE, TWISTD], ids=["serve", "twistd"])


def refused(server: Server, *result: str) -> None:
    """Expect a start that fails with exit code 1, in words and without a traceback."""
    assert server.ended() == 1
    for part in result:
        assert part in server.output
    assert "Traceback" not in server.output


@EVERY_WAY
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_starts_and_stops(command: Sequence[str], number: int, tmp_path: Path) -> None:
    """It answers from any working directory, guards the management API with its token, and stops on a signal."""
    with started(tmp_path, command=command) as server:
        assert server.status("/nothing-here") == 404
        assert server.status("/engine/api/scripts") == 401
        assert server.status("/engine/api/scripts", token=server.token) == 200
        assert (tmp_path / "data" / "administrator-token").stat().st_mode & 0o777 == 0o600
        # twistd ends by the signal that it was sent, as shells expect; serve ends as one that did its work.
        assert server.stop(number) in {0, -number}
        assert not (tmp_path / "data" / "address").exists()
        assert "Traceback" not in server.output
        assert server.token not in server.output


def test_closed_terminal(tmp_path: Path) -> None:
    """A server whose terminal is closed stops as by Ctrl-C, though nobody reads its output any more."""
    leader, terminal = os.openpty()
    command = [sys.executable, "-m", "aiwebengine.cli", "serve", "--port", "0", "--data-folder", str(tmp_path / "data")]
    process = subprocess.Popen(["setsid", "--ctty", *command], stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    while b" answers at " not in shown:
        shown += os.read(leader, 65536)
    assert (tmp_path / "data" / "address").exists()
    os.close(leader)
    assert process.wait(60) == 0
    assert not (tmp_path / "data" / "address").exists()


@EVERY_WAY
def test_port_in_use(command: Sequence[str], tmp_path: Path) -> None:
    """A port that another program has is named, with what to do."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with started(tmp_path / "one") as first:
        port = first.address.rsplit(":", 1)[1]
        with started(tmp_path / "two", "--port", port, command=command) as second:
            refused(second, "Another program already listens on", f"port {port}", "--port")
        assert first.status("/nothing-here") == 404


@EVERY_WAY
def test_second_server_on_one_data_folder(command: Sequence[str], tmp_path: Path) -> None:
    """The second server on one data folder is refused, and the first goes on."""
    with started(tmp_path) as first:
        address = first.address
        (tmp_path / "two").mkdir()
        with started(tmp_path / "two", "--data-folder", str(tmp_path / "data"), command=command) as second:
            refused(second, "Another server", "uses the data folder")
        assert first.address == address
        assert first.status("/nothing-here") == 404


@EVERY_WAY
def test_data_folder_that_cannot_be(command: Sequence[str], tmp_path: Path) -> None:
    """A file where the data folder should be is told."""
    (tmp_path / "file").write_text("")
    with started(tmp_path, "--data-folder", "file/data", command=command) as server:
        refused(server, f"The data folder {tmp_path}/file/data cannot be made")


@EVERY_WAY
def test_data_folder_that_nobody_may_write(command: Sequence[str], tmp_path: Path) -> None:
    """A folder in which not even the superuser may write is told, with what to do."""
    with started(tmp_path, "--data-folder", "/proc/aiwebengine", command=command) as server:
        refused(server, "The data folder /proc/aiwebengine cannot be", "server.data_folder")


@EVERY_WAY
def test_data_folder_of_a_newer_version(command: Sequence[str], tmp_path: Path) -> None:
    """A database that a newer engine wrote is refused untouched."""
    with started(tmp_path) as server:
        assert server.address
        assert server.stop() in {0, -signal.SIGTERM}
    databases = sorted((tmp_path / "data").glob("*.sqlite*")) or sorted((tmp_path / "data").glob("*.db"))
    for path in databases:
        with closing(sqlite3.connect(path)) as connection, connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in tables:
                if table.endswith("_version"):
                    connection.execute(f"UPDATE {table} SET revision = 'z9999'")
    with started(tmp_path, command=command) as server:
        refused(server, "was written by a newer version", "Nothing was changed")


@EVERY_WAY
def test_wrong_settings(command: Sequence[str], tmp_path: Path) -> None:
    """Wrong settings stop the start with exit code 2; file, line, key and what is allowed are told, all at once."""
    (tmp_path / "my.yaml").write_text("server:\n  prot: 80\nlogs:\n  level: loud\n")
    with started(tmp_path, "--config", "my.yaml", command=command) as server:
        assert server.ended() == 2
        assert "my.yaml:2:3: There is no setting `server.prot`; did you mean `server.port`?" in server.output
        assert "my.yaml:4:3: `logs.level` cannot be 'loud'; allowed is `debug`, `info`, `warn`" in server.output
    assert not (tmp_path / "data").exists()


def test_daemon(tmp_path: Path) -> None:
    """Without -n twistd leaves a daemon behind that logs to a file and stops by its pid file."""
    words = [*TWISTD_DAEMON, "--port", "0"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    pid = int((tmp_path / "twistd.pid").read_text())
    try:
        address = tmp_path / "data" / "address"
        wait_until(address.exists, state=(tmp_path / "twistd.log").read_text)
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not (tmp_path / "twistd.pid").exists(), state=(tmp_path / "twistd.log").read_text)
    assert "listening on http://" in (tmp_path / "twistd.log").read_text()


def test_daemon_that_cannot_start(tmp_path: Path) -> None:
    """A daemon that cannot start ends with exit code 1 and says why on the terminal and in its log."""
    (tmp_path / "file").write_text("")
    words = [*TWISTD_DAEMON, "--port", "0", "--data-folder", "file/data"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "The data folder" in done.stderr
    log = (tmp_path / "twistd.log").read_text()
    assert "cannot be made" in log
    assert "Traceback" not in log


def test_help_lists_the_options(tmp_path: Path) -> None:
    """Twistd lists the command, and the command its options."""
    words = [*TWISTD_DAEMON, "--help"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0
    for option in ("--port", "--listen", "--data-folder", "--config", "--profile", "--set"):
        assert option in done.stdout
