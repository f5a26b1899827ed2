"""
The secret with which keys are sealed: made once, and the same as long as the data folder lives.

What a script made at its top level is stored with its version, sealed keys too, and must open after a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import sqlalchemy as sa
from twisted.internet.defer import Deferred, succeed

from aiwebengine.features.crypto.tables import sealing

SECRET_BYTES = 32


class SealingSecret(Protocol):
    """Keeps the secret."""

    def get(self) -> Deferred[bytes]:
        """
        Return 32 bytes, the same ones each time.

        Raises:
            Unavailable: It cannot be read, or not be stored.
        """


class MemorySecret:
    """
    See `SealingSecret`; it lives as long as the object.

    Args:
        entropy: Returns this many random bytes.
    """

    def __init__(self, *, entropy: Callable[[int], bytes]) -> None:
        self._secret = entropy(SECRET_BYTES)

    def get(self) -> Deferred[bytes]:
        """See `SealingSecret.get`."""
        return succeed(self._secret)


class StoredSecret:
    """
    See `SealingSecret`; it is in the main database, and is made when it is first needed.

    Args:
        run: Runs a function of a connection in a transaction.
        entropy: Returns this many random bytes.
    """

    def __init__(
        self, *, run: Callable[[Callable[[sa.Connection], str]], Deferred[str]], entropy: Callable[[int], bytes]
    ) -> None:
        self._run = run
        self._entropy = entropy

    def get(self) -> Deferred[bytes]:
        """See `SealingSecret.get`."""
        return self._run(partial(_read_or_make, fresh=self._entropy(SECRET_BYTES).hex())).addCallback(bytes.fromhex)


def _read_or_make(connection: sa.Connection, *, fresh: str) -> str:
    stored = connection.execute(sa.select(sealing.c.secret).where(sealing.c.id == 1)).scalar_one_or_none()
    if stored is None:
        connection.execute(sa.insert(sealing).values(id=1, secret=fresh))
    return str(stored) if stored is not None else fresh
