"""Somebody who does what a document says, from its top to its end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.reading.rendered import ROOT, Block, Typed, matched
from tests.support.reading.terminal import Terminal
from tests.support.waiting import wait_until

_PORT = re.compile(r"(?<![\d.])80[89]\d(?!\d)")
_SECONDS = 120.0
_START_SECONDS = 300.0
"""In it all examples are deployed, on a machine that may be busy."""
_NOT_OURS = {".git", ".venv", "data"}
# What they change is not in the reader's folder.
_CHANGES_MACHINE = re.compile(
    r"(?:^|[;&|(]\s*)(?:\S*/)?(?:sudo|pip3?|apt|apt-get|npm|npx|systemctl|service|make)\b|-m (?:pip|venv)\b"
)


class Reader:
    """
    Does the steps of one document in a folder that is like a checkout.

    The documents' ports, 8080 to 8099, may be in use on this machine.  Others stand in for them: what a
    reader does who has called `make serve PORT=...`.

    Args:
        folder: An empty folder.
        server: The server that listens on port 8080.
        unrun: Commands that are not typed and files that are not saved.
    """

    def __init__(self, *, folder: Path, server: MadeServer, unrun: Collection[str]) -> None:
        checkout(folder, server.data)
        self._folder = folder
        self._server = server
        self._home = folder / "home"
        self._ports = {"8080": server.port}
        self._unrun = unrun
        self._words: dict[str, str] = {}
        self._left: tuple[Typed, Terminal, int] | None = None
        self._terminals: dict[bool, Terminal] = {}
        self._home.mkdir(exist_ok=True)

    def do(self, block: Block, following: Block | None = None) -> None:
        """Follow one block; AssertionError if something else is printed, now or when the following ones are done."""
        if block.file in self._unrun:
            return
        if block.file is not None:
            self._save(block.file, block.text, add=block.is_added)
        elif block.is_typed:
            others = following is not None and following.in_other_terminal
            self._type(block, waits=others and not block.in_other_terminal)

    def end(self) -> None:
        """See what the last command has printed that goes on by itself."""
        if self._left is not None:
            typed, terminal, clients = self._left
            self._left = None
            self._expect_soon(typed, terminal, typed.all_printed)
            if typed.goes_on:
                terminal.interrupt()
            assert terminal.wait(lambda: terminal.is_done, _SECONDS), f"it does not end: {typed.command}"
            assert terminal.wait(lambda: self._server.clients() <= clients, _SECONDS), f"not left: {typed.command}"

    def close(self) -> None:
        """Close the terminals, and end the servers that were started as daemons."""
        for terminal in self._terminals.values():
            terminal.close()
        for lock in self._folder.glob("*/lock"):
            with suppress(ValueError, ProcessLookupError):
                if not lock.parent.is_symlink():
                    os.kill(int(lock.read_text()), signal.SIGKILL)

    def _save(self, name: str, text: str, *, add: bool) -> None:
        path = self._home / name.removeprefix("~/") if name.startswith("~/") else self._folder / name
        made_here = not path.is_symlink() and path.parent.resolve().is_relative_to(self._folder.resolve())
        assert made_here, f"{name} is a file of the checkout or of the machine; list it among the exceptions"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if add else "w", encoding="utf-8") as file:
            file.write(self._here(text) + "\n")

    def _type(self, block: Block, *, waits: bool) -> None:
        if not block.in_other_terminal:
            self.end()
        terminal = self._terminal(second=block.in_other_terminal)
        commands = list(block.commands())
        for typed in commands:
            if typed.command in self._unrun:
                continue
            changes = _CHANGES_MACHINE.search(typed.command)
            assert changes is None, f"{typed.command} changes this machine; list it among the exceptions"
            if typed.goes_on or (waits and typed is commands[-1]):
                self._leave(typed, terminal)
            else:
                terminal.type(self._here(typed.with_words(self._words)))
                assert terminal.wait(lambda: terminal.is_done, _SECONDS), f"it does not end: {typed.command}"
                self._expect(typed, terminal, typed.all_printed)

    def _leave(self, typed: Typed, terminal: Terminal) -> None:
        """Type a command that goes on or waits for what is done in another terminal, until it has begun."""
        clients = self._server.clients()
        terminal.type(self._here(typed.with_words(self._words)))
        self._expect_soon(typed, terminal, typed.first_printed)
        # A person who goes to another terminal is slower than the server is.
        if "127.0.0.1:8080" in typed.command:
            assert terminal.wait(lambda: self._server.clients() > clients, _SECONDS), typed.command
        self._left = (typed, terminal, clients)

    def _terminal(self, *, second: bool) -> Terminal:
        if second not in self._terminals:
            # A reader's shell finds this Python's programs where the documents say that they are, and no settings.
            kept = {name: os.environ[name] for name in ("PATH", "LANG", "COVERAGE_PROCESS_START") if name in os.environ}
            environment = {"LANG": "C.UTF-8", **kept, "HOME": str(self._home), "PYTHONPATH": str(ROOT)}
            self._terminals[second] = Terminal(folder=self._folder, environment=environment)
        return self._terminals[second]

    def _expect_soon(self, typed: Typed, terminal: Terminal, shown: tuple[str, ...]) -> None:
        terminal.wait(lambda: terminal.is_done or self._fits(terminal, shown), _SECONDS)
        self._expect(typed, terminal, shown)

    def _expect(self, typed: Typed, terminal: Terminal, shown: tuple[str, ...]) -> None:
        words = matched(shown, self._there(terminal.shown), self._words)
        wanted = "\n".join(shown)
        assert words is not None, f"$ {typed.command}\nshown:\n{wanted}\nprinted:\n{self._there(terminal.shown)}"
        self._words.update(words)

    def _fits(self, terminal: Terminal, shown: tuple[str, ...]) -> bool:
        return matched(shown, self._there(terminal.shown), self._words) is not None

    def _here(self, text: str) -> str:
        """Return a document's text with the ports of this machine."""
        return _PORT.sub(lambda found: self._ports.setdefault(found[0], str(free_port())), text)

    def _there(self, text: str) -> str:
        """Return what was printed with the ports of the document."""
        for document, here in self._ports.items():
            text = re.sub(rf"(?<![\w.]){here}(?!\w)", document, text)
        return text


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def checkout(folder: Path, data: Path) -> None:
    """Put into a folder what a checkout has after `make serve`."""
    for path in ROOT.iterdir():
        if path.name not in _NOT_OURS:
            (folder / path.name).symlink_to(path)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "data").symlink_to(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeServer:
    """A server that was started as `make serve` does."""

    data: Path
    port: str

    def clients(self) -> int:
        """Return how many clients listen to streams and subscriptions."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/engine/api/state")
        token = (self.data / "administrator-token").read_text("ascii").strip()
        request.add_header("authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            state = json.loads(answer.read())
        return int(state["streams"]["open"] + state["graphql"]["subscriptions"] - state["graphql"]["opening"])


@contextmanager
def made_server(folder: Path) -> Iterator[MadeServer]:
    """Do what `make serve` does, in an empty folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    output = folder / "output"
    with ExitStack() as stack:
        file = stack.enter_context(output.open("wb"))
        command = [sys.executable, str(ROOT / "examples" / "serve.py"), "--port", "0"]
        serve = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)
        stack.callback(serve.wait)
        stack.callback(serve.terminate)

        def serves() -> bool:
            assert serve.poll() is None, output.read_text("utf-8")
            return b"Stop with Ctrl-C" in output.read_bytes()

        wait_until(serves, state=lambda: output.read_text("utf-8"), seconds=_START_SECONDS)
        port = (folder / "data" / "address").read_text("ascii").strip().rpartition(":")[2]
        yield MadeServer(data=folder / "data", port=port)
