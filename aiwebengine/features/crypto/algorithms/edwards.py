"""Ed25519 and X25519."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from aiwebengine.features.crypto.algorithms.algorithm import (
    Algorithm,
    KeyData,
    check_jwk,
    common_jwk,
    failed,
    from_base64url,
    require_usages,
    to_base64url,
    wrong_data,
)
from aiwebengine.features.crypto.algorithms.derivation import first_bits
from aiwebengine.features.crypto.algorithms.elliptic import require_partner
from aiwebengine.features.crypto.algorithms.formats import as_pkcs8, as_spki, load_pkcs8, load_spki
from aiwebengine.features.crypto.keys import Key
from aiwebengine.features.crypto.refusals import RequestFields
from aiwebengine.features.crypto.settings import CryptoSettings

_KEY_BYTES = 32


class _Curve25519(Algorithm):
    public: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    use = ""
    algorithms: tuple[str, ...] = ()
    public_class: Any = None
    private_class: Any = None

    def generate(self, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, Key]:
        """See `Algorithm.generate`."""
        del given
        require_usages(usages, (*self.public, *self.private), what=self.name)
        private = self.private_class.generate()
        public_usages = tuple(usage for usage in usages if usage in self.public)
        private_usages = tuple(usage for usage in usages if usage in self.private)
        return (
            self._key(private.public_key(), extractable=True, usages=public_usages),
            self._key(private, extractable=extractable, usages=private_usages),
        )

    def import_key(
        self, form: str, data: KeyData, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        """See `Algorithm.import_key`."""
        del given
        is_private = form == "pkcs8" or (form == "jwk" and not isinstance(data, bytes) and "d" in data)
        what = f"{'private' if is_private else 'public'} {self.name}"
        require_usages(usages, self.private if is_private else self.public, what=what)
        loaded: Any
        if form == "jwk" and not isinstance(data, bytes):
            check_jwk(
                data, kind="OKP", usages=usages, extractable=extractable, use=self.use, algorithms=self.algorithms
            )
            loaded = self._of_jwk(data)
        elif form == "raw" and isinstance(data, bytes):
            loaded = self.public_class.from_public_bytes(_of_length(data))
        elif form == "spki" and isinstance(data, bytes):
            loaded = load_spki(data, self.public_class)
        elif form == "pkcs8" and isinstance(data, bytes):
            loaded = load_pkcs8(data, self.private_class)
        else:
            raise self.unknown_format(form)
        return self._key(loaded, extractable=extractable, usages=usages)

    def export_key(self, form: str, key: Key) -> KeyData:
        """See `Algorithm.export_key`."""
        if form in {"spki", "pkcs8"}:
            key.require_type("public" if form == "spki" else "private")
            return key.material
        if form == "raw":
            key.require_type("public")
            raw: bytes = key.loaded.public_bytes_raw()
            return raw
        if form != "jwk":
            raise self.unknown_format(form)
        public = key.loaded.public_key() if key.type == "private" else key.loaded
        jwk: dict[str, Any] = {"crv": self.name, "x": to_base64url(public.public_bytes_raw()), "kty": "OKP"}
        if key.type == "private":
            jwk["d"] = to_base64url(key.loaded.private_bytes_raw())
        if self.algorithms:
            jwk["alg"] = self.name
        return {**jwk, **common_jwk(key)}

    def _of_jwk(self, jwk: Mapping[str, Any]) -> Any:
        if jwk.get("crv") != self.name:
            raise wrong_data(f'"crv" of the JSON Web Key must be "{self.name}".')
        x = _of_length(from_base64url(jwk, "x"))
        if "d" not in jwk:
            return self.public_class.from_public_bytes(x)
        private = self.private_class.from_private_bytes(_of_length(from_base64url(jwk, "d")))
        if private.public_key().public_bytes_raw() != x:
            raise wrong_data('"x" and "d" of the JSON Web Key do not belong to a pair.')
        return private

    def _key(self, loaded: Any, *, extractable: bool, usages: tuple[str, ...]) -> Key:
        is_private = isinstance(loaded, self.private_class)
        return Key(
            type="private" if is_private else "public",
            algorithm={"name": self.name},
            extractable=extractable,
            usages=usages,
            material=as_pkcs8(loaded) if is_private else as_spki(loaded),
        )


class Ed25519(_Curve25519):
    """See `Algorithm`."""

    public = ("verify",)
    private = ("sign",)
    use = "sig"
    algorithms = ("EdDSA", "Ed25519")
    public_class = Ed25519PublicKey
    private_class = Ed25519PrivateKey

    def sign(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.sign`."""
        del given
        key.require_type("private")
        signature: bytes = key.loaded.sign(data)
        return signature

    def verify(self, key: Key, given: RequestFields, signature: bytes, data: bytes) -> bool:
        """See `Algorithm.verify`."""
        del given
        key.require_type("public")
        try:
            key.loaded.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class X25519(_Curve25519):
    """See `Algorithm`."""

    private = ("deriveKey", "deriveBits")
    use = "enc"
    public_class = X25519PublicKey
    private_class = X25519PrivateKey

    def derive(self, key: Key, given: RequestFields, length: int | None, public: Key | None) -> bytes:
        """See `Algorithm.derive`."""
        del given
        other = require_partner(key, public)
        try:
            shared: bytes = key.loaded.exchange(other.loaded)
        except ValueError:
            raise failed("The public key has a small order; no secret can be derived with it.") from None
        return first_bits(shared, length)


def make(limits: CryptoSettings) -> list[Algorithm]:
    """Return both."""
    return [Ed25519("Ed25519", limits), X25519("X25519", limits)]


def _of_length(data: bytes) -> bytes:
    if len(data) != _KEY_BYTES:
        raise wrong_data(f"The key must have {_KEY_BYTES} bytes; it has {len(data)}.")
    return data
