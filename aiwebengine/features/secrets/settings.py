"""Settings of secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.errors import Invalid
from aiwebengine.features.secrets.names import is_name
from aiwebengine.host.host_patterns import read_pattern
from aiwebengine.settings.allowed import FilePath, NumberRange, OneOf, StringPattern, is_origin

_KIB = 1024
SOURCES = ("environment", "files", "folder", "encrypted file", "vault")


def _is_prefix(text: str) -> bool:
    return is_name(text)


def _is_file(text: str) -> bool:
    name, equals, path = text.partition("=")
    return bool(equals and path) and is_name(name) and "\0" not in path


def _is_binding(text: str) -> bool:
    name, equals, host = text.partition("=")
    if not equals or not is_name(name):
        return False
    try:
        read_pattern(host)
    except Invalid:
        return False
    return True


def _is_path(text: str) -> bool:
    return bool(text.strip("/")) and all(part not in {"", ".", ".."} for part in text.strip("/").split("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSettings:
    """Where the secrets come from that scripts use by name, with `secrets`."""

    order: Annotated[tuple[str, ...], OneOf(SOURCES)] = SOURCES
    """
    The sources, in order of precedence: if two have a secret of the same name, that of the earlier one counts.

    A source that is left out is not used.
    """
    prefix: Annotated[str, StringPattern("the beginning of a variable, such as `AIWEBENGINE_SECRET_`", _is_prefix)] = (
        "AIWEBENGINE_SECRET_"
    )
    """Environment variables that begin with this are secrets; the rest of their name is the secret's."""
    files: Annotated[
        tuple[str, ...], StringPattern("a name, `=` and a path: `STRIPE_KEY=/run/stripe-key`", _is_file)
    ] = ()
    """Files with one secret each, read again when they change; one line break at the end is not part of a secret."""
    folder: Annotated[str, FilePath()] = ""
    """
    Folder in which each file is a secret, as Kubernetes mounts them; it is read again when it changes.

    Empty: none.  Files whose names begin with a dot, and those in folders below it, are not secrets.
    """
    encrypted_file: Annotated[str, FilePath()] = ""
    """File that `aiwebengine secrets set` writes; empty: `secrets.sealed` in the data folder, if it is there."""
    key_file: Annotated[str, FilePath()] = ""
    """
    File with the key of the encrypted file; empty: `secrets.key` in the data folder.

    The environment variable `AIWEBENGINE_SECRETS_KEY` takes its place.
    """
    hosts: Annotated[
        tuple[str, ...], StringPattern("a name, `=` and a host: `STRIPE_KEY=api.stripe.com`", _is_binding)
    ] = ()
    """Hosts to which secrets of any source may be sent; a secret that is named here may be sent to no others."""
    vault_url: Annotated[str, StringPattern("an address such as https://vault.example.com:8200", is_origin)] = ""
    """HashiCorp Vault, or a server with its interface; empty: none."""
    vault_mount: Annotated[str, StringPattern("a path such as `secret`", _is_path)] = "secret"
    """Where its key-value store, version 2, is mounted."""
    vault_path: Annotated[str, StringPattern("a path such as `aiwebengine`", _is_path)] = "aiwebengine"
    """The entry there whose keys are the secrets."""
    vault_namespace: str = ""
    """Namespace; empty: none."""
    vault_token_file: Annotated[str, FilePath()] = ""
    """File with a token; empty: the environment variable `VAULT_TOKEN`, if there is no role."""
    vault_role_id: str = ""
    """Role with which to log in (AppRole); empty: a token is used."""
    vault_role_mount: Annotated[str, StringPattern("a path such as `approle`", _is_path)] = "approle"
    """Where AppRole is mounted."""
    vault_secret_id_file: Annotated[str, FilePath()] = ""
    """File with the secret id of the role; empty: the environment variable `VAULT_SECRET_ID`."""
    vault_ca_file: Annotated[str, FilePath()] = ""
    """File with certificates in PEM form that are trusted for Vault; empty: those of the system."""
    vault_seconds: Annotated[float, NumberRange(least=0.1, most=300)] = 10.0
    """Maximum time to wait for an answer of Vault."""
    reload_seconds: Annotated[float, NumberRange(least=0.1, most=86_400)] = 5.0
    """How often files are looked at."""
    vault_reload_seconds: Annotated[float, NumberRange(least=1, most=86_400)] = 60.0
    """How often the secrets are read from Vault."""
    max_value_bytes: Annotated[int, NumberRange(least=16, most=1024 * _KIB)] = 64 * _KIB
    """Largest secret."""
    max_secrets: Annotated[int, NumberRange(least=1, most=100_000)] = 1000
    """Most secrets of one source."""
