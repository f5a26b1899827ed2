"""Plain web handlers: what a script may register, and how a bad registration is refused."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid
from aiwebengine.host.durations import duration_ms
from aiwebengine.host.registration.kinds import Registration
from aiwebengine.host.registration.paths import METHODS
from aiwebengine.host.registration.routes import OPTIONS, web_routes
from aiwebengine.host.session import CallSession
from aiwebengine.settings.schema import LimitSettings
from tests.unit.host.fakes import Everything, ask, host, invocation, receipt


def loading() -> CallSession:
    """Return the host's side of a load."""
    return host(Everything()).begin(invocation("load"))


def route(path: Any = "/a", number: int = 0, **more: Any) -> dict[str, Any]:
    """Return what the prelude sends for one `registerWebHandler`."""
    return {
        "path": path,
        "methods": ["GET"],
        "handler": {"id": number, "name": "f"},
        "options": {},
        "stack": "",
        **more,
    }


class RegistrationTests(SynchronousTestCase):
    def refusal(self, *given: Any, call: str = "register.route") -> str:
        answer = ask(loading(), call, *given)
        self.assertEqual(answer["err"]["code"], "invalid", answer)
        self.assertIn(answer["err"]["call"], {"registerWebHandler", "use"})
        return str(answer["err"]["message"])

    def test_keeps_a_route(self) -> None:
        """A route is kept with its methods, handler and options."""
        session = loading()
        answer = ask(session, "register.route", route("/n/:id", 3, methods=["get", "POST"], options={"timeout": "2s"}))
        self.assertEqual(answer, {"ok": None})
        assert session.registrations is not None
        (kept,) = session.registrations.entries
        self.assertEqual((kept.key, kept.methods, kept.handler.id), ("/n/:id", ("GET", "POST"), 3))
        self.assertEqual(kept.options, {"timeout_ms": 2000})
        self.assertEqual((kept.script, kept.version), ("me", "me@1-00"))

    def test_takes_the_method_from_the_options(self) -> None:
        """`{ method: "POST" }` does what the third argument "POST" does."""
        session = loading()
        ask(session, "register.route", route(methods=None, options={"method": "post"}))
        assert session.registrations is not None
        self.assertEqual(session.registrations.entries[0].methods, ("POST",))

    def test_lets_a_later_registration_win(self) -> None:
        """The later of two registrations of one path and method is the one that answers."""
        session = loading()
        ask(session, "register.route", route("/n/:id", 0, methods=["GET", "PUT"]))
        ask(session, "register.route", route("/n/:key", 1))
        assert session.registrations is not None
        kept = {(entry.handler.id, entry.methods) for entry in session.registrations.entries}
        self.assertEqual(kept, {(0, ("PUT",)), (1, ("GET",))})

    def test_keeps_one_handler_on_two_paths(self) -> None:
        """One function may answer two paths."""
        session = loading()
        ask(session, "register.route", route("/a", 0))
        ask(session, "register.route", route("/b", 0))
        assert session.registrations is not None
        self.assertEqual([entry.key for entry in session.registrations.entries], ["/a", "/b"])

    def test_gives_each_route_its_place(self) -> None:
        """The stack of the call becomes the place in the author's source."""
        session = loading()
        ask(session, "register.route", route(stack="at input:7"))
        assert session.registrations is not None
        (kept,) = session.registrations.placed(lambda stack: "main.ts:" + stack[-1])
        self.assertEqual(kept.place, "main.ts:7")

    def test_refuses_a_bad_path(self) -> None:
        """A path that is none is refused with what was given."""
        self.assertIn("must begin with", self.refusal(route("notes")))
        self.assertIn("the number 5 was given", self.refusal(route(5)))
        self.assertIn("at most 1024", self.refusal(route("/" + "a" * 2000)))

    def test_refuses_reserved_paths(self) -> None:
        """Paths that the engine reserves for itself are refused, however they are written."""
        taken = ["/engine/x", "/engine", "/%65ngine/x", "/graphql", "/graphql/sse", "/mcp", "/auth/login"]
        for path in [*taken, "/health/live", "/.well-known/x", "/metrics"]:
            self.assertIn("belongs to the engine", self.refusal(route(path)))

    def test_leaves_the_rest_to_scripts(self) -> None:
        """`/`, `/health` and paths that only look alike belong to scripts."""
        for path in ("/", "/health", "/engines", "/authors", "/*", "/metrics/mine", "/:any/x"):
            self.assertEqual(ask(loading(), "register.route", route(path)), {"ok": None}, path)

    def test_refuses_an_unknown_option(self) -> None:
        """A misspelt option is refused with the name that was meant."""
        self.assertIn("did you mean timeout?", self.refusal(route(options={"timeOut": "2s"})))
        self.assertIn('no option "colour"', self.refusal(route(options={"colour": 1})))

    def test_options_of_features(self) -> None:
        """An option that a feature adds is checked by it, refused without it, and guessed at as any other."""

        def check(registration: Registration, value: Any) -> Any:
            if value != 7:
                raise Invalid(f"{registration.call}: lucky must be 7.")
            return "seven"

        added: dict[str, Any] = {}
        kind = web_routes(LimitSettings(), added=added)

        def registered(**options: Any) -> Any:
            data = {"path": "/a", "handler": {"id": 0, "name": ""}, "options": options}
            registration = Registration(
                kind="route", call="registerWebHandler", script="s", version="1", pattern="/a", sent=data
            )
            return kind.check(registration).options

        with self.assertRaisesRegex(Invalid, 'no option "lucky"'):
            registered(lucky=7)
        added["lucky"] = check
        self.assertEqual(registered(lucky=7), {"lucky": "seven"})
        self.assertEqual(registered(lucky=None), {})
        with self.assertRaisesRegex(Invalid, "must be 7"):
            registered(lucky=1)
        with self.assertRaisesRegex(Invalid, "did you mean lucky"):
            registered(luky=7)

    def test_refuses_options_that_do_nothing(self) -> None:
        """An option that has no effect in this version is refused rather than ignored."""
        for option in ("auth", "roles", "permissions", "rateLimit", "cors", "cache", "version"):
            self.assertNotIn(option, OPTIONS)
            self.assertIn(f'no option "{option}"', self.refusal(route(options={option: "x"})))

    def test_refuses_an_unknown_method(self) -> None:
        """A misspelt method is refused with the one that was meant."""
        self.assertIn("did you mean DELETE?", self.refusal(route(methods=["DELET"])))
        self.assertIn(", ".join(METHODS), self.refusal(route(methods=["X"])))
        self.assertIn("is empty", self.refusal(route(methods=[])))

    def test_limits_of_a_handler(self) -> None:
        """A handler may ask for less than the server allows, in the words of the manifest."""
        session = loading()
        ask(session, "register.route", route(options={"limits": {"cpu": "1s", "answer": "1KB", "hostCalls": 5}}))
        assert session.registrations is not None
        self.assertEqual(
            session.registrations.entries[0].options,
            {"limits": {"cpu_ms": 1000.0, "answer_bytes": 1000.0, "host_calls": 5.0}},
        )
        self.assertIn("did you mean hostCalls?", self.refusal(route(options={"limits": {"hostcalls": 5}})))
        self.assertIn("there is no limit", self.refusal(route(options={"limits": {"memory": "64MB"}})))
        self.assertIn("between 1 and 5000 ms", self.refusal(route(options={"limits": {"cpu": "1h"}})))
        self.assertIn("must be a whole number", self.refusal(route(options={"limits": {"hostCalls": 0.5}})))
        self.assertIn("an object", self.refusal(route(options={"limits": 5})))

    def test_refuses_a_bad_timeout(self) -> None:
        """A timeout must be a duration, and not beyond the server's limit."""
        self.assertIn('"soon" was given', self.refusal(route(options={"timeout": "soon"})))
        self.assertIn("between 1 ms and 10000 ms", self.refusal(route(options={"timeout": "1h"})))
        self.assertIn("true was given", self.refusal(route(options={"timeout": True})))

    def test_refuses_a_bad_schema(self) -> None:
        """What the sandbox could not have let through as a schema is refused."""
        for schema in (5, "x", [], {"description": "x" * 70_000}):
            self.assertIn("body must be a JSON Schema", self.refusal(route(options={"body": schema})))

    def test_refuses_a_schema_for_missing_parameters(self) -> None:
        """A schema that requires a parameter which the path lacks could never be kept."""
        message = self.refusal(route("/n/:id", options={"params": {"type": "object", "required": ["idd"]}}))
        self.assertIn("did you mean id?", message)

    def test_refuses_bad_notes(self) -> None:
        """Summary and tags must be short texts."""
        self.assertIn("summary", self.refusal(route(options={"summary": 5})))
        self.assertIn("tags", self.refusal(route(options={"tags": [""]})))

    def test_refuses_a_bad_handler(self) -> None:
        """A handler that the prelude could not have sent is refused."""
        for handler in (None, {}, {"id": -1}, {"id": True}, {"id": "0"}, 5):
            self.assertIn("handler", self.refusal({**route(), "handler": handler}))

    def test_keeps_middleware_in_order(self) -> None:
        """`use` keeps middleware in the order of the calls."""
        session = loading()
        for number in (4, 2):
            ask(session, "register.middleware", {"handler": {"id": number, "name": ""}})
        assert session.registrations is not None
        self.assertEqual(session.registrations.middleware, (4, 2))

    def test_keeps_the_middleware_of_a_route(self) -> None:
        """Middleware of one route is kept with it."""
        session = loading()
        ask(session, "register.route", route(options={"middleware": [{"id": 5, "name": "check"}]}))
        assert session.registrations is not None
        self.assertEqual(session.registrations.entries[0].options, {"middleware": [5]})

    def test_is_closed_outside_a_load(self) -> None:
        """A handler cannot register anything."""
        session = host(Everything()).begin(invocation("http"))
        for name, argument in (("register.route", route()), ("register.middleware", {"handler": {"id": 0}})):
            self.assertEqual(ask(session, name, argument)["err"]["code"], "closed")

    def test_is_closed_after_the_load(self) -> None:
        """What was kept of a load can be read after it, and not be changed."""
        session = loading()
        ask(session, "register.route", route())
        session.end(receipt())
        assert session.registrations is not None
        self.assertEqual(len(session.registrations.entries), 1)
        session.registrations.close()
        self.assertEqual(ask(session, "register.route", route("/b"))["err"]["code"], "closed")

    def test_bounds_the_number(self) -> None:
        """A script cannot register without end."""
        session = loading()
        answers = [ask(session, "register.route", route("/a", number)) for number in range(2001)]
        self.assertEqual(answers[-2], {"ok": None})
        self.assertEqual(answers[-1]["err"]["code"], "too_many")


class DurationTests(SynchronousTestCase):
    def test_reads_durations(self) -> None:
        """Durations are text with a unit or a number of milliseconds."""
        good = {"30s": 30_000, "1.5s": 1500, "250ms": 250, "5m": 300_000, "2d": 172_800_000}
        self.assertEqual({text: duration_ms(text) for text in good}, good)
        self.assertEqual(duration_ms(1500), 1500)

    def test_reads_nothing_else(self) -> None:
        """What is no duration is None."""
        value: Any
        for value in ("", "s", "-1s", "1 week", None, True, -1, float("nan"), float("inf"), [], "9" * 5000 + "s"):
            self.assertIsNone(duration_ms(value))
