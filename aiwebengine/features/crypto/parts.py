"""What an engine gets of cryptography."""

from __future__ import annotations

import os

from aiwebengine.features.crypto.calls import CryptoCalls
from aiwebengine.features.crypto.settings import CryptoSettings
from aiwebengine.features.crypto.store import StoredSecret
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.ports import KEYS
from aiwebengine.services.threads import Threads


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    settings = base.settings.of(CryptoSettings)
    threads = Threads(reactor=base.reactor, name="cryptography", size=settings.threads)
    calls = CryptoCalls(
        secret=StoredSecret(run=base.database.run, entropy=os.urandom),
        threads=threads,
        settings=settings,
        # Nonces are made in threads, and the pool of the server's entropy is the reactor's.
        entropy=os.urandom,
        seconds=base.reactor.seconds,
    )
    machinery.ports.offer(KEYS, calls)
    return Parts(groups=[calls], services=[("cryptography", threads)], state={"crypto": calls.state})
