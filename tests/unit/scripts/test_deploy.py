"""Deploying: whole or not at all."""

from __future__ import annotations

import random

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, DeploymentRefused, Invalid, NotFound, TooMany, Unavailable
from aiwebengine.scripts import deploy, prepare
from aiwebengine.scripts.prepare import STEPS, DeployRequest
from aiwebengine.scripts.versions import RemoveScript, removed_entries
from aiwebengine.values import Entry, HandlerRef
from tests.support.fakes.deploying import Deploying
from tests.support.folders import temporary_folder


def request(uri="notes", source="/notes", **options):
    files = options.pop("files", None) or {"main.ts": source.encode()}
    return DeployRequest(uri=uri, files=files, **options)


class DeployerTests(SynchronousTestCase):
    def setUp(self):
        self.folder = temporary_folder(self)
        self.world = self.make()

    def make(self, **options):
        world = Deploying(self.folder, **options)
        self.addCleanup(world.database.stopService)
        return world

    def result(self, coroutine):
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def fails(self, error, coroutine):
        return self.failureResultOf(Deferred.fromCoroutine(coroutine), error).value

    def deploy(self, *args, **options):
        return self.result(self.world.deployer.deploy(request(*args, **options)))

    def serving(self, world=None):
        return {uri: script.number for uri, script in (world or self.world).current.registry.scripts.items()}

    def test_deploy(self):
        """A deployment serves, is stored, and tells what it did and how long each step took."""
        steps = []
        done = self.result(
            self.world.deployer.deploy(request(author="me", message="why"), progress=lambda step, _: steps.append(step))
        )
        self.assertEqual(steps, list(STEPS))
        self.assertEqual(set(done.steps), set(STEPS))
        self.assertEqual((done.version.number, done.previous, done.changed), (1, None, True))
        self.assertEqual((done.version.author, done.version.message), ("me", "why"))
        self.assertEqual(self.serving(), {"notes": 1})
        self.assertEqual([route.key for route in done.version.registered.entries], ["/notes"])
        self.assertEqual(self.world.runner.forgotten, [])

    def test_held(self):
        """While it is held nothing is changed, and who asks is told when to come back; afterwards all is as before."""
        self.deploy()
        self.result(self.world.deployer.hold())
        for coroutine in (
            self.world.deployer.deploy(request(source="/other")),
            self.world.deployer.delete("notes"),
            self.world.deployer.rollback("notes", 1),
        ):
            self.assertGreater(self.fails(Unavailable, coroutine).retry_seconds, 0)
        self.assertEqual(self.serving(), {"notes": 1})
        self.world.deployer.resume()
        self.deploy(source="/other")
        self.assertEqual(self.serving(), {"notes": 2})

    def test_replaced(self):
        """The next version takes the place of the one before, whose children end."""
        first = self.deploy()
        second = self.deploy(source="/other")
        self.assertEqual((second.version.number, second.previous), (2, 1))
        self.assertEqual(self.serving(), {"notes": 2})
        self.assertEqual(self.world.runner.forgotten, [first.version.id])

    def test_from_elsewhere(self):
        """Replacing what was deployed from another folder is warned of, once; where it came from is stored."""
        self.assertEqual(self.deploy(source="/a", origin="box:/one").warnings, ())
        self.assertEqual(self.deploy(source="/b", origin="box:/one").warnings, ())
        moved = self.deploy(source="/c", origin="box:/two")
        [warning] = moved.warnings
        self.assertEqual((warning.code, warning.severity), ("other_origin", "warning"))
        self.assertIn("version 2, which was deployed from box:/one", warning.message)
        self.assertEqual(self.result(self.world.store.version("notes", 3)).origin, "box:/two")
        self.assertEqual(self.deploy(source="/d", origin="box:/two").warnings, ())
        self.assertEqual(self.deploy(source="/e").warnings, (), "a program need not say where it is")
        self.assertEqual(self.deploy(source="/f", origin="box:/one").warnings, ())

    def test_what_is_removed(self):
        """A new version and a rollback say what the script had registered before and has not any more."""
        self.assertEqual(self.deploy(source="/a /b").removed, ())
        self.assertEqual([entry.label for entry in self.deploy(source="/b /c").removed], ["GET /a"])
        self.assertEqual(self.deploy(source="/b /c").removed, ())
        back = self.successResultOf(Deferred.fromCoroutine(self.world.deployer.rollback("notes", 1)))
        self.assertEqual([entry.label for entry in back.removed], ["GET /c"])

    def test_a_method_that_is_removed(self):
        """Of a path that stays, the methods that are gone are told; what has no path is told by its kind and key."""
        handler = HandlerRef(id=1, name="h")

        def entry(kind, key, *methods):
            return Entry(kind=kind, key=key, script="notes", version="v", handler=handler, methods=methods)

        before = [entry("route", "/a", "GET", "POST"), entry("query", "notes"), entry("query", "other")]
        after = [entry("route", "/a", "POST"), entry("mutation", "notes"), entry("query", "other")]
        gone = removed_entries(before, after)
        self.assertEqual([(entry.kind, entry.label) for entry in gone], [("route", "GET /a"), ("query", "notes")])
        self.assertEqual(removed_entries(before, before), ())

    def test_refused_by_the_build(self):
        """What cannot be built changes nothing, and every problem is told."""
        self.deploy()
        error = self.fails(DeploymentRefused, self.world.deployer.deploy(request(source="SYNTAX ERROR")))
        self.assertEqual(len(error.problems), 2)
        self.assertEqual(self.serving(), {"notes": 1})
        self.assertEqual(self.deploy(source="/b").version.number, 2)

    def test_refused_while_loading(self):
        """What throws at its top level changes nothing, and its child ends."""
        error = self.fails(DeploymentRefused, self.world.deployer.deploy(request(source="/a THROW")))
        [problem] = error.problems
        self.assertEqual((problem.code, problem.file), ("script_failed", "main.ts"))
        self.assertIn("TypeError: x is not a function", problem.message)
        self.assertEqual(self.serving(), {})
        self.assertEqual(self.world.runner.forgotten, self.world.runner.loaded)
        self.fails(NotFound, self.world.store.history("notes"))

    def test_route_conflict(self):
        """A route that another script has is refused, and its child ends."""
        self.deploy("one", "/same")
        self.fails(DeploymentRefused, self.world.deployer.deploy(request("two", "/same")))
        self.assertEqual(self.serving(), {"one": 1})
        self.assertEqual(len(self.world.runner.forgotten), 1)

    def test_conflict_that_arose_meanwhile(self):
        """A route that another script took while this one was built is found at the commit."""
        prepared = self.result(self.world.deployer.prepare(request("two", "/same")))
        self.deploy("one", "/same")
        self.fails(DeploymentRefused, self.world.deployer.commit([prepared]))
        self.assertEqual(self.serving(), {"one": 1})

    def test_warnings(self):
        """A script that registers nothing, or uses what is deprecated, deploys with warnings."""
        done = self.deploy(source="OLD")
        self.assertEqual([problem.code for problem in done.warnings], ["deprecated", "nothing_registered"])
        self.assertEqual(len(self.result(self.world.store.version("notes")).warnings), 2)

    def test_expected(self):
        """An update that was made against another version is refused before anything is built."""
        self.deploy(expected=0)
        for wrong in (0, 2):
            error = self.fails(Conflict, self.world.deployer.deploy(request(expected=wrong)))
            self.assertEqual(error.details["current"], 1)
        self.assertEqual(self.world.builder.builds, 1)
        self.deploy(expected=1)

    def test_expected_at_the_commit(self):
        """Two updates against one version: the second to commit is refused."""
        self.deploy()
        self.world.builder.gate = Deferred()
        slow = [
            Deferred.fromCoroutine(self.world.deployer.deploy(request(source=f"/{n}", expected=1))) for n in range(2)
        ]
        self.world.builder.gate.callback(None)
        self.assertEqual(self.successResultOf(slow[0]).version.number, 2)
        self.failureResultOf(slow[1], Conflict)
        self.assertEqual(self.serving(), {"notes": 2})
        self.assertEqual(len(self.world.runner.forgotten), 2)

    def test_two_at_once(self):
        """Two unconditional updates both commit, each with a number of its own."""
        self.world.builder.gate = Deferred()
        slow = [Deferred.fromCoroutine(self.world.deployer.deploy(request(source=f"/{n}"))) for n in range(2)]
        self.world.builder.gate.callback(None)
        self.assertEqual([self.successResultOf(deployment).version.number for deployment in slow], [1, 2])

    def test_bounded(self):
        """More deployments than can wait are refused at once."""
        self.patch(prepare, "MOST_WAITING", 1)
        self.world.builder.gate = Deferred()
        slow = [Deferred.fromCoroutine(self.world.deployer.deploy(request(f"s{n}", f"/{n}"))) for n in range(5)]
        self.fails(TooMany, self.world.deployer.deploy(request("s9", "/9")))
        self.world.builder.gate.callback(None)
        for deployment in slow:
            self.successResultOf(deployment)

    def test_disk_full(self):
        """A disk that is full at the commit changes nothing; the old version serves on."""
        self.deploy()
        pages = self.successResultOf(
            self.world.database.read(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
        )
        limit = lambda n: lambda c: c.exec_driver_sql(f"PRAGMA max_page_count = {n}").close()  # noqa: E731
        self.successResultOf(self.world.database.run(limit(pages)))
        noise = random.Random(1).randbytes(100_000).hex()
        error = self.fails(Unavailable, self.world.deployer.deploy(request(source="/big " + noise)))
        self.assertIn("disk", error.public)
        self.assertEqual(self.serving(), {"notes": 1})
        self.assertEqual(len(self.world.runner.forgotten), 1)
        self.successResultOf(self.world.database.run(limit(1_000_000)))
        self.assertEqual(self.deploy(source="/big " + noise).version.number, 2)

    def test_client_gone(self):
        """A client that goes away while its deployment is built stops it; nothing is changed."""
        self.world.builder.gate = Deferred()
        going = Deferred.fromCoroutine(self.world.deployer.deploy(request()))
        going.cancel()
        self.failureResultOf(going, CancelledError)
        self.assertEqual(self.serving(), {})
        self.world.builder.gate = None
        self.assertEqual(self.deploy().version.number, 1)

    def test_client_gone_at_the_commit(self):
        """A client that goes away during the commit finds the deployment done."""
        prepared = self.result(self.world.deployer.prepare(request()))
        gate = Deferred()
        run = self.world.database.run
        self.world.database.run = lambda work: gate.addCallback(lambda _: run(work))
        going = Deferred.fromCoroutine(self.world.deployer.commit([prepared]))
        going.cancel()
        self.failureResultOf(going, CancelledError)
        gate.callback(None)
        self.assertEqual(self.serving(), {"notes": 1})

    def test_grants(self):
        """A capability takes effect when the administrator grants it, and stays until taken away."""
        files = {"main.ts": b"/a", "package.json": b'{"aiwebengine": {"capabilities": ["scripts"]}}'}
        done = self.deploy(files=files)
        self.assertEqual([problem.code for problem in done.warnings], ["not_granted"])
        self.assertEqual(done.version.grants, frozenset())
        self.assertEqual(self.deploy(files=files, grants=frozenset({"scripts"})).warnings, ())
        self.assertEqual(self.deploy(files=files).version.grants, {"scripts"})
        self.assertEqual(self.deploy(files=files, grants=frozenset()).version.grants, frozenset())
        error = self.fails(DeploymentRefused, self.world.deployer.deploy(request(grants=frozenset({"scrpts"}))))
        self.assertEqual(error.problems[0].hint, 'Did you mean "scripts"?')

    def test_grants_of_a_deploying_script(self):
        """A script that deploys gives away no more than it has itself."""
        self.deploy(grants=frozenset({"scripts", "logs"}))
        done = self.deploy(source="/b", ceiling=frozenset({"logs"}))
        self.assertEqual(done.version.grants, {"logs"})

    def test_unchanged(self):
        """Deploying the same again does nothing when asked so."""
        self.deploy()
        done = self.deploy(if_changed=True)
        self.assertEqual((done.changed, done.version.number), (False, 1))
        self.assertEqual(self.world.builder.builds, 1)
        self.assertTrue(self.deploy(source="/b", if_changed=True).changed)
        self.assertTrue(self.deploy(source="/b", if_changed=True, grants=frozenset({"logs"})).changed)

    def test_check(self):
        """A check finds what a deployment would, stores nothing and keeps no child."""
        problems, registered = self.result(self.world.deployer.check(request()))
        self.assertEqual((problems, [r.key for r in registered.entries]), ([], ["/notes"]))
        problems, _ = self.result(self.world.deployer.check(request(source="THROW")))
        self.assertEqual([problem.severity for problem in problems], ["error"])
        self.assertEqual(len(self.world.runner.forgotten), 2)
        self.assertEqual(self.deploy().version.number, 1)

    def test_rollback(self):
        """An older version serves again without being built or loaded."""
        self.deploy()
        self.deploy(source="/b")
        done = self.result(self.world.deployer.rollback("notes", author="me"))
        self.assertEqual((done.version.number, done.previous), (1, 2))
        self.assertEqual(self.serving(), {"notes": 1})
        self.assertEqual(self.world.builder.builds, 2)
        self.fails(NotFound, self.world.deployer.rollback("notes"))
        self.fails(NotFound, self.world.deployer.rollback("notes", 9))
        self.fails(Conflict, self.world.deployer.rollback("notes", 2, expected=2))
        self.result(self.world.deployer.rollback("notes", 2, expected=1))
        self.assertEqual(self.deploy(source="/c").version.number, 3)

    def test_rollback_conflict(self):
        """A rollback into a route that another script has taken since is refused, and nothing is kept ready for it."""
        first = self.deploy(source="/a").version.id
        self.deploy(source="/b")
        self.deploy("other", "/a")
        before = self.world.runner.forgotten.count(first)
        self.fails(DeploymentRefused, self.world.deployer.rollback("notes"))
        self.assertEqual(self.serving(), {"notes": 2, "other": 1})
        self.assertEqual(self.world.runner.forgotten.count(first), before + 1)
        self.assertEqual(self.deploy(source="/c").version.number, 3)

    def test_made_ready(self):
        """Before a version is stored, deployed or brought back, a process is made ready for it."""
        stored = []
        apply = self.world.store.apply

        def noting(changes):
            stored.append(list(self.world.runner.expected))
            return apply(changes)

        self.world.store.apply = noting
        first = self.deploy(source="/a").version.id
        second = self.deploy(source="/b").version.id
        self.result(self.world.deployer.rollback("notes"))
        self.assertEqual(stored, [[first], [first, second], [first, second, first]])
        self.result(self.world.deployer.check(request(source="/c")))
        self.assertEqual(self.world.runner.expected, [first, second, first])

    def test_delete(self):
        """A deleted script serves no longer; a rollback brings it back; numbers go on."""
        self.deploy()
        self.fails(Conflict, self.world.deployer.delete("notes", expected=2))
        self.result(self.world.deployer.delete("notes"))
        self.assertEqual(self.serving(), {})
        self.assertEqual(len(self.world.runner.forgotten), 1)
        self.fails(NotFound, self.world.deployer.delete("notes"))
        self.result(self.world.deployer.rollback("notes"))
        self.assertEqual(self.serving(), {"notes": 1})
        self.result(self.world.deployer.delete("notes"))
        self.assertEqual(self.deploy().version.number, 2)
        self.result(self.world.deployer.delete("notes", purge=True))
        self.fails(NotFound, self.world.store.history("notes"))

    def test_several_at_once(self):
        """A group of changes is visible at once, or not at all."""
        self.deploy("old", "/a")
        prepared = self.result(self.world.deployer.prepare(request("one", "/1")))
        also_prepared = self.result(self.world.deployer.prepare(request("two", "/2")))
        self.fails(NotFound, self.world.deployer.commit([prepared, RemoveScript(uri="missing")]))
        self.assertEqual(self.serving(), {"old": 1})
        self.result(self.world.deployer.commit([prepared, also_prepared, RemoveScript(uri="old")]))
        self.assertEqual(self.serving(), {"one": 1, "two": 1})

    def test_restore(self):
        """After a restart everything serves as before, without building or loading."""
        self.deploy("one", "/1", grants=frozenset({"logs"}))
        self.deploy("two", "/2")
        self.deploy("two", "/2b")
        self.deploy("gone", "/3")
        self.result(self.world.deployer.delete("gone"))
        before = dict(self.world.current.registry.scripts)
        world = self.make()
        self.assertEqual(self.result(world.deployer.restore()), 2)
        self.assertEqual(dict(world.current.registry.scripts), before)
        self.assertEqual((world.builder.builds, world.runner.loaded), (0, []))
        self.assertEqual(self.result(world.deployer.deploy(request("gone", "/3"))).version.number, 2)

    def test_restore_with_a_conflict(self):
        """A script that cannot serve any longer is named, and the others serve."""
        self.deploy("one", "/same")
        other = self.make()
        self.result(other.deployer.deploy(request("two", "/same")))
        received = []
        self.patch(deploy._log, "observer", received.append)
        world = self.make()
        self.assertEqual(self.result(world.deployer.restore()), 1)
        self.assertEqual([event["uri"] for event in received], ["two"])

    @pytest.mark.setting("deploy.keep_versions")
    def test_trim(self):
        """Only so many versions are kept."""
        self.world = self.make(keep_versions=2)
        for number in range(4):
            self.deploy(source=f"/{number}")
        kept = [version.number for version in self.result(self.world.store.history("notes")).versions]
        self.assertEqual(kept, [4, 3])

    def test_rules(self):
        """A bad name or a long message is refused before anything else."""
        self.fails(Invalid, self.world.deployer.deploy(request("")))
        self.fails(Invalid, self.world.deployer.deploy(request(message="x" * 1001)))
        self.assertEqual(self.world.builder.builds, 0)

    def test_manifest_reaches_what_serves(self):
        """What the manifest says of isolation and limits serves, also after a restart."""
        manifest = b'{"aiwebengine": {"isolation": "request", "limits": {"timeout": "1s"}}}'
        self.deploy(files={"main.ts": b"/a", "package.json": manifest})
        world = self.make()
        self.result(world.deployer.restore())
        for each in (self.world, world):
            script = each.current.registry.scripts["notes"]
            self.assertEqual((script.isolation, dict(script.limits)), ("request", {"timeout_ms": 1000.0}))
