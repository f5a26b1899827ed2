"""Recording what a transaction changes, and doing it again."""

from __future__ import annotations

import sqlalchemy as sa
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.db.changes import ChangeRecorder, repeat

META = sa.MetaData()
THINGS = sa.Table(
    "things",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String),
    sa.Column("data", sa.LargeBinary),
    sa.Column("number", sa.Float),
)


class ChangesTests(SynchronousTestCase):
    def setUp(self):
        self.engines = [sa.create_engine("sqlite://") for _ in range(2)]
        for engine in self.engines:
            META.create_all(engine)
            self.addCleanup(engine.dispose)

    def test_again(self):
        """What was recorded makes the same content, whatever it holds; what only reads is not recorded."""
        recorder = ChangeRecorder()
        with self.engines[0].begin() as connection, recorder.recording(connection):
            connection.execute(sa.insert(THINGS).values(name="é\0'\"\ud7ff", data=b"\0\xff", number=0.1))
            connection.execute(sa.insert(THINGS), [{"name": f"n{at}", "data": None} for at in range(5)])
            connection.execute(sa.update(THINGS).where(THINGS.c.name == "n2").values(data=b"", number=2**60))
            connection.execute(sa.delete(THINGS).where(THINGS.c.id == 2))
            connection.execute(sa.select(THINGS)).all()
        with self.engines[0].begin() as connection:
            connection.execute(sa.insert(THINGS).values(name="not recorded"))
            connection.execute(sa.delete(THINGS).where(THINGS.c.name == "not recorded"))
        with self.engines[1].begin() as connection:
            repeat(connection, recorder.as_json())
        contents = []
        for engine in self.engines:
            with engine.begin() as connection:
                contents.append(connection.execute(sa.select(THINGS)).all())
        self.assertEqual(len(contents[0]), 5)
        self.assertEqual(contents[0], contents[1])
        self.assertNotIn("SELECT", recorder.as_json())
