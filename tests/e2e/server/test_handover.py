"""Stopping without losing an answer, and a new process that takes over without a gap."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients.load import Load
from tests.support.servers import SERVE, TWISTD, TWISTD_DAEMON, Server, started
from tests.support.waiting import wait_until

PAUSE_SECONDS = 0.005
"""Of a client between two requests while another process starts, which would wait for the clients otherwise."""
SERVES = re.compile(r"process (\d+) is serving; this one finishes its open requests")

EVERY_WAY = pytest.mark.parametrize("command", [SERVE, TWISTD], ids=["serve", "twistd"])
LATER = pytest.mark.slow("what twistd and other signals do the same way is tried in a quick run elsewhere")
SERVE_FIRST = pytest.mark.parametrize(
    "command", [pytest.param(SERVE, id="serve"), pytest.param(TWISTD, id="twistd", marks=LATER)]
)

SCRIPT = """
var seen = 0;
registerWebHandler("/hi", function () { seen += 1; console.log("hi " + seen); return "hi"; });
registerWebHandler("/slow", function () {
  return new Promise(function (resolve) { setTimeout(function () { resolve("slow"); }, 2000); });
});
registerWebHandler("/endless", function () { return new Promise(function (resolve) { setTimeout(resolve, 9000); }); });
registerWebHandler("/after", function (req, ctx) {
  ctx.waitUntil(new Promise(function (resolve) {
    setTimeout(function () { console.log("after the answer"); resolve(); }, 2000);
  }));
  return "answered";
});
"""


def ask(address: str, token: str, method: str, path: str, document: Any = None) -> tuple[int, Any, Any]:
    """Call the management API; give status, document and headers."""
    request = urllib.request.Request(
        f"{address}/engine/api{path}",
        method=method,
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        data=None if document is None else json.dumps(document).encode(),
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read() or b"null"), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read()), error.headers


def deploy(server: Server, source: str = SCRIPT, uri: str = "load") -> None:
    """Deploy a script."""
    status, result, _ = ask(server.address, server.token, "PUT", f"/script?uri={uri}", {"files": {"main.js": source}})
    assert status in {200, 201}, result


def is_hi(status: int, body: bytes) -> bool:
    """Tell the one right answer."""
    return (status, body) == (200, b"hi")


def running(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def owner(server: Server) -> int:
    """Return the process that names itself in the lock of the data folder."""
    return int((server.folder / "data" / "lock").read_text() or 0)


def successor(server: Server, pids: list[int]) -> None:
    """Have another process take over; wait until it is alone on the data folder, and the one before has ended."""
    before = pids[-1]
    os.kill(before, signal.SIGUSR2)
    output = wait_until(lambda: SERVES.findall(server.output)[len(pids) - 1 :])
    pids.append(int(output[0]))
    wait_until(lambda: not running(before))
    wait_until(lambda: owner(server) == pids[-1])


def end(pid: int) -> None:
    """End a successor, which is nobody's child here."""
    if running(pid):
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not running(pid))


@SERVE_FIRST
@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, id="SIGTERM"), pytest.param(signal.SIGINT, id="SIGINT", marks=LATER)]
)
def test_stop_under_load(command: Sequence[str], number: int, tmp_path: Path) -> None:
    """Every request that was accepted gets its whole answer, the last of each connection saying that it ends."""
    with started(tmp_path, command=command) as server:
        deploy(server)
        with Load(server.address, "/hi", clients=8, expected=is_hi) as load:
            load.wait_for(200)
            assert server.stop(number) in {0, -number}
        assert load.failures == []
        assert load.closed == load.unconnected == 8
        assert "Traceback" not in server.output
    count = load.count
    with started(tmp_path) as server:
        status, result, _ = ask(server.address, server.token, "GET", "/receipts?uri=load")
        lines = 0
        before = ""
        while True:
            status, result, _ = ask(server.address, server.token, "GET", f"/logs?uri=load&limit=1000{before}")
            assert status == 200
            lines += len(result["lines"])
            if result["next"] is None:
                break
            before = f"&before={result['next']}"
        assert lines == count


@EVERY_WAY
def test_stop_with_work_in_hand(command: Sequence[str], tmp_path: Path) -> None:
    """A slow answer is finished, so is what goes on after an answer; what takes too long is told so."""
    with started(tmp_path, "--set", "server.stop_seconds=4", command=command) as server:
        deploy(server)
        address, token = server.address, server.token
        host, port = address.removeprefix("http://").split(":")
        with (
            socket.create_connection((host, int(port)), timeout=20) as slow,
            socket.create_connection((host, int(port)), timeout=20) as endless,
            socket.create_connection((host, int(port)), timeout=20) as idle,
            urllib.request.urlopen(address + "/after") as answered,
        ):
            assert answered.read() == b"answered"
            slow.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            endless.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            wait_until(lambda: ask(address, token, "GET", "/state")[1]["runtime"]["active"] == 3)
            server.process.send_signal(signal.SIGTERM)
            result = everything(slow)
            assert result.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close\r\n" in result
            assert result.endswith(b"\r\n\r\nslow")
            assert everything(idle) == b""
            result = everything(endless)
            assert result.startswith(b"HTTP/1.1 503 ")
            assert b"outcome_unknown" in result
        server.ended()
        assert "some requests did not finish in time" in server.output
    with started(tmp_path) as server:
        _, result, _ = ask(server.address, server.token, "GET", "/logs?uri=load")
        assert [line["message"] for line in result["lines"]] == ["after the answer"]


def everything(connection: socket.socket) -> bytes:
    """Read to the end."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


STREAMS = """
registerWebStream("/live", { history: 0 });
registerWebHandler("/say", function (req) { sendStreamMessage(req.query.text); return "said"; });
registerWebHandler("/go", function () { return kv.set("go", true).then(function () { return "gone"; }); });
registerWebHandler("/wait", function (req) {
  return new Promise(function (resolve) {
    function look() {
      kv.get("go").then(function (go) {
        if (!go) return setTimeout(look, 200);
        sendStreamMessage("late");
        resolve("said");
      });
    }
    look();
  });
});
"""


class Listener:
    """Somebody who reads a stream until it ends."""

    def __init__(self, address: str) -> None:
        host, port = address.removeprefix("http://").split(":")
        self.read = b""
        self._socket = socket.create_connection((host, int(port)), timeout=30)
        self._socket.sendall(b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
        self.over = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        wait_until(lambda: b"retry: " in self.read)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while part := self._socket.recv(65536):
                self.read += part
        self.over = True

    def close(self) -> None:
        """Go."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()


def test_handover_of_streams(tmp_path: Path) -> None:
    """Clients are sent to the new process, and what the old one still says reaches those who listen to the new."""
    with started(tmp_path, "--set", "limits.wall_seconds=120") as server:
        deploy(server, STREAMS)
        pids = [server.process.pid]
        first = Listener(server.address)
        listeners = [first]
        try:
            slow = threading.Thread(target=lambda: urllib.request.urlopen(f"{server.address}/wait").read())
            slow.start()
            wait_until(lambda: ask(server.address, server.token, "GET", "/state")[1]["runtime"]["active"] == 1)
            os.kill(pids[-1], signal.SIGUSR2)
            wait_until(lambda: first.over)
            assert b'"reason": "stopping"' in first.read
            pids.append(int(wait_until(lambda: SERVES.findall(server.output))[0]))
            second = Listener(server.address)
            listeners.append(second)
            with urllib.request.urlopen(f"{server.address}/say?text=new") as answer:
                assert answer.read() == b"said"
            wait_until(lambda: b"data: new" in second.read)
            # Only now does the old process say what it has to say.
            with urllib.request.urlopen(f"{server.address}/go") as answer:
                assert answer.read() == b"gone"
            wait_until(lambda: b"data: late" in second.read)
            slow.join(20)
            wait_until(lambda: not running(pids[0]))
            # A third one would come now.
            time.sleep(0.5)
            assert second.read.count(b"data: ") == 2
        finally:
            for listener in listeners:
                listener.close()
            for pid in pids[1:]:
                end(pid)


@SERVE_FIRST
def test_handover_under_load(command: Sequence[str], tmp_path: Path) -> None:
    """Twice a new process takes over under load: no request fails, no connection is refused, the old one is gone."""
    with started(tmp_path, command=command) as server:
        deploy(server)
        address, token = server.address, server.token
        pids = [server.process.pid]
        try:
            with Load(address, "/hi", clients=6, expected=is_hi, pause=PAUSE_SECONDS) as load:
                load.wait_for(100)
                for _ in range(2):
                    successor(server, pids)
                    load.wait_for(100)
            assert load.failures == []
            assert load.unconnected == 0
            assert len(set(pids)) == 3
            assert server.address == address
            assert ask(address, token, "GET", "/state")[0] == 200
            deploy(server, SCRIPT.replace('return "hi"', 'return "new"'))
            with urllib.request.urlopen(address + "/hi") as answer:
                assert answer.read() == b"new"
            messages = server_lines(address, token)
            assert messages >= load.count
        finally:
            for pid in pids[1:]:
                end(pid)
        assert not (tmp_path / "data" / "address").exists()
        assert "Traceback" not in server.output


def server_lines(address: str, token: str) -> int:
    """Count the log lines of the script."""
    count, before = 0, ""
    while True:
        _, result, _ = ask(address, token, "GET", f"/logs?uri=load&limit=1000{before}")
        count += len(result["lines"])
        if result["next"] is None:
            return count
        before = f"&before={result['next']}"


@SERVE_FIRST
def test_successor_that_cannot_serve(command: Sequence[str], tmp_path: Path) -> None:
    """When the new process cannot start, the old one says why, goes on, and can be deployed to again."""
    settings = tmp_path / "my.yaml"
    settings.write_text("server:\n  stop_seconds: 5\n")
    with started(tmp_path, "--config", "my.yaml", command=command) as server:
        deploy(server)
        with Load(server.address, "/hi", clients=4, expected=is_hi, pause=PAUSE_SECONDS) as load:
            load.wait_for(20)
            for wrong in ("server:\n  prot: 80\n", f"server:\n  data_folder: {tmp_path}/other\n"):
                settings.write_text(wrong)
                told = server.output.count("this process keeps serving")
                server.process.send_signal(signal.SIGUSR2)
                wait_until(lambda told=told: server.output.count("this process keeps serving") > told)
                load.wait_for(20)
        assert (load.failures, load.unconnected) == ([], 0)
        assert "did you mean `server.port`?" in server.output
        deploy(server, SCRIPT + "// again")
        assert owner(server) == server.process.pid
        assert server.stop() in {0, -signal.SIGTERM}


def test_successor_that_takes_too_long(tmp_path: Path) -> None:
    """A new process that does not serve in time is ended; meanwhile deployments are told to come back."""
    slow = tmp_path / "slow.py"
    slow.write_text(
        "import os, sys, time\n"
        "if 'AIWEBENGINE_PREDECESSOR' in os.environ:\n"
        f"    open({str(tmp_path / 'asked')!r}, 'w').write(str(os.getpid()))\n"
        "    time.sleep(60)\n"
        "from aiwebengine.cli.main import main\n"
        "main()\n"
    )
    command = (sys.executable, str(slow), "serve")
    with started(tmp_path, "--set", "server.handover_seconds=3", command=command) as server:
        deploy(server)
        server.process.send_signal(signal.SIGUSR2)
        pid = int(wait_until(lambda: (tmp_path / "asked").exists() and (tmp_path / "asked").read_text()))
        document = {"files": {"main.js": SCRIPT}}
        status, result, headers = ask(server.address, server.token, "PUT", "/script?uri=other", document)
        assert (status, result["code"]) == (503, "unavailable"), result
        assert int(headers["retry-after"]) >= 1
        wait_until(lambda: "did not serve within 3 s" in server.output)
        wait_until(lambda: not running(pid))
        deploy(server, uri="load")


def test_daemon_hands_over(tmp_path: Path) -> None:
    """A daemon's successor is a daemon: the pid file names it until it ends, and its log is the same."""
    words = [*TWISTD_DAEMON, "--port", "0"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    pidfile, log = tmp_path / "twistd.pid", tmp_path / "twistd.log"
    first = int(pidfile.read_text())
    pids = [first]
    try:
        wait_until((tmp_path / "data" / "address").exists)
        for _ in range(2):
            os.kill(pids[-1], signal.SIGUSR2)
            pids.append(int(wait_until(lambda: (now := pidfile.read_text()) != str(pids[-1]) and now)))
            wait_until(lambda: not running(pids[-2]))
            assert pidfile.exists()
            wait_until(lambda: int((tmp_path / "data" / "lock").read_text() or 0) == pids[-1])
        assert log.read_text().count("listening on http://") == 3
    finally:
        for pid in pids:
            end(pid)
    wait_until(lambda: not pidfile.exists())


FAILING = """
registerWebHandler("/fail", () => { throw new Error("no"); });
registerWebHandler("/late", () => new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 3000)));
"""


def test_log_file_over_a_handover(tmp_path: Path) -> None:
    """While two processes write one log file and it is rotated, every line is in the one file or the other, once."""
    words = [*TWISTD_DAEMON, "--port", "0", "--set", "errors.show_source=false", "--set", "limits.wall_seconds=10"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    pidfile, log, rotated = tmp_path / "twistd.pid", tmp_path / "twistd.log", tmp_path / "twistd.log.1"
    pids = [int(pidfile.read_text())]
    ids: list[str] = []

    def fail(path: str = "/fail") -> None:
        try:
            urllib.request.urlopen(address + path, timeout=30).close()
        except urllib.error.HTTPError as error:
            with error:
                ids.append(error.headers["x-request-id"])

    try:
        wait_until((tmp_path / "data" / "address").exists)
        address = wait_until(lambda: (tmp_path / "data" / "address").read_text().strip())
        token = (tmp_path / "data" / "administrator-token").read_text().strip()
        status, result, _ = ask(address, token, "PUT", "/script?uri=f", {"files": {"main.js": FAILING}})
        assert status == 201, result
        fail()
        late = threading.Thread(target=fail, args=("/late",))
        late.start()
        # It is in hand of the process that goes.
        wait_until(lambda: ask(address, token, "GET", "/state")[1]["runtime"]["active"] == 1)
        os.kill(pids[0], signal.SIGUSR2)
        pids.append(int(wait_until(lambda: (now := pidfile.read_text()) != str(pids[0]) and now)))
        fail()
        log.rename(rotated)
        fail()
        late.join()
        wait_until(lambda: not running(pids[0]))
        fail()
        written = {path: path.read_text() for path in (log, rotated)}
        counts = {identity: sum(text.count(f"request {identity}: ") for text in written.values()) for identity in ids}
        assert counts == dict.fromkeys(ids, 1)
        assert len(ids) == 5
        assert ids[0] in written[rotated]
        assert ids[-1] in written[log]
    finally:
        for pid in pids:
            end(pid)


@EVERY_WAY
def test_socket_of_a_service_manager(command: Sequence[str], tmp_path: Path) -> None:
    """A socket that a service manager passes is served, and a service manager that listens is told."""
    tail = (
        "import os, sys; os.dup2(int(sys.argv[1]), 3); os.environ['LISTEN_PID'] = str(os.getpid()); "
        "os.execv(sys.executable, sys.argv[2:])"
    )
    words = [*command, "--data-folder", "data"]
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        (tmp_path / "output").open("wb") as output,
    ):
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        port = listening.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-c", tail, str(listening.fileno()), *words],
            cwd=tmp_path,
            stdout=output,
            stderr=output,
            pass_fds=[listening.fileno()],
            env={**os.environ, "LISTEN_FDS": "1", "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        server = Server(process=process, folder=tmp_path)
        pids = [process.pid]
        try:
            assert server.address == f"http://127.0.0.1:{port}"
            assert manager.recv(100) == b"READY=1"
            assert server.status("/nothing-here") == 404
            successor(server, pids)
            assert {manager.recv(100), manager.recv(100)} == {b"READY=1", b"MAINPID=%d" % pids[1]}
            assert server_status(port) == 404
        finally:
            for pid in pids[1:]:
                end(pid)
            if process.poll() is None:
                process.kill()
            process.wait()


def server_status(port: int) -> int:
    """Ask for nothing."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/nothing-here", timeout=10)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    return 200
