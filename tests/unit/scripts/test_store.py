"""Versions in the database."""

from __future__ import annotations

import sqlalchemy as sa
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, NotFound, Problem
from aiwebengine.scripts.store import ScriptStore, bundle_of
from aiwebengine.scripts.versions import (
    ActivateVersion,
    NewVersion,
    PutVersion,
    RegisteredEntries,
    RemoveScript,
    Version,
    digest_files,
    version_id,
)
from aiwebengine.services.db.tables import blobs
from aiwebengine.values import ROUTE, Entry, HandlerRef
from tests.support.fakes.database import open_database
from tests.support.folders import temporary_folder


def new(uri="notes", number=1, source="x", files=None):
    files = files or {"main.ts": source.encode(), "logo.png": b"\xff"}
    digest = digest_files(uri, files, entry="main.ts", grants=[])
    identity = version_id(uri, number, digest)
    route = Entry(
        kind=ROUTE,
        key="/notes/:id",
        script=uri,
        version=identity,
        methods=("GET", "POST"),
        handler=HandlerRef(id=0, name="list"),
        options={"timeout_ms": 50},
        place="main.ts:3",
    )
    return NewVersion(
        version=Version(
            uri=uri,
            number=number,
            id=identity,
            digest=digest,
            entry="main.ts",
            manifest={"isolation": "request"},
            grants=frozenset({"scripts"}),
            registered=RegisteredEntries(entries=(route,), middleware=(1,)),
            warnings=(Problem(code="w", message="careful", severity="warning"),),
            toolchain="tools 1",
            author="administrator",
            message="why",
            deployed_at=5,
            size_bytes=sum(map(len, files.values())),
        ),
        files=files,
        source=f"built {source}",
        source_map="{}",
        replay="[]",
    )


class ScriptStoreTests(SynchronousTestCase):
    def setUp(self):
        folder = temporary_folder(self)
        self.database = open_database(folder)
        self.addCleanup(self.database.stopService)
        self.store = self.make()

    def make(self, **options):
        return ScriptStore(database=self.database, milliseconds=lambda: 77, **options)

    def result(self, coroutine):
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def fails(self, error, coroutine):
        return self.failureResultOf(Deferred.fromCoroutine(coroutine), error).value

    def apply(self, *changes):
        return self.result(self.store.apply(changes))

    def blob_count(self):
        count = sa.select(sa.func.count()).select_from(blobs)
        return self.successResultOf(self.database.read(lambda c: c.execute(count).scalar()))

    def serving(self):
        return {version.uri: version.number for version in self.result(self.store.current())}

    def test_round_trip(self):
        """A version comes back as it was stored, also from a fresh start."""
        first = new()
        self.assertEqual(self.apply(PutVersion(new=first)), [None])
        store = self.make()
        self.assertEqual(self.result(store.current()), [first.version])
        self.assertEqual(self.result(store.bundle(first.version.id)), bundle_of(first))
        self.assertEqual(bundle_of(first).files, {"main.ts": "x"})
        self.assertEqual([file.path for file in self.result(store.files(first.version.id))], ["logo.png", "main.ts"])

    def test_replaced_and_rolled_back(self):
        """Versions follow each other, and an older one can serve again."""
        self.assertEqual(self.apply(PutVersion(new=new()), PutVersion(new=new(number=2, source="y"))), [None, 1])
        self.assertEqual(self.serving(), {"notes": 2})
        self.assertEqual(self.apply(ActivateVersion(uri="notes", number=1)), [2])
        self.assertEqual(self.serving(), {"notes": 1})
        self.assertEqual(self.result(self.store.numbers()), {"notes": 2})

    def test_all_or_nothing(self):
        """If one change cannot be made, none is."""
        self.fails(NotFound, self.store.apply([PutVersion(new=new()), ActivateVersion(uri="other", number=1)]))
        self.assertEqual(self.serving(), {})
        self.assertEqual(self.blob_count(), 0)

    def test_expected(self):
        """A change that expects another version is refused, naming both."""
        self.fails(Conflict, self.store.apply([PutVersion(new=new(), expected=1)]))
        self.apply(PutVersion(new=new(), expected=0))
        error = self.fails(Conflict, self.store.apply([PutVersion(new=new(number=2), expected=0)]))
        self.assertEqual(error.details, {"uri": "notes", "expected": 0, "current": 1})
        self.fails(Conflict, self.store.apply([RemoveScript(uri="notes", expected=2)]))
        self.apply(PutVersion(new=new(number=2), expected=1))

    def test_delete_and_bring_back(self):
        """A deleted script serves no longer, but its versions stay until purged."""
        self.apply(PutVersion(new=new()))
        self.assertEqual(self.apply(RemoveScript(uri="notes", author="a", message="m")), [1])
        self.assertEqual(self.serving(), {})
        self.assertEqual(self.result(self.store.deleted()), ["notes"])
        self.fails(NotFound, self.store.apply([RemoveScript(uri="notes")]))
        self.assertEqual(self.result(self.store.version("notes")).number, 1)
        self.apply(ActivateVersion(uri="notes", number=1))
        self.assertEqual(self.serving(), {"notes": 1})
        self.apply(RemoveScript(uri="notes", purge=True))
        self.fails(NotFound, self.store.history("notes"))
        self.assertEqual(self.blob_count(), 0)

    def test_version_before(self):
        """The version before the serving one is the newest below it; of a deleted script, the newest."""
        self.fails(NotFound, self.store.version_before("notes"))
        for number in range(1, 4):
            self.apply(PutVersion(new=new(number=number, source=f"s{number}")))
        self.assertEqual(self.result(self.store.version_before("notes")).number, 2)
        self.apply(ActivateVersion(uri="notes", number=1))
        self.fails(NotFound, self.store.version_before("notes"))
        self.apply(RemoveScript(uri="notes"))
        self.assertEqual(self.result(self.store.version_before("notes")).number, 3)

    def test_history(self):
        """The past of a script is told newest first, with who did what."""
        self.apply(PutVersion(new=new()))
        self.apply(PutVersion(new=new(number=2, source="y")))
        self.apply(ActivateVersion(uri="notes", number=1, author="eve", message="back"))
        history = self.result(self.store.history("notes"))
        self.assertEqual(history.current, 1)
        self.assertEqual([version.number for version in history.versions], [2, 1])
        self.assertEqual(
            [(event.action, event.number, event.author, event.message, event.at) for event in history.events],
            [
                ("rollback", 1, "eve", "back", 77),
                ("deploy", 2, "administrator", "why", 77),
                ("deploy", 1, "administrator", "why", 77),
            ],
        )

    def test_trim(self):
        """Old versions go with their bytes, never the serving one, never shared bytes."""
        for number in range(1, 6):
            self.apply(PutVersion(new=new(number=number, source=f"s{number}")))
        self.apply(ActivateVersion(uri="notes", number=2))
        before = self.blob_count()
        self.assertEqual(self.result(self.store.trim("notes", keep=2)), 2)
        kept = [version.number for version in self.result(self.store.history("notes")).versions]
        self.assertEqual(kept, [5, 4, 2])
        self.assertEqual(before - self.blob_count(), 4)
        for number in kept:
            self.result(self.make().bundle(self.result(self.store.version("notes", number)).id))
        self.assertEqual(self.result(self.store.trim("unknown", keep=2)), 0)

    def test_same_bytes_once(self):
        """Ten versions of the same files hold their bytes once."""
        self.apply(PutVersion(new=new()))
        before = self.blob_count()
        self.apply(PutVersion(new=new(number=2)))
        self.assertEqual(self.blob_count(), before)

    def test_missing(self):
        """What is not there is told by name."""
        self.fails(NotFound, self.store.version("nothing"))
        self.fails(NotFound, self.store.bundle("nothing@1-abc"))
        self.apply(PutVersion(new=new()))
        self.assertIn("version 9", str(self.fails(NotFound, self.store.version("notes", 9))))
        self.fails(NotFound, self.store.apply([ActivateVersion(uri="notes", number=9)]))

    def test_cache_is_bounded(self):
        """Lately used bundles are kept in memory, up to a bound."""
        store = self.make(cached_bytes=100)
        versions = [new(uri=name, source=name * 30) for name in "abc"]
        self.result(store.apply([PutVersion(new=version) for version in versions]))
        self.assertEqual(len(store._cache), 1)
        self.result(store.apply([PutVersion(new=new(uri="big", source="x" * 200))]))
        self.assertNotIn("big", [bundle.script for _, bundle in store._cache.values()])
        self.assertEqual(self.result(store.bundle(versions[0].version.id)).script, "a")

    def test_names_differ_by_case(self):
        """Scripts whose names differ only in case are two scripts on every database."""
        self.apply(PutVersion(new=new("notes")), PutVersion(new=new("Notes")))
        self.assertEqual(self.serving(), {"Notes": 1, "notes": 1})
