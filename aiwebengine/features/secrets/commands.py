"""
`aiwebengine secrets`: store secrets in the encrypted file, list all, grant and revoke them.

A value is read from standard input or typed in, and never an argument, which every user of the machine could read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aiwebengine.errors import EngineError
from aiwebengine.features.secrets.grants import CAPABILITY
from aiwebengine.features.secrets.names import check_name
from aiwebengine.features.secrets.settings import SecretSettings
from aiwebengine.features.secrets.sources.sealed_file import (
    KEY_VARIABLE,
    Sealed,
    SealedSecret,
    find_keys,
    new_key,
    read_file,
    seal,
    unseal,
    write_keys,
)
from aiwebengine.features.secrets.values import without_line_end
from aiwebengine.host.host_patterns import normal_pattern
from aiwebengine.services.whole_files import write_whole
from aiwebengine.terminal import exits, show
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.known import nearest, require_script
from aiwebengine.terminal.session import CommandSession, talks_to_server

FILE, KEY_FILE = "secrets.sealed", "secrets.key"
_PREFIX = f"{CAPABILITY}:"
_Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFiles:
    """The encrypted file and that of its key."""

    file: Path
    key_file: Path
    environ: Mapping[str, str]

    def read(self) -> dict[str, SealedSecret]:
        """
        Return all secrets; none if there is no file yet.

        Raises:
            CommandFailed: They cannot be read.
        """
        with _explained():
            content = read_file(self.file)
            if content is None:
                return {}
            keys = find_keys(environ=self.environ, path=self.key_file)
            return dict(unseal(content, keys, where=f"The file {self.file}"))

    def write(self, secrets: Sealed) -> None:
        """
        Write all secrets; the first time with a new key, unless there is one.

        Raises:
            CommandFailed: They cannot be written.
        """
        with _explained():
            if not self.environ.get(KEY_VARIABLE) and not self.key_file.exists():
                if self.file.exists():
                    find_keys(environ=self.environ, path=self.key_file)
                write_keys(self.key_file, [new_key()])
                show.note(f"made the key {self.key_file}; keep a copy of it, apart from copies of the data folder")
            write_whole(self.file, seal(secrets, find_keys(environ=self.environ, path=self.key_file)[0]))


def _file_options(command: _Command) -> _Command:
    """Return *command* with the options that name the files; its first argument becomes `SealedFiles`."""

    def enter(*, data_folder: Path, file: Path | None, key_file: Path | None, **options: Any) -> Any:
        files = SealedFiles(
            file=file or data_folder / FILE, key_file=key_file or data_folder / KEY_FILE, environ=os.environ
        )
        return command(files, **options)

    enter.__doc__, enter.__name__ = command.__doc__, command.__name__
    enter.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    wrapped: _Command = enter
    path = click.Path(path_type=Path)
    for option in (
        click.option(
            "--key-file",
            type=path,
            envvar="AIWEBENGINE__SECRETS__KEY_FILE",
            help="File with the key: secrets.key_file.",
        ),
        click.option(
            "--file",
            type=path,
            envvar="AIWEBENGINE__SECRETS__ENCRYPTED_FILE",
            help="The encrypted file: secrets.encrypted_file.",
        ),
        click.option(
            "--data-folder",
            type=path,
            default=Path("data"),
            show_default=True,
            help="Data folder of the server on this machine, in which both files are by default.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


@click.group()
def secrets() -> None:
    """Store secrets for scripts, and say which script may use them."""


@secrets.command("set")
@click.argument("name")
@click.option(
    "--host", "hosts", multiple=True, metavar="HOST", help="Let it be sent to this host only; may be repeated."
)
@_file_options
def set_secret(files: SealedFiles, name: str, hosts: tuple[str, ...]) -> None:
    """
    Store a secret in the encrypted file, or replace it.

    The value is read from standard input, without a line break at its end; at a terminal it is asked for.
    Without --host a secret that is replaced keeps its hosts.
    A server that is running uses it after some seconds.
    """
    _check(name)
    bound = tuple(_host(host) for host in hosts)
    value = _value(name)
    stored = files.read()
    before = stored.get(name)
    stored[name] = SealedSecret(value=value, hosts=bound or (before.hosts if before is not None else ()))
    files.write(stored)
    click.echo(f"{name}: {'replaced' if before is not None else 'stored'} in {files.file}")


@secrets.command()
@click.argument("name")
@_file_options
def remove(files: SealedFiles, name: str) -> None:
    """Remove a secret from the encrypted file."""
    stored = files.read()
    if stored.pop(name, None) is None:
        raise CommandFailed(
            f"{files.file} has no secret {show.safe(name)}{nearest(name, stored)}", code=exits.NOT_FOUND
        )
    files.write(stored)
    click.echo(f"{name}: removed from {files.file}")


@secrets.command()
@_file_options
def rotate(files: SealedFiles) -> None:
    """
    Encrypt the file with a new key.

    If it is interrupted, the secrets can be read all the same; call it again.
    A key in the environment variable AIWEBENGINE_SECRETS_KEY is not changed: put a new key before the old one, with a
    comma between them, call this, and remove the old one.
    """
    stored = files.read()
    with _explained():
        keys = list(find_keys(environ=files.environ, path=files.key_file))
        if files.environ.get(KEY_VARIABLE):
            files.write(stored)
            click.echo(f"{files.file}: encrypted with the first key of {KEY_VARIABLE}")
            return
        made = new_key()
        write_keys(files.key_file, [made, *keys])
        files.write(stored)
        write_keys(files.key_file, [made])
    click.echo(f"{files.file}: encrypted with a new key, which is in {files.key_file}")


@secrets.command("list")
@talks_to_server
def list_secrets(session: CommandSession) -> None:
    """List the secrets of a server: where each comes from, where it may be sent, and which scripts may use it."""
    listed = session.client.call("GET", "/secrets")
    if session.as_json:
        show.document(listed)
        return
    rows = [
        (
            secret["name"],
            secret["source"] or "missing",
            ", ".join(secret["hosts"]) or "-",
            ", ".join(_with_hosts(script) for script in secret["scripts"]) or "-",
        )
        for secret in listed["secrets"]
    ]
    show.table(("secret", "source", "hosts", "scripts"), rows)


@secrets.command()
@click.argument("name")
@click.argument("script")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Let it send the secret there; may be repeated.")
@talks_to_server
def grant(session: CommandSession, name: str, script: str, hosts: tuple[str, ...]) -> None:
    """
    Let a script use a secret.

    Without --host the secret is for keys, and for the hosts to which it is bound where it is stored.
    The script is deployed again as it is, with this capability.
    """
    _check(name)
    granted = {f"{_PREFIX}{name}@{_host(host)}" for host in hosts} or {f"{_PREFIX}{name}"}
    _change(session, script, lambda grants: grants | granted)
    click.echo(f"{show.safe(script)}: may use {name}{' at ' + ', '.join(map(_host, hosts)) if hosts else ''}")


@secrets.command()
@click.argument("name")
@click.argument("script")
@talks_to_server
def revoke(session: CommandSession, name: str, script: str) -> None:
    """
    Let a script use a secret no longer.

    The script is deployed again as it is, without this capability.
    """
    _check(name)

    def without(grants: set[str]) -> set[str]:
        left = {text for text in grants if text.partition("@")[0] != f"{_PREFIX}{name}"}
        if left == grants:
            raise CommandFailed(f"{show.safe(script)} may not use {name} as it is.", code=exits.NOT_FOUND)
        return left

    _change(session, script, without)
    click.echo(f"{show.safe(script)}: may no longer use {name}")


def _change(session: CommandSession, script: str, change: Callable[[set[str]], set[str]]) -> None:
    """Deploy a script as it is, with other capabilities."""
    require_script(session.client, script)
    serving = session.client.call("GET", "/script", query=[("uri", script), ("content", "true")])
    contents = {
        file["path"]: file["content"] if "content" in file else {"base64": file["contentBase64"]}
        for file in serving["files"]
    }
    document = {
        "files": contents,
        "entry": serving["entry"],
        "grants": sorted(change(set(serving["grants"]))),
        "expected": serving["version"],
        "message": "other secrets",
        "origin": serving.get("origin") or "",
    }
    session.client.call("PUT", "/script", query=[("uri", script), ("ifChanged", "true")], document=document)


def _with_hosts(script: Mapping[str, Any]) -> str:
    return f"{script['uri']} ({', '.join(script['hosts'])})" if script["hosts"] else str(script["uri"])


def _value(name: str) -> bytes:
    """Return a value that is typed in or read, and that is one."""
    most = SecretSettings().max_value_bytes
    if sys.stdin.isatty():
        value = str(click.prompt(name, hide_input=True, confirmation_prompt=True)).encode()
    else:
        value = without_line_end(sys.stdin.buffer.read(most + 3))
    if not value:
        raise click.UsageError("The value is empty: write it to standard input.")
    if len(value) > most:
        raise click.UsageError(f"A secret has at most {most} bytes.")
    return value


def _check(name: str) -> None:
    try:
        check_name(name)
    except EngineError as error:
        raise click.UsageError(f"{name[:100]!r} cannot be a name: {error.public}") from None


def _host(text: str) -> str:
    try:
        return normal_pattern(text)
    except EngineError as error:
        raise click.UsageError(f"{text[:100]!r} is no host: {error.public}") from None


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what goes wrong with files into the failure of a command."""
    try:
        yield
    except EngineError as error:
        raise CommandFailed(error.public, code=exits.REFUSED) from None
    except OSError as error:
        raise CommandFailed(f"{error.filename} cannot be written: {error.strerror}.", code=exits.DENIED) from None
