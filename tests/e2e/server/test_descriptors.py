"""A server that has as many files open as it may."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

from tests.support.descriptors import few_descriptors, open_descriptors
from tests.support.servers import Server, started


def _deploy(server: Server, uri: str) -> tuple[int, Any]:
    source = f'registerWebHandler("/{uri}", function () {{ return "{uri}"; }});'
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=60)
    headers = {"authorization": f"Bearer {server.token}", "content-type": "application/json"}
    try:
        body = json.dumps({"files": {"main.js": source}})
        connection.request("PUT", f"/engine/api/script?uri={uri}", body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_deployment_without_descriptors(tmp_path: Path) -> None:
    """A deployment for which there are no descriptors is refused with what to do, and goes through when there are."""
    with started(tmp_path) as server:
        status, output = _deploy(server, "one")
        assert status in {200, 201}, output
        before = open_descriptors(server.process.pid)
        with few_descriptors(server.process.pid, free=3):
            for _ in range(3):
                status, output = _deploy(server, "two")
                assert (status, output["code"]) == (503, "unavailable"), output
                assert "ulimit -n" in output["detail"], output
            assert server.status("/one") == 200
        assert open_descriptors(server.process.pid) <= before + 2
        status, output = _deploy(server, "two")
        assert status in {200, 201}, output
        assert server.status("/two") == 200
