"""The secret with which keys are sealed: the contract, and what it is in the database."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.crypto.store import MemorySecret, SealingSecret, StoredSecret
from aiwebengine.features.crypto.tables import TABLES, sealing


class SecretContract:
    """What every implementation does."""

    def make(self) -> SealingSecret:
        """Return one."""
        raise NotImplementedError

    def test_same(self) -> None:
        """It has 32 bytes, the same ones each time, and others elsewhere."""
        case: Any = self
        secret = self.make()
        first = case.successResultOf(secret.get())
        case.assertEqual((len(first), case.successResultOf(secret.get())), (32, first))
        case.assertNotEqual(case.successResultOf(self.make().get()), first)


class MemorySecretTests(SecretContract, SynchronousTestCase):
    def make(self) -> SealingSecret:
        """See `SecretContract.make`."""
        return MemorySecret(entropy=os.urandom)


class StoredSecretTests(SecretContract, SynchronousTestCase):
    def make(self) -> SealingSecret:
        """See `SecretContract.make`."""
        self.engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
        TABLES.create_all(self.engine)
        self.addCleanup(self.engine.dispose)
        return self.of(self.engine)

    def of(self, engine: sa.Engine) -> StoredSecret:
        """Return the secret of a database."""

        def run(work: Any) -> Deferred[Any]:
            with engine.begin() as connection:
                return succeed(work(connection))

        return StoredSecret(run=run, entropy=os.urandom)

    def test_stored(self) -> None:
        """Another server on the same data has the same secret, which is made once."""
        first = self.successResultOf(self.make().get())
        self.assertEqual(self.successResultOf(self.of(self.engine).get()), first)
        with self.engine.connect() as connection:
            self.assertEqual(connection.execute(sa.select(sealing.c.secret)).scalars().all(), [first.hex()])
