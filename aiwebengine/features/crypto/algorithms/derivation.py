"""PBKDF2, HKDF, and scrypt (RFC 7914), which is not in the standard."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from aiwebengine.features.crypto.algorithms.algorithm import Algorithm, KeyData, failed, require_usages
from aiwebengine.features.crypto.algorithms.hashes import HashFunction, hash_named
from aiwebengine.features.crypto.keys import Key
from aiwebengine.features.crypto.refusals import Refusal, RequestFields

_USAGES = ("deriveKey", "deriveBits")
_MOST_HKDF_BLOCKS = 255
_SCRYPT_BLOCK = 128
_MOST_SCRYPT_BYTES = 1024
_ROUNDS = 4
"""How often a derivation by scrypt may go through the memory that it may use."""


def first_bits(secret: bytes, length: int | None) -> bytes:
    """
    Return the first bits of what two keys derive.

    Raises:
        Refusal: `OperationError`: it has fewer.
    """
    if length is None:
        return secret
    if length > len(secret) * 8:
        raise failed(f"These keys derive {len(secret) * 8} bits, not {length}.")
    cut = secret[: (length + 7) // 8]
    if length % 8:
        cut = cut[:-1] + bytes([cut[-1] & (0xFF << (8 - length % 8)) & 0xFF])
    return cut


class _Derivation(Algorithm):
    def import_key(
        self, form: str, data: KeyData, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        """See `Algorithm.import_key`."""
        del given
        if form != "raw" or not isinstance(data, bytes):
            raise self.unknown_format(form)
        require_usages(usages, _USAGES, what=self.name)
        if extractable:
            raise Refusal("SyntaxError", f"A key for {self.name} cannot be extractable.")
        return Key(type="secret", algorithm={"name": self.name}, extractable=False, usages=usages, material=data)

    def key_length(self, given: RequestFields) -> int | None:
        """See `Algorithm.key_length`."""
        del given
        return None

    def _bytes(self, length: int | None) -> int:
        if length is None or length % 8:
            raise failed(f"{self.name} derives a multiple of 8 bits; length is {length}.")
        return length // 8


class Pbkdf2(_Derivation):
    """See `Algorithm`."""

    def derive(self, key: Key, given: RequestFields, length: int | None, public: Key | None) -> bytes:
        """See `Algorithm.derive`."""
        del public
        size, iterations, salt = self._bytes(length), given.integer("iterations"), given.octets("salt")
        function = hash_named(given.fields("hash").text("name"))
        if iterations == 0:
            raise failed("iterations must be at least 1.")
        if size == 0:
            return b""
        blocks = -(-size // function.bytes)
        if iterations * blocks > self.limits.max_iterations:
            more = f" for each of {blocks} hashes of {function.name}" if blocks > 1 else ""
            raise failed(
                f"PBKDF2 may take at most {self.limits.max_iterations} iterations here (setting "
                f"crypto.max_iterations), not {iterations}{more}."
            )
        return PBKDF2HMAC(_made(function), size, salt, iterations).derive(key.material)


class Hkdf(_Derivation):
    """See `Algorithm`."""

    def derive(self, key: Key, given: RequestFields, length: int | None, public: Key | None) -> bytes:
        """See `Algorithm.derive`."""
        del public
        size = self._bytes(length)
        function = hash_named(given.fields("hash").text("name"))
        most = _MOST_HKDF_BLOCKS * function.bytes
        if size > most:
            raise failed(f"HKDF with {function.name} derives at most {most * 8} bits, not {length}.")
        if size == 0:
            return b""
        return HKDF(_made(function), size, salt=given.octets("salt"), info=given.octets("info")).derive(key.material)


class ScryptDerivation(_Derivation):
    """See `Algorithm`."""

    def derive(self, key: Key, given: RequestFields, length: int | None, public: Key | None) -> bytes:
        """See `Algorithm.derive`."""
        del public
        size, salt = self._bytes(length), given.octets("salt")
        cost, block, parallel = (given.integer(name) for name in ("N", "r", "p"))
        if cost < 2 or cost & (cost - 1) or not block or not parallel or not 0 < size <= _MOST_SCRYPT_BYTES:
            raise failed(
                "scrypt takes a power of two as N, r and p of at least 1, and derives 8 to "
                f"{_MOST_SCRYPT_BYTES * 8} bits; N is {cost}, r {block}, p {parallel}, and length {length}."
            )
        memory = _SCRYPT_BLOCK * cost * block
        most = self.limits.max_scrypt_bytes
        if memory > most or memory * parallel > _ROUNDS * most:
            raise failed(
                f"scrypt may use at most {most} bytes here (setting crypto.max_scrypt_bytes), and p times that at most "
                f"{_ROUNDS * most}; with N {cost}, r {block} and p {parallel} it uses {memory}."
            )
        return Scrypt(salt, size, cost, block, parallel).derive(key.material)


def _made(function: HashFunction) -> hashes.HashAlgorithm:
    made: hashes.HashAlgorithm = getattr(hashes, function.python.upper())()
    return made
