"""Calls of a child reach the server here."""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given, strategies
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.errors import TABLE, Unavailable
from aiwebengine.features.graphql.schema.registration import schema_parts
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.host import dispatch
from aiwebengine.host.declare import Argument, limited
from aiwebengine.host.registration.routes import web_routes
from aiwebengine.host.registration_calls import RegistrationCalls
from aiwebengine.runtime.allowance import allowance
from aiwebengine.settings.schema import LimitSettings
from tests.support.fakes.threads import ThreadsInTurn
from tests.unit.host.fakes import SOCKETS, STREAMS, Everything, OneCall, ask, host, invocation, probing, receipt

SCHEMA_PARTS = schema_parts(GraphQLSettings())

VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False, allow_infinity=False)
    | strategies.text(max_size=20)
    | strategies.sampled_from(["/a", "/:x", "GET", "2s", "aGk=", "text/plain"]),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(
            strategies.sampled_from(
                [
                    "path",
                    "methods",
                    "handler",
                    "options",
                    "id",
                    "name",
                    "timeout",
                    "body",
                    "type",
                    "tags",
                    "middleware",
                    "kind",
                    "sdl",
                ]
            ),
            inner,
        )
    ),
    max_leaves=12,
)
KINDS = (STREAMS, SOCKETS, SCHEMA_PARTS)
CALLS = sorted(
    {
        call.name
        for call in (
            *DECLARED.calls,
            *RegistrationCalls((web_routes(LimitSettings()), *KINDS), threads=ThreadsInTurn()).calls,
        )
    }
)


class DispatchTests(SynchronousTestCase):
    def test_answers_with_the_value(self) -> None:
        """A call that succeeds is answered with its value."""
        self.assertEqual(ask(host(Everything()).begin(invocation()), "listScripts"), {"ok": ["me"]})

    def test_names_the_nearest_call(self) -> None:
        """A misspelt call is answered with the name that was meant."""
        error = ask(host(Everything()).begin(invocation()), "listScript")["err"]
        self.assertEqual(error["code"], "invalid")
        self.assertIn("did you mean listScripts?", error["message"])

    def test_never_suggests_the_preludes_own_calls(self) -> None:
        """What only the prelude sends is not suggested to authors."""
        self.assertNotIn("did you mean", ask(host(Everything()).begin(invocation()), "register.rout")["err"]["message"])

    def test_refuses_a_missing_argument(self) -> None:
        """A call without a needed argument is told which one."""
        error = ask(host(Everything()).begin(invocation()), "getScript")["err"]
        self.assertEqual(
            error["message"], "getScript: uri is missing; the script's name: any string of 1 to 255 characters."
        )
        self.assertEqual(error["hint"], "docs/reference/javascript-api.md#getscript")

    def test_hint_of_a_package(self) -> None:
        """An error of a call that another package brings leads to that package's page, or nowhere if it has none."""
        for guide, hint in (("docs/howto/orders.md", "docs/howto/orders.md"), ("", None)):
            dispatcher = host(Everything())

            def find(*_: Any) -> None:
                raise Unavailable("no")

            dispatcher.add([OneCall(find)], guide=guide)
            error = ask(dispatcher.begin(invocation()), "probe", "x")["err"]
            self.assertEqual(error.get("hint"), hint)

    def test_refuses_an_argument_of_another_kind(self) -> None:
        """An argument of the wrong kind is told what is needed and what was given."""
        error = ask(host(Everything()).begin(invocation()), "getScript", 5)["err"]
        self.assertEqual(error["message"], "getScript: uri must be a string; the number 5 was given.")

    def test_ignores_further_arguments(self) -> None:
        """`uris.map(getScript)` works although map passes three arguments."""
        answer = ask(host(Everything()).begin(invocation()), "getScript", "me", 0, ["me"])
        self.assertEqual(answer, {"ok": "// me"})

    def test_refuses_half_a_surrogate_pair(self) -> None:
        """Text that no encoding can carry is refused before it reaches a database."""
        answer = host(Everything()).begin(invocation()).call("getScript", '["\\ud800"]')
        self.assertIn("surrogate", str(answer))

    def test_asks_for_the_capability(self) -> None:
        """A script without the grant is told which one it needs."""
        error = ask(host(Everything(), granted=()).begin(invocation()), "listScripts")["err"]
        self.assertEqual(error["code"], "denied")
        self.assertIn("--grant scripts", error["message"])

    @pytest.mark.setting("limits.host_calls")
    def test_bounds_the_number_of_calls(self) -> None:
        """The call after the last allowed one is refused."""
        session = probing(lambda session, what: what, host_calls=3).begin(invocation())
        answers = [ask(session, "probe", number) for number in range(4)]
        self.assertEqual(answers[2], {"ok": 2})
        self.assertEqual(answers[3]["err"]["code"], "budget")

    def test_bounds_by_what_the_invocation_may(self) -> None:
        """What the script or the handler asked for counts, if it asked for anything."""
        allowed = allowance(LimitSettings(), {"host_calls": 1})
        session = probing(lambda session, what: what).begin(invocation()._replace(allowance=allowed))
        answers = [ask(session, "probe", number) for number in range(2)]
        self.assertEqual(answers[0], {"ok": 0})
        self.assertIn("at most 1 host calls", answers[1]["err"]["message"])

    @pytest.mark.setting("limits.open_host_calls")
    def test_bounds_the_calls_that_wait(self) -> None:
        """Too many open calls are refused until one of them is answered."""
        waiting: list[Deferred[Any]] = []

        def function(session: Any, what: Any) -> Deferred[Any]:
            waiting.append(Deferred())
            return waiting[-1]

        session = probing(function, open_host_calls=1).begin(invocation())
        first = session.call("probe", "[]")
        assert isinstance(first, Deferred)
        self.assertEqual(ask(session, "probe")["err"]["code"], "budget")
        waiting[0].callback(7)
        self.assertEqual(self.successResultOf(first), '{"ok":7}')
        self.assertIsInstance(session.call("probe", "[]"), Deferred)

    def test_a_coroutine_that_waits_for_nothing(self) -> None:
        """A call that has its answer at once is answered at once, and is never one of those that wait."""
        seen: list[int] = []

        async def function(session: Any, what: Any) -> Any:
            seen.append(session.open)
            return await succeed(what)

        session = probing(function, open_host_calls=1).begin(invocation())
        self.assertEqual([session.call("probe", f"[{number}]") for number in (1, 2)], ['{"ok":1}', '{"ok":2}'])
        self.assertEqual((seen, session.open), ([0, 0], 0))

    def test_a_coroutine_that_fails_at_once(self) -> None:
        """A call that is refused before it has waited is answered at once as well."""

        async def function(session: Any, what: Any) -> None:
            raise Unavailable("Not now.", retry_seconds=1.0)

        session = probing(function).begin(invocation())
        answer = session.call("probe", "[]")
        assert isinstance(answer, str)
        self.assertEqual((json.loads(answer)["err"]["message"], session.open), ("Not now.", 0))

    def test_a_deferred_that_has_fired(self) -> None:
        """It makes no difference whether a call gives a coroutine or a Deferred that has its result."""
        session = probing(lambda session, what: succeed(what)).begin(invocation())
        self.assertEqual((session.call("probe", "[1]"), session.open), ('{"ok":1}', 0))

    def test_a_coroutine_that_waits(self) -> None:
        """A call that waits counts as open until it has its answer, however often and whatever for it waits."""
        waiting: list[Deferred[Any]] = [Deferred() for _ in range(3)]

        async def function(session: Any, what: Any) -> Any:
            found = [await succeed(0), await waiting[0]]
            try:
                await waiting[1]
            except Unavailable:
                found.append("down")
            return [*found, await waiting[2]]

        session = probing(function).begin(invocation())
        answer = session.call("probe", "[]")
        assert isinstance(answer, Deferred)
        for waiter, result in zip(waiting, (1, Failure(Unavailable("Not now.", retry_seconds=1.0)), 2), strict=True):
            self.assertEqual(session.open, 1)
            self.assertNoResult(answer)
            waiter.callback(result)
        self.assertEqual((self.successResultOf(answer), session.open), ('{"ok":[0,1,"down",2]}', 0))

    def test_a_call_that_waits_and_fails(self) -> None:
        """A call that is refused after it has waited is answered with the refusal."""
        waiting: Deferred[None] = Deferred()

        async def function(session: Any, what: Any) -> None:
            await waiting
            raise Unavailable("Not now.", retry_seconds=1.0)

        session = probing(function).begin(invocation())
        answer = session.call("probe", "[]")
        assert isinstance(answer, Deferred)
        waiting.callback(None)
        self.assertEqual(json.loads(self.successResultOf(answer))["err"]["message"], "Not now.")
        self.assertEqual(session.open, 0)

    def test_a_call_that_is_withdrawn(self) -> None:
        """Whoever ends the wait for a call ends what it waits for."""
        ended: list[str] = []
        waiting: Deferred[None] = Deferred(lambda _: ended.append("waiting"))

        async def function(session: Any, what: Any) -> None:
            try:
                await waiting
            finally:
                ended.append("call")

        session = probing(function).begin(invocation())
        answer = session.call("probe", "[]")
        assert isinstance(answer, Deferred)
        answer.cancel()
        self.assertEqual(json.loads(self.successResultOf(answer))["err"]["code"], "closed")
        self.assertEqual((ended, session.open), (["waiting", "call"], 0))

    def test_one_context_for_a_call(self) -> None:
        """What a call notes in its context is there after it has waited, and is nobody else's."""
        noted: ContextVar[str] = ContextVar("noted", default="nothing")
        waiting: list[Deferred[Any]] = []
        seen: list[str] = []

        async def function(session: Any, what: Any) -> None:
            seen.append(noted.get())
            token = noted.set(what)
            if what != "at once":
                waiting.append(Deferred())
                await waiting[-1]
            seen.append(noted.get())
            noted.reset(token)
            seen.append(noted.get())

        token = noted.set("mine")
        session = probing(function).begin(invocation())
        self.assertEqual(ask(session, "probe", "at once"), {"ok": None})
        answers = [session.call("probe", f'["{name}"]') for name in ("one", "two")]
        self.assertEqual(noted.get(), "mine")
        noted.reset(token)
        for waiter in waiting:
            waiter.callback(None)
        self.assertEqual([self.successResultOf(cast(Any, answer)) for answer in answers], ['{"ok":null}'] * 2)
        self.assertEqual(seen, ["mine", "at once", "mine", "mine", "mine", "one", "mine", "two", "mine"])
        self.assertEqual(noted.get(), "nothing")

    def test_tells_when_to_try_again(self) -> None:
        """A dependency that is down says when to try again."""

        def function(session: Any, what: Any) -> None:
            raise Unavailable("The database does not answer.", retry_seconds=2.0)

        error = ask(probing(function).begin(invocation()), "probe")["err"]
        self.assertEqual((error["code"], error["retryAfter"]), ("unavailable", 2.0))

    def test_keeps_a_fault_of_ours_to_the_log(self) -> None:
        """A bug of the server is logged, and the script learns no more than that."""

        async def function(session: Any, what: Any) -> None:
            raise RuntimeError("secret")

        error = ask(probing(function).begin(invocation()), "probe")["err"]
        self.assertEqual(error["code"], "unavailable")
        self.assertNotIn("secret", json.dumps(error))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_answers_what_json_cannot_carry(self) -> None:
        """A result that JSON cannot carry is an answer too."""
        error = ask(probing(lambda session, what: float("nan")).begin(invocation()), "probe")["err"]
        self.assertEqual(error["code"], "unavailable")
        self.flushLoggedErrors(ValueError)

    def test_answers_no_call_after_the_end(self) -> None:
        """Once the invocation is over its calls are refused."""
        session = host(Everything()).begin(invocation())
        session.end(receipt())
        self.assertEqual(ask(session, "listScripts")["err"]["code"], "closed")

    def test_keeps_the_receipt(self) -> None:
        """The receipt of every invocation is stored."""
        behind = Everything()
        host(behind).begin(invocation()).end(receipt("script_failed"))
        self.assertEqual(behind.receipts, ["script_failed"])

    def test_tells_only_codes_that_scripts_know(self) -> None:
        """Every code that a script may see is one of the documented ones."""
        known = "denied not_found invalid conflict too_large too_many budget unavailable timeout unsupported closed"
        self.assertLessEqual({row.javascript for row in TABLE.values()}, set(known.split()))

    @given(strategies.text(max_size=200), strategies.text(max_size=200))
    def test_survives_anything(self, name: str, argument: str) -> None:
        """Whatever a child sends, it is answered with JSON."""
        answer = host(Everything()).begin(invocation()).call(name, argument)
        assert isinstance(answer, str)
        self.assertTrue(answer.isascii())
        self.assertIn("err", json.loads(answer))

    @given(strategies.sampled_from(CALLS), strategies.lists(VALUES, max_size=3))
    def test_survives_any_arguments(self, name: str, arguments: list[Any]) -> None:
        """Whatever the arguments of a call are, it is answered and says no more than a fault of the caller's."""
        answer = ask(host(Everything(), *KINDS).begin(invocation("load")), name, *arguments)
        if "err" in answer:
            self.assertIn(answer["err"]["code"], {"invalid", "too_many", "too_large"}, answer)

    def test_refuses_by_length_before_reading(self) -> None:
        """Arguments that are longer than any that could be right are refused without being read."""
        argument = Argument(name="value", kind="any", doc="Anything.", max_bytes=1000)
        got: list[Any] = []
        session = probing(lambda session, value: got.append(value), argument=argument).begin(invocation())
        with patch.object(dispatch, "decode", side_effect=AssertionError("it was read")):
            answer = json.loads(str(session.call("probe", '["' + "a" * 20_000 + '"]')))
        self.assertEqual(answer["err"]["code"], "too_large")
        self.assertEqual(
            answer["err"]["message"],
            "probe: value may have at most 1000 bytes; the arguments have 20004 as JSON.",
        )
        self.assertEqual(ask(session, "probe", "é" * 500), {"ok": None})
        self.assertEqual(got, ["é" * 500])

    def test_a_long_name_is_invalid(self) -> None:
        """Where characters are counted and not bytes, what is too long is no size problem."""
        error = json.loads(str(host(Everything()).begin(invocation()).call("getScript", '["' + "a" * 50_000 + '"]')))[
            "err"
        ]
        self.assertEqual(error["code"], "invalid")
        self.assertIn("getScript: uri may have at most 255 characters; the arguments have 50004", error["message"])

    def test_limits_follow_the_settings(self) -> None:
        """A group may declare its calls with the limits of the server's settings; what has none keeps none."""
        argument = Argument(name="value", kind="any", doc="Anything.", max_bytes=1000)
        [call] = limited(OneCall(None, argument).calls, value=5000, other=1)
        self.assertEqual(call.arguments[0].max_bytes, 5000)
        [call] = limited(OneCall(None).calls, what=5000)
        self.assertEqual(call.arguments[0].max_bytes, 0)

    def test_survives_hostile_json(self) -> None:
        """Deep, endless and non-standard JSON is refused."""
        session = host(Everything()).begin(invocation())
        for argument in (
            "[" * 100_000,
            "[NaN]",
            "[1e999]",
            "[" + "9" * 10_000 + "]",
            "{}",
            "null",
            '["' + "a" * 100_000 + '"]',
        ):
            self.assertEqual(json.loads(str(session.call("getScript", argument)))["err"]["code"], "invalid")
