"""The host calls of `fetch`."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import BudgetSpent, Cancelled, Closed, Denied, Invalid
from aiwebengine.features.fetch.calls import FetchCalls
from aiwebengine.features.fetch.exchange import Outside
from aiwebengine.features.fetch.peers import Peers
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.host.host_patterns import SCOPE
from aiwebengine.host.session import CallSession
from tests.support.fakes.invocations import an_invocation


class SilentClient:
    """Never answers."""

    sent = 0
    connections = 0

    def __init__(self):
        self.headers = []

    def send(self, target, *, method, headers, body, decode, cause):
        self.headers.append((method, dict(headers)))
        return Deferred()


class FakeBudgets:
    """Says what was used."""

    def __init__(self):
        self.used = []
        self.refusal = None

    def spend(self, invocation, resource, amount):
        self.used.append((invocation.script, resource, amount))
        return self.refusal


class FetchCallTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.client = SilentClient()

    def make(self, budgets=None, **settings):
        made = FetchSettings(**settings)
        outside = Outside(
            client=self.client,
            peers=Peers(settings=made, clock=self.clock),
            settings=made,
            reactor=self.clock,
            random=lambda: 0.5,
            wall=lambda: 0.0,
        )
        self.calls = FetchCalls(outside=outside, settings=made, budgets=lambda: budgets)
        return self.calls

    def session(self, *capabilities, **invocation):
        return CallSession(
            invocation=an_invocation("shop", **invocation),
            capabilities=frozenset(capabilities),
            answer=lambda session, name, argument: "",
            commits=None,
            keep_lines=lambda invocation, lines: None,
            keep_failure=lambda invocation, error: None,
            keep_receipt=lambda invocation, receipt: None,
            seconds=self.clock.seconds,
        )

    def start(self, session, number=1, url="https://api.example.com/", method="GET", **members):
        request = {"url": url, "method": method, **members}
        return Deferred.fromCoroutine(self.calls.functions["fetch.start"](session, number, request))

    @pytest.mark.setting("fetch.allow")
    def test_grants(self):
        """A script reaches the hosts that it was granted, and every host if the setting says so."""
        self.make()
        session = self.session("fetch:api.example.com", "fetch:*.example.org:8443")
        self.assertNoResult(self.start(session, 1))
        self.assertNoResult(self.start(session, 2, "https://a.example.org:8443/"))
        for number, url, host in (
            (3, "https://api.example.com:8443/", "api.example.com:8443"),
            (4, "https://example.org/", "example.org"),
            (5, "http://[::1]/", "[::1]"),
        ):
            refused = self.failureResultOf(self.start(session, number, url), Denied).value
            self.assertEqual(refused.details, {"reason": "host", "host": host})
            self.assertIn(f'Add "fetch": ["{host}"] to its manifest', refused.public)
            self.assertIn(f"--grant fetch:{host}", refused.public)
            self.assertEqual(SCOPE.normal(host), host)
        self.make(allow="all")
        self.assertNoResult(self.start(self.session(), 1))

    def test_read_only(self):
        """An invocation that may change nothing may only send requests that change nothing."""
        self.make(allow="all")
        session = self.session(read_only="a query changes nothing.")
        self.assertNoResult(self.start(session, 1))
        with self.assertRaises(Denied):
            self.start(session, 2, method="POST")
        self.assertEqual([method for method, _ in self.client.headers], ["GET"])

    def test_not_repeatable(self):
        """After a request that may change something the invocation is not run again by itself."""
        self.make(allow="all")
        session = self.session()
        self.start(session, 1)
        self.assertTrue(session.repeatable)
        self.start(session, 2, method="DELETE")
        self.assertFalse(session.repeatable)

    def test_headers(self):
        """An unsafe request has a key of its own, which is the same when the invocation is done over again."""
        self.make(allow="all")
        trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
        identity = "c" * 16 + "d" * 16
        session = self.session(id=identity, trace=trace)
        self.start(session, 1)
        self.start(session, 2, method="POST")
        (_, first), (_, second) = self.client.headers
        self.assertNotIn("idempotency-key", first)
        self.assertEqual(second["idempotency-key"], f"{identity}-2")
        self.assertEqual(first["traceparent"], "00-" + "a" * 32 + "-" + "c" * 16 + "-01")

    def test_numbers(self):
        """A number stands for one request of the invocation; of others' requests nothing can be read or ended."""
        self.make(allow="all")
        session, other = self.session(), self.session()
        began = self.start(session, 1)
        with self.assertRaises(Invalid):
            self.start(session, 1)
        for name, rest in (("fetch.read", (None,)), ("fetch.write", (None,))):
            with self.assertRaises(Closed):
                self.calls.functions[name](other, 1, *rest)
            with self.assertRaises(Closed):
                self.calls.functions[name](session, 2, *rest)
        self.calls.functions["fetch.cancel"](other, 1)
        self.calls.functions["fetch.cancel"](session, 2)
        self.assertNoResult(began)
        self.calls.functions["fetch.cancel"](session, 1)
        self.calls.functions["fetch.cancel"](session, 1)
        self.failureResultOf(began, Cancelled)

    @pytest.mark.setting("fetch.per_invocation")
    def test_per_invocation(self):
        """An invocation may make so many requests; another one may make as many again."""
        self.make(allow="all", per_invocation=2)
        session = self.session()
        for number in (1, 2):
            self.start(session, number)
        with self.assertRaises(BudgetSpent) as refused:
            self.start(session, 3)
        self.assertIn("at most 2 requests (fetch.per_invocation)", refused.exception.public)
        self.assertNoResult(self.start(self.session(), 1))

    def test_end_of_the_invocation(self):
        """Requests that are under way when the invocation is over end with it, and nothing is kept of it."""
        self.make(allow="all")
        session = self.session()
        began = [self.start(session, number) for number in (1, 2)]
        session.end(None)
        for each in began:
            self.failureResultOf(each, Cancelled)
        self.assertEqual(self.calls.state()["open"], 0)
        with self.assertRaises(Closed):
            self.calls.functions["fetch.read"](session, 1, None)

    def test_budgets(self):
        """Each request and each piece of a body is counted, and refused if too much was used."""
        budgets = FakeBudgets()
        self.make(budgets, allow="all")
        session = self.session()
        self.start(session, 1, method="POST", text="abc")
        self.assertEqual(budgets.used, [("shop", "fetches", 1), ("shop", "fetch_bytes", 0), ("shop", "fetch_bytes", 3)])
        self.start(session, 2, method="POST", written=True)
        budgets.refusal = BudgetSpent("enough")
        written = Deferred.fromCoroutine(self.calls.functions["fetch.write"](session, 2, "eHh4"))
        self.failureResultOf(written, BudgetSpent)
        sent = len(self.client.headers)
        with self.assertRaises(BudgetSpent):
            self.start(session, 3)
        self.assertEqual(len(self.client.headers), sent)

    def test_end_of_the_server(self):
        """All requests end when the server stops."""
        self.make(allow="all")
        began = [self.start(self.session(), 1) for _ in range(2)]
        self.calls.end()
        for each in began:
            self.failureResultOf(each, Cancelled)

    def test_wrong_pieces(self):
        """A piece that is no base64 is refused."""
        self.make(allow="all")
        session = self.session()
        self.start(session, 1, method="POST", written=True)
        with self.assertRaises(Invalid):
            self.calls.functions["fetch.write"](session, 1, "???")
