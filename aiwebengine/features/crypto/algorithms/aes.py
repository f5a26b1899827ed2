"""AES in its four modes: CBC, CTR, GCM, and KW, which encrypts keys alone."""

from __future__ import annotations

import secrets
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.padding import PKCS7

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
from aiwebengine.features.crypto.keys import Key
from aiwebengine.features.crypto.refusals import RequestFields

_LENGTHS = (128, 192, 256)
_BLOCK = 16
_SLICE = 256 * 1024
_TAG_BITS = (32, 64, 96, 104, 112, 120, 128)
_IV_BYTES = range(8, 129)


class _Updates(Protocol):
    def update(self, data: memoryview) -> bytes: ...


class _Aes(Algorithm):
    usages: tuple[str, ...] = ("encrypt", "decrypt", "wrapKey", "unwrapKey")

    def generate(self, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]) -> Key:
        """See `Algorithm.generate`."""
        require_usages(usages, self.usages, what=self.name)
        length = self.key_length(given)
        return self._key(secrets.token_bytes(length // 8), extractable=extractable, usages=usages)

    def import_key(
        self, form: str, data: KeyData, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        """See `Algorithm.import_key`."""
        del given
        require_usages(usages, self.usages, what=self.name)
        if form == "raw" and isinstance(data, bytes):
            return self._key(data, extractable=extractable, usages=usages)
        if form != "jwk" or isinstance(data, bytes):
            raise self.unknown_format(form)
        check_jwk(data, kind="oct", usages=usages, extractable=extractable, use="enc")
        key = self._key(from_base64url(data, "k"), extractable=extractable, usages=usages)
        if data.get("alg") is not None and data["alg"] != self._jwk_name(key):
            raise wrong_data(f'"alg" of the JSON Web Key must be "{self._jwk_name(key)}".')
        return key

    def export_key(self, form: str, key: Key) -> KeyData:
        """See `Algorithm.export_key`."""
        if form == "raw":
            return key.material
        if form != "jwk":
            raise self.unknown_format(form)
        return {"kty": "oct", "k": to_base64url(key.material), "alg": self._jwk_name(key), **common_jwk(key)}

    def key_length(self, given: RequestFields) -> int:
        """See `Algorithm.key_length`."""
        length = given.integer("length")
        if length not in _LENGTHS:
            raise failed(f"An AES key has 128, 192 or 256 bits, not {length}.")
        return length

    def _jwk_name(self, key: Key) -> str:
        return f"A{len(key.material) * 8}{self.name.removeprefix('AES-')}"

    def _key(self, material: bytes, *, extractable: bool, usages: tuple[str, ...]) -> Key:
        length = len(material) * 8
        if length not in _LENGTHS:
            raise wrong_data(f"An AES key has 128, 192 or 256 bits, not {length}.")
        algorithm: dict[str, Any] = {"name": self.name, "length": length}
        return Key(type="secret", algorithm=algorithm, extractable=extractable, usages=usages, material=material)


class AesCbc(_Aes):
    """See `Algorithm`."""

    def encrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.encrypt`."""
        encryptor = self._cipher(key, given).encryptor()
        padder = PKCS7(8 * _BLOCK).padder()
        padded = padder.update(data) + padder.finalize()
        return _sliced(encryptor, padded) + encryptor.finalize()

    def decrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.decrypt`."""
        decryptor = self._cipher(key, given).decryptor()
        unpadder = PKCS7(8 * _BLOCK).unpadder()
        try:
            padded = _sliced(decryptor, data) + decryptor.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            raise failed("The data cannot be decrypted with this key and iv.") from None

    def _cipher(self, key: Key, given: RequestFields) -> Cipher[modes.CBC]:
        iv = given.octets("iv")
        if len(iv) != _BLOCK:
            raise failed(f"iv must have {_BLOCK} bytes; it has {len(iv)}.")
        return Cipher(algorithms.AES(key.material), modes.CBC(iv))


class AesCtr(_Aes):
    """See `Algorithm`."""

    def encrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.encrypt`."""
        counter, length = given.octets("counter"), given.integer("length")
        if len(counter) != _BLOCK:
            raise failed(f"counter must have {_BLOCK} bytes; it has {len(counter)}.")
        if not 0 < length <= 8 * _BLOCK:
            raise failed("length must be from 1 to 128: bits of the block that are counted.")
        blocks = -(-len(data) // _BLOCK)
        if blocks > 1 << length:
            raise failed(f"{length} bits cannot count the {blocks} blocks of the data.")
        begin = int.from_bytes(counter, "big")
        # Only the last bits count: when they are all ones, the next block has zeros there and the same before.
        until_turn = (1 << length) - (begin & ((1 << length) - 1))
        turned = (begin >> length << length).to_bytes(_BLOCK, "big")
        at = min(until_turn * _BLOCK, len(data))
        return _counted(key.material, counter, data[:at]) + (
            _counted(key.material, turned, data[at:]) if data[at:] else b""
        )

    def decrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.decrypt`."""
        return self.encrypt(key, given, data)


class AesGcm(_Aes):
    """See `Algorithm`."""

    def encrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.encrypt`."""
        tag_bytes = self._tag_bytes(given)
        encryptor = Cipher(algorithms.AES(key.material), modes.GCM(self._iv(given))).encryptor()
        if "additionalData" in given:
            encryptor.authenticate_additional_data(given.octets("additionalData"))
        return _sliced(encryptor, data) + encryptor.finalize() + encryptor.tag[:tag_bytes]

    def decrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.decrypt`."""
        tag_bytes = self._tag_bytes(given)
        if len(data) < tag_bytes:
            raise failed(f"The data is shorter than the tag of {tag_bytes} bytes.")
        mode = modes.GCM(self._iv(given), data[len(data) - tag_bytes :], min_tag_length=tag_bytes)
        decryptor = Cipher(algorithms.AES(key.material), mode).decryptor()
        if "additionalData" in given:
            decryptor.authenticate_additional_data(given.octets("additionalData"))
        try:
            return _sliced(decryptor, data[: len(data) - tag_bytes]) + decryptor.finalize()
        except InvalidTag:
            raise failed("The data cannot be decrypted with this key, iv and additional data.") from None

    def _iv(self, given: RequestFields) -> bytes:
        iv = given.octets("iv")
        if len(iv) not in _IV_BYTES:
            raise failed(f"iv must have {_IV_BYTES.start} to {_IV_BYTES.stop - 1} bytes; it has {len(iv)}.")
        return iv

    def _tag_bytes(self, given: RequestFields) -> int:
        bits = given.integer("tagLength") if "tagLength" in given else 128
        if bits not in _TAG_BITS:
            raise failed(f"tagLength must be {', '.join(map(str, _TAG_BITS))}; it is {bits}.")
        return bits // 8


class AesKw(_Aes):
    """See `Algorithm`."""

    usages = ("wrapKey", "unwrapKey")

    def encrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.encrypt`."""
        raise self.cannot("encrypt data, only keys", key, given, data)

    def decrypt(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.decrypt`."""
        raise self.cannot("decrypt data, only keys", key, given, data)

    def wrap(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.wrap`."""
        del given
        if len(data) % 8 or len(data) < _BLOCK:
            raise failed(f"AES-KW encrypts a multiple of 8 bytes, at least 16; the exported key has {len(data)}.")
        return aes_key_wrap(key.material, data)

    def unwrap(self, key: Key, given: RequestFields, data: bytes) -> bytes:
        """See `Algorithm.unwrap`."""
        del given
        try:
            return aes_key_unwrap(key.material, data)
        except (InvalidUnwrap, ValueError):
            raise failed("The wrapped key cannot be decrypted with this key.") from None


def _counted(material: bytes, counter: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(material), modes.CTR(counter)).encryptor()
    return _sliced(encryptor, data) + encryptor.finalize()


def _sliced(cipher: _Updates, data: bytes) -> bytes:
    """Pass *data* through; other threads run between its slices, for each holds the interpreter's lock."""
    view = memoryview(data)
    return b"".join(cipher.update(view[at : at + _SLICE]) for at in range(0, len(data), _SLICE))
