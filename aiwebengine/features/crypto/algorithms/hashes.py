"""The hash functions of the standard."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from aiwebengine.features.crypto.refusals import Refusal

_SLICE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HashFunction:
    """One hash function."""

    name: str
    """In the standard: `SHA-256`."""
    python: str
    """In `hashlib`, and as a class of `cryptography` in lower case."""
    block_bits: int
    """Of its input: the length of an HMAC key that is generated."""
    bytes: int
    """Of the result."""

    @property
    def number(self) -> str:
        """Return what names it in JSON Web Keys: `256`, and `1` for SHA-1."""
        return self.name.removeprefix("SHA-")


HASHES = {
    name: HashFunction(name=name, python=python, block_bits=block_bits, bytes=size)
    for name, python, block_bits, size in (
        ("SHA-1", "sha1", 512, 20),
        ("SHA-256", "sha256", 512, 32),
        ("SHA-384", "sha384", 1024, 48),
        ("SHA-512", "sha512", 1024, 64),
    )
}


MD5 = HashFunction(name="MD5", python="md5", block_bits=512, bytes=16)
"""Not in the standard: what is not awaited has it for entity tags and older protocols, never for signatures."""


def hash_named(name: str, *, with_md5: bool = False) -> HashFunction:
    """
    Return a hash function.

    Raises:
        Refusal: `NotSupportedError`.
    """
    found = MD5 if with_md5 and name == MD5.name else HASHES.get(name)
    if found is None:
        raise Refusal("NotSupportedError", f'There is no hash function "{name[:40]}"; there are {", ".join(HASHES)}.')
    return found


def digest(function: HashFunction, data: bytes) -> bytes:
    """Return the hash of *data*; other threads run between its slices."""
    state = hashlib.new(function.python, usedforsecurity=False)
    view = memoryview(data)
    for at in range(0, len(data), _SLICE):
        state.update(view[at : at + _SLICE])
    return state.digest()
