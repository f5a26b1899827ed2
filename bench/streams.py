"""Streams of events and WebSockets: what idle connections weigh, and how many messages reach how many clients."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from processes import processor_seconds, resident_memory
from rows import Row, row_of
from servers import BENCH, RIVALS, Ours, free_port, running

IDLE = 10_000
LISTENERS = 1_000
EACH_SECOND = 100
SECONDS = 9
MESSAGES = 15

SCRIPT = """
registerWebStream("/idle");
registerWebStream("/busy");
registerWebStream("/light", { history: 0 });
registerWebSocket("/sockets/:topic", { open: (ws, req) => ws.subscribe(req.params.topic) });
registerWebHandler("/send/sockets/:topic", (req) => {
  sendSocketMessage(req.params.topic, { at: Number(req.body), text: "what there is to say" });
  return "sent";
}, "POST");
registerWebHandler("/send/:path", (req) => {
  sendStreamMessageToPath("/" + req.params.path, { at: Number(req.body), text: "what there is to say" });
  return "sent";
}, "POST");
"""

WANTED = {"stream": "30 MB", "WebSocket": "60 MB"}
"""Beyond the memory of the server without them."""


class Clients:
    """
    A process of `listeners.py`.

    Args:
        port: Of whom they listen to.
        path: Of the stream.
        count: How many.
        query: Of a subscription over WebSocket; empty for a stream of events.
    """

    def __init__(self, port: int, path: str, count: int, query: str = "") -> None:
        words = [sys.executable, str(BENCH / "listeners.py"), "127.0.0.1", str(port), path, str(count)]
        words += [query] if query else []
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told = self._line()
        if told != "open":
            raise RuntimeError(f"the clients of {path} could not all be opened: {told}")

    def counts(self) -> dict[str, Any]:
        """Ask what has come."""
        return self._ask("counts")

    def reset(self) -> None:
        """Have it count from zero again."""
        self._ask("reset")

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        message: dict[str, Any] = json.loads(self._line())
        return message

    def end(self) -> None:
        """End it."""
        self._process.communicate("end\n")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@contextlib.contextmanager
def clients(port: int, path: str, count: int, query: str = "") -> Iterator[Clients]:
    """Have clients for the length of a `with` block."""
    made = Clients(port, path, count, query)
    try:
        yield made
    finally:
        made.end()


def stream_rows(folder: Path, *, seconds: int = SECONDS) -> list[Row]:
    """Measure; messages are sent for *seconds*."""
    settings = (f"live.max_topic_subscribers={2 * IDLE}", f"websocket.max_script_connections={IDLE}")
    server = Ours(folder, *(word for setting in settings for word in ("--set", setting)))
    with server.running() as pid:
        server.deploy("bench", {"main.js": SCRIPT})
        server.get("/health/live")
        rows = [*idle_rows(server, pid, "stream", "/idle"), *busy_rows(server, pid, seconds=seconds)]
        rows += broadcast_rows(server, pid)
    # Memory that one kind has used would serve the other.
    with server.running() as pid:
        server.get("/health/live")
        return [*rows, *idle_rows(server, pid, "WebSocket", "/sockets/idle", "-")]


def idle_rows(server: Ours, pid: int, what: str, path: str, query: str = "") -> list[Row]:
    """Measure what idle connections weigh."""
    before = resident_memory(pid)
    with clients(server.port, path, IDLE, query):
        time.sleep(2)
        during = resident_memory(pid)
        send(server, path.removeprefix("/"))
    time.sleep(1)
    return [
        row_of(f"memory of {IDLE:,} idle {what}s", [during - before], unit="MB", wanted=WANTED[what]),
    ]


def busy_rows(server: Ours, pid: int, *, seconds: int) -> list[Row]:
    """Measure what many clients get of many messages."""
    rows: list[Row] = []
    for path, what, query in (
        ("busy", "with history", ""),
        ("light", "without history", ""),
        ("sockets/busy", "WebSockets", "-"),
    ):
        with clients(server.port, f"/{path}", LISTENERS, query) as listening:
            used = processor_seconds(pid)
            began = time.time()
            total = publish(server, path, seconds)
            ended = time.time()
            counts = settled(listening, total)
            used = processor_seconds(pid) - used
        got = counts["all"] / (total * LISTENERS)
        every = f"{LISTENERS:,} clients, {EACH_SECOND} messages/s, {what}"
        rows += [
            row_of(
                f"{every}: came",
                [100 * got],
                unit="%",
                wanted="100 %",
                note=f"{counts['least']} to {counts['most']} of {total} each, {counts['closed']} closed",
            ),
            row_of(f"{every}: last one after", [max(0.0, counts["last"] - ended) * 1000], unit="ms"),
            row_of(f"{every}: processor of the server", [100 * used / (ended - began)], unit="% of a core"),
        ]
    return rows


def broadcast_rows(server: Ours, pid: int) -> list[Row]:
    """Compare one message to many clients with bare twisted.web and autobahn, which only write it to all of them."""
    rival, sockets = free_port(), free_port()
    command = [sys.executable, RIVALS / "broadcasters.py", str(rival), str(sockets)]
    rows: list[Row] = []
    with running(command, f"http://127.0.0.1:{rival}/") as rival_pid:
        for what, bare, path, their_path, their_port, query in (
            ("events", "bare twisted.web", "light", "stream", rival, ""),
            ("WebSockets", "bare autobahn", "sockets/busy", "sockets", sockets, "-"),
        ):
            ours = broadcast(server.port, server.port, pid, path, path, query)
            theirs = broadcast(their_port, rival, rival_pid, "stream", their_path, query)
            every = f"one message to {LISTENERS:,} clients, {what}, to the last"
            rows += [row_of(every, ours[0], unit="ms"), row_of(f"{every}, {bare}", theirs[0], unit="ms")]
            rows.append(row_of(f"{every}, processor time beside {bare}", [ours[1] / theirs[1]]))
    return rows


def broadcast(port: int, send_to: int, pid: int, path: str, send_path: str, query: str) -> tuple[list[float], float]:
    """Send messages, one at a time; return the milliseconds to the last client, and processor seconds for all."""
    with clients(port, f"/{path}", LISTENERS, query) as listening:
        send_now(send_to, send_path, 0)
        reached(listening, 1)
        listening.reset()
        used, times = processor_seconds(pid), []
        for number in range(1, MESSAGES + 1):
            began = time.time()
            send_now(send_to, send_path, number)
            times.append(1000 * (reached(listening, number) - began))
        return times, processor_seconds(pid) - used


def reached(listening: Clients, count: int) -> float:
    """Wait until every client has so many; return when the last one came."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        time.sleep(0.1)
        counts = listening.counts()
        if counts["least"] >= count:
            return float(counts["last"])
    raise RuntimeError(f"a message did not reach everybody: {counts}")


def publish(server: Ours, path: str, seconds: int) -> int:
    """Send messages at an even pace; gives how many."""
    total = EACH_SECOND * seconds
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    began = time.perf_counter()
    for number in range(total):
        wait = began + number / EACH_SECOND - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        connection.request("POST", f"/send/{path}", str(number))
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"a message was refused: {answer.status} {answer.read()[:200]!r}")
        answer.read()
    connection.close()
    return total


def send(server: Ours, path: str) -> None:
    """Send one message."""
    send_now(server.port, path, 0)


def send_now(port: int, path: str, number: int) -> None:
    """Send one message; wait for the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", f"/send/{path}", str(number))
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"a message was refused: {answer.status} {answer.read()[:200]!r}")
    answer.read()
    connection.close()


def settled(listening: Clients, total: int) -> dict[str, Any]:
    """Wait until all has come, or nothing more comes."""
    counts = listening.counts()
    ends = time.monotonic() + 10
    while counts["least"] < total and time.monotonic() < ends:
        time.sleep(0.2)
        counts = listening.counts()
    return counts
