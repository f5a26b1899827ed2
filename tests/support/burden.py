"""A server in a process of its own whose reactor is measured (`burdened.py`), and clients that burden it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support.burdened import FORM, mapped
from tests.support.waiting import wait_until

TURN_SECONDS = 0.020
"""Most that one turn of the reactor may take."""
TICK_SECONDS = 0.040
"""Most that the process may take between two ticks: a turn, the wait for the next tick, and other threads' share."""
QUICK_WORK_SECONDS = 0.010
"""What `fixed_work` takes on a machine that is quiet and of today."""
_SETTLE_SECONDS = 0.3
_ATTEMPTS = 5


QUIET = 'registerWebHandler("/quiet", function () { return "quiet"; });'


def fixed_work() -> float:
    """Return how much processor time a fixed piece of work takes."""
    began = time.thread_time()
    sum(number * number for number in range(150_000))
    return time.thread_time() - began


class BurdenedServer:
    """A server whose reactor is measured, and a client."""

    def __init__(self, folder: Path) -> None:
        self.host = ""
        """Where it listens, `host:port`."""
        self._memory = mapped(folder)
        self._folder = folder
        with (folder / "output").open("wb") as output:
            words = [sys.executable, "-m", "tests.support.burdened", str(folder)]
            # Measured for coverage, everything would take several times as long, and not everything as many times.
            plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
            self._process = subprocess.Popen(words, stdout=output, stderr=subprocess.STDOUT, env=plain)

    def wait(self) -> None:
        """Return when it answers."""
        address, output = self._folder / "address", self._folder / "output"

        def answers() -> str:
            assert self._process.poll() is None, output.read_text()
            return address.read_text() if address.exists() else ""

        self.host = wait_until(answers, state=output.read_text).removeprefix("http://")
        self._token = (self._folder / "administrator-token").read_text().strip()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> int:
        """Return the status of an answer."""
        connection = http.client.HTTPConnection(self.host, timeout=120)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def api(self, path: str, body: bytes = b"", kind: str = "application/json", *, method: str = "") -> int:
        """Deploy, or whatever else *path* is for; PUT if there is a body and GET if not, unless *method* says so."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": kind}
        return self.ask(method or ("PUT" if body else "GET"), f"/engine/api{path}", body, headers)

    def deploy(self, uri: str, source: str) -> int:
        """Deploy one file."""
        return self.api(f"/script?uri={uri}", json.dumps({"files": {"main.js": source}}).encode())

    def json(self, path: str) -> Any:
        """Read something of the management API."""
        connection = http.client.HTTPConnection(self.host, timeout=120)
        connection.request("GET", f"/engine/api{path}", headers={"authorization": f"Bearer {self._token}"})
        document = json.loads(connection.getresponse().read())
        connection.close()
        return document

    def record(self, method: str, path: str, body: bytes = b"", kind: str = "text/plain") -> int:
        """Have a request recorded."""
        headers = {"x-aiwebengine-token": self._token, "x-aiwebengine-record": "1", "content-type": kind}
        return self.ask(method, path, body, headers)

    def seed(self, database: str, rows: Iterable[tuple[str, Sequence[tuple[object, ...]]]]) -> None:
        """Put rows into a database of the server, statement by statement."""
        with closing(sqlite3.connect(self._folder / database, timeout=60)) as connection:
            for statement, values in rows:
                connection.executemany(statement, values)
            connection.commit()

    def connect(self) -> socket.socket:
        """Open a connection."""
        host, _, port = self.host.rpartition(":")
        return socket.create_connection((host, int(port)), timeout=60)

    def send(self, data: bytes, *, seconds: float = 60.0) -> int:
        """
        Send bytes over a connection of its own while what comes back is read.

        Args:
            seconds: How long to wait for more, unless the server closes the connection.

        Returns:
            How many bytes came back.
        """
        received = 0
        with self.connect() as connection:
            sender = threading.Thread(target=_send, args=(connection, data), daemon=True)
            sender.start()
            connection.settimeout(seconds)
            try:
                while piece := connection.recv(1 << 20):
                    received += len(piece)
            except (TimeoutError, ConnectionResetError):
                pass
        sender.join()
        return received

    def begin(self) -> None:
        """Measure from now on."""
        FORM.pack_into(self._memory, 0, 0.0, 0.0, 0.0)

    def figures(self) -> tuple[float, float]:
        """Return the longest turn and the most between two ticks, in seconds of processor time."""
        turn, process, _ = FORM.unpack_from(self._memory)
        return turn, process


def _send(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError:
        # It was closed on the other side, or here.
        return


@contextmanager
def burdened_server(*scripts: str) -> Iterator[BurdenedServer]:
    """Run a server with a quiet script, and others."""
    with tempfile.TemporaryDirectory(prefix="burdened-") as folder:
        running = BurdenedServer(Path(folder))
        try:
            running.wait()
            for number, source in enumerate((QUIET, *scripts)):
                assert running.deploy(f"script{number}", source) == 201
            assert running.ask("GET", "/quiet") == 200
            yield running
        finally:
            running.stop()


class Probe(threading.Thread):
    """Asks another script all the while."""

    def __init__(self, server: BurdenedServer) -> None:
        super().__init__(daemon=True)
        self._server = server
        self.over = threading.Event()
        self.statuses: list[int] = []

    def run(self) -> None:
        """Ask."""
        while not self.over.is_set():
            self.statuses.append(self._server.ask("GET", "/quiet"))
            time.sleep(0.005)


def check_burden(server: BurdenedServer, send: Callable[[], object], *, tick_seconds: float = TICK_SECONDS) -> None:
    """Send it until the reactor was not held: what else the machine does makes figures larger, and never smaller."""
    seen = []
    for _ in range(_ATTEMPTS):
        turn, process, slower = burden_of(server, send)
        if turn < TURN_SECONDS * slower and process < tick_seconds * slower:
            return
        seen.append(
            f"a turn took {turn * 1000:.1f} ms, {process * 1000:.1f} ms lay between ticks; slower by {slower:.2f}"
        )
    raise AssertionError("\n".join(seen))


def burden_of(server: BurdenedServer, send: Callable[[], object]) -> tuple[float, float, float]:
    """Return the longest turn, the most between two ticks, and by how much the machine is slower than a quiet one."""
    probe = Probe(server)
    works = [fixed_work() for _ in range(5)]
    server.begin()
    probe.start()
    send()
    time.sleep(_SETTLE_SECONDS)
    turn, process = server.figures()
    probe.over.set()
    probe.join()
    works += [fixed_work() for _ in range(5)]
    assert probe.statuses
    assert set(probe.statuses) == {200}
    return turn, process, max(1.0, sorted(works)[5] / QUICK_WORK_SECONDS)
