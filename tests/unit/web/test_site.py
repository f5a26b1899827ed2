"""What a request meets: routes, reserved paths, limits, errors."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from aiwebengine.build.sourcemap import Frame
from aiwebengine.errors import ScriptFailed, ScriptTimeout, ThrownError, Unavailable
from aiwebengine.scripts.failures import NO_TRACE, Trace
from aiwebengine.values import Answer, Principal, Request
from aiwebengine.web.http.read import request_id
from tests.unit.web.support import JSON, FakeRun, Reply, Transport, WebTestCase, a_route, echo, ended, failing, replies

HELLO = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


class RouteTests(WebTestCase):
    """Which script answers."""

    def setUp(self) -> None:
        super().setUp()
        self.runner.at_once = echo

    def test_what_a_handler_is_given(self) -> None:
        """Everything of the request that a script may know."""
        reply = self.one(
            b"GET /notes/a%20b?x=1&y=%C3%A4&x=2 HTTP/1.1\r\nHost: example.org:81\r\nCookie: a=b%20c\r\nX-Y: z\r\n\r\n"
        )
        self.assertEqual(
            reply.json(),
            {
                "method": "GET",
                "path": "/notes/a%20b",
                "url": "http://example.org:81/notes/a%20b?x=1&y=%C3%A4&x=2",
                "headers": {"host": "example.org:81", "cookie": "a=b%20c", "x-y": "z"},
                "ip": "192.0.2.7",
                "id": "id-1",
                "cookies": {"a": "b c"},
                "params": {"id": "a b"},
                "query": [["x", "1"], ["y", "\xe4"], ["x", "2"]],
            },
        )

    def test_the_invocation(self) -> None:
        """It names script, version, handler and limits."""
        self.one(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        invocation = self.runner.runs[0].invocation
        self.assertEqual(
            (invocation.id, invocation.script, invocation.version, invocation.kind, invocation.wall_seconds),
            ("id-1", "script", "script@1", "http", 10.0),
        )
        self.assertEqual(invocation.principal.kind, "anonymous")

    def test_request_line(self) -> None:
        """Of a request to a route with a wildcard its method and path are kept too, but no query, and not endlessly."""
        self.serve(a_route("/shop/*", "GET", "POST"), a_route("/notes/:id"))
        for path in (b"shop/cart?secret=1", b"notes/7", b"shop/" + b"x" * 300):
            self.one(b"GET /" + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        wild, plain, long = (run.invocation for run in self.runner.runs)
        self.assertEqual((wild.label, wild.request_line, wild.shown), ("GET|POST /shop/*", *["GET /shop/cart"] * 2))
        self.assertEqual((plain.request_line, plain.shown), ("", "GET /notes/:id"))
        self.assertEqual(len(long.request_line), 204)

    def test_limits(self) -> None:
        """The smallest of server's, script's and route's limits counts."""
        self.serve(a_route("/a", timeout_ms=2000), a_route("/b"), limits={"timeout_ms": 3000, "cpu_ms": 500})
        for path in (b"a", b"b"):
            self.one(b"GET /" + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        found = [(run.invocation.wall_seconds, run.invocation.cpu_seconds) for run in self.runner.runs]
        self.assertEqual(found, [(2.0, 0.5), (3.0, 0.5)])
        self.serve(a_route("/a", timeout_ms=99_000))
        self.one(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(self.runner.runs[-1].invocation.wall_seconds, 10.0)

    def test_allowance(self) -> None:
        """What script and handler asked for comes with the invocation, and so does the route's name."""
        self.serve(
            a_route("/a", limits={"host_calls": 5, "answer_bytes": 90}), limits={"host_calls": 7, "log_lines": 3}
        )
        self.one(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        invocation = self.runner.runs[-1].invocation
        allowed = invocation.allowance
        self.assertEqual((allowed.host_calls, allowed.answer_bytes, allowed.log_lines), (5, 90, 3))
        self.assertEqual(invocation.label, "GET /a")
        self.serve(a_route("/a"))
        self.one(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(self.runner.runs[-1].invocation.allowance.host_calls, 10_000)

    def test_nothing_there(self) -> None:
        """404, with the path."""
        reply = self.one(b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((reply.status, reply.json()["code"]), (404, "not_found"))
        self.assertIn("/nothing", reply.json()["detail"])

    def test_other_methods(self) -> None:
        """405, with what is allowed."""
        reply = self.one(b"PATCH /notes/1 HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((reply.status, reply.headers["allow"]), (405, "DELETE, GET, HEAD, OPTIONS"))

    def test_options(self) -> None:
        """OPTIONS is answered for scripts that do not."""
        reply = self.one(b"OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((reply.status, reply.headers["allow"]), (204, "GET, HEAD, OPTIONS"))

    def test_head(self) -> None:
        """HEAD falls to GET."""
        reply = self.one(b"HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((reply.status, reply.body), (200, b""))
        self.assertEqual(self.runner.runs[0].given["method"], "HEAD")

    def test_the_welcome_page(self) -> None:
        """`/` says that the server runs, until a script answers it."""
        page = self.one(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
        self.assertIn(b"aiwebengine deploy", page.body)
        self.assertEqual(self.one(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").json()["scripts"], 1)
        self.assertEqual(self.one(b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").status, 404)
        self.serve(a_route("/"))
        self.assertEqual(self.one(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").json()["path"], "/")

    def test_reserved_paths(self) -> None:
        """A script that answers everything does not answer what the engine reserves for itself."""
        self.serve(a_route("/*"), a_route("/:page"))
        for path in (
            b"/metrics",
            b"/graphql",
            b"/mcp/x",
            b"/auth/login",
            b"/.well-known/x",
            b"/%65ngine/api",
            b"/engine",
        ):
            self.assertEqual(self.one(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n").status, 404, path)
        for path in (b"/health", b"/metric", b"/a/engine/b", b"/"):
            self.assertEqual(self.one(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n").status, 200, path)

    def test_bad_paths(self) -> None:
        """A path that cannot be decoded is told, and the connection goes on."""
        found = self.ask(b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\nGET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "GET")
        self.assertEqual([reply.status for reply in found], [400, 400])

    def test_the_id_of_a_request(self) -> None:
        """What runs on behalf of a request can ask for its id; nothing else finds it."""
        seen = []

        def look(run: FakeRun) -> None:
            seen.append(request_id.get())
            echo(run)

        self.runner.at_once = look
        self.one(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((seen, request_id.get()), (["id-1"], ""))


ANN = Principal(id="ann", kind="user")


class Guests:
    """Knows those whom a test says, at once or later."""

    def __init__(self) -> None:
        self.answers: list[Principal | Deferred[Principal]] = []

    def principal(self, request: Request) -> Principal | Deferred[Principal]:
        """See `Identify.principal`."""
        return self.answers.pop(0)


class VisitorTests(WebTestCase):
    """Who asks, where a feature finds that out."""

    def setUp(self) -> None:
        super().setUp()
        self.runner.at_once = echo
        self.guests = Guests()
        self.site = self.make_site(visitors=self.guests)
        self.serve(a_route("/hello"))

    def ask_later(self) -> tuple[Deferred[Principal], Transport]:
        """Send a request by somebody who is not known yet."""
        waiting: Deferred[Principal] = Deferred()
        self.guests.answers = [waiting]
        channel, transport = self.connect()
        channel.dataReceived(HELLO)
        self.assertFalse(self.runner.runs or transport.value())
        return waiting, transport

    def test_known_at_once(self) -> None:
        """A script runs for whom the feature knows."""
        self.guests.answers = [ANN]
        self.assertEqual(self.one(HELLO).status, 200)
        self.assertEqual(self.runner.runs[0].invocation.principal, ANN)

    def test_known_later(self) -> None:
        """A request waits until it is known who sends it, and is answered by what serves then."""
        waiting, transport = self.ask_later()
        self.serve(a_route("/hello"), a_route("/other"))
        waiting.callback(ANN)
        self.assertEqual([reply.status for reply in replies(transport.value())], [200])
        self.assertEqual(self.runner.runs[0].invocation.principal, ANN)

    def test_deleted_meanwhile(self) -> None:
        """A script that was deleted before it was known who asks does not answer."""
        waiting, transport = self.ask_later()
        self.current.registry = self.current.registry.without("script")
        waiting.callback(ANN)
        self.assertEqual([reply.status for reply in replies(transport.value())], [404])

    def test_cannot_be_found_out(self) -> None:
        """When it cannot be found out who asks nothing is run, and the client is told to come back."""
        waiting, transport = self.ask_later()
        waiting.errback(Unavailable("The users are away.", retry_seconds=2.0))
        [reply] = replies(transport.value())
        self.assertEqual((reply.status, reply.headers["retry-after"]), (503, "2"))
        self.assertEqual(self.runner.runs, [])


class ErrorTests(WebTestCase):
    """What a client is told of failures."""

    def ask_hello(self, accept: bytes = b"*/*") -> Reply:
        """Ask for what fails."""
        return self.one(b"GET /hello HTTP/1.1\r\nHost: a\r\nAccept: " + accept + b"\r\n\r\n")

    def test_a_script_that_fails(self) -> None:
        """In production nobody is told what it threw."""
        self.runner.at_once = failing(
            ScriptFailed("It threw: secret", thrown=ThrownError(name="Error", message="secret"))
        )
        reply = self.ask_hello()
        self.assertEqual((reply.status, reply.json()["code"]), (500, "script_failed"))
        self.assertNotIn(b"secret", reply.body)

    def test_a_script_that_is_ended(self) -> None:
        """What the server itself says of a script is told."""
        self.runner.at_once = failing(ScriptTimeout("It took too long."))
        reply = self.ask_hello()
        self.assertEqual((reply.status, reply.json()["detail"]), (504, "It took too long."))

    def test_in_development(self) -> None:
        """The author is shown the place in the source."""
        asked = []

        async def explain(error: ScriptFailed, version: str) -> Trace:
            asked.append(version)
            return Trace(frames=[Frame(file="main.ts", line=3, function="f", source_line="throw new Error(1)")])

        self.site = self.make_site(explain=explain)
        self.runner.at_once = failing(ScriptFailed("It threw: boom", thrown=ThrownError(name="Error", message="boom")))
        reply = self.ask_hello()
        self.assertEqual(reply.json()["detail"], "It threw: boom")
        self.assertEqual(reply.json()["stack"][0]["line"], 3)
        page = self.ask_hello(b"text/html")
        self.assertIn(b"main.ts:3", page.body)
        self.assertIn(b"throw new Error(1)", page.body)
        self.assertEqual(asked, ["script@1"] * 2)

    def test_no_place_is_known(self) -> None:
        """A source that cannot be read does not cost the answer; a client that has gone meanwhile costs nothing."""
        waiting: list[Deferred[Trace]] = []

        async def explain(error: ScriptFailed, version: str) -> Trace:
            waiting.append(Deferred())
            return await waiting[-1]

        self.site = self.make_site(explain=explain)
        self.runner.at_once = failing(ScriptFailed("It threw: boom", thrown=ThrownError(name="Error", message="boom")))
        channel, transport = self.connect()
        channel.dataReceived(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(transport.value(), b"")
        waiting[0].errback(Unavailable("The database is away."))
        self.assertEqual(replies(transport.value())[0].json()["detail"], "It threw: boom")
        channel.dataReceived(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        before = transport.value()
        ended(channel)
        waiting[1].callback(NO_TRACE)
        self.assertEqual(transport.value(), before)

    def test_no_place_in_the_pool(self) -> None:
        """503 says when to come again."""
        self.runner.at_once = failing(Unavailable("Too many wait.", retry_seconds=2.4))
        reply = self.ask_hello()
        self.assertEqual((reply.status, reply.headers["retry-after"]), (503, "2"))

    def test_a_fault_of_ours(self) -> None:
        """An unknown error is a bare 500 with the id, and one traceback in the log."""

        def fail(run: FakeRun) -> None:
            raise RuntimeError("secret")

        self.runner.at_once = fail
        reply = self.ask_hello()
        self.assertEqual((reply.status, reply.json()["code"]), (500, "internal"))
        self.assertNotIn(b"secret", reply.body)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_an_error_after_the_answer(self) -> None:
        """A fault after the answer was given is logged, and the client keeps its answer."""

        def fail(run: FakeRun) -> None:
            run.sink.answered(Answer(status=200, headers=JSON, body=b"{}"))
            raise RuntimeError

        self.runner.at_once = fail
        self.assertEqual(self.ask_hello().status, 200)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class HealthTests(WebTestCase):
    """`/health/`."""

    def test_live(self) -> None:
        """The process answers."""
        self.assertEqual(self.one(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n").json(), {"status": "ok"})
        self.assertEqual(self.one(b"HEAD /health/live HTTP/1.1\r\nHost: a\r\n\r\n").status, 200)

    def test_ready(self) -> None:
        """It is ready when all its parts are."""
        self.assertEqual(self.one(b"GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n").status, 200)
        self.parts["sandbox"] = False
        reply = self.one(b"GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((reply.status, reply.headers["retry-after"]), (503, "1"))
        self.assertEqual(reply.json()["parts"], {"sandbox": False, "database": True})

    def test_degraded(self) -> None:
        """A dependency that is left alone makes it degraded, which is ready all the same."""
        answer = self.one(b"GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n").json()
        self.assertEqual((answer["status"], answer["lockdown"]), ("ok", {"missing": ["landlock"]}))
        self.breakers["build worker"] = "open"
        reply = self.one(b"GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((reply.status, reply.json()["status"]), (200, "degraded"))
        self.assertEqual(reply.json()["breakers"]["build worker"], "open")

    def test_failing_writes(self) -> None:
        """A database whose last write failed makes it degraded, and the answer says why."""
        answer = self.one(b"GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n").json()
        self.assertEqual((answer["status"], answer["failingWrites"]), ("ok", {}))
        self.failing_writes["main database"] = "The disk is full."
        reply = self.one(b"GET /health/ready HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((reply.status, reply.json()["status"]), (200, "degraded"))
        self.assertEqual(reply.json()["failingWrites"], {"main database": "The disk is full."})

    def test_nothing_else(self) -> None:
        """Other paths there are unknown."""
        self.assertEqual(self.one(b"GET /health/x HTTP/1.1\r\nHost: a\r\n\r\n").status, 404)


class ProxyTests(WebTestCase):
    """Behind a proxy."""

    trusted_proxies = ("192.0.2.0/24",)

    def test_the_id_of_a_proxy(self) -> None:
        """A proxy may give the id, even of what is refused."""
        self.runner.at_once = echo
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\nX-Request-Id: abc.1\r\n"
        self.assertEqual(self.one(head + b"\r\n").headers["x-request-id"], "abc.1")
        large = self.one(head + b"Content-Length: 100000\r\n\r\n")
        self.assertEqual((large.status, large.headers["x-request-id"]), (413, "abc.1"))
        strange = self.one(head.replace(b"abc.1", b"a b\xff") + b"\r\n")
        self.assertEqual(strange.headers["x-request-id"], "id-1")

    def test_the_clients_address(self) -> None:
        """It is what the last trusted proxy saw."""
        self.runner.at_once = echo
        reply = self.one(
            b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.9, 192.0.2.3\r\n"
            b"X-Forwarded-Proto: https\r\n\r\n"
        )
        self.assertEqual((reply.json()["ip"], reply.json()["url"]), ("203.0.113.9", "https://a/hello"))
