"""Requests at the paths of a kind that the site has never heard of."""

from __future__ import annotations

from aiwebengine.errors import Denied, DeploymentRefused
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.runtime.registry import ActiveScript
from aiwebengine.values import ROUTE, Answer, Entry, HandlerRef
from aiwebengine.web.arrival import Arrival
from tests.unit.web.support import JSON, WebTestCase, a_route, echo


class ArrivalTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.arrivals: list[Arrival] = []

    def offer(self, *, opened: bool = True) -> None:
        """Offer the kind."""
        self.site = self.make_site(
            RegistrationKind(
                name="feed",
                functions=("registerFeed",),
                noun="feed",
                nouns="feeds",
                check=lambda call: call.entry(options={}),
                takes_path=True,
                opens=self.open if opened else None,
            )
        )

    def open(self, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        if "x-refuse" in arrival.request.headers:
            raise Denied("Not you.")
        arrival.exchange.answered(Answer(status=200, headers=JSON, body=b'"opened"'))

    def test_opened(self) -> None:
        """Who offers the kind takes the request over, and knows what would be run."""
        self.offer()
        self.serve(a_route("/f/:id", kind="feed", depth=7), a_route("/plain"))
        reply = self.one(b"GET /f/x%20y?a=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((reply.status, reply.json()), (200, "opened"))
        (arrival,) = self.arrivals
        self.assertEqual((arrival.match.route.key, arrival.match.params), ("/f/:id", {"id": "x y"}))
        self.assertEqual((arrival.match.route.options, arrival.middleware), ({"depth": 7}, False))
        self.assertEqual((arrival.invocation.label, arrival.request.query), ("GET /f/:id", "a=1"))
        self.assertEqual(self.runner.runs, [])

    def test_refused(self) -> None:
        """An error that it raises is the answer."""
        self.offer()
        self.serve(a_route("/f", kind="feed"))
        reply = self.one(b"GET /f HTTP/1.1\r\nHost: a\r\nX-Refuse: 1\r\n\r\n")
        self.assertEqual((reply.status, reply.json()["detail"]), (403, "Not you."))

    def test_middleware_is_told(self) -> None:
        """It knows whether the script has middleware for everything."""
        self.offer()
        script = ActiveScript(
            uri="script", version="script@1", number=1, entries=(a_route("/f", kind="feed"),), middleware=(3,)
        )
        self.current.registry = self.current.registry.with_script(script)
        self.one(b"GET /f HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertTrue(self.arrivals[0].middleware)

    def test_without_opener(self) -> None:
        """Where nobody takes requests over, the entry's handler answers as that of a plain route."""
        self.offer(opened=False)
        self.serve(a_route("/f", kind="feed"))
        self.runner.at_once = echo
        self.assertEqual(self.one(b"GET /f HTTP/1.1\r\nHost: a\r\n\r\n").status, 200)
        self.assertEqual(len(self.runner.runs), 1)

    def test_not_offered(self) -> None:
        """A kind that nobody offers has no paths: its handlers are never run in another way than they were meant."""
        self.serve(a_route("/f", kind="feed"), a_route("/plain"))
        self.runner.at_once = echo
        self.assertEqual(self.one(b"GET /f HTTP/1.1\r\nHost: a\r\n\r\n").status, 404)
        self.assertEqual(self.one(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n").status, 200)

    def test_plain_routes_go_straight_on(self) -> None:
        """A plain route is run, however it is called: its options do not make another kind of it."""
        self.offer()
        self.serve(a_route("/plain", feed={"depth": 7}))
        self.runner.at_once = echo
        self.assertEqual(self.one(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n").status, 200)
        self.assertEqual(self.arrivals, [])

    def test_conflict(self) -> None:
        """Two scripts cannot take the same path, whatever the kinds; the problem names both."""
        self.offer()
        self.serve(a_route("/f/:id", kind="feed"))
        other = Entry(
            kind=ROUTE, key="/f/:key", script="b", version="b@1", methods=("GET",), handler=HandlerRef(id=0, name="")
        )
        with self.assertRaises(DeploymentRefused) as raised:
            self.current.registry.with_script(ActiveScript(uri="b", version="b@1", number=1, entries=(other,)))
        (problem,) = raised.exception.problems
        self.assertEqual(problem.code, "route_conflict")
        self.assertIn('GET /f/:key of "b" matches the same paths as GET /f/:id of "script"', problem.message)
