"""Fifty megabytes of source, by every way in: a clear refusal, and a server that does not swell."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from aiwebengine.terminal import exits
from tests.support.servers import Server, started

_MEGABYTES = 50
_SOURCE = "registerWebHandler('/huge', () => 1);\n//" + "x" * (_MEGABYTES * 1024 * 1024)


def _resident_bytes(server: Server) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _command(server: Server, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AIWEBENGINE_URL": server.address, "AIWEBENGINE_TOKEN": server.token}
    return subprocess.run(
        [sys.executable, "-m", "aiwebengine.cli", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _expect_refusal(result: str, size: int | None = None) -> None:
    """Expect a text that names the limit, how much there was, and the setting to change."""
    limit, seen = (int(number.replace(",", "")) for number in re.findall(r"\d[\d,]{6,}", result))
    assert limit < _MEGABYTES * 1024 * 1024 < seen, result
    assert size is None or seen == size, result
    assert "deploy.max_total_bytes" in result


def test_huge_source(tmp_path: Path) -> None:
    """Too much source is refused with its size, the limit and what to do, and nothing else notices."""
    (tmp_path / "huge.js").write_text(_SOURCE)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "main.js").write_text("import './data.js';")
    (folder / "data.js").write_text(_SOURCE)
    (tmp_path / "hello.js").write_text("registerWebHandler('/hello', () => 'hello');")
    with started(tmp_path) as server:
        assert _command(server, tmp_path, "deploy", "hello.js").returncode == 0
        before = _resident_bytes(server)
        connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=60)
        headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
        body = json.dumps({"files": {"main.js": _SOURCE}})
        # It may be refused before all of it was sent; the answer is there.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("PUT", "/engine/api/script?uri=huge", body, headers)
        answer = connection.getresponse()
        document = json.loads(answer.read())
        connection.close()
        assert (answer.status, document["code"]) == (413, "too_large")
        _expect_refusal(document["detail"], len(body))
        for what in ("huge.js", "folder"):
            done = _command(server, tmp_path, "deploy", what)
            assert done.returncode == exits.REFUSED
            _expect_refusal(done.stderr)
        done = _command(server, tmp_path, "check", "huge.js")
        assert done.returncode == exits.REFUSED
        _expect_refusal(done.stderr)
        assert _resident_bytes(server) - before < 60 * 1024 * 1024
        assert server.status("/hello") == 200
        assert server.status("/huge") == 404
