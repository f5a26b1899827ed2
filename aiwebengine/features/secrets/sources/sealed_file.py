"""
The encrypted file: all of its secrets in one piece, by AES-256 in Galois/Counter mode.

    {"format": "aiwebengine secrets 1", "key": "5f0c9e21", "nonce": "...", "sealed": "..."}

`key` is the beginning of the SHA-256 of the key that it was encrypted with, so that a wrong key is told from a damaged
file.  What is sealed is JSON: `{"STRIPE_KEY": {"value": "<base64>", "hosts": ["api.stripe.com"]}}`.  Both files are
written whole, beside themselves, and renamed.

A file of keys has one key a line, in base64.  The first one encrypts; all of them decrypt.  So a new key is put before
the old one, then the secrets are encrypted anew, and then the old key is removed: whatever is interrupted, the secrets
can be read.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiwebengine.features.secrets.sources.source import SourceUnreadable
from aiwebengine.services.whole_files import write_whole

FORMAT = "aiwebengine secrets 1"
KEY_VARIABLE = "AIWEBENGINE_SECRETS_KEY"
KEY_BYTES = 32

_NONCE_BYTES = 12
_MOST_BYTES = 64 * 1024 * 1024
_MOST_KEY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """One secret of the file."""

    value: bytes = field(repr=False)
    hosts: tuple[str, ...] = ()
    """To which it may be sent."""


Sealed = Mapping[str, SealedSecret]


def new_key() -> bytes:
    """Return a new key."""
    return os.urandom(KEY_BYTES)


def key_id(key: bytes) -> str:
    """Return what tells keys apart; it says nothing of the key."""
    return sha256(b"aiwebengine secrets key\0" + key).hexdigest()[:8]


def read_keys(text: str, *, where: str) -> Sequence[bytes]:
    """
    Return keys: base64, one a line, or with commas between them.

    Raises:
        SourceUnreadable: One is none, or there is none.
    """
    keys = []
    for line in text.replace(",", "\n").split():
        try:
            key = base64.b64decode(line, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise SourceUnreadable(f"{where} has no key: a key is {KEY_BYTES} bytes in base64.")
        keys.append(key)
    if not keys:
        raise SourceUnreadable(f"{where} is empty; it must hold a key of {KEY_BYTES} bytes in base64.")
    return keys


def find_keys(*, environ: Mapping[str, str], path: Path) -> Sequence[bytes]:
    """
    Return the keys: those of the environment, or else of the file.

    Raises:
        SourceUnreadable: There are none.
    """
    if environ.get(KEY_VARIABLE):
        return read_keys(environ[KEY_VARIABLE], where=f"The environment variable {KEY_VARIABLE}")
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_KEY_BYTES)
    except FileNotFoundError:
        raise SourceUnreadable(
            f"The key of the encrypted secrets is missing: there is no file {path}. Name it with secrets.key_file, or "
            f"put the key into the environment variable {KEY_VARIABLE}."
        ) from None
    except OSError as error:
        raise SourceUnreadable(f"The key of the encrypted secrets, {path}, cannot be read: {error.strerror}.") from None
    return read_keys(raw.decode("ascii", "replace"), where=f"The file {path}")


def write_keys(path: Path, keys: Sequence[bytes]) -> None:
    """
    Write a file of keys, which only its owner may read.

    Raises:
        OSError: It cannot be written.
    """
    write_whole(path, b"".join(base64.b64encode(key) + b"\n" for key in keys))


def seal(secrets: Sealed, key: bytes) -> bytes:
    """Return the content of the file."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  OpenSSL takes 70 ms.

    plain = {
        name: {"value": base64.b64encode(secret.value).decode("ascii"), "hosts": list(secret.hosts)}
        for name, secret in sorted(secrets.items())
    }
    nonce = os.urandom(_NONCE_BYTES)
    head = {"format": FORMAT, "key": key_id(key)}
    sealed = AESGCM(key).encrypt(nonce, json.dumps(plain).encode(), _bound(head))
    document = {**head, "nonce": base64.b64encode(nonce).decode(), "sealed": base64.b64encode(sealed).decode()}
    return json.dumps(document, indent=1).encode() + b"\n"


def unseal(content: bytes, keys: Sequence[bytes], *, where: str) -> Sealed:
    """
    Return the secrets of a file.

    Raises:
        SourceUnreadable: None of the keys fits, or the file is damaged.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  See `seal`.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  See `seal`.

    try:
        document = json.loads(content)
        head = {"format": document["format"], "key": document["key"]}
        nonce, sealed = (base64.b64decode(document[name], validate=True) for name in ("nonce", "sealed"))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise SourceUnreadable(f"{where} is no file of secrets of aiwebengine.") from None
    if head["format"] != FORMAT:
        raise SourceUnreadable(f"{where} has a format that this version does not know: {str(head['format'])[:50]!r}.")
    key = next((key for key in keys if key_id(key) == head["key"]), None)
    if key is None:
        known = ", ".join(key_id(key) for key in keys)
        raise SourceUnreadable(
            f"{where} was encrypted with another key, {str(head['key'])[:20]}; the key that was given is {known}."
        )
    try:
        return _read(json.loads(AESGCM(key).decrypt(nonce, sealed, _bound(head))))
    except (InvalidTag, ValueError, TypeError, KeyError):
        raise SourceUnreadable(
            f"{where} is damaged: its content does not fit its seal. Restore it from a copy."
        ) from None


def read_file(path: Path) -> bytes | None:
    """
    Return the content of an encrypted file; None if there is none.

    Raises:
        SourceUnreadable: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceUnreadable(f"The encrypted secrets in {path} cannot be read: {error.strerror}.") from None
    if len(content) > _MOST_BYTES:
        raise SourceUnreadable(f"The encrypted secrets in {path} have more than {_MOST_BYTES} bytes.")
    return content


def _bound(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True).encode()


def _read(plain: Mapping[str, Any]) -> Sealed:
    return {
        name: SealedSecret(value=base64.b64decode(item["value"]), hosts=tuple(item["hosts"]))
        for name, item in plain.items()
    }
