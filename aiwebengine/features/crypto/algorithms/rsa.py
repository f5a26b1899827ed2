"""RSA: signatures by PKCS #1 v1.5 and PSS, encryption by OAEP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicKey,
    RSAPublicNumbers,
    generate_private_key,
)

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
from aiwebengine.features.crypto.algorithms.formats import as_pkcs8, as_spki, load_pkcs8, load_spki
from aiwebengine.features.crypto.algorithms.hashes import hash_named
from aiwebengine.features.crypto.keys import Key
from aiwebengine.features.crypto.refusals import Refusal, RequestFields, as_text
from aiwebengine.features.crypto.settings import CryptoSettings

_LEAST_BITS = 1024
_EXPONENTS = (3, 65537)
_LARGEST_EXPONENT = 2**32
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


class _Rsa(Algorithm):
    """
    See `Algorithm`.

    Args:
        public: What public keys may be used for.
        private: What private keys may be used for.
        use: `use` of JSON Web Keys.
        jwk: `alg` of JSON Web Keys, by the number of the hash.
    """

    public: tuple[str, ...] = ("verify",)
    private: tuple[str, ...] = ("sign",)
    use = "sig"
    prefix = ""

    def generate(self, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, Key]:
        """See `Algorithm.generate`."""
        require_usages(usages, (*self.public, *self.private), what=self.name)
        hash_named(given.fields("hash").text("name"))
        exponent = int.from_bytes(given.octets("publicExponent"), "big")
        if exponent not in _EXPONENTS:
            raise failed("publicExponent must be 65537 (or 3): new Uint8Array([1, 0, 1]).")
        bits = given.integer("modulusLength")
        if bits < _LEAST_BITS:
            raise failed(f"modulusLength must be at least {_LEAST_BITS} bits; it is {bits}.")
        self._require_size(bits)
        private = generate_private_key(exponent, bits)
        public = private.public_key()
        return (
            self._public(public, given, extractable=True, usages=tuple(use for use in usages if use in self.public)),
            self._private(
                private, given, extractable=extractable, usages=tuple(use for use in usages if use in self.private)
            ),
        )

    def import_key(
        self, form: str, data: KeyData, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        """See `Algorithm.import_key`."""
        is_private = form == "pkcs8" or (form == "jwk" and not isinstance(data, bytes) and "d" in data)
        what = f"{'private' if is_private else 'public'} {self.name}"
        require_usages(usages, self.private if is_private else self.public, what=what)
        function = hash_named(given.fields("hash").text("name"))
        if form == "jwk" and not isinstance(data, bytes):
            algorithms = (self._jwk_name(function.number),)
            check_jwk(data, kind="RSA", usages=usages, extractable=extractable, use=self.use, algorithms=algorithms)
            loaded: Any = self._of_jwk(data)
        elif form == "spki" and isinstance(data, bytes):
            loaded = load_spki(data, RSAPublicKey)
        elif form == "pkcs8" and isinstance(data, bytes):
            loaded = load_pkcs8(data, RSAPrivateKey)
            self._require_size(loaded.key_size)
            _require_consistent(loaded.private_numbers())
        else:
            raise self.unknown_format(form)
        self._require_size(loaded.key_size)
        if isinstance(loaded, RSAPrivateKey):
            return self._private(loaded, given, extractable=extractable, usages=usages)
        return self._public(loaded, given, extractable=extractable, usages=usages)

    def export_key(self, form: str, key: Key) -> KeyData:
        """See `Algorithm.export_key`."""
        if form == "spki":
            key.require_type("public")
            return key.material
        if form == "pkcs8":
            key.require_type("private")
            return key.material
        if form != "jwk":
            raise self.unknown_format(form)
        number = hash_named(key.algorithm["hash"]["name"]).number
        private = key.loaded.private_numbers() if key.type == "private" else None
        public = private.public_numbers if private is not None else key.loaded.public_numbers()
        jwk: dict[str, Any] = {"kty": "RSA", "n": _number(public.n), "e": _number(public.e)}
        if private is not None:
            parts = (private.d, private.p, private.q, private.dmp1, private.dmq1, private.iqmp)
            jwk.update(zip(_PRIVATE, map(_number, parts), strict=True))
        return {**jwk, "alg": self._jwk_name(number), **common_jwk(key)}

    def _jwk_name(self, number: str) -> str:
        return f"{self.prefix}{number}"

    def _of_jwk(self, jwk: Mapping[str, Any]) -> RSAPublicKey | RSAPrivateKey:
        """Return the key of a JSON Web Key."""
        if "oth" in jwk:
            raise Refusal("NotSupportedError", "RSA keys of more than two primes are not supported.")
        public = RSAPublicNumbers(e=_integer(jwk, "e"), n=_integer(jwk, "n"))
        self._require_size(public.n.bit_length())
        try:
            if "d" not in jwk:
                return public.public_key()
            d, p, q, dp, dq, qi = (_integer(jwk, part) for part in _PRIVATE)
            numbers = RSAPrivateNumbers(p=p, q=q, d=d, dmp1=dp, dmq1=dq, iqmp=qi, public_numbers=public)
            _require_consistent(numbers)
            return numbers.private_key(unsafe_skip_rsa_key_validation=True)
        except ValueError:
            raise wrong_data("The JSON Web Key is not an RSA key.") from None

    def _require_size(self, bits: int) -> None:
        if bits > self.limits.max_rsa_bits:
            raise failed(
                f"An RSA key may have at most {self.limits.max_rsa_bits} bits here (setting crypto.max_rsa_bits); this "
                f"one has {bits}."
            )

    def _public(self, loaded: RSAPublicKey, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]) -> Key:
        algorithm = self._algorithm(loaded, given)
        return Key(type="public", algorithm=algorithm, extractable=extractable, usages=usages, material=as_spki(loaded))

    def _private(
        self, loaded: RSAPrivateKey, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        algorithm = self._algorithm(loaded.public_key(), given)
        return Key(
            type="private", algorithm=algorithm, extractable=extractable, usages=usages, material=as_pkcs8(loaded)
        )

    def _algorithm(self, public: RSAPublicKey, given: RequestFields) -> dict[str, Any]:
        exponent = public.public_numbers().e
        return {
            "name": self.name,
            "modulusLength": public.key_size,
            "publicExponent": as_text(exponent.to_bytes((exponent.bit_length() + 7) // 8, "big")),
            "hash": {"name": given.fields("hash").text("name")},
        }


class RsaPkcs1(_Rsa):
    """See `Algorithm`."""

    prefix = "RS"

    def sign(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.sign`."""
        key.require_type("private")
        try:
            signature: bytes = key.loaded.sign(data, self._padding(key, given), _hash_of(key))
        except ValueError:
            raise failed("The key is too short for this signature, or is not consistent.") from None
        return signature

    def verify(self, key: Key, given: RequestFields, signature: bytes, data: bytes) -> bool:
        """See `Algorithm.verify`."""
        key.require_type("public")
        try:
            key.loaded.verify(signature, data, self._padding(key, given), _hash_of(key))
        except InvalidSignature:
            return False
        except ValueError:
            raise failed("The key is too short for this signature.") from None
        return True

    def _padding(self, key: Key, given: RequestFields) -> padding.AsymmetricPadding:
        del key, given
        return padding.PKCS1v15()


class RsaPss(RsaPkcs1):
    """See `Algorithm`."""

    prefix = "PS"

    def _padding(self, key: Key, given: RequestFields) -> padding.AsymmetricPadding:
        return padding.PSS(mgf=padding.MGF1(_hash_of(key)), salt_length=given.integer("saltLength", most=2**31 - 1))


class RsaOaep(_Rsa):
    """See `Algorithm`."""

    public = ("encrypt", "wrapKey")
    private = ("decrypt", "unwrapKey")
    use = "enc"

    def encrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.encrypt`."""
        key.require_type("public")
        try:
            encrypted: bytes = key.loaded.encrypt(data, self._padding(key, given))
        except ValueError:
            raise failed(
                f"RSA-OAEP encrypts less than the {key.algorithm['modulusLength'] // 8} bytes of its key; encrypt a "
                "key with it, and the data with that."
            ) from None
        return encrypted

    def decrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.decrypt`."""
        key.require_type("private")
        try:
            decrypted: bytes = key.loaded.decrypt(data, self._padding(key, given))
        except ValueError:
            raise failed("The data cannot be decrypted with this key and label.") from None
        return decrypted

    def _padding(self, key: Key, given: RequestFields) -> padding.OAEP:
        function = _hash_of(key)
        label = given.octets("label") if "label" in given else None
        return padding.OAEP(mgf=padding.MGF1(function), algorithm=function, label=label)

    def _jwk_name(self, number: str) -> str:
        return "RSA-OAEP" if number == "1" else f"RSA-OAEP-{number}"


def make(limits: CryptoSettings) -> list[Algorithm]:
    """Return all of them."""
    return [RsaPkcs1("RSASSA-PKCS1-v1_5", limits), RsaPss("RSA-PSS", limits), RsaOaep("RSA-OAEP", limits)]


def _hash_of(key: Key) -> hashes.HashAlgorithm:
    made: hashes.HashAlgorithm = getattr(hashes, hash_named(key.algorithm["hash"]["name"]).python.upper())()
    return made


def _number(value: int) -> str:
    return to_base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _integer(jwk: Mapping[str, Any], member: str) -> int:
    return int.from_bytes(from_base64url(jwk, member), "big")


def _require_consistent(numbers: RSAPrivateNumbers) -> None:
    """
    Check that the parts of a private key belong together.

    Whether its factors are primes is not checked: that takes a second, during which nothing else runs, and whoever
    supplies a key knows its length.

    Raises:
        Refusal: `DataError`.
    """
    p, q, e = numbers.p, numbers.q, numbers.public_numbers.e
    parts = (p, q, numbers.d, numbers.dmp1, numbers.dmq1, numbers.iqmp, e)
    if (
        # Larger ones would take long.
        not all(1 <= part < numbers.public_numbers.n for part in parts)
        or not 3 <= e < _LARGEST_EXPONENT
        or min(p, q) < 3
        or p * q != numbers.public_numbers.n
        or not (p % 2 and q % 2)
        or numbers.dmp1 * e % (p - 1) != 1
        or numbers.dmq1 * e % (q - 1) != 1
        or numbers.d % (p - 1) != numbers.dmp1
        or numbers.d % (q - 1) != numbers.dmq1
        or numbers.iqmp * q % p != 1
    ):
        raise wrong_data("The numbers of the RSA key do not belong to a pair.")
