"""
Which server a command talks to, and with which token.

In this order: `--server` and `--token-file`; `AIWEBENGINE_URL` and `AIWEBENGINE_TOKEN`; the
profile file; else the server on this machine, whose address and token are in its data folder.

The profile file is TOML, by default `aiwebengine/profiles.toml` in the user's configuration folder:

    default = "staging"

    [staging]
    url = "https://staging.example.org"
    token_file = "~/.config/aiwebengine/staging.token"   # or: token = "awe_..."

`--server staging` chooses a profile by name.  A token from a data folder is sent to this machine only.
"""

from __future__ import annotations

import ipaddress
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiwebengine.cli import exits
from aiwebengine.cli.exits import CommandFailed

LOCAL = "http://127.0.0.1:8080"
ADDRESS_FILE = "address"
"""In the data folder: where the server that uses it answers."""
TOKEN_FILE = "administrator-token"  # noqa: S105  The name of a file.

_PROFILE_KEYS = frozenset({"url", "token", "token_file"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server and the right to manage it."""

    url: str
    """Scheme, host and port; no slash at the end."""
    token: str
    """Empty: none was found."""
    token_hint: str
    """For people: where the token came from, or where one was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line and the environment say."""

    server: str | None
    """An address or the name of a profile."""
    token_file: Path | None
    profile_file: Path | None
    data_folder: Path
    environ: Mapping[str, str]


def find(asked: Asked, *, warn: Callable[[str], None]) -> Target:
    """
    Choose the server.

    Raises:
        CommandFailed: The profile file or the address is wrong; the message says where.
    """
    url, token, hint = _named(asked, warn)
    if asked.token_file is not None:
        token, hint = _read(asked.token_file, "--token-file"), f"the file {asked.token_file}"
    elif asked.environ.get("AIWEBENGINE_TOKEN"):
        token, hint = asked.environ["AIWEBENGINE_TOKEN"].strip(), "AIWEBENGINE_TOKEN"
    if url is None:
        url = _local_address(asked.data_folder)
    parts = _parts(url)
    local = _is_this_machine(parts.hostname or "")
    if not token and local:
        token, hint = _local_token(asked.data_folder)
    if token and parts.scheme == "http" and not local:
        warn(f"The token travels to {parts.hostname} without encryption; use https.")
    if not token.isascii() or any(not character.isprintable() or character == " " for character in token):
        raise CommandFailed(f"The token from {hint} holds characters that no token has.", code=exits.USAGE)
    return Target(url=url.rstrip("/"), token=token, token_hint=hint)


def _named(asked: Asked, warn: Callable[[str], None]) -> tuple[str | None, str, str]:
    server = asked.server
    if server is None:
        server = asked.environ.get("AIWEBENGINE_URL") or None
    if server is not None and "://" in server:
        return server, "", "nowhere: give --token-file or AIWEBENGINE_TOKEN"
    path = asked.profile_file or _usual_profile_file(asked.environ)
    required = asked.profile_file is not None or server is not None
    profiles = _profiles(path, required=required)
    name = server if server is not None else profiles.get("default")
    if name is None:
        return None, "", ""
    found = profiles.get(name) if name != "default" else None
    if not isinstance(found, dict):
        known = ", ".join(key for key, value in profiles.items() if isinstance(value, dict)) or "none"
        raise CommandFailed(
            f"{path} has no profile `{name}`; it has: {known}. "
            "An address begins with http:// or https://, such as http://127.0.0.1:8080.",
            code=exits.USAGE,
        )
    _check(path, name, found)
    hint = f"the profile `{name}` in {path}"
    if "token" in found:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            warn(f"{path} holds a token and others on this machine may read it; run: chmod 600 {path}")
        return found["url"], found["token"].strip(), hint
    if "token_file" in found:
        token_path = path.parent / Path(found["token_file"]).expanduser()
        return found["url"], _read(token_path, hint), f"the file {token_path}"
    return found["url"], "", f"{hint}, which names none"


def _usual_profile_file(environ: Mapping[str, str]) -> Path:
    folder = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")) / ".config")
    return Path(folder).expanduser() / "aiwebengine" / "profiles.toml"


def _profiles(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            raise CommandFailed(f"There is no profile file {path}.", code=exits.USAGE) from None
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CommandFailed(f"The profile file {path} cannot be read: {error}", code=exits.USAGE) from error


def _check(path: Path, name: str, found: Mapping[str, Any]) -> None:
    for key, value in found.items():
        if key not in _PROFILE_KEYS or not isinstance(value, str):
            raise CommandFailed(
                f"{path}: the profile `{name}` may have the texts url, token and token_file; `{key}` is not one.",
                code=exits.USAGE,
            )
    if "url" not in found:
        raise CommandFailed(f"{path}: the profile `{name}` has no `url`.", code=exits.USAGE)


def _read(path: Path, what: str) -> str:
    try:
        return path.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CommandFailed(f"The token file {path} ({what}) cannot be read: {reason}.", code=exits.DENIED) from error


def _local_address(data_folder: Path) -> str:
    try:
        return (data_folder / ADDRESS_FILE).read_text("ascii").strip() or LOCAL
    except (OSError, UnicodeDecodeError):
        return LOCAL


def _local_token(data_folder: Path) -> tuple[str, str]:
    path = data_folder / TOKEN_FILE
    try:
        return path.read_text("ascii").strip(), f"the file {path}"
    except FileNotFoundError:
        return "", f"the file {path}, which is not there; name the server's data folder with --data-folder"
    except (OSError, UnicodeDecodeError) as error:
        return "", f"the file {path}, which cannot be read ({error})"


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        wrong = parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or parts.username or parts.query or parts.fragment:
        raise CommandFailed(
            f"`{url}` is not the address of a server; write it like https://example.org or http://127.0.0.1:8080.",
            code=exits.USAGE,
        )
    return parts


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
