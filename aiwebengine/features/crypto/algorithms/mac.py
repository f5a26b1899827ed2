"""HMAC."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

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
from aiwebengine.features.crypto.algorithms.hashes import HashFunction, hash_named
from aiwebengine.features.crypto.keys import Key
from aiwebengine.features.crypto.refusals import RequestFields

_USAGES = ("sign", "verify")
_SLICE = 1024 * 1024
_MOST_BITS = 8 * 64 * 1024


def hmac_of(function: HashFunction, key: bytes, data: bytes) -> bytes:
    """Return the HMAC of *data*; other threads run between its slices."""
    state = hmac.new(key, digestmod=function.python)
    view = memoryview(data)
    for at in range(0, len(data), _SLICE):
        state.update(view[at : at + _SLICE])
    return state.digest()


class Hmac(Algorithm):
    """See `Algorithm`."""

    def generate(self, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]) -> Key:
        """See `Algorithm.generate`."""
        require_usages(usages, _USAGES, what="HMAC")
        length = self.key_length(given)
        if not 0 < length <= _MOST_BITS:
            raise failed(f"An HMAC key has 1 to {_MOST_BITS} bits.")
        return self._key(given, secrets.token_bytes((length + 7) // 8), length, extractable=extractable, usages=usages)

    def import_key(
        self, form: str, data: KeyData, given: RequestFields, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        """See `Algorithm.import_key`."""
        require_usages(usages, _USAGES, what="HMAC")
        function = hash_named(given.fields("hash").text("name"))
        if form == "raw" and isinstance(data, bytes):
            material = data
        elif form == "jwk" and not isinstance(data, bytes):
            algorithms = (f"HS{function.number}",)
            check_jwk(data, kind="oct", usages=usages, extractable=extractable, use="sig", algorithms=algorithms)
            material = from_base64url(data, "k")
        else:
            raise self.unknown_format(form)
        length = len(material) * 8
        if "length" in given:
            wanted = given.integer("length")
            if wanted > length or wanted <= length - 8:
                raise wrong_data(f"The key has {length} bits, not {wanted}.")
            length = wanted
        if length == 0:
            raise wrong_data("An HMAC key has at least one bit.")
        return self._key(given, material, length, extractable=extractable, usages=usages)

    def export_key(self, form: str, key: Key) -> KeyData:
        """See `Algorithm.export_key`."""
        if form == "raw":
            return key.material
        if form != "jwk":
            raise self.unknown_format(form)
        function = hash_named(key.algorithm["hash"]["name"])
        return {"kty": "oct", "k": to_base64url(key.material), "alg": f"HS{function.number}", **common_jwk(key)}

    def sign(self, key: Key, given: RequestFields, data: bytes) -> bytes:  # noqa: ARG002  HMAC has no parameters
        """See `Algorithm.sign`."""
        return hmac_of(hash_named(key.algorithm["hash"]["name"]), key.material, data)

    def verify(self, key: Key, given: RequestFields, signature: bytes, data: bytes) -> bool:
        """See `Algorithm.verify`."""
        return hmac.compare_digest(self.sign(key, given, data), signature)

    def key_length(self, given: RequestFields) -> int:
        """See `Algorithm.key_length`."""
        function = hash_named(given.fields("hash").text("name"))
        length = given.integer("length") if "length" in given else function.block_bits
        if length == 0:
            raise failed("An HMAC key has at least one bit.")
        return length

    def _key(
        self, given: RequestFields, material: bytes, length: int, *, extractable: bool, usages: tuple[str, ...]
    ) -> Key:
        algorithm: dict[str, Any] = {
            "name": self.name,
            "length": length,
            "hash": {"name": given.fields("hash").text("name")},
        }
        if length % 8:
            # The bits that it does not have are zero.
            last = material[-1] & (0xFF << (8 - length % 8)) & 0xFF
            material = material[:-1] + bytes([last])
        return Key(type="secret", algorithm=algorithm, extractable=extractable, usages=usages, material=material)
