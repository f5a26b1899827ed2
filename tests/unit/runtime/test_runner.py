"""The pool: who gets a child, who waits, who is refused, and what ends."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, ScriptFailed, ScriptTimeout
from aiwebengine.runtime.processes.crashes import MOST_IN_A_ROW
from aiwebengine.runtime.runner import LoadReport
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from tests.unit.runtime.fakes import FakeTemplate, Scene

KILLED = int(signal.SIGKILL)


class PoolTests(SynchronousTestCase):
    """Children of one version."""

    def scene(self, **members: Any) -> Scene:
        """Make a scene."""
        self.made = Scene(pool=PoolSettings(**{"max_running": 2, **members}))
        self.addCleanup(self.made.close)
        return self.made

    def test_lazy(self) -> None:
        """Nothing is started before somebody asks; a run may be written before the template has loaded."""
        scene = self.scene()
        scene.bundle()
        self.assertEqual(scene.zygote.forker.requests(), [])
        _, sink = scene.run()
        template = scene.template()
        (child,) = template.clones()
        template.load()
        assert child.take() is not None
        child.answer()
        scene.reactor.turn()
        self.assertEqual(sink.received, [("answered", 200, b'{"done":true}')])

    @pytest.mark.setting("pool.queue_length")
    def test_bounds(self) -> None:
        """No more children than may be; the rest waits in order, up to the queue's length."""
        scene = self.scene(queue_length=2)
        template = scene.serving()
        sinks = [scene.run()[1] for _ in range(5)]
        children = template.clones()
        self.assertEqual(len(children), 2)
        self.assertEqual(sinks[4].received, [("failed", "unavailable")])
        children[0].take()
        children[0].answer(b"0")
        scene.reactor.turn()
        self.assertEqual(sinks[0].received, [("answered", 200, b"0")])
        self.assertIsNotNone(children[0].take())
        children[0].answer(b"2")
        scene.reactor.turn()
        self.assertEqual((sinks[2].received, sinks[1].received), ([("answered", 200, b"2")], []))

    @pytest.mark.setting("pool.queue_seconds")
    def test_waited_too_long(self) -> None:
        """Who waits longer than the setting allows is refused, and told when to come back."""
        scene = self.scene(max_running=1, queue_seconds=0.5)
        scene.serving()
        scene.run(wall=60)
        _, sink = scene.run()
        scene.go(2)
        self.assertEqual(sink.received, [("failed", "unavailable")])

    @pytest.mark.setting("pool.max_invocations")
    def test_recycled(self) -> None:
        """A child is let go after its number of runs, and what waits gets another."""
        scene = self.scene(max_running=1, max_invocations=1)
        template = scene.serving()
        scene.run()
        _, second = scene.run()
        (child,) = template.clones()
        child.take()
        child.answer()
        scene.reactor.turn()
        self.assertTrue(child.deserted)
        (fresh,) = template.clones()
        fresh.answer(b"fresh")
        scene.reactor.turn()
        self.assertEqual(second.received, [("answered", 200, b"fresh")])

    @pytest.mark.setting("pool.max_age_seconds")
    def test_old(self) -> None:
        """A child that has become old is let go after its run."""
        scene = self.scene(max_age_seconds=3, idle_seconds=60)
        template = scene.serving()
        for age in (1, 4):
            scene.go(age)
            _, sink = scene.run()
            if fresh := template.clones():
                (child,) = fresh
            child.take()
            child.answer()
            scene.reactor.turn()
            self.assertEqual(len(sink.received), 1)
            self.assertEqual(child.deserted, age == 4)

    @pytest.mark.setting("pool.max_parked", "pool.max_running")
    def test_too_many_parked(self) -> None:
        """When as many runs wait for the host as may, the next one waits for a process."""
        scene = self.scene(max_running=1, max_parked=1)
        template = scene.serving()
        scene.host.answers = {"later": Deferred()}
        for _ in range(3):
            scene.run()
        for _ in range(3):
            for child in template.clones():
                child.take()
                child.ask(b"later")
            scene.reactor.turn()
        version = scene.runner.state()["versions"][0]
        self.assertEqual((version["busy"], version["parked"], version["waiting"]), (2, 2, 1))

    def test_parked(self) -> None:
        """A run that waits for the host has no place: others run meanwhile, up to a bound of its own."""
        scene = self.scene(max_running=1, max_parked=1)
        template = scene.serving()
        scene.host.answers["later"] = answer = Deferred()
        sinks = [scene.run()[1] for _ in range(3)]
        (first,) = template.clones()
        first.take()
        first.ask(b"later")
        scene.reactor.turn()
        (second,) = template.clones()
        second.take()
        second.ask(b"later2")
        version = scene.runner.state()["versions"][0]
        self.assertEqual((version["busy"], version["parked"], version["waiting"]), (2, 1, 1))
        self.assertEqual(scene.runner.state()["slots"]["running"], 1)
        second.answer(b"second")
        scene.reactor.turn()
        self.assertEqual(sinks[1].received, [("answered", 200, b"second")])
        third = second
        self.assertIsNotNone(third.take())
        answer.callback('{"ok":1}')
        self.assertEqual(scene.runner.state()["slots"]["running"], 2)
        first.answer(b"first")
        third.answer(b"third")
        scene.reactor.turn()
        self.assertEqual([sink.received[-1][2] for sink in sinks], [b"first", b"second", b"third"])
        state = scene.runner.state()
        self.assertEqual((state["slots"]["running"], state["versions"][0]["parked"]), (0, 0))

    def test_killed_while_parked(self) -> None:
        """A child that dies while it waits for the host leaves nothing behind in the counts."""
        scene = self.scene(max_running=1)
        template = scene.serving()
        scene.host.answers["later"] = Deferred()
        scene.run()
        (child,) = template.clones()
        child.take()
        child.ask(b"later")
        scene.reactor.turn()
        template.exit(0, int(signal.SIGALRM))
        scene.reactor.turn()
        state = scene.runner.state()
        self.assertEqual((state["slots"]["running"], state["running"], state["versions"][0]["parked"]), (0, 0, 0))

    def test_places_of_all(self) -> None:
        """When all places are taken the scripts that wait are served in turn, whoever came first."""
        scene = self.scene(max_running=5, max_running_all=1)
        greedy, modest = scene.serving("greedy"), scene.serving("modest")
        many = [scene.run("greedy")[1] for _ in range(4)]
        _, sink = scene.run("modest")
        (child,) = greedy.clones()
        child.take()
        child.answer()
        scene.reactor.turn()
        self.assertTrue(many[0].received)
        (other,) = modest.clones()
        other.take()
        other.answer()
        scene.reactor.turn()
        self.assertTrue(sink.received)
        for number in (1, 2, 3):
            self.assertFalse(many[number].received)
            child.take()
            child.answer()
            scene.reactor.turn()
            self.assertTrue(many[number].received)
        self.assertEqual(scene.runner.state()["slots"], {"places": 1, "running": 0, "scriptsWaiting": 0})

    @pytest.mark.setting("pool.weights")
    def test_weights(self) -> None:
        """When all places are taken a script that weighs twice as much is served twice as often."""
        scene = self.scene(max_running=1, max_running_all=1, depth=1, weights=("heavy=2",))
        templates = {}
        for scene.script in ("light", "heavy"):
            templates[scene.script] = scene.serving(scene.script)
            for _ in range(60):
                scene.run(scene.script)
        children = {name: template.clones() for name, template in templates.items()}
        served = []
        while len(served) < 60:
            for name, template in templates.items():
                children[name] += template.clones()
                for child in children[name]:
                    if child.take() is not None:
                        served.append(name)
                        scene.reactor.advance(0.1)
                        child.answer()
                        scene.reactor.turn()
        self.assertLess(abs(served.count("heavy") - 2 * served.count("light")), 4, served)

    def test_waits_for_its_template_only(self) -> None:
        """A script whose template is not there yet keeps no other from running."""
        scene = self.scene(max_running_all=2)
        scene.bundle("slow")
        quick = scene.serving("quick")
        scene.source.error = None
        scene.zygote.forker.requests()
        _, waiting = scene.run("slow")
        _, sink = scene.run("quick")
        (child,) = quick.clones()
        child.take()
        child.answer()
        scene.reactor.turn()
        self.assertEqual((len(sink.received), waiting.received), (1, []))

    def test_crash_loop(self) -> None:
        """After some deaths in a row a version rests, ever longer; then one run tries, and all is well if it is."""
        scene = self.scene()
        template = scene.serving()

        def crash() -> Any:
            _, sink = scene.run()
            template.clones()
            template.exit(len(template.numbers) - 1, int(signal.SIGSEGV))
            return sink

        for _ in range(MOST_IN_A_ROW):
            self.assertEqual(crash().received, [("failed", "script_crashed")])
        _, sink = scene.run()
        self.assertEqual(sink.received, [("failed", "unavailable")])
        version = scene.runner.state()["versions"][0]
        self.assertEqual(version["crashes"], MOST_IN_A_ROW)
        self.assertGreater(version["retrySeconds"], 0.3)
        scene.go(0.6)
        self.assertEqual(crash().received, [("failed", "script_crashed")])
        self.assertEqual(scene.runner.state()["versions"][0]["retrySeconds"], 1.0)
        scene.go(1.1)
        _, trying = scene.run()
        self.assertEqual(scene.run()[1].received, [("failed", "unavailable")])
        child = template.clones()[-1]
        child.take()
        child.answer()
        scene.reactor.turn()
        self.assertEqual(len(trying.received), 1)
        self.assertEqual(scene.run()[1].received, [])
        self.assertEqual(scene.runner.state()["versions"][0]["crashes"], 0)

    def test_no_crash_loop(self) -> None:
        """Runs that took too long, and processes that somebody killed, are no crash loop."""
        scene = self.scene()
        template = scene.serving()
        for _ in range(2 * MOST_IN_A_ROW):
            _, sink = scene.run()
            template.clones()
            template.exit(len(template.numbers) - 1, int(signal.SIGALRM))
            self.assertEqual(sink.received, [("failed", "script_timeout")])
        self.assertEqual(scene.runner.state()["versions"][0]["crashes"], 0)

    @pytest.mark.setting("pool.idle_seconds")
    def test_idle(self) -> None:
        """What is idle ends: children first, later the template, and at last nothing is remembered."""
        scene = self.scene(idle_seconds=2.0)
        template = scene.serving()
        _, sink = scene.run()
        (child,) = template.clones()
        child.take()
        child.answer()
        scene.go(4)
        self.assertTrue(child.deserted)
        template.exit(0, 0)
        self.assertTrue(sink.received)
        scene.go(5)
        self.assertEqual([request.content["op"] for request in scene.zygote.forker.requests()], [])
        scene.go(4)
        self.assertEqual([request.content["op"] for request in scene.zygote.forker.requests()], ["kill"])
        template.die()
        scene.go(2)
        self.assertEqual(scene.runner.state()["versions"], [])

    def test_replaced_at_once(self) -> None:
        """A child that dies of its run is replaced before anybody asks."""
        scene = self.scene()
        template = scene.serving()
        scene.run()
        self.assertEqual(len(template.clones()), 1)
        template.exit(0, int(signal.SIGALRM))
        self.assertEqual(len(template.clones()), 1)
        self.assertEqual(scene.runner.state()["versions"][0]["idle"], 1)

    def test_fresh_for_each(self) -> None:
        """With `isolation: request` children come from a small stock, and each runs once."""
        scene = self.scene(isolation="request", max_running=2)
        template = scene.serving()
        sinks = [scene.run()[1] for _ in range(3)]
        children = template.clones()
        busy = [child for child in children if child.take() is not None]
        self.assertEqual(len(busy), 2)
        self.assertEqual(len(children), 4)
        busy[0].answer(b"once")
        scene.reactor.turn()
        self.assertTrue(busy[0].deserted)
        # The third did not wait for the end of the first one's process.
        self.assertEqual(len([child for child in children if child not in busy and child.take() is not None]), 1)
        self.assertEqual([len(sink.received) for sink in sinks], [1, 0, 0])

    def test_stays(self) -> None:
        """When a child does not end though it was killed, its template ends with all that hangs on it."""
        scene = self.scene()
        template = scene.serving()
        _, sink = scene.run(wall=0.5)
        template.clones()
        scene.go(5)
        self.assertEqual(sink.received, [("failed", "script_timeout")])
        self.assertEqual([request.content["op"] for request in scene.zygote.forker.requests()], ["kill"])
        _, sink = scene.run()
        again = scene.template()
        again.load()
        (child,) = again.clones()
        child.answer()
        scene.reactor.turn()
        self.assertEqual(len(sink.received), 1)

    def test_rests(self) -> None:
        """A replaced version keeps its template, but no idle process, and serves again without loading."""
        scene = self.scene()
        template = scene.serving()
        _, sink = scene.run()
        (child,) = template.clones()
        child.answer(b"1")
        scene.reactor.turn()
        scene.runner.rest("v")
        self.assertEqual(scene.runner.state()["versions"][0]["idle"], 0)
        self.assertEqual(scene.zygote.forker.requests(), [])
        scene.runner.expect("v", "one", {})
        scene.reactor.turn()
        self.assertEqual(len(template.clones()), 1)
        self.assertEqual(scene.zygote.forker.requests(), [])
        self.assertEqual(len(sink.received), 1)

    def test_few_rest(self) -> None:
        """Of many replaced versions only the newest keep their templates."""
        scene = self.scene()
        for number in range(6):
            scene.serving(f"v{number}")
            scene.runner.rest(f"v{number}")
        kept = [version["version"] for version in scene.runner.state()["versions"]]
        self.assertEqual(kept, ["v2", "v3", "v4", "v5"])

    def test_rests_no_longer(self) -> None:
        """A version that serves again after a rollback is not among those that end when more are replaced."""
        scene = self.scene()
        scene.serving("back")
        scene.runner.rest("back")
        scene.runner.expect("back", "one", {})
        for number in range(6):
            scene.serving(f"v{number}")
            scene.runner.rest(f"v{number}")
        self.assertIn("back", [version["version"] for version in scene.runner.state()["versions"]])

    def test_resting_ends(self) -> None:
        """A replaced version that nobody asks for again ends like one that is not used."""
        scene = self.scene(idle_seconds=1.0)
        scene.serving()
        scene.runner.rest("v")
        scene.go(12)
        self.assertEqual([version["template"] for version in scene.runner.state()["versions"]], [])

    def test_nothing_to_rest(self) -> None:
        """A replaced version without a template is forgotten."""
        scene = self.scene()
        scene.bundle()
        scene.run()
        scene.runner.rest("v")
        self.assertTrue(all(version["retired"] for version in scene.runner.state()["versions"]))

    def test_forgotten(self) -> None:
        """A replaced version answers what it has in hand and in its queue, and then ends."""
        scene = self.scene(max_running=1)
        template = scene.serving()
        sinks = [scene.run()[1] for _ in range(2)]
        (child,) = template.clones()
        scene.runner.forget("v")
        scene.runner.forget("v")
        child.take()
        child.answer(b"1")
        scene.reactor.turn()
        (second,) = template.clones()
        second.answer(b"2")
        scene.reactor.turn()
        self.assertEqual([sink.received for sink in sinks], [[("answered", 200, b"1")], [("answered", 200, b"2")]])
        scene.go(1.1)
        self.assertEqual([request.content["op"] for request in scene.zygote.forker.requests()], ["kill"])

    def test_stopped(self) -> None:
        """When the engine stops everybody is told, and who asks later too."""
        scene = self.scene(max_running=1)
        template = scene.serving()
        sinks = [scene.run()[1] for _ in range(2)]
        drained = scene.runner.drained()
        self.assertNoResult(drained)
        template.clones()
        scene.runner.stopService()
        scene.reactor.turn()
        self.assertEqual([sink.received for sink in sinks], [[("failed", "unavailable")]] * 2)
        self.successResultOf(drained)
        scene.runner.startService()
        self.successResultOf(scene.runner.drained())

    def test_impatient_stop(self) -> None:
        """Waiting for the last run can be given up."""
        scene = self.scene()
        scene.serving()
        scene.run()
        drained = scene.runner.drained()
        drained.cancel()
        self.failureResultOf(drained)

    def test_state(self) -> None:
        """The state tells what runs, what waits and what failed, ready for JSON."""
        scene = self.scene()
        scene.serving()
        scene.run()
        state = json.loads(json.dumps(scene.runner.state()))
        self.assertEqual((state["running"], state["active"]), (1, 1))
        (version,) = state["versions"]
        self.assertEqual((version["version"], version["busy"], version["template"]), ("v", 1, 99))


class StartTests(SynchronousTestCase):
    """Templates that do not start."""

    def setUp(self) -> None:
        """Make a scene."""
        self.scene = Scene(limits=LimitSettings(load_seconds=1.0))
        self.addCleanup(self.scene.close)
        self.scene.bundle()

    def throw(self, template: FakeTemplate) -> None:
        """Let a load throw."""
        template.data.take()
        template.data.fail(error={"name": "Error", "message": "not today"})
        self.scene.reactor.turn()

    def test_backs_off(self) -> None:
        """A version that does not load fails its requests at once, and is tried again after ever longer waits."""
        for wait in (0.5, 1.0, 2.0):
            _, sink = self.scene.run()
            template = self.scene.template()
            self.throw(template)
            template.die(0)
            self.assertEqual(sink.received, [("failed", "script_failed")])
            _, refused = self.scene.run()
            self.assertEqual(refused.received, [("failed", "script_failed")])
            self.assertEqual([request.content for request in self.scene.zygote.forker.requests()], [])
            self.assertAlmostEqual(self.scene.runner.state()["versions"][0]["retrySeconds"], wait)
            self.scene.go(wait + 0.1)

    def test_recovers(self) -> None:
        """When it loads at last, all is forgotten."""
        self.scene.run()
        template = self.scene.template()
        self.throw(template)
        template.die(0)
        self.scene.go(0.6)
        _, sink = self.scene.run()
        again = self.scene.template()
        again.load()
        (child,) = again.clones()
        child.answer()
        self.scene.reactor.turn()
        self.assertEqual(len(sink.received), 1)
        self.assertIsNone(self.scene.runner.state()["versions"][0]["failure"])

    def test_killed_while_loading(self) -> None:
        """A template that somebody kills is loaded again, and who waits for it knows nothing of it."""
        _, sink = self.scene.run()
        self.scene.template().die(KILLED)
        self.assertEqual(sink.received, [])
        again = self.scene.template()
        again.load()
        (child,) = again.clones()
        child.answer()
        self.scene.reactor.turn()
        self.assertEqual(sink.received, [("answered", 200, b'{"done":true}')])

    def test_keeps_dying(self) -> None:
        """A template that dies as soon as it has loaded is not made again without end."""
        _, sink = self.scene.run()
        for _ in range(2):
            template = self.scene.template()
            template.load()
            template.die(int(signal.SIGSEGV))
        self.assertEqual([request.content for request in self.scene.zygote.forker.requests()], [])
        self.assertEqual(sink.received, [("failed", "unavailable")])
        _, sink = self.scene.run()
        self.assertEqual([request.content for request in self.scene.zygote.forker.requests()], [])
        self.scene.go(2)
        self.scene.template().load()

    @pytest.mark.setting("limits.load_seconds")
    def test_never_loads(self) -> None:
        """A template that neither loads nor dies is ended, and taken for dead if nobody tells."""
        _, sink = self.scene.run(wall=60)
        self.scene.template()
        self.scene.go(2.2)
        self.assertEqual([request.content["op"] for request in self.scene.zygote.forker.requests()], ["kill"])
        self.scene.go(2.2)
        self.assertEqual(sink.received, [("failed", "script_timeout")])

    def test_unreadable(self) -> None:
        """A version that cannot be read fails what waits for it, whatever the reason."""
        self.scene.source.error = ValueError("torn page")
        _, sink = self.scene.run()
        self.assertEqual(sink.received, [("failed", "unavailable")])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.scene.source.error = None
        self.scene.bundle("torn", replay="{}")
        _, sink = self.scene.run("torn")
        self.assertEqual(sink.received, [("failed", "unavailable")])
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_sandbox_away(self) -> None:
        """While the sandbox is away runs wait, and they are served as soon as it is back."""
        self.scene.zygote.forker.control.close()
        _, sink = self.scene.run()
        self.scene.go(1)
        self.assertEqual(sink.received, [])
        self.scene.zygote.__init__(self.scene.reactor)
        self.scene.runner.sandbox_died()
        template = self.scene.template()
        template.load()
        (child,) = template.clones()
        child.answer()
        self.scene.reactor.turn()
        self.assertEqual(len(sink.received), 1)


class LoadTests(SynchronousTestCase):
    """Loading for a deployment."""

    def setUp(self) -> None:
        """Begin to load a version."""
        self.scene = Scene()
        self.addCleanup(self.scene.close)
        bundle = self.scene.bundle(manifest={"limits": {"memory_bytes": 1000}})
        self.loading = Deferred.fromCoroutine(self.scene.runner.load(bundle, self.scene.invocation(kind="load")))
        self.template = self.scene.template()
        self.addCleanup(self.loading.addErrback, lambda _: None)

    @pytest.mark.setting("limits.memory_bytes")
    def test_memory(self) -> None:
        """A process gets the memory that the server allows, or less if the manifest asks for less."""
        scene = Scene(limits=LimitSettings(memory_bytes=32 * 1024 * 1024))
        self.addCleanup(scene.close)
        for manifest, memory in (({}, 32 * 1024 * 1024), ({"limits": {"memory_bytes": 1000}}, 1000)):
            version = f"v{memory}"
            bundle = scene.bundle(version, manifest=manifest)
            loading = Deferred.fromCoroutine(scene.runner.load(bundle, scene.invocation(version, kind="load")))
            loading.addErrback(lambda _: None)
            (request,) = [sent for sent in scene.zygote.forker.requests() if sent.content["op"] == "template"]
            self.assertEqual(request.content["limits"]["memory_bytes"], memory)
            request.close()

    def test_kept(self) -> None:
        """What has loaded is kept warm, with the journal of what the host answered."""
        self.template.data.take()
        self.template.data.ask(b"listAssets", tag=b"1")
        self.scene.reactor.turn()
        assert self.template.data.take() is not None
        self.template.data.send(
            json.dumps({"handlers": 2, "names": ["init"], "warnings": [{"code": "c", "message": "m"}]}).encode(),
            answer=b"1",
        )
        self.scene.reactor.turn()
        loaded = self.successResultOf(self.loading)
        assert isinstance(loaded, LoadReport)
        self.assertEqual((loaded.handlers, loaded.names, loaded.warnings[0]["code"]), (2, ("init",), "c"))
        self.assertEqual(json.loads(loaded.replay)["calls"], [["listAssets", "[]", '{"ok":null}']])
        self.scene.run()
        self.assertEqual(len(self.template.clones()), 1)
        self.assertEqual([receipt.outcome for receipt in self.scene.host.receipts], ["committed"])

    def test_refused(self) -> None:
        """What throws, dies or tells nonsense is refused, and nothing is left of it."""
        self.template.data.fail(error={"name": "Error", "message": "no"})
        self.scene.reactor.turn()
        self.failureResultOf(self.loading, ScriptFailed)
        self.assertEqual(self.scene.runner.state()["versions"], [])

    def test_nonsense(self) -> None:
        """A load that is answered with nonsense has failed."""
        for answer in (b"7", b"{", b"{}", b'{"handlers":1,"names":[7],"warnings":[]}', b"[" * 50_000):
            self.setUp()
            self.template.data.send(answer, answer=b"1")
            self.scene.reactor.turn()
            self.failureResultOf(self.loading, ScriptFailed)

    def test_endless(self) -> None:
        """A load that never ends is ended, and is a time-out."""
        self.scene.go(3.1)
        self.template.die(KILLED)
        self.failureResultOf(self.loading, ScriptTimeout)

    def test_conflict(self) -> None:
        """A load whose effects cannot be committed is refused."""
        self.scene.host.commits = [Conflict("no")]
        self.template.load()
        self.failureResultOf(self.loading, Conflict)
        self.assertEqual(self.scene.runner.state()["versions"], [])

    def test_given_up(self) -> None:
        """A load that nobody waits for any more is ended."""
        self.loading.cancel()
        self.failureResultOf(self.loading)
        self.assertEqual([request.content["op"] for request in self.scene.zygote.forker.requests()], ["kill"])
        self.assertEqual([receipt.outcome for receipt in self.scene.host.receipts], ["cancelled"])
