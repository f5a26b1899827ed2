"""ECDSA and ECDH on the curves P-256, P-384 and P-521."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from aiwebengine.features.crypto.algorithms.algorithm import (
    Algorithm,
    KeyData,
    check_jwk,
    common_jwk,
    from_base64url,
    require_usages,
    to_base64url,
    wrong_data,
)
from aiwebengine.features.crypto.algorithms.derivation import first_bits
from aiwebengine.features.crypto.algorithms.formats import as_pkcs8, as_spki, load_pkcs8, load_spki
from aiwebengine.features.crypto.algorithms.hashes import hash_named
from aiwebengine.features.crypto.keys import Key
from aiwebengine.features.crypto.refusals import Refusal, RequestFields
from aiwebengine.features.crypto.settings import CryptoSettings

_CURVES: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_SIGNATURES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


class _Elliptic(Algorithm):
    public: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    use = ""

    def generate(self, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, Key]:
        """See `Algorithm.generate`."""
        require_usages(usages, (*self.public, *self.private), what=self.name)
        curve = _curve_named(given)
        private = ec.generate_private_key(_CURVES[curve])
        public_usages = tuple(usage for usage in usages if usage in self.public)
        private_usages = tuple(usage for usage in usages if usage in self.private)
        return (
            self._public(private.public_key(), curve, extractable=True, usages=public_usages),
            self._private(private, curve, extractable=extractable, usages=private_usages),
        )

    def import_key(
        self, form: str, data: KeyData, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        """See `Algorithm.import_key`."""
        curve = _curve_named(given)
        is_private = form == "pkcs8" or (form == "jwk" and not isinstance(data, bytes) and "d" in data)
        what = f"{'private' if is_private else 'public'} {self.name}"
        require_usages(usages, self.private if is_private else self.public, what=what)
        loaded: Any
        if form == "jwk" and not isinstance(data, bytes):
            algorithms = (_SIGNATURES[curve],) if self.use == "sig" else ()
            check_jwk(data, kind="EC", usages=usages, extractable=extractable, use=self.use, algorithms=algorithms)
            loaded = _of_jwk(data, curve)
        elif form == "raw" and isinstance(data, bytes):
            loaded = _of_point(data, curve)
        elif form == "spki" and isinstance(data, bytes):
            loaded = load_spki(data, ec.EllipticCurvePublicKey)
        elif form == "pkcs8" and isinstance(data, bytes):
            loaded = load_pkcs8(data, ec.EllipticCurvePrivateKey)
        else:
            raise self.unknown_format(form)
        if loaded.curve.name != _CURVES[curve].name:
            raise wrong_data(f"The key is not on the curve {curve}.")
        if isinstance(loaded, ec.EllipticCurvePrivateKey):
            return self._private(loaded, curve, extractable=extractable, usages=usages)
        return self._public(loaded, curve, extractable=extractable, usages=usages)

    def export_key(self, form: str, key: Key) -> KeyData:
        """See `Algorithm.export_key`."""
        if form in {"spki", "pkcs8"}:
            key.require_type("public" if form == "spki" else "private")
            return key.material
        if form == "raw":
            key.require_type("public")
            point: bytes = key.loaded.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return point
        if form != "jwk":
            raise self.unknown_format(form)
        curve = key.algorithm["namedCurve"]
        public = key.loaded.public_key() if key.type == "private" else key.loaded
        numbers, size = public.public_numbers(), _bytes_of(curve)
        jwk = {"kty": "EC", "crv": curve, "x": _number(numbers.x, size), "y": _number(numbers.y, size)}
        if key.type == "private":
            jwk["d"] = _number(key.loaded.private_numbers().private_value, size)
        return {**jwk, **common_jwk(key)}

    def _public(
        self, loaded: ec.EllipticCurvePublicKey, curve: str, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        return Key(
            type="public",
            algorithm={"name": self.name, "namedCurve": curve},
            extractable=extractable,
            usages=usages,
            material=as_spki(loaded),
        )

    def _private(
        self, loaded: ec.EllipticCurvePrivateKey, curve: str, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        return Key(
            type="private",
            algorithm={"name": self.name, "namedCurve": curve},
            extractable=extractable,
            usages=usages,
            material=as_pkcs8(loaded),
        )


class Ecdsa(_Elliptic):
    """See `Algorithm`; a signature is both of its numbers, one after the other."""

    public = ("verify",)
    private = ("sign",)
    use = "sig"

    def sign(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.sign`."""
        key.require_type("private")
        r, s = decode_dss_signature(key.loaded.sign(data, _with_hash(given)))
        size = _bytes_of(key.algorithm["namedCurve"])
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def verify(self, key: Key, given: RequestFields, signature: bytes, data: bytes) -> bool:
        """See `Algorithm.verify`."""
        key.require_type("public")
        algorithm = _with_hash(given)
        size = _bytes_of(key.algorithm["namedCurve"])
        if len(signature) != 2 * size:
            return False
        numbers = (int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big"))
        try:
            key.loaded.verify(encode_dss_signature(*numbers), data, algorithm)
        except InvalidSignature:
            return False
        return True


class Ecdh(_Elliptic):
    """See `Algorithm`."""

    private = ("deriveKey", "deriveBits")
    use = "enc"

    def derive(self, key: Key, given: RequestFields, length: int | None, public: Key | None) -> bytes:
        """See `Algorithm.derive`."""
        del given
        other = require_partner(key, public)
        if other.algorithm["namedCurve"] != key.algorithm["namedCurve"]:
            raise Refusal("InvalidAccessError", "Both keys must be on the same curve.")
        return first_bits(key.loaded.exchange(ec.ECDH(), other.loaded), length)


def require_partner(key: Key, public: Key | None) -> Key:
    """
    Return the public key with which a private one derives.

    Raises:
        Refusal: `InvalidAccessError`: they are of the wrong types or algorithms.
    """
    key.require_type("private")
    if public is None or public.type != "public":
        raise Refusal("InvalidAccessError", '"public" must be a public key.')
    if public.name != key.name:
        raise Refusal("InvalidAccessError", f'"public" is a key for {public.name}, not for {key.name}.')
    return public


def make(limits: CryptoSettings) -> list[Algorithm]:
    """Return both."""
    return [Ecdsa("ECDSA", limits), Ecdh("ECDH", limits)]


def _curve_named(given: RequestFields) -> str:
    name = given.text("namedCurve")
    if name not in _CURVES:
        raise Refusal("NotSupportedError", f'There is no curve "{name[:40]}"; there are {", ".join(_CURVES)}.')
    return name


def _with_hash(given: RequestFields) -> ec.ECDSA:
    function: hashes.HashAlgorithm = getattr(hashes, hash_named(given.fields("hash").text("name")).python.upper())()
    return ec.ECDSA(function)


def _bytes_of(curve: str) -> int:
    return (_CURVES[curve].key_size + 7) // 8


def _number(value: int, size: int) -> str:
    return to_base64url(value.to_bytes(size, "big"))


def _of_point(data: bytes, curve: str) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve], data)
    except ValueError:
        raise wrong_data(f"The data is not a point on the curve {curve}.") from None


def _of_jwk(jwk: Mapping[str, Any], curve: str) -> ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey:
    if jwk.get("crv") != curve:
        raise wrong_data(f'"crv" of the JSON Web Key must be "{curve}".')
    size = _bytes_of(curve)
    parts = {member: from_base64url(jwk, member) for member in ("x", "y", "d") if member in jwk or member != "d"}
    if any(len(part) != size for part in parts.values()):
        raise wrong_data(f"The numbers of a key on the curve {curve} have {size} bytes.")
    point = ec.EllipticCurvePublicNumbers(
        x=int.from_bytes(parts["x"], "big"), y=int.from_bytes(parts["y"], "big"), curve=_CURVES[curve]
    )
    try:
        if "d" not in parts:
            return point.public_key()
        return ec.EllipticCurvePrivateNumbers(int.from_bytes(parts["d"], "big"), point).private_key()
    except ValueError:
        raise wrong_data(f"The JSON Web Key is not a key on the curve {curve}.") from None
