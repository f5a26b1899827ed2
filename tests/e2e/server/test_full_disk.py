"""A disk that is really full while something is deployed."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiwebengine.terminal import exits
from tests.support.servers import SERVE, Server, started
from tests.support.waiting import wait_until

_FOLDER_BYTES = 6 * 1024 * 1024
_FILE_BYTES = 2 * 1024 * 1024


def _source(answer: str, *, size: int = 0) -> str:
    """Return a script; *size* bytes of it are such that nothing makes them smaller."""
    ballast = base64.b64encode(random.Random(1).randbytes(size)).decode()
    return f'registerWebHandler("/big", function () {{ return "{answer}"; }});\n/* {ballast} */\n'


def _call(server: Server, method: str, path: str, document: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=60)
    headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
    try:
        connection.request(method, path, None if document is None else json.dumps(document), headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    kind = answer.getheader("content-type") or ""
    return answer.status, json.loads(body) if "json" in kind else body.decode()


def _deploy(server: Server, source: str) -> tuple[int, Any]:
    return _call(server, "PUT", "/engine/api/script?uri=big", {"files": {"main.js": source}})


def _history(server: Server) -> list[int]:
    status, result = _call(server, "GET", "/engine/api/script/history?uri=big")
    assert status == 200, result
    return [version["version"] for version in result["versions"]]


@contextlib.contextmanager
def _small_files(folder: Path) -> Iterator[tuple[Server, Any]]:
    """Run a server whose files cannot grow beyond a size, which any user may have: writing more fails in the kernel."""
    start = (
        "import os, resource, sys; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({_FILE_BYTES}, resource.RLIM_INFINITY)); "
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    with started(folder, command=(sys.executable, "-c", start, *SERVE[1:])) as server:
        server.address  # noqa: B018  it waits until the server answers

        def make_room() -> None:
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

        yield server, make_room


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[tuple[Server, Any]]:
    """Run a server whose data folder is a disk of a few megabytes of its own, nearly full."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    data = folder / "data"
    data.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_FOLDER_BYTES}", "tmpfs", str(data)], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip(f"this machine lets nobody mount: {mount.stderr.decode().strip()}")
    try:
        with started(folder) as server:
            server.address  # noqa: B018  the same
            ballast = data / "ballast"
            left = os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
            ballast.write_bytes(bytes(max(0, left - 1024 * 1024)))
            yield server, ballast.unlink
    finally:
        subprocess.run(["umount", str(data)], check=True)


@pytest.mark.parametrize("disk", [_small_files, _small_disk])
def test_full_disk_during_a_deployment(tmp_path: Path, disk: Any) -> None:
    """A deployment for which there is no room is refused whole; with room it succeeds."""
    with disk(tmp_path) as (server, make_room):
        assert _deploy(server, _source("old"))[0] == 201
        big = _source("new", size=2_500_000)
        for _ in range(2):
            status, output = _deploy(server, big)
            assert status == 503, output
            assert output["code"] == "unavailable"
            assert "full" in output["detail"], output
            assert _history(server) == [1]
            assert _call(server, "GET", "/big") == (200, "old")
        status, health = _call(server, "GET", "/health/ready")
        assert (status, health["status"]) == (200, "degraded")
        assert "full" in health["failingWrites"]["main database"]
        file = tmp_path / "big.js"
        file.write_text(big)
        command = [sys.executable, "-m", "aiwebengine.cli", "deploy", str(file), "--uri", "big"]
        environment = {**os.environ, "AIWEBENGINE_TOKEN": server.token, "AIWEBENGINE_URL": server.address}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == exits.UNAVAILABLE, done.stderr
        assert "full" in done.stderr, done.stderr
        assert "ake room on the disk of the data folder" in done.stderr, done.stderr
        make_room()
        assert _deploy(server, big)[0] == 200
        assert (_call(server, "GET", "/big"), _history(server)) == ((200, "new"), [2, 1])
        assert "main database" not in _call(server, "GET", "/health/ready")[1]["failingWrites"]


@pytest.mark.parametrize("disk", [_small_files, _small_disk])
def test_logs_on_a_full_disk(tmp_path: Path, disk: Any) -> None:
    """What scripts log while there is no room is missing, and nothing else; with room it is kept again, with a note."""
    talks = (
        'var line = new Array(1000).join("x");'
        'registerWebHandler("/talk/:word", function (request) {'
        '  console.log(request.params.word); for (var n = 0; n < 50; n++) console.log(line); return "said"; });'
    )
    with disk(tmp_path) as (server, make_room):
        assert _deploy(server, talks)[0] == 201
        for _ in range(1000):
            assert _call(server, "GET", "/talk/before") == (200, "said")
            # What else is written now and then may be the first for which there is no room.
            if "log lines of scripts could not be written" in server.output:
                break
        assert "log lines of scripts could not be written: The d" in server.output
        make_room()
        assert _call(server, "GET", "/talk/after") == (200, "said")
        status, result = _call(server, "GET", "/engine/api/logs?limit=1000")
        assert status == 200, result
        kept = [line["message"] for line in result["lines"]]
        assert "after" in kept
        assert any(line.startswith("Log lines lost: ") for line in kept)


def test_start_on_a_full_disk(tmp_path: Path) -> None:
    """A server whose disk was filled to the last byte while it was away serves what it served."""
    with _small_disk(tmp_path) as (server, _):
        assert _deploy(server, _source("old"))[0] == 201
        server.process.send_signal(signal.SIGKILL)
        server.ended()
        data = tmp_path / "data"
        (data / "address").unlink()
        subprocess.run(["dd", "if=/dev/zero", f"of={data / 'filled'}", "bs=512"], capture_output=True, check=False)
        assert os.statvfs(data).f_bavail == 0
        with started(tmp_path, "--profile", "production") as again:

            def answers(server: Server = again) -> re.Match[str] | None:
                assert server.process.poll() is None, server.output
                return re.search(r" answers at http://(\S+)", server.output)

            found = wait_until(answers, state=lambda: again.output)
            connection = http.client.HTTPConnection(found[1], timeout=60)
            connection.request("GET", "/big")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"old")
            connection.close()
            assert "the address cannot be written" in again.output


def test_full_disk_and_a_restart(tmp_path: Path) -> None:
    """What served before a deployment that found no room serves after a restart."""
    with _small_files(tmp_path) as (server, _):
        assert _deploy(server, _source("old"))[0] == 201
        assert _deploy(server, _source("new", size=2_500_000))[0] == 503
        server.process.send_signal(signal.SIGKILL)
        server.ended()
    (tmp_path / "data" / "address").unlink()
    with started(tmp_path) as server:
        assert _call(server, "GET", "/big") == (200, "old")
        assert _history(server) == [1]
