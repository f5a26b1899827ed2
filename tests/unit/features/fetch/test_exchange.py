"""One request of a script: its redirects, retries and times."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone

from aiwebengine.errors import Cancelled, Closed, Denied, Invalid, TooLarge, TooSlow, Unavailable
from aiwebengine.features.fetch.exchange import Fetch, Outside
from aiwebengine.features.fetch.network.bodies import AnswerBody
from aiwebengine.features.fetch.network.client import HttpAnswer
from aiwebengine.features.fetch.network.failures import unavailable
from aiwebengine.features.fetch.peers import Peers
from aiwebengine.features.fetch.requests import read_wanted
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.values import Cause
from tests.unit.features.fetch.test_scanned import WordScan

WALL = 1_700_000_000.0


class Connection:
    """Says whether it was ended."""

    def __init__(self):
        self.ended = False

    def pauseProducing(self):
        pass

    def resumeProducing(self):
        pass

    def abortConnection(self):
        self.ended = True


class FakeClient:
    """Answers as it was told, one answer after the other; None is never answered."""

    def __init__(self, clock):
        self.clock = clock
        self.answers = []
        self.sent = []
        self.bodies = []
        self.connections = []
        self.given_up = 0

    def send(self, target, **request):
        return Deferred.fromCoroutine(self._send(target, **request))

    async def _send(self, target, *, method, headers, body, decode, cause):
        self.sent.append((method, target.url))
        self.headers = headers
        self.bodies.append(body)
        self.decode = decode
        answer = self.answers.pop(0)
        if answer is None:
            waiting = Deferred()
            try:
                await waiting
            except CancelledError:
                self.given_up += 1
                raise
        if isinstance(answer, Exception):
            raise answer
        status, reply_headers, content = answer
        reply = AnswerBody(decoders=(), most_bytes=10**8, idle_seconds=30.0, clock=self.clock, server="a.example:80")
        self.connections.append(Connection())
        reply.makeConnection(self.connections[-1])
        if content is not None:
            reply.dataReceived(content)
            reply.connectionLost(Failure(ResponseDone()))
        return HttpAnswer(status=status, phrase="Told", headers=list(reply_headers.items()), body=reply)


def answer(status=200, content=b"", **headers):
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, content


def redirect(location, status=302):
    return answer(status, location=location)


class FakeSecrets:
    """Fills one secret in, and replaces it in answers."""

    kept: Mapping[str, str] = {}

    def __init__(self):
        self.asked = []

    async def fill(self, request):
        self.asked.append(request)
        body = request.body.replace(b"PLACE", b"hidden") if request.body and request.in_body else request.body
        headers = [] if request.moved else [(name, value.replace("PLACE", "hidden")) for name, value in request.headers]
        return replace(request, path=request.path.replace("PLACE", "hidden"), headers=headers, body=body)

    def scan(self):
        return WordScan("hidden")


class ExchangeTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.client = FakeClient(self.clock)
        self.refused = set()
        self.secrets = None

    def exchange(self, *answers, settings=None, method="GET", url="http://a.example/", **members):
        self.client.answers = list(answers)
        made = settings or FetchSettings()
        self.outside = Outside(
            client=self.client,
            peers=Peers(settings=made, clock=self.clock),
            settings=made,
            reactor=self.clock,
            random=lambda: 0.5,
            wall=lambda: WALL,
        )
        return Fetch(
            outside=self.outside,
            script="shop",
            cause=Cause(ancestors=()),
            wanted=read_wanted({"url": url, "method": method, **members}, made),
            headers=[("x-own", "1")],
            check=self.check,
            secrets=self.secrets,
        )

    def check(self, target):
        if target.host in self.refused:
            raise Denied(f"{target.host} is refused.")

    def begin(self, exchange):
        """Begin, and let pass what passes at once."""
        began = Deferred.fromCoroutine(exchange.begin())
        for _ in range(3):
            self.clock.advance(0)
        return began

    def read(self, exchange, *, encoded=False):
        return Deferred.fromCoroutine(exchange.read(encoded=encoded))

    def state(self):
        return self.outside.peers.state()

    def failed(self, began, *errors):
        return self.failureResultOf(began, *errors).value

    def test_answer(self):
        """A short answer comes with its body, as text if it is some."""
        exchange = self.exchange(answer(201, "wörld".encode(), x_a="b"))
        told = self.successResultOf(self.begin(exchange))
        self.assertEqual(
            told,
            {
                "status": 201,
                "statusText": "Told",
                "headers": [("x-a", "b")],
                "url": "http://a.example/",
                "redirected": False,
                "text": "wörld",
            },
        )
        self.assertEqual(self.state()["open"], 0)
        self.assertEqual(self.successResultOf(self.begin(self.exchange(answer(content=b"\xff\0"))))["base64"], "/wA=")

    def test_long_answer(self):
        """A long answer is read piece by piece; then its place is free."""
        exchange = self.exchange(answer(content=b"a" * 400_000))
        told = self.successResultOf(self.begin(exchange))
        self.assertTrue(told["more"])
        size, pieces = 0, 0
        while not (piece := self.successResultOf(self.read(exchange))).get("done"):
            size += len(piece["text"])
            pieces += 1
        self.assertEqual(size, 400_000)
        self.assertGreater(pieces, 1)
        self.assertEqual(self.state()["open"], 0)

    def test_answer_that_is_not_over(self):
        """An answer is told when its head is there; its body is waited for when somebody reads."""
        exchange = self.exchange(answer(content=None))
        self.assertTrue(self.successResultOf(self.begin(exchange))["more"])
        waiting = self.read(exchange, encoded=True)
        self.assertNoResult(waiting)
        self.assertEqual(self.state()["open"], 1)
        exchange.cancel()
        self.failed(waiting, Cancelled)
        self.assertTrue(self.client.connections[0].ended)
        self.assertEqual(self.state()["open"], 0)

    def test_redirects(self):
        """Redirects are followed, and the answer says so and where it is from."""
        exchange = self.exchange(redirect("/b"), redirect("https://b.example/c"), answer(content=b"x"))
        told = self.successResultOf(self.begin(exchange))
        self.assertEqual((told["redirected"], told["url"], told["text"]), (True, "https://b.example/c", "x"))
        self.assertEqual(
            self.client.sent,
            [("GET", "http://a.example/"), ("GET", "http://a.example/b"), ("GET", "https://b.example/c")],
        )
        self.assertEqual(self.state()["open"], 0)

    @pytest.mark.setting("fetch.max_redirects")
    def test_endless_redirects(self):
        """After so many redirects the request fails, and says where it stood."""
        exchange = self.exchange(*[redirect(f"/{n}") for n in range(9)], settings=FetchSettings(max_redirects=3))
        failed = self.failed(self.begin(exchange), Unavailable)
        self.assertEqual(failed.details, {"reason": "redirect"})
        self.assertIn("more than 3 redirects, the last to http://a.example/3", failed.public)
        self.assertEqual(len(self.client.sent), 4)
        self.assertEqual(self.state()["open"], 0)

    def test_redirect_manual_and_error(self):
        """With manual the redirect is the answer, with error it is a failure."""
        told = self.successResultOf(self.begin(self.exchange(redirect("/b"), redirect="manual")))
        self.assertEqual((told["status"], told["redirected"]), (302, False))
        failed = self.failed(self.begin(self.exchange(redirect("/b"), redirect="error")), Unavailable)
        self.assertEqual(failed.details, {"reason": "redirect"})
        self.assertEqual(len(self.client.sent), 2)

    def test_redirect_without_location(self):
        """A redirect that leads nowhere is an answer as any other; one that cannot be followed is a failure."""
        self.assertEqual(self.successResultOf(self.begin(self.exchange(answer(302))))["status"], 302)
        failed = self.failed(self.begin(self.exchange(redirect("ftp://a/"))), Unavailable)
        self.assertIn("redirects to 'ftp://a/'", failed.public)

    def test_every_hop_is_checked(self):
        """A host that the script may not reach is refused on every hop, before anything is sent to it."""
        self.refused = {"evil.example"}
        self.failed(self.begin(self.exchange(redirect("http://evil.example/"))), Denied)
        self.assertEqual(len(self.client.sent), 1)
        self.failed(self.begin(self.exchange(url="http://evil.example/")), Denied)
        self.assertEqual(len(self.client.sent), 1)

    def test_retry(self):
        """A request that fails is sent again after a growing wait, if the script asks for it."""
        down = unavailable("connect", "refused")
        began = self.begin(self.exchange(down, answer(503), answer(content=b"x"), retry=2))
        self.assertEqual(len(self.client.sent), 1)
        self.assertNoResult(began)
        waited = 0.0
        while len(self.client.sent) < 2:
            self.clock.advance(0.01)
            waited += 0.01
        self.assertLess(waited, 0.5)
        self.clock.pump([0.05] * 40)
        self.assertEqual(self.successResultOf(began)["text"], "x")
        self.assertEqual(len(self.client.sent), 3)

    def test_no_retry(self):
        """Nothing is sent again without asking, or if the method is not safe to repeat, or for other statuses."""
        for members, status in (({}, 503), ({"retry": 3, "method": "POST"}, 503), ({"retry": 3}, 500)):
            self.client.sent.clear()
            told = self.successResultOf(self.begin(self.exchange(answer(status), answer(200), **members)))
            self.assertEqual((told["status"], len(self.client.sent)), (status, 1))

    def test_retries_used_up(self):
        """After the last attempt its answer or failure is what the script gets."""
        began = self.begin(self.exchange(answer(503), answer(429, b"slow"), retry=1))
        self.clock.pump([0.1] * 20)
        self.assertEqual(self.successResultOf(began)["status"], 429)
        began = self.begin(self.exchange(unavailable("dns", "a"), unavailable("connect", "b"), retry=1))
        self.clock.pump([0.1] * 20)
        self.assertEqual(self.failed(began, Unavailable).public, "b")

    def test_retry_after(self):
        """What the server asks to wait is waited, in seconds or until a date."""
        for value in ("7", formatdate(WALL + 7, usegmt=True)):
            began = self.begin(self.exchange(answer(503, retry_after=value), answer(content=b"x"), retry=1))
            self.clock.advance(6.9)
            self.assertNoResult(began)
            self.clock.advance(0.2)
            self.clock.advance(0)
            self.assertEqual(self.successResultOf(began)["text"], "x")

    def test_retry_after_too_long(self):
        """If the server asks to wait for longer than there is time, its answer is the answer."""
        for value in ("31", "99999999999999999999", formatdate(WALL + 3600, usegmt=True)):
            began = self.begin(self.exchange(answer(503, retry_after=value), retry=1))
            self.assertEqual(self.successResultOf(began)["status"], 503, value)

    def test_retry_after_nonsense(self):
        """A `retry-after` that says nothing is ignored."""
        for value in ("soon", "-5", "²", "Mon, 99 Foo 9999"):
            began = self.begin(self.exchange(answer(503, retry_after=value), answer(content=b"x"), retry=1))
            self.clock.pump([0.1] * 10)
            self.assertEqual(self.successResultOf(began)["text"], "x", value)

    @pytest.mark.setting("fetch.answer_seconds")
    def test_too_slow(self):
        """A server that does not answer in time is given up, and the wait for retries counts."""
        began = self.begin(self.exchange(None, settings=FetchSettings(answer_seconds=5.0)))
        self.clock.advance(4.9)
        self.assertNoResult(began)
        self.clock.advance(0.2)
        failed = self.failed(began, TooSlow)
        self.assertIn("a.example:80 did not answer within 5 s", failed.public)
        self.assertEqual(self.client.given_up, 1)
        self.assertEqual(self.state()["open"], 0)

    def test_cancelled(self):
        """A request that is cancelled ends wherever it is, and gives its place back."""
        exchange = self.exchange(None)
        began = self.begin(exchange)
        exchange.cancel()
        self.failed(began, Cancelled)
        self.assertEqual((self.client.given_up, self.state()["open"]), (1, 0))
        exchange = self.exchange(answer(503), retry=3)
        began = self.begin(exchange)
        exchange.cancel()
        self.failed(began, Cancelled)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        exchange = self.exchange(answer())
        exchange.cancel()
        self.failed(self.begin(exchange), Cancelled)

    def test_breaker(self):
        """Failures of a server open its breaker; those of this request do not."""
        settings = FetchSettings(breaker_failures=2)
        exchange = self.exchange(unavailable("connect", "refused"), settings=settings)
        outside = self.outside
        self.failed(self.begin(exchange), Unavailable)
        for reply, error in ((answer(503), None), (answer(200), Unavailable)):
            self.client.answers = [reply]
            again = self.exchange(reply, settings=settings)
            again._outside = self.outside = outside
            began = self.begin(again)
            if error is None:
                self.successResultOf(began)
            else:
                self.assertEqual(self.failed(began, error).details, {"reason": "breaker"})
        self.assertEqual(len(self.client.sent), 2)

    def test_not_the_servers_fault(self):
        """A host that is refused, or a body that is too large, says nothing about the server."""
        exchange = self.exchange(TooLarge("x"), settings=FetchSettings(breaker_failures=1))
        self.failed(self.begin(exchange), TooLarge)
        self.assertEqual(self.state()["breakers"], {})

    def test_integrity(self):
        """With integrity the whole body is compared before the script gets any of it."""

        def named(body):
            return "sha256-" + base64.b64encode(hashlib.sha256(body).digest()).decode()

        told = self.successResultOf(self.begin(self.exchange(answer(content=b"good"), integrity=named(b"good"))))
        self.assertEqual(told["text"], "good")
        failed = self.failed(self.begin(self.exchange(answer(content=b"bad"), integrity=named(b"good"))), Unavailable)
        self.assertEqual(failed.details, {"reason": "integrity"})
        long = b"a" * 300_000
        exchange = self.exchange(answer(content=long), integrity=named(long))
        self.assertTrue(self.successResultOf(self.begin(exchange))["more"])
        self.assertEqual(len(self.successResultOf(self.read(exchange))["text"]), 256 * 1024)
        exchange = self.exchange(answer(content=b"a" * 17_000_000), integrity=named(long))
        self.failed(self.begin(exchange), TooLarge)

    def test_written_body(self):
        """A body is written piece by piece; one that fails ends the request with its own error."""
        exchange = self.exchange(None, method="POST", written=True, length=3)
        began = self.begin(exchange)
        [body] = self.client.bodies
        self.assertEqual(body.length, 3)
        writing = Deferred.fromCoroutine(exchange.write(b"ab"))
        self.assertNoResult(writing)
        with self.assertRaises(Closed):
            exchange.write(None).send(None)
        exchange.cancel()
        self.assertIn("1 bytes before the length", self.failed(began, Closed).public)

    def test_no_written_body(self):
        """A request whose body was there takes no further pieces."""
        exchange = self.exchange(answer())
        self.failed(Deferred.fromCoroutine(exchange.write(b"x")), Invalid)

    def test_head(self):
        """The answer to HEAD has no body whose coding could be undone."""
        self.successResultOf(self.begin(self.exchange(answer(content_encoding="gzip"), method="HEAD")))
        self.assertFalse(self.client.decode)

    def test_read_before_the_answer(self):
        """A body that is not there yet has nothing to read."""
        self.assertEqual(self.successResultOf(self.read(self.exchange())), {"done": True})

    def test_secrets(self):
        """Secrets are filled in when a request is sent, and do not come back with its answer."""
        self.secrets = FakeSecrets()
        exchange = self.exchange(
            answer(200, b"you sent hidden", x_sent="hidden"),
            url="http://a.example/PLACE",
            method="POST",
            text="a PLACE",
            secretsInBody=True,
        )
        told = self.successResultOf(self.begin(exchange))
        self.assertEqual(self.client.sent, [("POST", "http://a.example/hidden")])
        self.assertEqual(self.client.bodies[0].length, len("a hidden"))
        self.assertEqual((told["text"], told["headers"]), ("you sent ***", [("x-sent", "***")]))
        self.assertEqual(told["url"], "http://a.example/PLACE")

    def test_secrets_after_redirects(self):
        """Each address is filled for itself, from what the script asked for; another origin is named as such."""
        self.secrets = FakeSecrets()
        exchange = self.exchange(
            redirect("/next"), redirect("http://b.example/hidden"), answer(), url="http://a.example/PLACE"
        )
        told = self.successResultOf(self.begin(exchange))
        self.assertEqual(
            [(asked.host, asked.path, asked.moved) for asked in self.secrets.asked],
            [("a.example", "/PLACE", False), ("a.example", "/next", False), ("b.example", "/hidden", True)],
        )
        self.assertEqual(told["url"], "http://b.example/***")
        self.assertEqual(self.client.headers, [])

    def test_no_secrets_in_streams(self):
        """A body that is written piece by piece can have none."""
        self.assertRaises(Invalid, self.exchange, answer(), written=True, secretsInBody=True)
