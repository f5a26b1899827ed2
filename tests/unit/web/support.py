"""A site with a runner that does as it is told, asked through an in-memory connection."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

from klein import Klein
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import EngineError
from aiwebengine.features.idempotency.kept import KeptAnswers
from aiwebengine.features.idempotency.parts import idempotency_step
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.interfaces import Identify
from aiwebengine.runtime.registry import ActiveScript, Current
from aiwebengine.scripts.failures import Explain
from aiwebengine.settings.schema import HttpSettings
from aiwebengine.values import ROUTE, Answer, Entry, HandlerRef, Invocation
from aiwebengine.web.admission import AdmissionStep
from aiwebengine.web.health import add_health
from aiwebengine.web.http.channel import Channel
from aiwebengine.web.http.read import Reader
from aiwebengine.web.http.write import Writer
from aiwebengine.web.site import Responder, Site
from tests.support.clients.websocket import RawSocket
from tests.support.fakes.invoking import an_invoker
from tests.support.fakes.script_databases import SameForAll
from tests.support.reserved import RESERVED

JSON = ((b"content-type", b"application/json"),)


def a_route(pattern: str, *methods: str, kind: str = ROUTE, **options: Any) -> Entry:
    """Make what takes a path, of the script that all tests serve."""
    return Entry(
        kind=kind,
        key=pattern,
        script="script",
        version="script@1",
        methods=methods or ("GET",),
        handler=HandlerRef(id=0, name="handler"),
        options=options,
    )


class FakeRun:
    """What the fake runner gives for an invocation: the test answers through `sink`."""

    def __init__(self, invocation: Invocation, sink: Any) -> None:
        self.invocation = invocation
        self.sink = sink
        self.cancelled = False

    @property
    def given(self) -> Any:
        """What the handler is given."""
        return json.loads(self.invocation.payload)


class FakeRunner:
    """
    Keeps what it is asked to run.

    Args:
        at_once: Answers every run as soon as it comes; None to leave that to the test.
    """

    def __init__(self) -> None:
        self.runs: list[FakeRun] = []
        self.at_once: Callable[[FakeRun], None] | None = None

    def run(self, invocation: Invocation, sink: Any) -> FakeRun:
        run = FakeRun(invocation, sink)
        self.runs.append(run)
        if self.at_once is not None:
            self.at_once(run)
        return run

    def cancel(self, run: FakeRun) -> None:
        run.cancelled = True


def echo(run: FakeRun) -> None:
    """Answer with what the handler was given."""
    run.sink.answered(Answer(status=200, headers=JSON, body=run.invocation.payload.encode("ascii")))


class Transport(StringTransport):
    """A connection in memory, one side of which can be closed."""

    def __init__(self) -> None:
        super().__init__(
            hostAddress=IPv4Address("TCP", "192.0.2.1", 80), peerAddress=IPv4Address("TCP", "192.0.2.7", 4000)
        )
        self.half_closed = False
        self.aborted = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.aborted = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer, taken from the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    def json(self) -> Any:
        """Decode the body."""
        return json.loads(self.body)


def replies(data: bytes, *methods: str) -> list[Reply]:
    """Take the answers apart that stand in *data*; *methods* of the requests, GET where they end."""
    found: list[Reply] = []
    while data:
        method = methods[len(found)] if len(found) < len(methods) else "GET"
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, f"an answer has no end of its head: {head!r}"
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status = int(first.split(" ")[1])
        if status == 100:
            continue
        body, complete = b"", True
        if method == "HEAD" or status in {204, 304}:
            pass
        elif headers.get("transfer-encoding") == "chunked":
            complete = False
            while data:
                size, _, data = data.partition(b"\r\n")
                piece, data = data[: int(size, 16)], data[int(size, 16) + 2 :]
                body += piece
                if not int(size, 16):
                    complete = True
                    break
        elif "content-length" in headers:
            length = int(headers["content-length"])
            body, data = data[:length], data[length:]
            complete = len(body) == length
        else:
            body, data = data, b""
        found.append(Reply(status=status, headers=headers, body=body, complete=complete))
    return found


class WebTestCase(SynchronousTestCase):
    """Makes a site for each test; `connect` opens connections to it."""

    settings = HttpSettings(max_body_bytes=1000, max_header_count=20, max_header_bytes=2048, max_target_bytes=512)
    trusted_proxies: tuple[str, ...] = ()
    public_url = ""

    def setUp(self) -> None:
        self.clock = Clock()
        self.runner = FakeRunner()
        self.current = Current()
        self.parts = {"sandbox": True, "database": True}
        self.breakers = {"main database": "closed", "build worker": "closed"}
        self.failing_writes: dict[str, str] = {}
        self.reads: list[Deferred[Any]] = []
        databases = SimpleNamespace(read=lambda _: self.reads.pop(0))
        self.databases = cast(Any, SameForAll(databases))
        """What the next looks for kept answers come to."""
        self.site = self.make_site()
        self.serve(a_route("/hello"), a_route("/echo", "POST", "PUT"), a_route("/notes/:id", "GET", "DELETE"))

    def make_site(
        self,
        *kinds: RegistrationKind,
        explain: Explain | None = None,
        responders: Sequence[Responder] = (),
        visitors: Identify | None = None,
        admission: Sequence[AdmissionStep] = (),
    ) -> Site:
        """Make a site, for plain handlers and *kinds*."""
        self.current.add({kind.name: kind.index for kind in kinds})
        numbers = count(1)
        klein = Klein()
        add_health(
            klein,
            ready=lambda: self.parts,
            breakers=lambda: self.breakers,
            writes=lambda: self.failing_writes,
            lockdown=lambda: {"missing": ["landlock"]},
        )

        @klein.route("/engine/echo", methods=["POST", "GET"])
        def own_echo(request: Any) -> bytes:
            return bytes(request.content.read()) or b"engine " + request.uri

        answers = KeptAnswers(databases=self.databases, milliseconds=lambda: 0, keep_seconds=60)
        return Site(
            reactor=self.clock,
            current=self.current,
            invoker=an_invoker(self.runner, current=self.current),
            reserved=RESERVED,
            own=klein.resource(),
            reader=Reader(
                new_id=lambda: f"id-{next(numbers)}", trusted_proxies=self.trusted_proxies, public_url=self.public_url
            ),
            writer=Writer(seconds=lambda: 784111777.0),
            settings=self.settings,
            own_body_bytes=5000,
            explain=explain,
            openers={kind.name: kind.opens for kind in kinds if kind.opens is not None},
            responders=responders,
            visitors=visitors,
            admission=[idempotency_step(answers), *admission],
        )

    def serve(self, *routes: Entry, limits: Mapping[str, float] | None = None) -> None:
        """Let these routes serve, and no others."""
        script = ActiveScript(uri="script", version="script@1", number=1, entries=routes, limits=limits or {})
        self.current.registry = self.current.registry.with_script(script)

    def connect(self, site: Site | None = None) -> tuple[Channel, Transport]:
        """Open a connection."""
        channel = (site or self.site).build_factory().buildProtocol(IPv4Address("TCP", "192.0.2.7", 4000))
        transport = Transport()
        channel.makeConnection(transport)
        self.addCleanup(self._close, channel)
        return channel, transport

    def _close(self, channel: Channel) -> None:
        channel.connectionLost(Failure(ConnectionError("the test is over")))

    def ask(self, data: bytes, *methods: str) -> list[Reply]:
        """Send bytes over a new connection and give the answers that came at once."""
        channel, transport = self.connect()
        channel.dataReceived(data)
        return replies(transport.value(), *(methods or (data.partition(b" ")[0].decode("latin-1"),)))

    def one(self, data: bytes) -> Reply:
        """Send one request and give its answer."""
        (reply,) = self.ask(data)
        return reply

    def refused(self, data: bytes, status: int, words: str) -> Reply:
        """Send what must be refused: a proper problem with these *words*, and the end of the connection."""
        channel, transport = self.connect()
        channel.dataReceived(data)
        (reply,) = replies(transport.value())
        self.assertEqual((reply.status, reply.headers["content-type"]), (status, "application/problem+json"), reply)
        problem = reply.json()
        self.assertIn(words, problem["detail"])
        self.assertEqual(problem["requestId"], reply.headers["x-request-id"])
        self.assertEqual(reply.headers["connection"], "close")
        self.assertTrue(transport.half_closed)
        self.assertEqual(self.runner.runs, [])
        return reply


class Client(RawSocket):
    """
    A WebSocket client on a connection in memory.

    Args:
        case: Opens the connection.
        path: What it asks for.
        headers: Beside, or in place of, the usual ones.
    """

    def __init__(self, case: WebTestCase, path: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(path, headers or {})
        self.channel, self.wire = case.connect(case.site)
        self.makeConnection(self)

    def write(self, data: bytes) -> None:
        """Be the transport of the client."""
        self.channel.dataReceived(data)
        self.read()

    def read(self) -> None:
        """Take what the server has sent."""
        data = self.wire.value()
        self.wire.clear()
        if data:
            self.dataReceived(data)
        if (self.wire.disconnecting or self.wire.aborted) and not self.over:
            self.gone()

    def gone(self) -> None:
        """Break the connection."""
        self.over = True
        ended(self.channel)


def ended(channel: Channel) -> None:
    """Let the client close its connection."""
    channel.connectionLost(Failure(ConnectionError("the client has gone")))


def failing(error: EngineError) -> Callable[[FakeRun], None]:
    """Return an `at_once` that fails with *error*."""
    return lambda run: run.sink.failed(error)
