"""Connections: how requests are read from them, what is refused, and when they end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.testing import StringTransport
from twisted.web.http_headers import Headers
from zope.interface.verify import verifyObject

from aiwebengine.settings.schema import HttpSettings
from aiwebengine.values import Answer, Request
from aiwebengine.web.http.exchange import Exchange
from tests.support.examples import examples
from tests.unit.web.support import JSON, Transport, WebTestCase, a_route, echo, ended, replies

GET = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: u\r\n\r\n"
)
OWN = b"POST /engine/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nown"
HEAD = b"HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSING = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
ALL = GET + POST + CHUNKED + OWN + HEAD + b"\r\n" + CLOSING
METHODS = ("GET", "POST", "POST", "POST", "HEAD", "GET")


class ReadingTests(WebTestCase):
    """Requests come out of bytes, however they are cut."""

    def setUp(self) -> None:
        super().setUp()
        self.runner.at_once = echo

    def _check(self, transport: Transport) -> None:
        found = replies(transport.value(), *METHODS)
        self.assertEqual([reply.status for reply in found], [200] * 6)
        self.assertEqual(found[1].json()["body"], "hello")
        self.assertEqual(found[2].json()["body"], "hello")
        self.assertEqual(found[3].body, b"own")
        self.assertEqual(found[4].body, b"")
        self.assertEqual([reply.headers.get("connection") for reply in found], [None] * 5 + ["close"])
        self.assertTrue(transport.disconnecting)

    def test_pipelined_requests(self) -> None:
        """Requests that come at once are answered in order, scripts' and the engine's own alike."""
        channel, transport = self.connect()
        channel.dataReceived(ALL)
        self._check(transport)

    def test_cut_at_every_place(self) -> None:
        """It does not matter where the network cuts the bytes."""
        for at in range(1, len(ALL)):
            channel, transport = self.connect()
            channel.dataReceived(ALL[:at])
            channel.dataReceived(ALL[at:])
            self._check(transport)

    def test_byte_by_byte(self) -> None:
        """Nor does it matter how small the pieces are."""
        channel, transport = self.connect()
        for at in range(len(ALL)):
            channel.dataReceived(ALL[at : at + 1])
        self._check(transport)

    def test_one_after_the_other(self) -> None:
        """While a request is in hand, the next ones wait; answers keep their order."""
        self.runner.at_once = None
        channel, transport = self.connect()
        channel.dataReceived(ALL)
        for number in range(5):
            self.assertEqual(len(self.runner.runs), number + 1)
            echo(self.runner.runs[number])
        self._check(transport)

    def test_many_pipelined_requests(self) -> None:
        """A thousand requests in one piece are answered some in each turn; nothing more is read until all are."""
        channel, transport = self.connect()
        channel.dataReceived(GET * 1000)
        at_once = len(replies(transport.value()))
        self.assertIn(at_once, range(1, 100))
        self.assertEqual(transport.producerState, "paused")
        for _ in range(1000):
            self.clock.advance(0)
        self.assertEqual(len(replies(transport.value())), 1000)
        self.assertEqual(transport.producerState, "producing")
        channel.dataReceived(GET)
        self.assertEqual(len(replies(transport.value())), 1001)

    def test_empty_lines(self) -> None:
        """Empty lines before a request are passed over some in each turn, too."""
        channel, transport = self.connect()
        channel.dataReceived(b"\r\n" * 1000 + GET)
        self.assertEqual(transport.value(), b"")
        for _ in range(1000):
            self.clock.advance(0)
        self.assertEqual(len(replies(transport.value())), 1)

    def test_connection_lost_between_turns(self) -> None:
        """A connection that breaks while requests wait for the next turn is left alone."""
        channel, transport = self.connect()
        channel.dataReceived(GET * 1000)
        ended(channel)
        answered = len(transport.value())
        self.clock.advance(0)
        self.assertEqual(len(transport.value()), answered)

    def test_a_thousand_that_wait(self) -> None:
        """The same when each is answered later."""
        self.runner.at_once = None
        channel, transport = self.connect()
        channel.dataReceived(GET * 500)
        for number in range(500):
            echo(self.runner.runs[number])
        self.assertEqual(len(replies(transport.value())), 500)

    def test_reading_stops_while_much_waits(self) -> None:
        """A client that sends on and on while a request is in hand is not read."""
        self.runner.at_once = None
        channel, transport = self.connect()
        channel.dataReceived(GET)
        channel.dataReceived(GET * 1000)
        self.assertEqual(transport.producerState, "paused")
        for number in range(1001):
            echo(self.runner.runs[number])
        self.assertEqual(transport.producerState, "producing")

    def test_fields_are_read_anew_when_they_change(self) -> None:
        """Requests of one connection share their fields only if they are the same."""
        found = self.ask(
            GET + GET + GET.replace(b"Host: a", b"Host: b") + GET,
            *["GET"] * 4,
        )
        self.assertEqual([reply.json()["headers"]["host"] for reply in found], ["a", "a", "b", "a"])

    def test_a_length_of_nothing(self) -> None:
        """A body of no bytes is no body."""
        reply = self.one(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        self.assertNotIn("body", reply.json())

    def test_http_1_0(self) -> None:
        """HTTP/1.0 needs no host, and its connection ends with the answer."""
        reply = self.one(b"GET /hello HTTP/1.0\r\n\r\n")
        self.assertEqual((reply.status, reply.headers["connection"]), (200, "close"))
        self.assertEqual(reply.json()["url"], "http://localhost/hello")

    def test_absolute_target(self) -> None:
        """A proxy's form of a target is taken, and its host counts."""
        reply = self.one(b"GET http://b:81/hello?x HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(reply.json()["url"], "http://b:81/hello?x")
        own = self.one(b"GET http://b/engine/echo HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(own.body, b"engine /engine/echo")

    def test_the_whole_server(self) -> None:
        """`OPTIONS *` asks for the server; other methods need a path."""
        self.assertEqual(self.one(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 204)
        self.assertEqual(self.one(b"GET * HTTP/1.1\r\nHost: a\r\n\r\n").status, 400)

    def test_expectations(self) -> None:
        """A client that waits before it sends its body is told to go on."""
        channel, transport = self.connect()
        channel.dataReceived(POST[:-5].replace(b"Host: a", b"Host: a\r\nExpect: 100-continue"))
        self.assertEqual(transport.value(), b"HTTP/1.1 100 Continue\r\n\r\n")
        channel.dataReceived(b"hello")
        self.assertEqual(replies(transport.value())[0].json()["body"], "hello")

    def test_interfaces(self) -> None:
        """A connection is what Twisted takes it for."""
        channel, _ = self.connect()
        verifyObject(IHalfCloseableProtocol, channel)


class RefusingTests(WebTestCase):
    """What cannot be read is answered, and the connection ends without losing the answer."""

    def test_bad_heads(self) -> None:
        """Each refusal says which rule was broken."""
        for data, words in [
            (b"NONSENSE\r\n\r\n", "first line"),
            (b"GET /hello HTTP/1.1\r\n\r\n", "needs a Host"),
            (b"GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", "Host header"),
            (b"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "once"),
            (b"GET /hello HTTP/1.1\nHost: a\n\n", "CR LF"),
            (b"\x16\x03\x01\x00\xf4\x01", "HTTPS"),
            (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "number of bytes"),
            (b"GET /engine/%zz HTTP/1.1\r\nHost: a\r\n\r\n", "hexadecimal"),
        ]:
            self.refused(data, 400, words)

    def test_large_heads(self) -> None:
        """A head is bounded in lines and in bytes, however it comes."""
        self.refused(GET[:-2] + b"A: b\r\n" * 20 + b"\r\n", 431, "at most 20 headers")
        self.refused(GET[:-2] + b"A: b\r\n" * 10_000 + b"\r\n", 431, "at most 2,048 bytes")
        self.refused(GET[:19] + b"\r\nA: " + b"a" * 3000, 431, "at most 2,048 bytes")

    def test_long_targets(self) -> None:
        """A target that is too long is 414, whether its line ends within the head's bound or not."""
        self.refused(b"GET /" + b"a" * 600 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "at most 512 bytes")
        self.refused(b"GET /" + b"a" * 3000, 414, "at most 512 bytes")

    def test_other_versions(self) -> None:
        """Another version of HTTP is 505."""
        self.refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "speaks HTTP/1.1")
        self.refused(b"GET /hello HTTP/3\r\nHost: a\r\n\r\n", 505, "speaks HTTP/1.1")

    def test_unknown_methods(self) -> None:
        """A method that the server does not implement is 501, for scripts' paths and the engine's own."""
        for path in (b"/hello", b"/engine/echo", b"/nothing"):
            self.refused(b"BREW " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n", 501, "BREW")
        self.refused(b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501, "CONNECT")

    def test_unknown_codings(self) -> None:
        """A transfer coding that is not known is 501; a content coding is 415, with what may be sent."""
        self.refused(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "gzip")
        reply = self.refused(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n", 415, "uncompressed"
        )
        self.assertEqual(reply.headers["accept-encoding"], "identity")

    def test_huge_chunk(self) -> None:
        """A chunk that is larger than any body may be is refused before its bytes come."""
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.refused(head + b"ffffffff\r\n", 413, "at most 1,000 bytes")
        self.refused(head + b"3e0\r\n" + b"a" * 992 + b"\r\n9\r\n", 413, "at most 1,000 bytes")

    def test_refused_chunks(self) -> None:
        """What is not a chunk, and a trailer that is no header or comes too late, is refused with the reason."""
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body, status, words in [
            (b"x\r\n", 400, "hexadecimal"),
            (b" 1\r\na\r\n", 400, "hexadecimal"),
            (b"1 \r\na\r\n", 400, "hexadecimal"),
            (b"11111111111111111\r\n", 400, "hexadecimal"),
            (b"1\r\nab\r\n", 400, "longer than its size"),
            (b"1\r\na\n", 400, "longer than its size"),
            (b"1;" + b"x" * 2000, 400, "at most 1024 characters"),
            (b"0\r\nA b: c\r\n\r\n", 400, "letters, digits and hyphens"),
            (b"0\r\nContent-Length: 3\r\n\r\n", 400, "trailer"),
            (b"0\r\nA: " + b"b" * 3000, 431, "trailers"),
            (b"0\r\n" + b"A: b\r\n" * 21 + b"\r\n", 431, "at most 20 headers"),
        ]:
            self.refused(head + body, status, words)

    def test_waits_for_nothing(self) -> None:
        """Who asks whether a body is wanted is told at once that nothing answers; otherwise to send it."""
        expect = b" HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        self.refused(b"POST /nothing" + expect, 404, "No script answers")
        self.refused(b"POST /hello" + expect, 405, "does not answer POST")
        _, transport = self.connect()
        channel, transport = self.connect()
        channel.dataReceived(b"POST /echo" + expect)
        self.assertEqual(transport.value(), b"HTTP/1.1 100 Continue\r\n\r\n")

    def test_large_bodies(self) -> None:
        """A body that is too large is refused before any of it is read."""
        reply = self.refused(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n", 413, "this one has 100,000,000"
        )
        self.assertEqual(reply.json()["code"], "too_large")

    def test_no_going_on_for_what_is_refused(self) -> None:
        """A client that asks first is not told to send what will be refused."""
        self.refused(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100000000\r\n\r\n", 413, "100"
        )

    def test_large_chunked_bodies(self) -> None:
        """A body without a length is refused as soon as it is too large."""
        channel, transport = self.connect()
        channel.dataReceived(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(4):
            channel.dataReceived(b"fa\r\n" + b"a" * 250 + b"\r\n")
        self.assertEqual(transport.value(), b"")
        channel.dataReceived(b"1\r\na\r\n" + b"1\r\na\r\n" * 50)
        self.assertEqual(replies(transport.value())[0].status, 413)
        self.assertEqual(self.runner.runs, [])

    def test_bad_chunks(self) -> None:
        """Chunks that are none are refused."""
        for chunks in (b"zz\r\n", b"-1\r\n", b"1\r\nab\r\n", b"0x1\r\na\r\n", b"1" * 2000):
            self.refused(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 400, "chunk")

    def test_encoded_bodies(self) -> None:
        """A compressed body is refused: there is no bound for what comes out of it."""
        self.refused(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n",
            415,
            "uncompressed",
        )

    def test_the_engines_own_bodies(self) -> None:
        """The engine's own paths take larger bodies, and bound them too."""
        reply = self.one(b"POST /engine/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + b"a" * 5000)
        self.assertEqual(len(reply.body), 5000)
        self.refused(b"POST /engine/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5001\r\n\r\n", 413, "at most 5,000")

    def test_forms_are_left_alone(self) -> None:
        """twisted.web parses no form and no upload."""
        body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
        reply = self.one(
            b"POST /engine/echo HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        self.assertEqual(reply.body, body)

    def test_a_page_for_browsers(self) -> None:
        """A browser is told on a page."""
        channel, transport = self.connect()
        channel.dataReceived(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nContent-Length: 100000000\r\n\r\n"
        )
        (reply,) = replies(transport.value())
        self.assertEqual((reply.status, reply.headers["content-type"]), (413, "text/html; charset=utf-8"))

    def test_after_good_requests(self) -> None:
        """What came before is answered first, and nothing after is read."""
        self.runner.at_once = echo
        found = self.ask(GET + b"NONSENSE\r\n\r\n" + GET, "GET")
        self.assertEqual([reply.status for reply in found], [200, 400])
        self.assertEqual(len(self.runner.runs), 1)

    def test_lingering(self) -> None:
        """What a refused client goes on sending is thrown away, for a while."""
        channel, transport = self.connect()
        channel.dataReceived(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        answer = transport.value()
        for _ in range(5):
            self.clock.advance(4)
            channel.dataReceived(b"a" * 10_000)
        self.assertEqual((transport.value(), transport.aborted), (answer, False))
        self.clock.advance(5)
        self.assertTrue(transport.aborted)

    def test_lingering_ends(self) -> None:
        """A client that sends without an end is cut."""
        channel, transport = self.connect()
        channel.dataReceived(b"NONSENSE\r\n\r\n")
        for _ in range(10):
            self.clock.advance(3)
            channel.dataReceived(b"a")
        self.assertTrue(transport.aborted)

    def test_the_client_closes_after_a_refusal(self) -> None:
        """The connection is over as soon as the client has closed its side too."""
        channel, transport = self.connect()
        channel.dataReceived(b"NONSENSE\r\n\r\n")
        self.assertFalse(transport.disconnecting)
        channel.readConnectionLost()
        self.assertTrue(transport.disconnecting)

    def test_transports_without_halves(self) -> None:
        """A connection that cannot be closed by halves is closed."""
        channel = self.site.build_factory().buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        channel.dataReceived(b"NONSENSE\r\n\r\n")
        self.assertTrue(transport.disconnecting)
        ended(channel)


class FedBody:
    """The body of an answer that the server feeds, with nothing in it."""

    def pauseProducing(self) -> None:
        """See `exchange.Body`."""

    def resumeProducing(self) -> None:
        """See `exchange.Body`."""

    def lost(self) -> None:
        """See `exchange.Body`."""


class TimeTests(WebTestCase):
    """Every wait has an end."""

    def test_silence(self) -> None:
        """A connection on which nothing happens is closed without a word."""
        _, transport = self.connect()
        self.clock.advance(60)
        self.assertEqual((transport.value(), transport.disconnecting), (b"", True))
        self.clock.advance(20)
        self.assertTrue(transport.aborted)

    def test_silence_between_requests(self) -> None:
        """The time counts from the last answer."""
        self.runner.at_once = echo
        channel, transport = self.connect()
        self.clock.advance(50)
        channel.dataReceived(GET)
        self.clock.advance(50)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(10)
        self.assertTrue(transport.disconnecting)

    def test_a_head_that_trickles_in(self) -> None:
        """Single bytes do not keep a connection: the whole head has so long, from its first byte."""
        channel, transport = self.connect()
        self.clock.advance(59)
        for number in range(20):
            channel.dataReceived(GET[number : number + 1])
            self.clock.advance(3)
        (reply,) = replies(transport.value())
        self.assertEqual((reply.status, reply.json()["code"]), (408, "too_slow"))

    def test_a_body_that_trickles_in(self) -> None:
        """Nor do they keep a body."""
        channel, transport = self.connect()
        channel.dataReceived(POST[:-5])
        for _ in range(4):
            self.clock.advance(14)
            channel.dataReceived(b"a")
        self.assertEqual(transport.value(), b"")
        self.clock.advance(14)
        self.assertEqual(replies(transport.value())[0].status, 408)

    def test_an_answer_may_take_long(self) -> None:
        """How long a script may take is not decided here."""
        channel, transport = self.connect()
        channel.dataReceived(GET)
        self.clock.advance(1000)
        self.assertFalse(transport.disconnecting)
        echo(self.runner.runs[0])
        self.assertEqual(replies(transport.value())[0].status, 200)
        self.clock.advance(59)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)

    def test_a_client_that_takes_nothing(self) -> None:
        """A client that does not take its answer is cut."""
        channel, transport = self.connect()
        channel.dataReceived(GET)
        self.clock.advance(50)
        channel.pauseProducing()
        self.clock.advance(59)
        self.assertFalse(transport.aborted)
        self.clock.advance(1)
        self.assertTrue(transport.aborted)
        ended(channel)

    def test_a_stream(self) -> None:
        """No time runs on a stream until its client takes nothing; afterwards the connection may be idle as usual."""
        exchanges: list[Exchange] = []

        def enter(exchange: Exchange, _request: Request) -> bool:
            exchanges.append(exchange)
            exchange.feed(Answer(status=200, headers=(), body=b""), FedBody())
            return True

        self.site = self.make_site(responders=[enter])
        for ends in (True, False):
            channel, transport = self.connect()
            channel.dataReceived(GET.replace(b"/hello", b"/fed"))
            self.assertEqual([call.active() for call in self.clock.getDelayedCalls()], [])
            self.clock.advance(1000)
            channel.pauseProducing()
            self.clock.advance(59)
            channel.resumeProducing()
            self.clock.advance(59)
            if ends:
                exchanges[-1].finished()
                self.clock.advance(59)
                self.assertFalse(transport.disconnecting)
                self.clock.advance(1)
                self.assertTrue(transport.disconnecting)
            else:
                channel.pauseProducing()
                self.clock.advance(60)
                self.assertTrue(transport.aborted)
            ended(channel)

    def test_its_size(self) -> None:
        """A connection's dictionary is one of those whose keys Python shares."""
        channel, _ = self.connect()
        self.assertLess(len(channel.__dict__), 25)

    def test_requests_wait_for_a_client_that_takes_nothing(self) -> None:
        """Pipelined requests are not run while their answers would only pile up."""
        channel, transport = self.connect()
        channel.dataReceived(GET * 3)
        channel.pauseProducing()
        echo(self.runner.runs[0])
        self.assertEqual(len(self.runner.runs), 1)
        channel.resumeProducing()
        self.assertEqual(len(self.runner.runs), 2)
        echo(self.runner.runs[1])
        echo(self.runner.runs[2])
        self.assertEqual(len(replies(transport.value())), 3)


class ClosingTests(WebTestCase):
    """Clients that go, wholly or by half."""

    def test_a_client_that_goes(self) -> None:
        """What works on its answer is told, and a late answer goes nowhere."""
        channel, transport = self.connect()
        channel.dataReceived(GET)
        ended(channel)
        self.assertTrue(self.runner.runs[0].cancelled)
        echo(self.runner.runs[0])
        self.assertEqual(transport.value(), b"")

    def test_a_client_that_has_nothing_more_to_say(self) -> None:
        """A client that closes its side while it waits gets an answer that comes at once."""
        channel, transport = self.connect()
        channel.dataReceived(GET)
        channel.readConnectionLost()
        self.clock.advance(0.1)
        echo(self.runner.runs[0])
        (reply,) = replies(transport.value())
        self.assertEqual((reply.status, reply.headers["connection"]), (200, "close"))
        self.assertTrue(transport.disconnecting)
        # What is still to be sent leaves at the client's pace.
        self.clock.advance(0.3)
        self.assertFalse(transport.aborted)

    def test_a_client_that_closes_its_side_and_is_gone(self) -> None:
        """A moment later it is taken for gone."""
        channel, transport = self.connect()
        channel.dataReceived(GET)
        channel.readConnectionLost()
        self.clock.advance(0.3)
        self.assertTrue(transport.aborted)

    def test_half_a_request(self) -> None:
        """A request that ends too early is told, since the client may still listen."""
        for data in (GET[:-2], POST[:-2]):
            channel, transport = self.connect()
            channel.dataReceived(data)
            channel.readConnectionLost()
            (reply,) = replies(transport.value())
            self.assertEqual((reply.status, transport.disconnecting), (400, True))

    def test_an_idle_client_closes(self) -> None:
        """Between requests the end of one side is the end."""
        channel, transport = self.connect()
        channel.readConnectionLost()
        self.assertTrue(transport.disconnecting)

    def test_the_site_drains(self) -> None:
        """Connections end with the answers that are due on them, idle ones when they had a moment for a request."""
        idle_channel, idle = self.connect()
        channel, busy = self.connect()
        own, own_transport = self.connect()
        late, late_transport = self.connect()
        channel.dataReceived(GET)
        own.dataReceived(OWN[:10])
        drained = self.site.drain(idle_seconds=2.0)
        self.assertEqual((idle.disconnecting, busy.disconnecting), (False, False))
        echo(self.runner.runs[0])
        self.assertEqual(replies(busy.value())[0].headers["connection"], "close")
        self.assertTrue(busy.disconnecting)
        self.clock.advance(1.0)
        late.dataReceived(GET)
        echo(self.runner.runs[1])
        self.assertEqual(replies(late_transport.value())[0].headers["connection"], "close")
        self.assertFalse(idle.disconnecting)
        self.clock.advance(1.0)
        self.assertTrue(idle.disconnecting)
        own.dataReceived(OWN[10:])
        self.assertEqual(replies(own_transport.value())[0].headers["connection"], "close")
        for remaining in (idle_channel, channel, own):
            ended(remaining)
        self.assertNoResult(drained)
        ended(late)
        self.successResultOf(drained)

    def test_an_empty_site_is_drained(self) -> None:
        """Without connections there is nothing to drain."""
        self.successResultOf(self.site.drain(idle_seconds=2.0))

    def test_no_time_is_left(self) -> None:
        """Who waits for an answer when the site ends gets one that claims nothing, and the run is stopped."""
        channel, transport = self.connect()
        channel.dataReceived(GET)
        streaming, streamed = self.connect()
        streaming.dataReceived(GET)
        self.runner.runs[1].sink.started(Answer(status=200, headers=(), body=b""))
        self.runner.runs[1].sink.write(b"ab", lambda: None)
        self.site.end()
        (reply,) = replies(transport.value())
        self.assertEqual((reply.status, reply.json()["code"]), (503, "outcome_unknown"))
        self.assertTrue(streamed.disconnecting)
        self.assertTrue(streamed.value().endswith(b"2\r\nab\r\n"))
        self.assertEqual([run.cancelled for run in self.runner.runs], [True, True])

    def test_the_site_ends(self) -> None:
        """All connections end; those that do not are cut after a second."""
        good, good_transport = self.connect()
        _, bad_transport = self.connect()
        done = self.site.end()
        self.assertTrue(good_transport.disconnecting)
        ended(good)
        self.assertNoResult(done)
        self.clock.advance(1)
        self.assertTrue(bad_transport.aborted)
        self.successResultOf(done)

    def test_an_empty_site_ends(self) -> None:
        """Without connections there is nothing to wait for."""
        self.successResultOf(self.site.end())

    def test_a_site_ends_with_its_last_connection(self) -> None:
        """It is over as soon as the last connection is."""
        channel, _ = self.connect()
        done = self.site.end()
        ended(channel)
        self.successResultOf(done)


class OwnTests(WebTestCase):
    """The engine's own requests on these connections."""

    def test_headers_of_an_own_answer(self) -> None:
        """It has an id, and does not say what serves it."""
        reply = self.one(OWN)
        self.assertEqual((reply.headers["server"], reply.headers["x-request-id"]), ("aiwebengine", "id-1"))

    def test_cookies_and_query(self) -> None:
        """A resource finds what twisted.web promises it."""
        channel, transport = self.connect()
        seen = []

        def answer(request: object) -> bytes:
            seen.append(request)
            return b""

        self.site.build_factory()
        channel.site.resource.render = answer
        channel.site.resource.isLeaf = True
        channel.dataReceived(b"GET /engine/x?a=1&b= HTTP/1.1\r\nHost: a\r\nCookie: c=d\r\nAccept: */*\r\n\r\n")
        request = seen[0]
        self.assertEqual(request.args, {b"a": [b"1"], b"b": [b""]})  # type: ignore[attr-defined]
        self.assertEqual((request.path, request.getCookie(b"c")), (b"/engine/x", b"d"))  # type: ignore[attr-defined]
        self.assertIsInstance(request.requestHeaders, Headers)  # type: ignore[attr-defined]
        self.assertEqual(request.getHeader(b"accept"), b"*/*")  # type: ignore[attr-defined]
        self.assertEqual(replies(transport.value())[0].status, 200)


class SettingsTests(WebTestCase):
    """The bounds are the settings'."""

    settings = HttpSettings(max_body_bytes=0, max_header_count=10, max_header_bytes=1024, idle_seconds=1.0)

    def test_no_bodies(self) -> None:
        """A server may take no bodies at all."""
        self.refused(POST, 413, "at most 0 bytes")
        self.runner.at_once = echo
        self.assertEqual(self.one(GET).status, 200)

    def test_idle_seconds(self) -> None:
        """Connections end when the settings say so."""
        _, transport = self.connect()
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)


class AnyBytesTests(WebTestCase):
    """Bytes of any kind."""

    def test_any_bytes(self) -> None:
        """Whatever comes, the answers are proper ones and nothing raises."""

        @examples(150)
        @given(
            st.lists(
                st.one_of(
                    st.sampled_from([GET, POST, CHUNKED, OWN, HEAD, b"\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"GET / "]),
                    st.binary(max_size=20),
                ),
                max_size=6,
            )
        )
        def check(pieces: list[bytes]) -> None:
            self.runner.at_once = lambda run: run.sink.answered(Answer(status=200, headers=JSON, body=b"{}"))
            self.serve(a_route("/hello"), a_route("/echo", "POST"))
            channel, transport = self.connect()
            for piece in pieces:
                channel.dataReceived(piece)
            data = transport.value()
            self.assertTrue(not data or data.startswith(b"HTTP/1.1 "))
            ended(channel)

        check()
        self.flushLoggedErrors()
