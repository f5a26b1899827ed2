"""`integrity`: which body is expected, by its hash (Subresource Integrity)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

_STRENGTH = {"sha256": 0, "sha384": 1, "sha512": 2}
_MOST = 20


@dataclass(frozen=True, slots=True)
class Expected:
    """One hash that will do."""

    algorithm: str
    digest: bytes


def read_integrity(text: str) -> Sequence[Expected]:
    """Return the hashes of the strongest algorithm that is named; what is not understood is ignored, as in browsers."""
    found: list[Expected] = []
    for word in text.split()[:_MOST]:
        algorithm, _, rest = word.partition("-")
        if algorithm not in _STRENGTH:
            continue
        try:
            digest = base64.b64decode(rest.partition("?")[0], altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            continue
        if digest:
            found.append(Expected(algorithm, digest))
    strongest = max((_STRENGTH[expected.algorithm] for expected in found), default=0)
    return [expected for expected in found if _STRENGTH[expected.algorithm] == strongest]


def is_expected(body: bytes, hashes: Sequence[Expected]) -> bool:
    """Return whether one of the hashes is that of a body."""
    return any(
        hmac.compare_digest(hashlib.new(expected.algorithm, body).digest(), expected.digest) for expected in hashes
    )
