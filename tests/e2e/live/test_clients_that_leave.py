"""A client that leaves while an answer is streamed: the script is told, whatever its stream is made of."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest_twisted
from twisted.internet.threads import deferToThread

from tests.support.engine import EngineUnderTest, shared_engine
from tests.support.waiting import until

SCRIPT = """
const part = "x".repeat(1000);

registerWebHandler("/pulled", (req, ctx) => {
  ctx.signal.addEventListener("abort", () => console.log("signal"));
  return new Response(new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      controller.enqueue(part);
    },
    cancel(reason) { console.log("cancelled", { reason: String(reason) }); },
  }));
});

registerWebHandler("/waiting", () => new Response(new ReadableStream({
  start(controller) { controller.enqueue(part); },
  pull() { return new Promise((resolve) => setTimeout(resolve, 4000)); },
  cancel() { console.log("cancelled"); },
})));

registerWebHandler("/generated", async function* () {
  try {
    for (;;) { await new Promise((resolve) => setTimeout(resolve, 5)); yield part; }
  } finally { console.log("cancelled"); }
});
"""


def leave(address: str, path: str) -> bytes:
    """Ask for *path*, read the beginning of the answer, and go."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname, where.port), timeout=20) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        seen = b""
        while b"xxxx" not in seen:
            data = client.recv(4096)
            assert data, seen
            seen += data
    return seen


async def logged(engine: EngineUnderTest, message: str, invocations: set[str]) -> dict[str, object]:
    """Wait for a line of an invocation that is not among *invocations*, and return it."""
    lines: list[dict[str, object]] = []

    async def found() -> dict[str, object] | None:
        lines[:] = (await engine.api("GET", "/logs?uri=leaves")).json()["lines"]
        fitting = (line for line in lines if line["message"] == message and line["invocation"] not in invocations)
        return next(fitting, None)

    return dict(await until(found, state=lambda: (message, lines)))


@pytest_twisted.ensureDeferred
async def test_cancel_is_called() -> None:
    """`cancel` of a stream, `finally` of a generator and the signal of the context tell that the client left."""
    async with shared_engine() as engine:
        await engine.deploy("leaves", {"main.js": SCRIPT})
        before: set[str] = set()
        for path, messages in (
            ("/pulled", ["signal", "cancelled"]),
            ("/waiting", ["cancelled"]),
            ("/generated", ["cancelled"]),
        ):
            seen = await deferToThread(leave, engine.address, path)
            assert b"200 OK" in seen
            lines = [await logged(engine, message, before) for message in messages]
            before |= {str(line["invocation"]) for line in lines}
            if path == "/pulled":
                fields = lines[1]["fields"]
                assert isinstance(fields, dict)
                assert "disconnected" in fields["reason"]
