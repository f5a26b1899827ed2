"""Tests of aiwebengine.features.graphql.loading and aiwebengine.features.graphql.transports.site."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.features.graphql.loading import UNUSED, GraphQLOnDemand
from aiwebengine.features.graphql.transports.site import GraphQLSite
from aiwebengine.observe.background import Background
from aiwebengine.services.reactor.cooperative import CooperativeTasks


class WaitingThreads:
    """Threads whose functions end when a test says so."""

    def __init__(self) -> None:
        self.open: list[Deferred[Any]] = []

    def run(self, *_: Any) -> Deferred[Any]:
        self.open.append(Deferred())
        return self.open[-1]


class FakeRegistry:
    """A registry with or without a schema."""

    def __init__(self, schema: object) -> None:
        self.index = lambda _: schema


class FakeExchange:
    """A request that waits for its answer."""

    id = "r1"

    def __init__(self) -> None:
        self.waiting = True
        self.answers: list[Any] = []
        self.sender = cast(Any, type("Sender", (), {"accept": "application/json"}))
        self.answered = self.answers.append


class FakeRequest:
    """A request, of which only the path counts."""

    def __init__(self, path: str) -> None:
        self.path = path


class FakeGraphQL:
    """Stands for GraphQL, and remembers its requests."""

    def __init__(self) -> None:
        self.entered: list[tuple[str, object]] = []
        paths = ("/graphql", "/graphql/sse", "/graphql/ws", "/graphql/subscription/", "/graphql/assets/")
        self.enter = {path: lambda exchange, _, path=path: self.entered.append((path, exchange)) for path in paths}
        self.ended = False

    def state(self) -> dict[str, int]:
        return {"operations": 7}

    def end(self) -> None:
        self.ended = True


class LoadingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.threads = WaitingThreads()
        self.built: list[FakeGraphQL] = []
        clock: Any = Clock()
        self.background = Background(clock=clock)
        self.graphql = GraphQLOnDemand(build=self.build, threads=cast(Any, self.threads), background=self.background)
        self.site = self.site_with(clock, graphiql=True)

    def site_with(self, clock: Any, *, graphiql: bool) -> GraphQLSite:
        return GraphQLSite(
            graphql=self.graphql,
            graphiql=graphiql,
            background=self.background,
            tasks=CooperativeTasks(clock=clock, now=clock.seconds),
        )

    def build(self) -> Any:
        self.built.append(FakeGraphQL())
        return self.built[-1]

    def request(self, path: str) -> tuple[bool, FakeExchange]:
        exchange = FakeExchange()
        return self.site(cast(Any, exchange), cast(Any, FakeRequest(path))), exchange

    def test_requests_wait_until_it_is_loaded(self) -> None:
        """Requests that come before GraphQL is loaded are answered afterwards, and it is built once."""
        paths = ["/graphql", "/graphql/sse", "/graphql/ws", "/graphql/subscription/ticks", "/graphql/assets/1/x.js"]
        made = [self.request(path) for path in paths]
        self.assertEqual(([taken for taken, _ in made], self.built), ([True] * 5, []))
        made[1][1].waiting = False
        for thread in self.threads.open:
            thread.callback(None)
        expected = [
            ("/graphql", made[0][1]),
            ("/graphql/ws", made[2][1]),
            ("/graphql/subscription/", made[3][1]),
            ("/graphql/assets/", made[4][1]),
        ]
        self.assertEqual([graphql.entered for graphql in self.built], [expected])
        _, last = self.request("/graphql")
        self.assertEqual((self.built[0].entered[-1], len(self.threads.open)), (("/graphql", last), 5))

    def test_other_paths(self) -> None:
        """A path that GraphQL does not have is left to others, and loads nothing."""
        self.assertEqual([self.request(path)[0] for path in ("/", "/graphql/", "/graphqls")], [False] * 3)
        self.site = self.site_with(Clock(), graphiql=False)
        self.assertFalse(self.request("/graphql/assets/1/x.js")[0])
        self.assertEqual(self.threads.open, [])

    def test_failures_are_answered(self) -> None:
        """A client gets an answer if GraphQL cannot be loaded; the next request tries again."""
        _, busy = self.request("/graphql")
        self.threads.open.pop().errback(Unavailable("Too much to do.", retry_seconds=1.0))
        _, broken = self.request("/graphql")
        self.threads.open.pop().errback(ImportError("no graphql"))
        self.assertEqual([exchange.answers[0].status for exchange in (busy, broken)], [503, 500])
        self.assertEqual(len(self.flushLoggedErrors(ImportError)), 1)
        self.request("/graphql")
        self.threads.open.pop().callback(None)
        self.assertEqual(len(self.built[0].entered), 1)

    def test_a_schema_loads_it(self) -> None:
        """It is loaded when there is a schema, and not by changes without one."""
        self.graphql.swapped(cast(Any, FakeRegistry(None)))
        self.assertEqual(self.threads.open, [])
        self.graphql.swapped(cast(Any, FakeRegistry(object())))
        self.threads.open.pop().callback(None)
        self.assertEqual(len(self.built), 1)
        self.graphql.swapped(cast(Any, FakeRegistry(object())))
        self.assertEqual(self.threads.open, [])

    def test_state_and_end(self) -> None:
        """Without GraphQL all figures are 0, and the end of the server closes nothing."""
        self.graphql.end()
        self.assertEqual((self.graphql.state(), set(UNUSED.values())), (UNUSED, {0}))
        self.request("/graphql")
        self.threads.open.pop().callback(None)
        self.graphql.end()
        self.assertEqual((self.graphql.state(), self.built[0].ended), ({"operations": 7}, True))
