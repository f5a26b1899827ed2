"""
Keys, and how they are sealed.

A script's process never has a key, only a string that holds it encrypted: what it is, what it may be used for and
whether it may be exported are sealed inside and cannot be changed. The server does not store it, so a key lives as long
as the string: in a variable, in a later request, in another process of the script. Each string is good for the script
that it was made for.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from aiwebengine.features.crypto.refusals import Refusal

_NONCE_BYTES = 12
_MOST_KEPT = 1000


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a script."""

    type: str
    """`secret`, `public` or `private`."""
    algorithm: Mapping[str, Any]
    """As scripts see it, ready for JSON; the public exponent as Base64."""
    extractable: bool
    usages: tuple[str, ...]
    material: bytes
    """The bytes of a secret key; SubjectPublicKeyInfo of a public, PKCS #8 of a private one, both as DER."""

    @property
    def name(self) -> str:
        """Return the name of its algorithm."""
        return str(self.algorithm["name"])

    @cached_property
    def loaded(self) -> Any:
        """Return a public or private key as `cryptography` has it."""
        if self.type == "public":
            return load_der_public_key(self.material)
        # That an RSA key is consistent was checked when it came; to check it for primes takes a second.
        return load_der_private_key(self.material, None, unsafe_skip_rsa_key_validation=True)

    def require(self, usage: str, algorithm: str) -> None:
        """
        Check that it may be used.

        Raises:
            Refusal: `InvalidAccessError`: it is for another algorithm or usage.
        """
        if self.name != algorithm:
            raise Refusal("InvalidAccessError", f"The key is for {self.name}, not for {algorithm}.")
        if usage not in self.usages:
            allowed = ", ".join(self.usages) or "nothing"
            raise Refusal("InvalidAccessError", f'The key may not be used for "{usage}"; it is for {allowed}.')

    def require_type(self, kind: str) -> None:
        """
        Check which half of a pair it is.

        Raises:
            Refusal: `InvalidAccessError`.
        """
        if self.type != kind:
            raise Refusal("InvalidAccessError", f"A {kind} key is needed; this one is {self.type}.")


class SealedKeys:
    """
    Makes strings of keys, and keys of strings.

    It is used by several threads.

    Args:
        secret: 32 bytes that no script knows.
        entropy: Returns this many random bytes.
    """

    def __init__(self, *, secret: bytes, entropy: Callable[[int], bytes]) -> None:
        self._cipher = AESGCM(secret)
        self._entropy = entropy
        self._lock = Lock()
        self._opened: OrderedDict[tuple[str, str], Key] = OrderedDict()

    def seal(self, script: str, key: Key) -> dict[str, Any]:
        """Return what a script's process learns about a key."""
        shown = {
            "type": key.type,
            "algorithm": dict(key.algorithm),
            "extractable": key.extractable,
            "usages": list(key.usages),
        }
        inside = {**shown, "material": base64.b64encode(key.material).decode("ascii")}
        nonce = self._entropy(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, json.dumps(inside).encode(), script.encode())
        handle = base64.b64encode(sealed).decode("ascii")
        self._keep(script, handle, key)
        return {**shown, "handle": handle}

    def open(self, script: str, handle: str) -> Key:
        """
        Return the key.

        Raises:
            Refusal: `InvalidAccessError`: the string was not made for this script.
        """
        with self._lock:
            known = self._opened.get((script, handle))
            if known is not None:
                self._opened.move_to_end((script, handle))
                return known
        try:
            sealed = base64.b64decode(handle, validate=True)
            opened = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], script.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise Refusal(
                "InvalidAccessError",
                "The key was made by another script or another server; import or generate it again.",
            ) from None
        inside = json.loads(opened)
        key = Key(
            type=inside["type"],
            algorithm=inside["algorithm"],
            extractable=inside["extractable"],
            usages=tuple(inside["usages"]),
            material=base64.b64decode(inside["material"]),
        )
        self._keep(script, handle, key)
        return key

    def _keep(self, script: str, handle: str, key: Key) -> None:
        with self._lock:
            self._opened[script, handle] = key
            if len(self._opened) > _MOST_KEPT:
                self._opened.popitem(last=False)
