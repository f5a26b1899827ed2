"""
A real zygote driven by plain sockets, as the server would, but blocking.

    with Zygote() as zygote:
        template = zygote.template("registerWebHandler('/', function () { return 1; });")
        clone = template.clone()
        clone.run().body     -> "1"

Whatever is started here is gone when the `with` ends: closing the control socket ends the zygote,
and with it all that it forked.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.features.all import FEATURES
from aiwebengine.host.declarations import surface
from sandbox.bodies import Receiver, encode
from sandbox.boxes import Box, encode_pair

ROOT = Path(__file__).resolve().parents[2]
SEED = "00112233445566778899aabbccddeeff"
NOW = 1_700_000_000_000
PATIENCE_SECONDS = 20.0
_LOWERING = "codegen"
"""The feature that makes functions of strings, for which the server has to lower them."""
SURFACE = surface(
    DECLARED.calls,
    [path for feature in FEATURES if feature.name != _LOWERING for path in feature.prelude],
    advice=DECLARED.advice,
)
"""What scripts find of an engine with every feature but `_LOWERING`, as the server hands it over."""

Host = Callable[[str, list[Any]], Any]
"""Answers a host call; a `HostRefusal` is answered as an error."""


class HostRefusal(Exception):
    """What the host answers instead of a value: the members of a HostError."""

    def __init__(self, **members: Any) -> None:
        super().__init__(members)
        self.members = members


@dataclass(slots=True, kw_only=True)
class Seen:
    """What came of a load or a run."""

    box: Box
    """The last box: an answer or an error; empty if the process died first."""
    calls: list[tuple[str, list[Any]]] = field(default_factory=list)
    logs: list[list[Any]] = field(default_factory=list)
    position: list[str] = field(default_factory=list)
    """Where the script was at its deadline, innermost first."""

    @property
    def head(self) -> Mapping[str, Any]:
        """The answer's head; that of plain JSON is filled in."""
        text = self.box[b"h"].decode()
        head: Mapping[str, Any] = json.loads(text) if text else {"status": 200, "type": "application/json"}
        return head

    @property
    def body(self) -> str:
        """The answer's body as text."""
        return self.box[b"v"].decode()

    @property
    def value(self) -> Any:
        """The JSON of the body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code; empty for an answer."""
        return self.box.get(b"_error_code", b"").decode()

    @property
    def failure(self) -> Mapping[str, Any]:
        """What the error tells."""
        answer: Mapping[str, Any] = json.loads(self.box[b"v"])
        return answer

    @property
    def messages(self) -> list[str]:
        """The text of the log lines."""
        return [line[1] for line in self.logs]


def _arguments(box: Box) -> list[Any]:
    """Return the arguments of a call; of a part of the answer, its head and its body."""
    if not box[b"n"].startswith(b"answer."):
        arguments: list[Any] = json.loads(box[b"v"])
        return arguments
    head, _, body = box[b"v"].partition(b"\0")
    return [head.decode("ascii"), body]


def _null(name: str, arguments: list[Any]) -> Any:
    return None


class Wire:
    """One end of a data socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE_SECONDS)
        self._receiver = Receiver(max_bytes=1 << 28)
        self._boxes: list[Box] = []

    def send(self, value: str | bytes = b"", **pairs: str | int | bytes) -> None:
        """Send one box; keyword names are keys, `_` in front included."""
        head = b"".join(encode_pair(key.encode(), _bytes(value)) for key, value in pairs.items())
        self.sock.sendall(encode(head, _bytes(value)))

    def take(self) -> Box | None:
        """Wait for the next box; None at the end of the socket."""
        while not self._boxes:
            try:
                data = self.sock.recv(1 << 20)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self._boxes += self._receiver.feed(data)
        return self._boxes.pop(0)

    def finish(self, host: Host = _null) -> Seen:
        """Answer host calls until an answer or an error comes, or the end."""
        seen = Seen(box={})
        while True:
            box = self.take()
            if box is None:
                return seen
            if b"_answer" in box or b"_error" in box:
                seen.box = box
                return seen
            if box[b"_command"] == b"log":
                seen.logs += json.loads(box[b"v"])
                continue
            if box[b"_command"] == b"position":
                seen.position = box[b"v"].decode("ascii").splitlines()
                continue
            name, arguments = box[b"n"].decode(), _arguments(box)
            seen.calls.append((name, arguments))
            try:
                answer = {"ok": host(name, arguments)}
            except HostRefusal as refusal:
                answer = {"err": refusal.members}
            # One that has died meanwhile has said all that it will.
            with contextlib.suppress(BrokenPipeError):
                self.send(json.dumps(answer), _answer=box[b"_ask"])

    def close(self) -> None:
        """Close this end."""
        self.sock.close()


class Clone(Wire):
    """A process that runs invocations."""

    def __init__(self, sock: socket.socket, *, number: int, pid: int, template: Template) -> None:
        super().__init__(sock)
        self.number = number
        self.pid = pid
        self.template = template

    def start(self, handler: int = 0, *, wall_ms: int = 5000, cpu_ms: int = 5000, tag: str = "r1", **q: Any) -> None:
        """Send a run box and do not wait."""
        request = {"method": "GET", "path": "/", "url": "/", "headers": {}, "ip": "::1", "id": "q1", **q}
        box = {"k": "http", "h": handler, "i": "i1", "seed": SEED, "t": [*divmod(NOW, 1_000_000), wall_ms]}
        box |= {"q": request, "user": None, "script": "test", "version": "v1"}
        self.send(json.dumps(box), _ask=tag, _command="run", d=wall_ms, c=cpu_ms)

    def run(self, handler: int = 0, *, host: Host = _null, **more: Any) -> Seen:
        """Run a handler to its end."""
        self.start(handler, **more)
        return self.finish(host)

    def end(self) -> Mapping[str, Any]:
        """Wait until the process is reaped; give its exit event."""
        return self.template.event("exit", self.number)


class _Forker:
    """The server's end of a control socket."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        control.settimeout(PATIENCE_SECONDS)
        self._events: list[Mapping[str, Any]] = []
        self._number = 0

    def ask(self, message: Mapping[str, Any], *sockets: socket.socket) -> int:
        """Send a request under a new id, and give the id."""
        self._number += 1
        data = json.dumps({"id": self._number, **message}).encode()
        if sockets:
            socket.send_fds(self.control, [data], [sock.fileno() for sock in sockets])
        else:
            self.control.send(data)
        for sock in sockets:
            sock.close()
        return self._number

    def event(self, kind: str, number: int | None = None) -> Mapping[str, Any]:
        """Wait for an event; others are kept for later."""
        while True:
            for event in self._events:
                if event["ev"] == kind and number in {None, event.get("id")}:
                    self._events.remove(event)
                    return event
            data = self.control.recv(1 << 16)
            if not data:
                raise AssertionError(f"the control socket ended before {kind}")
            self._events.append(json.loads(data))


class Template(_Forker):
    """A process that has loaded a script, or failed to."""

    def __init__(self, control: socket.socket, *, number: int, pid: int, loaded: Seen) -> None:
        super().__init__(control)
        self.number = number
        self.pid = pid
        self.loaded = loaded

    def clone(self, *, once: bool = False) -> Clone:
        """Fork a clone."""
        ours, theirs = socket.socketpair()
        number = self.ask({"op": "clone", "once": once}, theirs)
        return Clone(ours, number=number, pid=self.event("forked", number)["pid"], template=self)


def start(surface: str) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start the program with a surface; give the process and the server's end of its control socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "sandbox"),
            *("--control-fd", str(theirs.fileno()), "--surface-fd", str(reading)),
        ],
        pass_fds=[theirs.fileno(), reading],
        cwd="/",
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", "")},
        stderr=subprocess.PIPE,
    )
    theirs.close()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="ascii") as file:
        file.write(surface)
    return process, ours


class Zygote(_Forker):
    """
    A real zygote.

    Args:
        surface: What scripts find beyond the sandbox's own; see `sandbox/surface.py`.
    """

    def __init__(self, *, surface: str = SURFACE) -> None:
        self.process, ours = start(surface)
        super().__init__(ours)
        self.ready = self.event("ready")
        self.report: Mapping[str, Any] = self.ready["report"]

    def template(
        self,
        source: str,
        *,
        host: Host = _null,
        memory_mib: int = 256,
        load_seconds: float = 10,
        collect: int | None = None,
        once: bool = False,
    ) -> Template:
        """Load a script; *collect* and *once* as in `runtime.processes.template`."""
        data, their_data = socket.socketpair()
        control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        limits = {"memory_bytes": memory_mib << 20, "cpu_seconds": 60, "load_seconds": load_seconds}
        number = self.ask({"op": "template", "once": once, "limits": limits}, their_data, their_control)
        pid = self.event("forked", number)["pid"]
        wire = Wire(data)
        box = {"script": "test", "version": "v1", "source": source, "seed": SEED, "now": NOW, "i": "load"}
        wire.send(
            json.dumps(box if collect is None else {**box, "collect": collect}),
            _ask="load",
            _command="load",
        )
        loaded = wire.finish(host)
        wire.close()
        return Template(control, number=number, pid=pid, loaded=loaded)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.control.close()
        assert self.process.stderr is not None
        self.process.stderr.close()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _bytes(value: str | int | bytes) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("ascii")
