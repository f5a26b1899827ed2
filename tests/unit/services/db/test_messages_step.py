"""Messages that an older server left in the outbox are delivered by a newer one."""

from __future__ import annotations

import json
from typing import Any, cast

import sqlalchemy as sa
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.db.migrations.messages import unify_messages

STEPS = [
    (
        {"k": "1", "d": "1", "s": "a", "p": "/live", "o": True},
        {"k": "1", "d": "1", "s": "a", "m": "stream", "n": "/live"},
    ),
    (
        {"k": "2", "d": "2", "s": "a", "t": {"room": "x"}},
        {"k": "2", "d": "2", "s": "a", "t": {"room": "x"}, "m": "stream"},
    ),
    ({"k": "3", "d": "3", "s": "a", "g": "tick"}, {"k": "3", "d": "3", "s": "a", "m": "subscription", "n": "tick"}),
    (
        {"k": "4", "d": "4", "s": "a", "w": "room", "e": "x"},
        {"k": "4", "d": "4", "s": "a", "e": "x", "m": "socket", "n": "room"},
    ),
]


class MessagesStepTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.connection = sa.create_engine("sqlite://").connect()
        self.addCleanup(self.connection.close)
        self.connection.execute(sa.text("CREATE TABLE outbox (id INTEGER PRIMARY KEY, kind TEXT, payload TEXT)"))

    def get_bind(self) -> sa.Connection:
        """Stand in for Alembic's operations."""
        return self.connection

    def put(self, kind: str, payload: dict[str, Any]) -> None:
        """Leave a row."""
        self.connection.execute(
            sa.text("INSERT INTO outbox (kind, payload) VALUES (:kind, :payload)"),
            {"kind": kind, "payload": json.dumps(payload)},
        )

    def rows(self) -> list[tuple[str, Any]]:
        """Return the rows in order."""
        found = self.connection.execute(sa.text("SELECT kind, payload FROM outbox ORDER BY id"))
        return [(row.kind, json.loads(row.payload)) for row in found]

    def test_each_destination(self):
        """Messages to streams, subscriptions and sockets each name their destination in the new form."""
        for former, _ in STEPS:
            self.put("streams", former)
        unify_messages(cast(Any, self))
        self.assertEqual(self.rows(), [("messages", message) for _, message in STEPS])

    def test_more_than_one_batch(self):
        """However many there are, all are rewritten."""
        for number in range(250):
            self.put("streams", {"k": str(number), "d": "0", "s": "a", "p": "/live"})
        unify_messages(cast(Any, self))
        self.assertEqual({kind for kind, _ in self.rows()}, {"messages"})

    def test_others_stay(self):
        """Rows of other kinds are left as they are."""
        self.put("mail", {"p": 1})
        unify_messages(cast(Any, self))
        self.assertEqual(self.rows(), [("mail", {"p": 1})])
