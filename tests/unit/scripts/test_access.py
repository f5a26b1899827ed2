"""What scripts may do to scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import DeploymentRefused, TooMany
from aiwebengine.features.assets.store import NewAsset
from aiwebengine.scripts.access import ScriptAccess
from aiwebengine.scripts.prepare import DeployRequest
from aiwebengine.services.db.units import Transaction
from aiwebengine.values import ANONYMOUS, Cause
from tests.support.fakes.assets import an_asset_store
from tests.support.fakes.deploying import Deploying
from tests.support.fakes.invocations import an_invocation
from tests.support.folders import temporary_folder


@dataclass
class Change:
    uri: str
    prepared: Any


@dataclass
class Work:
    write: Callable[[Any], None]
    happened: Callable[[], None]
    own: None = None


NOTHING = Work(write=lambda _: None, happened=lambda: None)


def invocation(**options):
    values = {"kind": "http", "principal": ANONYMOUS, **options}
    return an_invocation(script="maker", version="maker@1-a", payload="", **values)


class ScriptAccessTests(SynchronousTestCase):
    def setUp(self):
        self.world = Deploying(temporary_folder(self))
        self.addCleanup(self.world.database.stopService)
        self.access = ScriptAccess(
            deployer=self.world.deployer,
            store=self.world.store,
            current=self.world.current,
            loads=self.world.loads,
        )
        self.assets = an_asset_store(self.world.database)

    def result(self, coroutine):
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def fails(self, error, coroutine):
        return self.failureResultOf(Deferred.fromCoroutine(coroutine), error).value

    def test_made_and_removed(self):
        """A script makes another one, which serves after the commit, and removes it."""
        prepared = self.result(self.access.prepare(invocation(), "made.ts", "/made"))
        self.assertEqual(self.result(self.access.list_scripts()), [])
        self.assertEqual(self.world.runner.forgotten, [prepared.new.version.id])
        self.result(self.access.commit(invocation(), [Change("made.ts", prepared)], NOTHING))
        self.assertEqual(self.result(self.access.list_scripts()), ["made.ts"])
        self.assertEqual(self.result(self.access.read_entry("made.ts")), "/made")
        [version] = self.result(self.world.store.current())
        self.assertEqual((version.author, version.entry), ("script maker", "made.ts"))
        gone = [Change("made.ts", None), Change("never.ts", None)]
        self.result(self.access.commit(invocation(), gone, NOTHING))
        self.result(self.access.commit(invocation(), gone, NOTHING))
        self.assertIsNone(self.result(self.access.read_entry("made.ts")))

    def test_refused(self):
        """A source that cannot be deployed is refused at the call."""
        self.fails(DeploymentRefused, self.access.prepare(invocation(), "made.ts", "SYNTAX ERROR"))

    def test_no_more_than_it_has(self):
        """A script cannot give another one what it was not granted itself."""
        for uri, grants in (("maker", {"scripts"}), ("victim", {"scripts", "assets"})):
            request = DeployRequest(uri=uri, files={"main.ts": f"/{uri}".encode()}, grants=frozenset(grants))
            self.result(self.world.deployer.deploy(request))
        prepared = self.result(self.access.prepare(invocation(), "victim", "/b"))
        self.assertEqual(prepared.new.version.grants, {"scripts"})

    def storing(self, changes):
        """Return the work of a unit that changes assets."""

        def write(connection):
            self.assets.write(Transaction(connection=connection, unit="u", now=1), "maker", changes, {})

        return Work(write=write, happened=lambda: None)

    def making(self, source="/1"):
        """Let the script `maker` make a script and an asset at its top level."""

        async def during(bundle, invocation, book):
            if bundle.script != "maker":
                return
            prepared = await self.access.prepare(invocation, "made", source)

            async def effects():
                await self.access.commit(
                    invocation,
                    [Change("made", prepared)],
                    self.storing({"/a.css": NewAsset(path="/a.css", type="text/css", content=b"x"), "/gone": None}),
                )

            book.effects = effects

        self.world.runner.during = during

    def test_effects_of_a_deployment(self):
        """What top level changes becomes visible with the deployment."""
        self.making()
        request = DeployRequest(uri="maker", files={"main.ts": b"/maker"})
        done = self.result(self.world.deployer.deploy(request))
        self.assertEqual((done.version.uri, done.version.number, done.previous), ("maker", 1, None))
        self.assertEqual(self.result(self.access.list_scripts()), ["made", "maker"])
        self.assertEqual(self.result(self.assets.list_paths("maker")), ["/a.css"])
        self.assertEqual(self.result(self.assets.get("maker", "/a.css")).content, b"x")

    def test_no_effects_without_the_deployment(self):
        """What top level changes is dropped if the deployment fails or was only a check."""
        self.making()
        throwing = DeployRequest(uri="maker", files={"main.ts": b"/maker THROW"})
        self.fails(DeploymentRefused, self.world.deployer.deploy(throwing))
        self.result(self.world.deployer.check(DeployRequest(uri="maker", files={"main.ts": b"/maker"})))
        self.making("/maker")
        self.fails(
            DeploymentRefused, self.world.deployer.deploy(DeployRequest(uri="maker", files={"main.ts": b"/maker"}))
        )
        self.assertEqual(self.result(self.access.list_scripts()), [])
        self.assertEqual(self.result(self.assets.list_paths("maker")), [])

    def test_assets(self):
        """A script stores and removes assets, all of them or none."""
        stored = NewAsset(path="/a.css", type="text/css", content=b"x")
        self.result(
            self.access.commit(
                invocation(), [], self.storing({"/a.css": stored, "/b.css": replace(stored, path="/b.css")})
            )
        )
        self.result(self.access.commit(invocation(), [], self.storing({"/a.css": None})))
        self.assertEqual(self.result(self.assets.list_paths("maker")), ["/b.css"])

    def test_while_loading(self):
        """A script that deploys while it is deployed does not wait for its own turn, nor go on for ever."""
        self.world.runner.gate = Deferred()
        waiting = [
            Deferred.fromCoroutine(
                self.world.deployer.deploy(DeployRequest(uri=f"s{n}", files={"main.ts": f"/{n}".encode()}))
            )
            for n in range(4)
        ]
        gate, self.world.runner.gate = self.world.runner.gate, None
        self.result(self.access.prepare(invocation(kind="load"), "made.ts", "/made"))
        self.fails(
            TooMany, self.access.prepare(invocation(kind="load", cause=Cause(ancestors=("a",) * 8)), "made.ts", "/made")
        )
        gate.callback(None)
        for deployment in waiting:
            self.successResultOf(deployment)
