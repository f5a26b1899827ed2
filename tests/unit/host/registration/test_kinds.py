"""A kind of registration that nobody has heard of, from the script to the registry and back after a restart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import DeploymentRefused, Invalid
from aiwebengine.host.declare import described
from aiwebengine.host.registration.book import Registrations
from aiwebengine.host.registration.kinds import OptionChecks, Registration, RegistrationKind
from aiwebengine.host.registration.routes import web_routes
from aiwebengine.host.registration_calls import RegistrationCalls
from aiwebengine.runtime.index import EntryIndex, distinct_keys
from aiwebengine.scripts.prepare import DeployRequest
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import ROUTE, Bundle, Entry, Invocation
from aiwebengine.web.api.listing import Listing
from tests.support.fakes.deploying import Deploying
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder
from tests.support.reserved import RESERVED
from tests.unit.host.fakes import Everything, ask, host, invocation


def check_job(registration: Registration) -> Entry:
    """Check `registerJob(name, { every }, handler)`."""
    name, every = registration.sent.get("name"), registration.options.get("every")
    if not isinstance(name, str) or not name:
        raise Invalid(f"{registration.call}: the name must be a string; {described(name)} was given.")
    for option in registration.options:
        if option != "every":
            raise registration.unknown_option(option, {"every": ""})
    return registration.entry(key=name, handler=registration.handler(), options={"every": every})


class Jobs:
    """The kind of jobs, which remembers how often its index was built."""

    def __init__(self) -> None:
        self.built: list[list[str]] = []
        self.kind = RegistrationKind(
            name="job",
            functions=("registerJob", "cron"),
            noun="job",
            nouns="jobs",
            check=check_job,
            most=3,
            index=EntryIndex(build=self._build, conflicts=distinct_keys("job")),
            describe=lambda entry: f"{entry.key} every {entry.options['every']}",
        )

    def _build(self, entries: Sequence[Entry]) -> dict[str, Entry]:
        self.built.append([entry.key for entry in entries])
        return {entry.key: entry for entry in entries}


def job(name: Any = "nightly", every: Any = "1d", number: int = 0, **more: Any) -> dict[str, Any]:
    """Return what a prelude would send for one `registerJob`."""
    return {"name": name, "options": {"every": every}, "handler": {"id": number, "name": "run"}, "stack": "", **more}


class RegisteringTests(SynchronousTestCase):
    """One load."""

    def setUp(self) -> None:
        self.kind = Jobs().kind
        self.session = host(Everything(), self.kind).begin(invocation("load"))
        assert self.session.registrations is not None
        self.book = self.session.registrations

    def refused(self, **result: Any) -> dict[str, Any]:
        error: dict[str, Any] = ask(self.session, "register.job", {**job(), **result})["err"]
        return error

    def test_is_declared(self) -> None:
        """A kind brings the host call that registers it, in the name of its JavaScript function."""
        calls = {call.name: call.shown for call in RegistrationCalls((self.kind,), threads=ThreadsInTurn()).calls}
        self.assertEqual(calls, {"register.job": "registerJob"})

    def test_is_kept(self) -> None:
        """What the kind has checked is an entry, with its place, beside those of other kinds and in their order."""
        ask(self.session, "register.job", job(stack="at 7"))
        ask(self.session, "register.route", {"path": "/a", "handler": {"id": 1}})
        ask(self.session, "register.job", job("hourly", "1h", 2))
        first, second, third = self.book.placed(lambda stack: f"main.js:{stack[-1:]}")
        self.assertEqual((first.kind, first.key, first.script, first.version), ("job", "nightly", "me", "me@1-00"))
        self.assertEqual((first.options, first.place, first.methods), ({"every": "1d"}, "main.js:7", ()))
        self.assertEqual((second.kind, second.key, second.methods), (ROUTE, "/a", ("GET",)))
        self.assertEqual((third.key, third.handler.id), ("hourly", 2))

    def test_is_replaced(self) -> None:
        """A later one of the same key takes the place of the earlier, and does not count twice."""
        for number in range(10):
            self.assertEqual(ask(self.session, "register.job", job(number=number)), {"ok": None})
        (kept,) = self.book.entries
        self.assertEqual(kept.handler.id, 9)

    def test_is_refused(self) -> None:
        """What breaks a rule of the kind is refused in the name of the function that was called."""
        for error, words in (
            (self.refused(name=7), "registerJob: the name must be a string; the number 7 was given."),
            (self.refused(name=7, call="cron"), "cron: the name must be"),
            (self.refused(name=7, call="eval"), "registerJob: the name must be"),
            (self.refused(handler={"id": -1}), "the handler must be a function"),
            (self.refused(options={"evry": 1}), 'there is no option "evry"; did you mean every?'),
        ):
            self.assertEqual((error["code"], error["call"]), ("invalid", "registerJob"))
            self.assertIn(words, error["message"])
        self.assertEqual(self.book.entries, [])

    def test_every_wrong_option(self) -> None:
        """All options of a call that are wrong are told together, and the first is blamed."""
        checks = OptionChecks("registerJob")
        for name in ("a", "good", "b"):
            with checks.of(name):
                if name != "good":
                    raise Invalid(f"registerJob: {name} is wrong.")
        with self.assertRaises(Invalid) as caught:
            checks.settle()
        self.assertEqual(caught.exception.public, "registerJob: a is wrong. Also: b is wrong.")
        self.assertEqual(caught.exception.details, {"option": "a"})
        OptionChecks("registerJob").settle()

    def test_is_bounded(self) -> None:
        """A script registers as many as the kind says; other kinds do not count."""
        ask(self.session, "register.route", {"path": "/a", "handler": {"id": 1}})
        answers = [ask(self.session, "register.job", job(f"job {number}")) for number in range(4)]
        self.assertEqual(answers[2], {"ok": None})
        self.assertEqual(answers[3]["err"]["code"], "too_many")
        self.assertIn("at most 3 jobs", answers[3]["err"]["message"])

    def test_is_closed(self) -> None:
        """Nothing is registered but while a script loads, and the message says where it belongs."""
        serving = host(Everything(), self.kind).begin(invocation("http"))
        self.book.close()
        for session in (serving, self.session):
            error = ask(session, "register.job", job())["err"]
            self.assertEqual(error["code"], "closed")
            self.assertIn("registerJob works only while the script loads", error["message"])

    def test_unknown_kind(self) -> None:
        """What nobody offers cannot be registered."""
        error = ask(self.session, "register.spaceship", job())["err"]
        self.assertEqual(error["code"], "invalid")

    def test_is_listed(self) -> None:
        """Entries are listed by kind, in the words of each; of a kind that is not offered its name is all there is."""
        ask(self.session, "register.job", job())
        ask(
            self.session,
            "register.route",
            {
                "path": "/a",
                "methods": ["GET", "PUT"],
                "handler": {"id": 1, "name": "f"},
                "options": {"summary": "All", "tags": ["x"]},
            },
        )
        entries = [*self.book.entries, replace(self.book.entries[0], kind="spaceship")]
        routes, jobs, ships = Listing((web_routes(LimitSettings()), self.kind))(entries)
        self.assertEqual((jobs["kind"], jobs["noun"], jobs["nouns"]), ("job", "job", "jobs"))
        self.assertEqual(jobs["entries"], [{"name": "nightly every 1d", "handler": "run", "place": ""}])
        self.assertEqual(
            routes["entries"],
            [
                {
                    "name": "GET|PUT /a",
                    "handler": "f",
                    "place": "",
                    "methods": ["GET", "PUT"],
                    "path": "/a",
                    "summary": "All",
                    "tags": ["x"],
                }
            ],
        )
        self.assertEqual((ships["kind"], [entry["name"] for entry in ships["entries"]]), ("spaceship", ["nightly"]))


class PathTests(SynchronousTestCase):
    """A kind that takes a path."""

    def setUp(self) -> None:
        self.kind = RegistrationKind(
            name="feed",
            functions=("registerFeed",),
            noun="feed",
            nouns="feeds",
            check=lambda call: call.entry(
                methods=("GET", "POST"), handler=call.handler(), options={"pattern": call.pattern}
            ),
            takes_path=True,
        )
        self.session = host(Everything(), self.kind).begin(invocation("load"))

    def register(self, kind: str, path: Any, **result: Any) -> Any:
        return ask(self.session, f"register.{kind}", {"path": path, "handler": {"id": 0}, **result})

    def kept(self) -> list[tuple[str, str, tuple[str, ...]]]:
        assert self.session.registrations is not None
        return [(entry.kind, entry.key, entry.methods) for entry in self.session.registrations.entries]

    def test_path(self) -> None:
        """Its path is brought to the normal form before the kind sees it, and is the entry's key."""
        self.assertEqual(self.register("feed", "/f/{id}"), {"ok": None})
        self.assertEqual(self.kept(), [("feed", "/f/:id", ("GET", "POST"))])
        assert self.session.registrations is not None
        self.assertEqual(self.session.registrations.entries[0].options, {"pattern": "/f/:id"})

    def test_refused(self) -> None:
        """Paths that are none, or the engine's own, are refused in the name of the function."""
        for path, words in (("f", 'must begin with "/"'), (7, "the number 7 was given"), ("/engine/f", "belongs to")):
            error = self.register("feed", path)["err"]
            self.assertEqual((error["code"], error["call"]), ("invalid", "registerFeed"))
            self.assertTrue(error["message"].startswith("registerFeed: the path"), error)
            self.assertIn(words, error["message"])

    def test_replaced(self) -> None:
        """Within a script paths are one: the later registration of a method and path wins, whatever its kind."""
        self.register("feed", "/f/:id")
        self.register("route", "/f/:key", methods=["GET"])
        self.register("feed", "/g")
        self.register("route", "/g", methods=["POST", "GET", "PUT"])
        self.assertEqual(
            self.kept(),
            [("feed", "/f/:id", ("POST",)), (ROUTE, "/f/:key", ("GET",)), (ROUTE, "/g", ("POST", "GET", "PUT"))],
        )

    def test_what_was_replaced(self) -> None:
        """What was replaced is told with the methods that it lost, its place, and the place of what replaced it."""
        self.register("route", "/f/:key", methods=["GET", "PUT", "POST"], stack="a")
        self.register("feed", "/f/:id", stack="b")
        self.register("route", "/f/:other", methods=["PUT", "GET"], stack="c")
        assert self.session.registrations is not None
        result = self.session.registrations.replaced(lambda stack: f"main.js:{stack}")
        self.assertEqual(
            [(earlier.label, earlier.place, later.label, later.place) for earlier, later in result],
            [
                ("GET|POST /f/:key", "main.js:a", "GET|POST /f/:id", "main.js:b"),
                ("PUT /f/:key", "main.js:a", "PUT|GET /f/:other", "main.js:c"),
                ("GET /f/:id", "main.js:b", "PUT|GET /f/:other", "main.js:c"),
            ],
        )

    def test_bounded(self) -> None:
        """Paths are counted over all kinds."""
        for number in range(999):
            self.register("feed", f"/f/{number}")
        self.assertEqual(self.register("route", "/a"), {"ok": None})
        self.assertEqual(self.register("route", "/b"), {"ok": None})
        self.assertEqual(self.register("feed", "/c")["err"]["code"], "too_many")


class DeployingTests(SynchronousTestCase):
    """What serves."""

    def setUp(self) -> None:
        self.folder = temporary_folder(self)
        self.jobs = Jobs()
        self.world = self.start(self.jobs.kind)

    def start(self, *kinds: RegistrationKind) -> Deploying:
        """Start on the same folder; what a script registers are the lines of its source."""
        world = Deploying(self.folder, book=lambda load: Registrations(invocation=load, reserved=RESERVED), kinds=kinds)
        self.addCleanup(world.database.stopService)
        hosting = host(Everything(), self.jobs.kind)

        def during(bundle: Bundle, load: Invocation, book: Registrations) -> Any:
            session = hosting.begin(load)
            session.registrations = book
            for line in bundle.source.splitlines():
                name, _, argument = line.partition(" ")
                self.assertEqual(ask(session, name, json.loads(argument)), {"ok": None})

            async def done() -> None:
                """Nothing waits."""

            return done()

        world.runner.during = during
        return world

    def result(self, coroutine: Any) -> Any:
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def request(self, uri: str, *registrations: dict[str, Any]) -> DeployRequest:
        lines = [
            f"register.{'route' if 'path' in registration else 'job'} {json.dumps(registration)}"
            for registration in registrations
        ]
        return DeployRequest(uri=uri, files={"main.js": "\n".join(lines).encode()}, author="me")

    def deploy(self, uri: str, *registrations: dict[str, Any]) -> Any:
        return self.result(self.world.deployer.deploy(self.request(uri, *registrations)))

    def index(self, world: Deploying | None = None) -> Any:
        return (world or self.world).current.registry.index("job")

    def test_before_any_script(self) -> None:
        """A kind has an index as soon as it is offered, and there is none of a kind that nobody offers."""
        self.assertEqual(self.index(), {})
        self.assertIsNone(self.world.current.registry.index("spaceship"))

    def test_index(self) -> None:
        """The entries of all scripts become one index; a version's successor replaces its entries."""
        done = self.deploy("a", job("one"), job("two"))
        self.assertEqual([warning.code for warning in done.warnings], [])
        self.deploy("b", job("three"))
        self.assertEqual(set(self.index()), {"one", "two", "three"})
        self.deploy("a", job("two", "2d"))
        self.assertEqual(
            {key: entry.options["every"] for key, entry in self.index().items()}, {"three": "1d", "two": "2d"}
        )
        self.result(self.world.deployer.delete("b"))
        self.assertEqual(set(self.index()), {"two"})

    def test_built_when_it_changes(self) -> None:
        """The index is built once for a deployment that changes it, and stays the same for one that does not."""
        self.deploy("a", job("one"))
        before = self.index()
        self.assertEqual(self.jobs.built, [[], ["one"]])
        self.deploy("b", {"path": "/b", "handler": {"id": 0}})
        self.assertIs(self.index(), before)
        self.result(self.world.deployer.check(self.request("c", job("two"))))
        self.deploy("d", {"path": "/d", "handler": {"id": 0}})
        self.assertIs(self.index(), before)
        self.assertEqual(len(self.jobs.built), 3)

    def test_conflict(self) -> None:
        """Two scripts that the kind cannot serve together are refused, naming both, and nothing changes."""
        self.deploy("a", job("one"))
        before = self.world.current.registry
        deployment = self.world.deployer.deploy(self.request("b", job("two"), job("one")))
        error = self.failureResultOf(Deferred.fromCoroutine(deployment), DeploymentRefused).value
        (problem,) = error.problems
        self.assertEqual(problem.code, "job_conflict")
        self.assertIn('The job one of "b" is also registered by "a"', problem.message)
        self.assertIs(self.world.current.registry, before)

    def test_restart(self) -> None:
        """After a restart all serves as before, and so it does after a rollback."""
        self.deploy("a", {"path": "/a", "methods": ["GET", "PUT"], "handler": {"id": 4}}, job("one", "7d", 3))
        before = self.world.current.registry.scripts["a"].entries
        self.deploy("a", job("other"))
        self.result(self.world.deployer.rollback("a"))
        self.assertEqual(self.world.current.registry.scripts["a"].entries, before)
        again = self.start(self.jobs.kind)
        self.assertEqual(self.result(again.deployer.restore()), 1)
        self.assertEqual(again.current.registry.scripts["a"].entries, before)
        self.assertEqual(self.index(again), {"one": before[1]})

    def test_restart_without_the_kind(self) -> None:
        """A server that does not offer the kind serves all else of the script, and its log says what it does not."""
        self.deploy("a", {"path": "/a", "handler": {"id": 4}}, job("one"), job("two"))
        again = self.start()
        logged: list[Any] = []
        globalLogPublisher.addObserver(logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, logged.append)
        self.assertEqual(self.result(again.deployer.restore()), 1)
        self.assertEqual([route.key for route in again.current.registry.routes.all], ["/a"])
        self.assertIsNone(self.index(again))
        self.assertEqual(
            [(fields["uri"], fields["many"], fields["kind"]) for fields in logged if "kind" in fields],
            [("a", 2, "job")],
        )
        self.assertEqual([entry.key for entry in again.current.registry.unknown("a")], ["one", "two"])
        self.result(again.deployer.deploy(self.request("a", {"path": "/b", "handler": {"id": 4}})))
        self.result(again.deployer.rollback("a"))
        self.assertEqual([fields["many"] for fields in logged if "kind" in fields], [2, 2])
