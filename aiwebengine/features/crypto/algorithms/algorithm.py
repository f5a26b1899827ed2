"""What the algorithms have in common: each is an object of a class that knows the operations that it has."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping
from typing import Any

from aiwebengine.features.crypto.keys import Key
from aiwebengine.features.crypto.refusals import Refusal, RequestFields
from aiwebengine.features.crypto.settings import CryptoSettings

USAGES = ("encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey")
"""In the order in which keys list them."""
KeyData = bytes | Mapping[str, Any]
"""What is imported: bytes, or a JSON Web Key."""


class Algorithm:
    """
    One algorithm; an operation that a subclass does not have is refused.

    Args:
        name: In the standard.
        limits: Of what scripts may compute.
    """

    def __init__(self, name: str, limits: CryptoSettings) -> None:
        self.name = name
        self.limits = limits

    def generate(self, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]) -> Key | tuple[Key, Key]:
        """Return a new key, or a public and a private one."""
        raise self.cannot("generate keys", given, extractable, usages)

    def import_key(
        self, form: str, data: KeyData, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        """Return the key that *data* is, in the format *form*."""
        raise self.cannot("import keys", form, data, given, extractable, usages)

    def export_key(self, form: str, key: Key) -> KeyData:
        """Return a key in the format *form*."""
        raise self.cannot("export keys", form, key)

    def sign(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """Return a signature."""
        raise self.cannot("sign", key, given, data)

    def verify(self, key: Key, given: RequestFields, signature: bytes, data: bytes) -> bool:
        """Return whether a signature is right."""
        raise self.cannot("verify signatures", key, given, signature, data)

    def encrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """Return *data*, encrypted."""
        raise self.cannot("encrypt", key, given, data)

    def decrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """Return *data*, decrypted."""
        raise self.cannot("decrypt", key, given, data)

    def wrap(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """Return an exported key, encrypted."""
        return self.encrypt(key, given, data)

    def unwrap(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """Return an exported key, decrypted."""
        return self.decrypt(key, given, data)

    def derive(self, key: Key, given: RequestFields, length: int | None, public: Key | None) -> bytes:
        """Return *length* bits; None: as many as there are."""
        raise self.cannot("derive bits", key, given, length, public)

    def key_length(self, given: RequestFields) -> int | None:
        """Return how many bits a key of it has that is derived; None: as many as there are."""
        raise self.cannot("be derived", given)

    def cannot(self, what: str, *_: object) -> Refusal:
        """Return the error for an operation that the algorithm does not have, whatever its arguments are."""
        return Refusal("NotSupportedError", f"{self.name} cannot {what}.")

    def unknown_format(self, form: str) -> Refusal:
        """Return the error for a format that the algorithm does not have."""
        return Refusal("NotSupportedError", f'{self.name} has no keys in the format "{form}".')


def require_usages(usages: Collection[str], allowed: Collection[str], *, what: str) -> None:
    """
    Check for what a key is to be used.

    Raises:
        Refusal: `SyntaxError`.
    """
    wrong = [usage for usage in usages if usage not in allowed]
    if wrong:
        may = ", ".join(allowed) or "nothing"
        raise Refusal("SyntaxError", f'A {what} key cannot be used for "{wrong[0]}"; it can be used for {may}.')


def wrong_data(why: str) -> Refusal:
    """Return the error for data that is no key."""
    return Refusal("DataError", why)


def failed(why: str) -> Refusal:
    """Return the error for an operation that cannot be done."""
    return Refusal("OperationError", why)


# -- JSON Web Keys ----------------------------------------------------------------------------


def to_base64url(octets: bytes) -> str:
    """Return bytes as JSON Web Keys have them."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def from_base64url(jwk: Mapping[str, Any], member: str) -> bytes:
    """
    Return the bytes of a member.

    Raises:
        Refusal: `DataError`.
    """
    value = jwk.get(member)
    if not isinstance(value, str):
        raise wrong_data(f'The JSON Web Key has no "{member}".')
    if not value.isascii() or any(letter in "+/=" for letter in value):
        raise wrong_data(f'"{member}" of the JSON Web Key is not base64url.')
    try:
        return base64.b64decode(value.encode().translate(_FROM_URL) + b"=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise wrong_data(f'"{member}" of the JSON Web Key is not base64url.') from None


_FROM_URL = bytes.maketrans(b"-_", b"+/")


def check_jwk(
    jwk: Mapping[str, Any],
    *,
    kind: str,
    usages: Collection[str],
    extractable: bool,
    use: str,
    algorithms: Collection[str] = (),
) -> None:
    """
    Check what all JSON Web Keys have.

    Args:
        kind: What `kty` must be.
        usages: For which the key is to be used; `key_ops` must have them.
        extractable: Whether the key is to be exported; `ext` must not forbid it.
        use: What `use` must be, if it is there.
        algorithms: What `alg` may be, if it is there; empty: anything.

    Raises:
        Refusal: `DataError`.
    """
    if jwk.get("kty") != kind:
        raise wrong_data(f'"kty" of the JSON Web Key must be "{kind}".')
    if usages and jwk.get("use") is not None and jwk["use"] != use:
        raise wrong_data(f'"use" of the JSON Web Key must be "{use}".')
    operations = jwk.get("key_ops")
    if operations is not None:
        if not isinstance(operations, list) or len(set(map(str, operations))) != len(operations):
            raise wrong_data('"key_ops" of the JSON Web Key must be a list without duplicates.')
        missing = [usage for usage in usages if usage not in operations]
        if missing:
            raise wrong_data(f'"key_ops" of the JSON Web Key does not have "{missing[0]}".')
    if jwk.get("ext") is False and extractable:
        raise wrong_data('"ext" of the JSON Web Key forbids that the key is extractable.')
    if algorithms and jwk.get("alg") is not None and jwk["alg"] not in algorithms:
        raise wrong_data(f'"alg" of the JSON Web Key must be "{next(iter(algorithms))}".')


def common_jwk(key: Key) -> dict[str, Any]:
    """Return the members that every exported JSON Web Key ends with."""
    return {"key_ops": list(key.usages), "ext": key.extractable}
