"""A server that is killed while something is deployed to it."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.servers import Server, started

FILES = 20


def _version(number: int) -> bytes:
    """Return a deployment whose files all say the same."""
    files = {f"public/f{name}.txt": f"{number}\n" * 2000 for name in range(FILES)}
    return json.dumps({"files": {"main.js": "", **files}}).encode()


def _deploy(server: Server, number: int) -> int:
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=60)
    headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
    connection.request("PUT", "/engine/api/script?uri=site", _version(number), headers)
    return connection.getresponse().status


def _deploy_to_the_end(server: Server, number: int) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        _deploy(server, number)


def _served(server: Server) -> set[str]:
    """Return what the files say, each the first line of it."""
    said = set()
    for name in range(FILES):
        with urllib.request.urlopen(f"{server.address}/f{name}.txt", timeout=10) as response:
            said.add(response.read().decode().split("\n")[0])
    return said


@pytest.mark.parametrize("seconds", [0.05, 0.4, 0.8])
def test_files_of_one_version(tmp_path: Path, seconds: float) -> None:
    """Whenever the server is killed, it serves the files of one version afterwards, the old or the new one."""
    with started(tmp_path) as server:
        assert _deploy(server, 1) == 201
        deploying = threading.Thread(target=_deploy_to_the_end, args=(server, 2))
        deploying.start()
        time.sleep(seconds)
        server.stop(signal.SIGKILL)
        deploying.join()
    (tmp_path / "data" / "address").unlink()
    with started(tmp_path) as server:
        said = _served(server)
        assert said in ({"1"}, {"2"})
        assert _deploy(server, 3) == 200
        assert _served(server) == {"3"}
