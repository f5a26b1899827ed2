"""The sources of secrets that the settings name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from aiwebengine.errors import CannotStart
from aiwebengine.features.secrets.settings import SecretSettings
from aiwebengine.features.secrets.sources.encrypted import EncryptedSource
from aiwebengine.features.secrets.sources.environment import EnvironmentSource
from aiwebengine.features.secrets.sources.files import FileSource, FolderSource
from aiwebengine.features.secrets.sources.source import SecretSource
from aiwebengine.features.secrets.sources.vault import VaultPlaces, VaultSource
from aiwebengine.features.secrets.sources.vault_client import VaultClient
from aiwebengine.machinery import Foundation

FILE = "secrets.sealed"
KEY_FILE = "secrets.key"
"""In the data folder, unless the settings name others."""


def configured_sources(
    base: Foundation, settings: SecretSettings, *, environ: Mapping[str, str]
) -> Sequence[SecretSource]:
    """
    Return the sources that the settings name, in order of precedence.

    Raises:
        CannotStart: A file that they name cannot be used.
    """
    folder, in_thread = base.folder, base.unpacking_threads.run
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
        made["vault"] = _vault(base, settings, environ)
    return [made[name] for name in dict.fromkeys(settings.order) if name in made]


def _vault(base: Foundation, settings: SecretSettings, environ: Mapping[str, str]) -> VaultSource:
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
        environ=environ,
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
