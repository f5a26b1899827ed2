"""Calls that were written down before their names were those of JavaScript are found again."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any, cast

import sqlalchemy as sa
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.services.db.migrations.calls import rename_in_journals

OLD = [
    ["register.route", '[{"path":"/","handler":{"id":0}}]', '{"ok":null}'],
    ["stream.send", '["hi, null]",null]', '{"ok":null}'],
    ["stream.sendTo", '["/a",null,null]', '{"ok":null}'],
    ["stream.sendTo", '["/a",{"n":1e21},{"to":{"room":null}}]', '{"ok":null}'],
    ["graphql.send", '["tick",1,null]', '{"ok":null}'],
    ["socket.publish", '["room","text",null,false]', '{"ok":null}'],
    ["socket.publish", '["room","aGk=",{"immediate":true},true]', None],
    ["kv.set", '["a",null,null]', '{"ok":"v"}'],
    ["kv.set", '["a",[1,null],null]', '{"ok":"v"}'],
    ["kv.list", "[null]", '{"ok":{}}'],
    ["kv.get", '["a"]', '{"ok":null}'],
    ["getScript", "[null]", '{"ok":""}'],
]
NEW = [
    OLD[0],
    ["sendStreamMessage", '["hi, null]"]', '{"ok":null}'],
    ["sendStreamMessageToPath", '["/a",null]', '{"ok":null}'],
    ["sendStreamMessageToPath", '["/a",{"n":1e21},{"to":{"room":null}}]', '{"ok":null}'],
    ["sendSubscriptionMessage", '["tick",1]', '{"ok":null}'],
    ["sendSocketMessage", '["room","text"]', '{"ok":null}'],
    ["sendSocketMessage", '["room",{"base64":"aGk="},{"immediate":true}]', None],
    ["kv.set", '["a",null]', '{"ok":"v"}'],
    ["kv.set", '["a",[1,null]]', '{"ok":"v"}'],
    ["kv.list", "[]", '{"ok":{}}'],
    OLD[10],
    OLD[11],
]


def journal(calls: list[Any], **more: Any) -> bytes:
    """Return a journal as it is stored."""
    return json.dumps({"seed": "00", "now": 5, "calls": calls, **more}, separators=(",", ":")).encode()


class CallsStepTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.connection = sa.create_engine("sqlite://").connect()
        self.addCleanup(self.connection.close)
        for table in (
            "blobs (digest TEXT PRIMARY KEY, packing TEXT, data BLOB)",
            "version_files (version INTEGER, position INTEGER, role TEXT, digest TEXT, size INTEGER)",
        ):
            self.connection.execute(sa.text(f"CREATE TABLE {table}"))

    def get_bind(self) -> sa.Connection:
        """Return the connection, as Alembic's operations do."""
        return self.connection

    def keep(self, version: int, content: bytes, role: str = "replay") -> None:
        digest = hashlib.sha256(content).hexdigest()
        packed = zlib.compress(content) if len(content) > 200 else content
        row = (digest, "raw" if packed is content else "zlib", packed)
        self.connection.exec_driver_sql("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)", row)
        self.connection.exec_driver_sql(
            "INSERT INTO version_files VALUES (?, 3, ?, ?, ?)", (version, role, digest, len(content))
        )

    def kept(self, version: int) -> bytes:
        """Return the journal of a version; its digest and size are right."""
        query = "SELECT f.digest, f.size, b.packing, b.data FROM version_files f JOIN blobs b USING (digest)"
        row = self.connection.exec_driver_sql(f"{query} WHERE f.version = {version}").one()
        content: bytes = zlib.decompress(row.data) if row.packing == "zlib" else row.data
        self.assertEqual((row.digest, row.size), (hashlib.sha256(content).hexdigest(), len(content)))
        return content

    def count(self) -> int:
        return int(self.connection.exec_driver_sql("SELECT count(*) FROM blobs").scalar_one())

    def test_journals(self) -> None:
        """A journal asks for the calls by their names in JavaScript, and sends what a script sends now."""
        self.keep(1, journal(OLD, order=[1, 0]))
        rename_in_journals(cast(Any, self))
        self.assertEqual(json.loads(self.kept(1)), json.loads(journal(NEW, order=[1, 0])))

    def test_what_is_shared(self) -> None:
        """A journal that two versions share is rewritten for both, and the older one is gone."""
        self.keep(1, journal(OLD))
        self.keep(2, journal(OLD))
        rename_in_journals(cast(Any, self))
        self.assertEqual(self.kept(1), self.kept(2))
        self.assertEqual(self.count(), 1)

    def test_what_stays(self) -> None:
        """Journals without such calls stay as they are, and so does what only looks like one."""
        for version, (content, role) in enumerate(
            ((journal(NEW), "replay"), (b"", "replay"), (journal(OLD), "file"), (b"[]", "replay"))
        ):
            self.keep(version, content, role)
        rename_in_journals(cast(Any, self))
        self.assertEqual([self.kept(version) for version in range(4)], [journal(NEW), b"", journal(OLD), b"[]"])
        self.assertEqual(self.count(), 4)

    def test_a_second_time(self) -> None:
        """What was rewritten is not changed again."""
        self.keep(1, journal(OLD))
        rename_in_journals(cast(Any, self))
        before = self.kept(1)
        rename_in_journals(cast(Any, self))
        self.assertEqual(self.kept(1), before)

    def test_used_by_an_asset(self) -> None:
        """A blob that is also somebody's asset is left for it."""
        self.connection.execute(sa.text("CREATE TABLE assets (digest TEXT)"))
        self.keep(1, journal(OLD))
        self.connection.execute(sa.text("INSERT INTO assets SELECT digest FROM blobs"))
        rename_in_journals(cast(Any, self))
        self.assertEqual(self.count(), 2)
