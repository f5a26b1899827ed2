"""Settings of cryptography."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoSettings:
    """The Web Cryptography API, `crypto.subtle`: how much a script may compute in the server."""

    threads: Annotated[int, NumberRange(least=1, most=256)] = 2
    """
    Threads for what takes longer than moments: RSA, elliptic curves, PBKDF2, large inputs.

    One script uses at most half of them, but at least one.
    """
    max_bytes: Annotated[int, NumberRange(least=_KIB, most=64 * _MIB)] = _MIB
    """Most bytes that one call of `crypto.subtle` accepts."""
    max_sync_bytes: Annotated[int, NumberRange(least=_KIB, most=_MIB)] = 64 * _KIB
    """Most bytes that `crypto.digestSync` and other functions that end in `Sync` are given."""
    max_iterations: Annotated[int, NumberRange(least=1, most=1_000_000_000)] = 2_000_000
    """
    Most iterations of one derivation by PBKDF2.

    A derivation of more bits than its hash has costs all of them again for each further hash.
    """
    max_scrypt_bytes: Annotated[int, NumberRange(least=_KIB, most=4096 * _MIB)] = 64 * _MIB
    """
    Most memory that one derivation by scrypt may use: 128 times its `N` times its `r`.

    Times its `p`, it may be four times as much.
    """
    max_rsa_bits: Annotated[int, NumberRange(least=1024, most=16_384)] = 4096
    """Largest modulus of an RSA key, in bits."""
    max_waiting: Annotated[int, NumberRange(least=1, most=100_000)] = 256
    """Calls of one script that compute in threads or wait for one; scripts take turns."""
    seconds_per_minute: Annotated[float, NumberRange(least=0.1, most=60 * 256)] = 60.0
    """Time that the calls of one script may compute in threads in a minute."""
