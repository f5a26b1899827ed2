"""What an engine gets of secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from aiwebengine.errors import CannotStart
from aiwebengine.features.secrets.api import SecretList
from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.calls import SecretCalls
from aiwebengine.features.secrets.requests.placeholders import Placeholders
from aiwebengine.features.secrets.requests.requests import RequestsWithSecrets
from aiwebengine.features.secrets.script_redactions import ScriptRedactions
from aiwebengine.features.secrets.settings import SecretSettings
from aiwebengine.features.secrets.sources.encrypted import EncryptedSource
from aiwebengine.features.secrets.sources.environment import EnvironmentSource
from aiwebengine.features.secrets.sources.files import FileSource, FolderSource
from aiwebengine.features.secrets.sources.source import SecretSource
from aiwebengine.features.secrets.sources.vault import VaultPlaces, VaultSource
from aiwebengine.features.secrets.sources.vault_client import VaultClient
from aiwebengine.host.host_patterns import HostPattern, read_pattern
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.ports import KEYS, SECRETS
from aiwebengine.scripts.store import ScriptStore

FILE = "secrets.sealed"
KEY_FILE = "secrets.key"
"""In the data folder, unless the settings name others."""


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base, current = machinery.base, machinery.current
    settings = base.settings.of(SecretSettings)
    book = SecretBook(sources=_sources(machinery, settings), hosts=_hosts(settings), clock=base.reactor)
    placeholders = Placeholders(entropy=base.entropy)

    def serving(uri: str) -> tuple[str, frozenset[str]] | None:
        script = current.registry.scripts.get(uri)
        return (script.version, script.grants) if script is not None else None

    machinery.ports.offer(
        SECRETS,
        RequestsWithSecrets(
            book=book, placeholders=placeholders, sources=partial(_read_files, base.store), serving=serving
        ),
    )
    ScriptRedactions(book=book, current=current, redactions=machinery.hooks.redactions)
    calls = SecretCalls(book=book, placeholders=placeholders, keys=partial(machinery.ports.find, KEYS))
    return Parts(
        groups=[calls],
        api=[SecretList(book=book, current=current)],
        services=[("secrets", book)],
        state={"secrets": book.state},
    )


def _sources(machinery: Machinery, settings: SecretSettings) -> Sequence[SecretSource]:
    """Return the sources that the settings name, in order of precedence."""
    folder, in_thread, environ = machinery.base.folder, machinery.base.unpacking_threads.run, os.environ
    made: dict[str, SecretSource] = {
        "environment": EnvironmentSource(environ=environ, prefix=settings.prefix, most_bytes=settings.max_value_bytes),
        "encrypted file": EncryptedSource(
            path=_path(settings.encrypted_file, folder / FILE),
            key_file=_path(settings.key_file, folder / KEY_FILE),
            environ=environ,
            in_thread=in_thread,
            seconds=settings.reload_seconds,
        ),
    }
    if settings.files:
        pairs = (text.partition("=") for text in settings.files)
        made["files"] = FileSource(
            paths={name: Path(path).expanduser() for name, _, path in pairs},
            in_thread=in_thread,
            most_bytes=settings.max_value_bytes,
            seconds=settings.reload_seconds,
        )
    if settings.folder:
        made["folder"] = FolderSource(
            folder=Path(settings.folder).expanduser(),
            in_thread=in_thread,
            most_bytes=settings.max_value_bytes,
            most=settings.max_secrets,
            seconds=settings.reload_seconds,
        )
    if settings.vault_url:
        made["vault"] = _vault(machinery, settings)
    return [made[name] for name in dict.fromkeys(settings.order) if name in made]


def _vault(machinery: Machinery, settings: SecretSettings) -> VaultSource:
    base = machinery.base
    return VaultSource(
        client=VaultClient(
            url=settings.vault_url,
            namespace=settings.vault_namespace,
            authorities=_authorities(settings.vault_ca_file),
            reactor=base.reactor,
            seconds=settings.vault_seconds,
        ),
        places=VaultPlaces(
            mount=settings.vault_mount.strip("/"),
            path=settings.vault_path.strip("/"),
            role_id=settings.vault_role_id,
            role_mount=settings.vault_role_mount.strip("/"),
            token_file=settings.vault_token_file,
            secret_id_file=settings.vault_secret_id_file,
        ),
        environ=os.environ,
        in_thread=base.unpacking_threads.run,
        clock=base.reactor.seconds,
        most_bytes=settings.max_value_bytes,
        most=settings.max_secrets,
        seconds=settings.vault_reload_seconds,
    )


def _authorities(file: str) -> bytes:
    """
    Return the certificates of a file; empty without one.

    Raises:
        CannotStart: It cannot be read, or holds none.
    """
    if not file:
        return b""
    try:
        raw = Path(file).expanduser().read_bytes()
    except OSError as error:
        raise CannotStart(f"The setting secrets.vault_ca_file names {file}, which cannot be read: {error}.") from error
    if b"-----BEGIN CERTIFICATE-----" not in raw:
        raise CannotStart(f"The setting secrets.vault_ca_file names {file}, which has no certificate in PEM form.")
    return raw


def _path(setting: str, default: Path) -> Path:
    return Path(setting).expanduser() if setting else default


def _hosts(settings: SecretSettings) -> Mapping[str, Sequence[HostPattern]]:
    hosts: dict[str, list[HostPattern]] = {}
    for text in settings.hosts:
        name, _, host = text.partition("=")
        hosts.setdefault(name, []).append(read_pattern(host))
    return hosts


async def _read_files(store: ScriptStore, version: str) -> Mapping[str, bytes]:
    """Return the author's files of a version, by path."""
    files = await store.files(version)
    contents = await store.contents({file.digest for file in files})
    return {file.path: contents[file.digest] for file in files if file.digest in contents}
