"""
Which server a command talks to, and with which token.

In this order: `--server` and `--token-file`; a data folder that was named with `--data-folder`;
`AIWEBENGINE_URL` and `AIWEBENGINE_TOKEN`; the project file (`project.py`); the default of the
profile file; else the server on this machine, whose address and token are in the data folder `data`.

The profile file is TOML, by default `profiles.toml` in the folder `aiwebengine` of the user's configuration folder:

    default = "staging"

    [staging]
    url = "https://staging.example.org"
    token_file = "~/.config/aiwebengine/staging.token"   # or: token = "awe_..."
    allow_http = false                                   # true: the token may be sent over plain HTTP

`--server staging` chooses a profile by name.

A token is a password, and is sent only to the server that it belongs to:

- the token of a data folder, only to the server that runs on that folder now (see `local.py`);
- the token of a profile, only to the profile's address;
- `AIWEBENGINE_TOKEN`, only to `AIWEBENGINE_URL` if that is set;
- to a server that a project file names, only the token of a profile for that address, or of the
  data folder of the server that runs there: a project may come from anywhere, so a token without an address
  (`--token-file`, `AIWEBENGINE_TOKEN`) is not sent to its server;
- none of them over plain HTTP to another machine, unless that is allowed by name.
"""

from __future__ import annotations

import ipaddress
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from aiwebengine.terminal import exits, local, project
from aiwebengine.terminal.exits import CommandFailed

_PROFILE_KEYS: Mapping[str, type] = {"url": str, "token": str, "token_file": str, "allow_http": bool}
_TRUE_WORDS = frozenset({"1", "true", "yes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server and the right to manage it."""

    url: str
    """Scheme, host and port; no slash at the end."""
    token: str
    """Empty: none was found."""
    token_hint: str
    """For people: where the token came from, or where one was looked for."""
    named_by: Path | None = None
    """The project file that chose the server, if one did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOptions:
    """What the command line and the environment say."""

    server: str | None
    """An address or the name of a profile."""
    token_file: Path | None
    profile_file: Path | None
    data_folder: Path | None
    """None: not named, so `data`."""
    environ: Mapping[str, str]
    allow_http: bool = False
    """A token may be sent to another machine without encryption."""
    starts: Sequence[Path] = ()
    """Files and folders whose project file is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _NamedServer:
    """A named server, with its token."""

    url: str
    token: str = ""
    hint: str = "none was given for this address; give --token-file or AIWEBENGINE_TOKEN, or write a profile with both"
    allow_http: bool = False
    by_environment: bool = False
    """`AIWEBENGINE_URL` named it."""
    by_project: Path | None = None
    """The project file that named it."""


def find(options: TargetOptions, *, warn: Callable[[str], None]) -> Target:
    """
    Choose the server and the token.

    Raises:
        CommandFailed: No server was named and none runs on the data folder; the profile file or an address is wrong;
            or the token would travel without encryption. The message says what to do.
    """
    folder = options.data_folder or Path("data")
    named = _named(options, warn)
    own = local.find(folder) if named is None else local.same(folder, _parts(named.url))
    if named is None:
        assert own is not None
        named = _NamedServer(url=own.url)
    token, hint = _given(options, named)
    if own is not None and not token:
        token, hint = local.token(folder)
    if named.by_project is not None and not token:
        raise _no_token(named.by_project, named.url)
    url = named.url if own is None else own.url
    parts = _parts(url)
    if not token.isascii() or any(not character.isprintable() or character == " " for character in token):
        raise CommandFailed(f"The token from {hint} contains characters that are not allowed in one.", code=exits.USAGE)
    if token and own is None and not _is_private(parts):
        _check_http_allowed(options, named, parts)
    return Target(url=url.rstrip("/"), token=token, token_hint=hint, named_by=named.by_project)


def _given(options: TargetOptions, named: _NamedServer) -> tuple[str, str]:
    """Return the token for this server, empty if there is none, and where it came from."""
    if named.by_project is not None:
        if options.token_file is not None:
            raise CommandFailed(
                f"{named.by_project} names the server {named.url}, and a token given with --token-file goes only to a "
                f"server that you name too; nothing was sent. If it is meant for this one, add --server {named.url}.",
                code=exits.USAGE,
            )
        return named.token, named.hint
    if options.token_file is not None:
        return _read(options.token_file, "--token-file"), f"the file {options.token_file}"
    if named.token:
        return named.token, named.hint
    token = options.environ.get("AIWEBENGINE_TOKEN", "").strip()
    address = options.environ.get("AIWEBENGINE_URL")
    if token and address and not named.by_environment and address.rstrip("/") != named.url.rstrip("/"):
        return "", f"AIWEBENGINE_TOKEN belongs to AIWEBENGINE_URL ({address}); give --token-file"
    return (token, "AIWEBENGINE_TOKEN") if token else ("", named.hint)


def _no_token(path: Path, url: str) -> CommandFailed:
    return CommandFailed(
        f"{path} names the server {url}, for which no profile has a token; nothing was sent. If you trust it, write a "
        "profile with its address and token into the profile file, or name it with --server and give --token-file.",
        code=exits.DENIED,
    )


def _is_private(parts: SplitResult) -> bool:
    """Return whether what is sent cannot be read on the way."""
    return parts.scheme == "https" or _is_this_machine(parts.hostname or "")


def _check_http_allowed(options: TargetOptions, named: _NamedServer, parts: SplitResult) -> None:
    allowed = options.allow_http or named.allow_http
    if not allowed and options.environ.get("AIWEBENGINE_ALLOW_HTTP", "").lower() not in _TRUE_WORDS:
        raise CommandFailed(
            f"The token would travel to {parts.hostname} without encryption, and nothing was sent. Use https; on a "
            "network that nobody else can read, allow it with --allow-http, AIWEBENGINE_ALLOW_HTTP=1 or allow_http "
            "in the profile.",
            code=exits.USAGE,
        )


def _named(options: TargetOptions, warn: Callable[[str], None]) -> _NamedServer | None:
    """Return the server that the command line, the environment or the profile file names; None if none does."""
    path = options.profile_file or _usual_profile_file(options.environ)
    if options.server is not None:
        return _by_name(path, options.server, warn)
    if options.data_folder is not None:
        return None
    if address := options.environ.get("AIWEBENGINE_URL"):
        return replace(_by_name(path, address, warn), by_environment=True)
    if project_file := project.find(options.starts, warn=warn):
        return _by_project(path, project_file, warn)
    default = _profiles(path, required=options.profile_file is not None).get("default")
    return None if default is None else _profile(path, default, warn)


def _by_name(path: Path, server: str, warn: Callable[[str], None]) -> _NamedServer:
    return _NamedServer(url=server) if "://" in server else _profile(path, server, warn)


def _by_project(path: Path, project_file: project.Project, warn: Callable[[str], None]) -> _NamedServer:
    """Return the server of a project file, with the token that this user's profiles have for it and no other one."""
    if "://" not in project_file.server:
        try:
            return replace(_profile(path, project_file.server, warn), by_project=project_file.path)
        except CommandFailed as error:
            raise CommandFailed(f"{project_file.path} names a server: {error.message}", code=error.code) from error
    address = _address(project_file.server)
    for name, profile in _profiles(path, required=False).items():
        if not isinstance(profile, dict) or not isinstance(profile.get("url"), str):
            continue
        if _address(profile["url"]) == address:
            return replace(_profile(path, name, warn), by_project=project_file.path)
    return _NamedServer(url=project_file.server, by_project=project_file.path)


def _address(url: str) -> tuple[str, str, int | None, str]:
    """Return what makes two addresses the same server."""
    parts = _parts(url)
    usual = 443 if parts.scheme == "https" else 80
    return parts.scheme, (parts.hostname or "").lower(), parts.port or usual, parts.path.rstrip("/")


def _profile(path: Path, name: Any, warn: Callable[[str], None]) -> _NamedServer:
    profiles = _profiles(path, required=True)
    profile = profiles.get(name) if name != "default" else None
    if not isinstance(profile, dict):
        known = ", ".join(key for key, value in profiles.items() if isinstance(value, dict)) or "none"
        raise CommandFailed(
            f"{path} has no profile `{name}`; it has: {known}. "
            "An address begins with http:// or https://, such as http://127.0.0.1:8080.",
            code=exits.USAGE,
        )
    _check(path, name, profile)
    token, hint = _of_profile(path, name, profile, warn)
    return _NamedServer(url=profile["url"], token=token, hint=hint, allow_http=profile.get("allow_http", False))


def _of_profile(path: Path, name: str, profile: Mapping[str, Any], warn: Callable[[str], None]) -> tuple[str, str]:
    hint = f"the profile `{name}` in {path}"
    if "token" in profile:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            warn(f"{path} holds a token and others on this machine may read it; run: chmod 600 {path}")
        return profile["token"].strip(), hint
    if "token_file" in profile:
        token_path = path.parent / Path(profile["token_file"]).expanduser()
        return _read(token_path, hint), f"the file {token_path}"
    return "", f"{hint}, which names none"


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


def _check(path: Path, name: str, profile: Mapping[str, Any]) -> None:
    for key, value in profile.items():
        if key not in _PROFILE_KEYS or not isinstance(value, _PROFILE_KEYS[key]):
            raise CommandFailed(
                f"{path}: the profile `{name}` may have the strings url, token and token_file, and allow_http, which "
                f"is true or false; `{key}` is not one.",
                code=exits.USAGE,
            )
    if "url" not in profile:
        raise CommandFailed(f"{path}: the profile `{name}` has no `url`.", code=exits.USAGE)


def _read(path: Path, what: str) -> str:
    try:
        return path.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CommandFailed(f"The token file {path} ({what}) cannot be read: {reason}.", code=exits.DENIED) from error


def _parts(url: str) -> SplitResult:
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
