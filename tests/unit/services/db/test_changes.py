"""Recording what a transaction changes, and doing it again."""

from __future__ import annotations

import sqlalchemy as sa
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.db.changes import ChangeRecorder, repeat
from aiwebengine.services.db.script_sql import own_text

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

    def test_statements_of_scripts(self):
        """A script's own SQL is recorded too: with the mark in front of it, with named parameters, with savepoints."""
        recorder = ChangeRecorder()
        name = {"name": "a", "data": b"\xff"}
        with self.engines[0].begin() as connection, recorder.recording(connection):
            connection.exec_driver_sql(own_text("INSERT INTO things (name, data) VALUES (:name, :data)", "write"), name)
            connection.exec_driver_sql(
                own_text("-- why\nWITH n AS (SELECT 'b' AS b) INSERT INTO things (name) SELECT b FROM n", "write")
            )
            connection.exec_driver_sql(own_text("CREATE INDEX by_name ON things (name)", "define"))
            connection.exec_driver_sql(own_text("SELECT :name", "read"), {"name": "a"}).all()
            undone = connection.begin_nested()
            connection.exec_driver_sql(own_text("UPDATE things SET name = ?", "write"), ("undone",))
            undone.rollback()
        self.assertNotIn("SELECT :name", recorder.as_json())
        with self.engines[1].begin() as connection:
            repeat(connection, recorder.as_json())
            self.assertEqual(
                connection.exec_driver_sql("SELECT name, data FROM things ORDER BY id").all(),
                [("a", b"\xff"), ("b", None)],
            )
            self.assertEqual(
                connection.exec_driver_sql("SELECT name FROM sqlite_schema WHERE type = 'index'").scalars().all(),
                ["by_name"],
            )
