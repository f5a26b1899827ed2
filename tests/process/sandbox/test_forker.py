"""The fork server: requests on its control socket, real children."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.forker import MAX_MESSAGE

ROOT = Path(__file__).parents[3]
_PATIENCE_SECONDS = 30.0
_SERVER = """
import os, signal, socket, sys
from sandbox.forker import ForkServer

def write(request, descriptors, parent):
    os.write(descriptors[0], b"%d %d" % (request["number"], parent == os.getppid()))
    os._exit(3)

def wait(request, descriptors, parent):
    signal.pause()

def fail(request, descriptors, parent):
    raise ValueError("not today")

control = socket.socket(fileno=int(sys.argv[1]))
ForkServer(control=control, children={"write": write, "wait": wait, "fail": fail}, report={"name": "test"}).serve()
"""


class Server:
    """A fork server as a process of its own."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(_PATIENCE_SECONDS)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )
        theirs.close()

    def ask(self, request: Any, *descriptors: int) -> None:
        """Send a request."""
        data = request if isinstance(request, bytes) else json.dumps(request).encode()
        socket.send_fds(self.control, [data], descriptors)

    def event(self) -> dict[str, Any]:
        """Return the next event."""
        event: dict[str, Any] = json.loads(self.control.recv(MAX_MESSAGE))
        return event

    def end(self) -> None:
        """Close the control socket, and wait for the end."""
        self.control.close()
        self.process.wait(_PATIENCE_SECONDS)
        assert self.process.stderr is not None
        self.process.stderr.close()


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    """Start a server, and take its first event."""
    server = Server()
    first = server.event()
    assert (first["ev"], first["pid"], first["report"]) == ("ready", server.process.pid, {"name": "test"})
    yield server
    server.end()
    assert server.process.returncode == 0


def test_child(server):
    """A child gets its request and the descriptors; its end is reported with its status and what it used."""
    reading, writing = os.pipe()
    server.ask({"op": "write", "id": 7, "number": 5}, writing)
    os.close(writing)
    forked, ended = server.event(), server.event()
    assert (forked["ev"], forked["id"]) == ("forked", 7)
    assert (ended["ev"], ended["id"], ended["pid"]) == ("exit", 7, forked["pid"])
    assert os.waitstatus_to_exitcode(ended["status"]) == 3
    assert ended["maxrss"] > 0
    with os.fdopen(reading, "rb") as pipe:
        # The server has closed its own copy, or this would never end.
        assert pipe.read() == b"5 1"


def test_killed(server):
    """A child is killed by its id, and no other one."""
    server.ask({"op": "wait", "id": 1})
    server.ask({"op": "wait", "id": 2})
    assert [server.event()["id"], server.event()["id"]] == [1, 2]
    server.ask({"op": "kill", "id": 99})
    server.ask({"op": "kill", "id": 2})
    ended = server.event()
    assert (ended["id"], os.waitstatus_to_exitcode(ended["status"])) == (2, -signal.SIGKILL)


def test_child_that_fails(server):
    """An exception in a child ends the child, not the server."""
    server.ask({"op": "fail", "id": 1})
    assert server.event()["ev"] == "forked"
    assert server.event()["ev"] == "exit"
    server.ask({"op": "write", "id": 2, "number": 0})
    assert server.event()["id"] == 2


@pytest.mark.parametrize("request_", [{"op": "nothing", "id": 4}, {"id": 4}])
def test_unknown_request(server, request_):
    """A request that makes no sense is answered if it has an id."""
    server.ask(request_)
    refused = server.event()
    assert (refused["ev"], refused["id"]) == ("failed", 4)
    assert refused["message"].startswith("no such request")


@pytest.mark.parametrize("request_", [b"{", b"[]", b"null", b'{"op": "wait"}', b'{"op": "wait", "id": "x"}'])
def test_garbage(server, request_):
    """What is no request at all is ignored, and its descriptors are closed."""
    reading, writing = os.pipe()
    server.ask(request_, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b""
    server.ask({"op": "wait", "id": 1})
    assert server.event()["ev"] == "forked"
    server.ask({"op": "kill", "id": 1})
    assert server.event()["ev"] == "exit"


def test_several(server):
    """Several children are forked for one message; each has its own descriptor only, and is reported by itself."""
    pipes = [os.pipe() for _ in range(3)]
    server.ask({"op": "write", "ids": [7, 8, 9], "number": 5}, *(writing for _, writing in pipes))
    for _, writing in pipes:
        os.close(writing)
    events = [server.event() for _ in range(4)]
    (forked,) = (event for event in events if event["ev"] == "forked")
    assert forked["ids"] == [7, 8, 9]
    ended = {event["id"]: event["pid"] for event in events if event["ev"] == "exit"}
    assert ended == dict(zip(forked["ids"], forked["pids"], strict=True))
    for reading, _ in pipes:
        # To the end: nobody else has the other side of the pipe.
        with os.fdopen(reading) as file:
            assert file.read() == "5 1"


def test_several_without_descriptors(server):
    """Several children with one descriptor are refused, each by its id."""
    reading, writing = os.pipe()
    server.ask({"op": "write", "ids": [7, 8], "number": 5}, writing)
    os.close(writing)
    os.close(reading)
    assert [(event["ev"], event["id"]) for event in (server.event(), server.event())] == [("failed", 7), ("failed", 8)]
