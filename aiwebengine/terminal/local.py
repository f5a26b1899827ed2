"""
The server that runs on a data folder of this machine: where it answers, and its administrator token.

A file with an address proves nothing: its server may have been killed, and another program may
listen there by now.  So the address counts only while a process holds the folder's lock, which
the kernel takes back when that process ends (see `services/lock.py`).  The token is sent nowhere else.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from aiwebengine.services.lock import ADDRESS_NAME, LOCK_NAME, locked_by
from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed

TOKEN_FILE = "administrator-token"  # noqa: S105  The name of a file.

_OTHER_SERVER = "Name another data folder with --data-folder, or the address of a server with --server."


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalServer:
    """A server of this machine that is running now."""

    url: str
    """Scheme, host and port, to which this machine can connect."""


def find(data_folder: Path) -> LocalServer:
    """
    Find the server that runs on *data_folder*.

    Raises:
        CommandFailed: None runs there, or it is not known; the message says what to do.
    """
    folder = data_folder.absolute()
    try:
        owner = locked_by(folder / LOCK_NAME)
        noted = (folder / ADDRESS_NAME).read_text("ascii").strip() if owner else ""
    except FileNotFoundError:
        noted = ""
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"{folder / ADDRESS_NAME} is not text"
        text = f"Whether a server runs on the data folder {folder} cannot be read: {why}. {_OTHER_SERVER}"
        raise CommandFailed(text, code=exits.UNREACHABLE) from error
    if not owner:
        text = f"No server runs on the data folder {folder}. Start one with `aiwebengine serve`. {_OTHER_SERVER}"
        raise CommandFailed(text, code=exits.UNREACHABLE)
    if not noted:
        text = (
            f"The server{owner} on the data folder {folder} does not answer yet; try again in a moment. {_OTHER_SERVER}"
        )
        raise CommandFailed(text, code=exits.UNREACHABLE)
    return LocalServer(url=_reachable(noted))


def same(data_folder: Path, parts: SplitResult) -> LocalServer | None:
    """Return the server that runs on *data_folder* if *parts* is its address; None if it is another one, or none."""
    try:
        server = find(data_folder)
    except CommandFailed:
        return None
    own = urlsplit(server.url)
    alike = (parts.scheme, _host(parts), parts.port) == (own.scheme, _host(own), own.port)
    return server if alike and not parts.path.rstrip("/") else None


def token(data_folder: Path) -> tuple[str, str]:
    """Return the token in *data_folder*, empty if there is none to be read, and where it was looked for."""
    path = data_folder / TOKEN_FILE
    try:
        return path.read_text("ascii").strip(), f"the file {path}"
    except FileNotFoundError:
        return "", f"the file {path}, which is not there"
    except (OSError, UnicodeDecodeError) as error:
        return "", f"the file {path}, which cannot be read ({error})"


def _reachable(noted: str) -> str:
    """Replace the address of a server that listens on every address by one to connect to."""
    for every, loopback in (("http://0.0.0.0:", "http://127.0.0.1:"), ("http://[::]:", "http://[::1]:")):
        if noted.startswith(every):
            return loopback + noted.removeprefix(every)
    return noted


def _host(parts: SplitResult) -> str:
    """Return the host in one form."""
    host = (parts.hostname or "").lower()
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host
