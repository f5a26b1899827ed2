"""What scripts may do to scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import DeploymentRefused, TooMany
from aiwebengine.scripts.access import ScriptAccess
from aiwebengine.scripts.prepare import Request
from aiwebengine.values import ANONYMOUS, Invocation
from tests.support.fakes.deploying import Deploying
from tests.support.folders import temporary_folder


@dataclass
class Change:
    uri: str
    prepared: Any


def invocation(**options):
    values = {"kind": "http", "principal": ANONYMOUS, "depth": 0, **options}
    return Invocation(
        id="i1", script="maker", version="maker@1-a", handler=None, payload="", wall_seconds=1, cpu_seconds=1, **values
    )


class ScriptAccessTests(SynchronousTestCase):
    def setUp(self):
        self.world = Deploying(temporary_folder(self))
        self.addCleanup(self.world.database.stopService)
        self.access = ScriptAccess(
            deployer=self.world.deployer,
            store=self.world.store,
            current=self.world.current,
            capabilities=self.world.loads.capabilities,
        )

    def result(self, coroutine):
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def fails(self, error, coroutine):
        return self.failureResultOf(Deferred.fromCoroutine(coroutine), error).value

    def test_made_and_removed(self):
        """A script makes another one, which serves after the commit, and removes it."""
        prepared = self.result(self.access.prepare(invocation(), "made.ts", "/made"))
        self.assertEqual(self.result(self.access.list_scripts()), [])
        self.assertEqual(self.world.runner.forgotten, [prepared.new.version.id])
        self.result(self.access.commit(invocation(), [Change("made.ts", prepared)]))
        self.assertEqual(self.result(self.access.list_scripts()), ["made.ts"])
        self.assertEqual(self.result(self.access.read_entry("made.ts")), "/made")
        [version] = self.result(self.world.store.current())
        self.assertEqual((version.author, version.entry), ("script maker", "made.ts"))
        gone = [Change("made.ts", None), Change("never.ts", None)]
        self.result(self.access.commit(invocation(), gone))
        self.result(self.access.commit(invocation(), gone))
        self.assertIsNone(self.result(self.access.read_entry("made.ts")))

    def test_refused(self):
        """A source that cannot be deployed is refused at the call."""
        self.fails(DeploymentRefused, self.access.prepare(invocation(), "made.ts", "SYNTAX ERROR"))

    def test_no_more_than_it_has(self):
        """A script cannot give another one what it was not granted itself."""
        for uri, grants in (("maker", {"scripts"}), ("victim", {"scripts", "assets"})):
            request = Request(uri=uri, files={"main.ts": f"/{uri}".encode()}, grants=frozenset(grants))
            self.result(self.world.deployer.deploy(request))
        prepared = self.result(self.access.prepare(invocation(), "victim", "/b"))
        self.assertEqual(prepared.new.version.grants, {"scripts"})

    def test_while_loading(self):
        """A script that deploys while it is deployed does not wait for its own turn, nor go on for ever."""
        self.world.runner.gate = Deferred()
        waiting = [
            Deferred.fromCoroutine(
                self.world.deployer.deploy(Request(uri=f"s{n}", files={"main.ts": f"/{n}".encode()}))
            )
            for n in range(4)
        ]
        gate, self.world.runner.gate = self.world.runner.gate, None
        self.result(self.access.prepare(invocation(kind="load"), "made.ts", "/made"))
        self.fails(TooMany, self.access.prepare(invocation(kind="load", depth=8), "made.ts", "/made"))
        gate.callback(None)
        for one in waiting:
            self.successResultOf(one)
