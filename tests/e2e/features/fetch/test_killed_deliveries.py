"""Requests that are sent after the commit, while the server is killed or handed over."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.killing import Ledgers
from tests.support.servers import Server, started
from tests.support.waiting import wait_until

SCRIPT = """
registerWebHandler("/order/:id", function (req) {
  sharedStorage.setItem("order", req.params.id);
  var init = { method: "POST", body: req.params.id, afterCommit: true };
  return fetch(req.query.url, init).then(function () { return "ordered"; });
}, "POST");
registerWebHandler("/stored", function () { return String(sharedStorage.getItem("order")); });
"""


class Receiver:
    """A server that keeps what it is sent, and answers when it may."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str]] = []
        """Keys and bodies."""
        self.may_answer = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            """Takes one request."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Keep it."""
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                receiver.received.append((self.headers["idempotency-key"], body))
                receiver.may_answer.wait()
                # Whoever asked may have been killed.
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the interface's
                """Write nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def keys(self, body: str) -> list[str]:
        """Return the keys with which a body came."""
        return [key for key, each in list(self.received) if each == body]

    @contextlib.contextmanager
    def running(self) -> Iterator[Receiver]:
        """Serve for the length of the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self.may_answer.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run one that answers at once."""
    with Receiver().running() as made:
        made.may_answer.set()
        yield made


@pytest.fixture
def ledgers(tmp_path: Path) -> Iterator[Ledgers]:
    """Run a server that can be killed at named points, with the script."""
    made = Ledgers(tmp_path)
    made.start()
    try:
        assert call(made, "PUT", "/engine/api/script?uri=orders", {"files": {"main.js": SCRIPT}})[0] == 201
        yield made
    finally:
        made.stop()


def call(ledgers: Ledgers, method: str, path: str, document: Any = None) -> tuple[int, str]:
    """Return status and body of an answer."""
    told = json.loads((ledgers.folder / "address").read_text("ascii"))
    connection = http.client.HTTPConnection(told["address"].removeprefix("http://"), timeout=60)
    try:
        body = None if document is None else json.dumps(document)
        headers = {"authorization": f"Bearer {told['token']}", "content-type": "application/json"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def waiting(ledgers: Ledgers) -> list[Any]:
    """Return the requests that wait or have failed."""
    return json.loads(call(ledgers, "GET", "/engine/api/deliveries")[1])["deliveries"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("point", ["commit.done", "commit.told", "volatile.next"])
def test_killed_between_commit_and_sending(ledgers: Ledgers, receiver: Receiver, point: str) -> None:
    """What was committed when the server was killed is sent by the next one."""
    assert call(ledgers, "POST", f"/order/first?url={receiver.url}")[0] == 200
    wait_until(lambda: receiver.keys("first") and not waiting(ledgers))
    ledgers.arm(point, "server")
    with contextlib.suppress(OSError, http.client.HTTPException):
        call(ledgers, "POST", f"/order/killed?url={receiver.url}")
    ledgers.until("ended")
    assert receiver.keys("killed") == []
    ledgers.start()
    wait_until(lambda: receiver.keys("killed"))
    assert call(ledgers, "GET", "/stored") == (200, "killed")
    wait_until(lambda: not waiting(ledgers))
    assert len(set(receiver.keys("killed"))) == 1


@pytest.mark.parametrize("point", ["effect.held", "commit.asked", "commit.written"])
def test_killed_before_the_commit(ledgers: Ledgers, receiver: Receiver, point: str) -> None:
    """What was not committed when the server was killed is never sent, and nothing else of the invocation is there."""
    assert call(ledgers, "POST", f"/order/first?url={receiver.url}")[0] == 200
    wait_until(lambda: not waiting(ledgers))
    ledgers.arm(point, "server")
    with contextlib.suppress(OSError, http.client.HTTPException):
        call(ledgers, "POST", f"/order/killed?url={receiver.url}")
    ledgers.until("ended")
    ledgers.start()
    assert waiting(ledgers) == []
    assert call(ledgers, "GET", "/stored") == (200, "first")
    # What comes later is sent, and that alone.
    assert call(ledgers, "POST", f"/order/last?url={receiver.url}")[0] == 200
    wait_until(lambda: receiver.keys("last"))
    assert receiver.keys("killed") == []


def test_killed_while_sending(ledgers: Ledgers, receiver: Receiver) -> None:
    """A request that was under way when the server was killed is sent again by the next one, with the same key."""
    receiver.may_answer.clear()
    assert call(ledgers, "POST", f"/order/killed?url={receiver.url}")[0] == 200
    wait_until(lambda: receiver.keys("killed"))
    ledgers.kill("server")
    ledgers.until("ended")
    receiver.may_answer.set()
    ledgers.start()
    wait_until(lambda: len(receiver.keys("killed")) == 2)
    wait_until(lambda: not waiting(ledgers))
    first, second = receiver.keys("killed")
    assert first == second


def _order(server: Server, identity: str, url: str) -> bool:
    request = urllib.request.Request(f"{server.address}/order/{identity}?url={url}", method="POST", data=b"")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_handed_over(tmp_path: Path, receiver: Receiver) -> None:
    """While one server takes over from another nothing is lost: what waits, what is under way and what comes."""
    ordered: list[str] = []
    over = threading.Event()
    with started(tmp_path, "--profile", "development") as server:
        request = urllib.request.Request(
            f"{server.address}/engine/api/script?uri=orders",
            method="PUT",
            headers={"authorization": f"Bearer {server.token}", "content-type": "application/json"},
            data=json.dumps({"files": {"main.js": SCRIPT}}).encode(),
        )
        urllib.request.urlopen(request, timeout=60).close()

        def order() -> None:
            while not over.is_set():
                identity = str(len(ordered))
                assert _order(server, identity, receiver.url), identity
                ordered.append(identity)

        ordering = threading.Thread(target=order)
        receiver.may_answer.clear()
        ordering.start()
        try:
            # Some are under way and unanswered, the others wait behind them.
            wait_until(lambda: len(receiver.received) >= 2 and len(ordered) > 20)
            before = server.process.pid
            os.kill(before, signal.SIGUSR2)
            wait_until(lambda: server.process.poll() is not None, state=lambda: server.output)
            receiver.may_answer.set()
            count = len(ordered)
            wait_until(lambda: len(ordered) > count + 5)
        finally:
            receiver.may_answer.set()
            over.set()
            ordering.join()
        successor = int((tmp_path / "data" / "lock").read_text())
        assert successor != before
        try:
            wait_until(lambda: {body for _, body in list(receiver.received)} == set(ordered))
            for body in ordered:
                assert len(set(receiver.keys(body))) == 1
        finally:
            os.kill(successor, signal.SIGTERM)
