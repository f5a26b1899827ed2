"""WebSockets on connections in memory, on a clock of their own."""

from __future__ import annotations

from typing import Any

import pytest

from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.settings.schema import WebSocketSettings
from aiwebengine.values import Request
from aiwebengine.web.http.exchange import Exchange
from aiwebengine.web.websocket.connection import WebSockets
from aiwebengine.web.websocket.frames import OutgoingMessage, text_message
from aiwebengine.web.websocket.upgrade import Socket
from tests.support.clients.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame_bytes
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.fakes.turns import TurnClock, endless_turn, short_turns
from tests.unit.web.support import Client, WebTestCase, replies


class Owner:
    """Keeps what it is told of a socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.heard: list[Any] = []

    def text(self, data: bytes) -> None:
        self.heard.append(data.decode())

    def binary(self, data: bytes) -> None:
        self.heard.append(data)

    def closed(self, code: int, reason: str) -> None:
        self.heard.append((code, reason))

    def drained(self) -> None:
        self.heard.append("drained")


class Place:
    """The engine's own path `/ws`."""

    path = "/ws"
    protocols = ("v2", "v1")

    def __init__(self) -> None:
        self.owners: list[Owner] = []

    def open(self, socket: Socket, request: Request) -> Owner:
        owner = Owner(socket)
        self.owners.append(owner)
        return owner


class SocketTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.make()

    def make(
        self,
        *,
        reading: TurnShare | None = None,
        writing: TurnShare | None = None,
        threads: ThreadsInTurn | None = None,
        **settings: Any,
    ) -> None:
        """Speak WebSocket, within these settings."""
        self.place = Place()
        self.sockets = WebSockets(
            reactor=self.clock,
            settings=WebSocketSettings(**settings),
            threads=threads or ThreadsInTurn(),
            reading=reading or endless_turn(),
            writing=writing or endless_turn(),
        )
        enter = self.sockets.endpoint(self.place)

        def more(exchange: Exchange, request: Request) -> bool:
            if request.path == self.place.path:
                enter(exchange, request)
            return request.path == self.place.path

        self.site = self.make_site(responders=[more])

    def open(self, **headers: str) -> tuple[Client, Owner]:
        """Open a WebSocket."""
        client = Client(self, "/ws", {name.replace("_", "-"): value for name, value in headers.items()})
        self.assertEqual(client.status, 101, client.head)
        return client, self.place.owners[-1]

    def test_both_ways(self) -> None:
        """Texts and bytes go both ways, in one frame of any size or in several."""
        client, owner = self.open()
        client.say("hello 🙂")
        client.frame(BINARY, b"\0\xff")
        client.frame(TEXT, b"two ", fin=False)
        client.frame(PING, b"between")
        client.frame(CONTINUATION, b"pieces")
        self.assertEqual(owner.heard, ["hello 🙂", b"\0\xff", "two pieces"])
        self.assertEqual(client.frames, [(PONG, b"between")])
        for size in (0, 125, 126, 65_535, 65_536):
            owner.socket.send(OutgoingMessage(b"x" * size, binary=True))
            client.read()
            self.assertEqual(client.frames[-1], (BINARY, b"x" * size))
        owner.socket.send_text("\ud800 alone")
        client.read()
        self.assertEqual(client.texts, ["? alone"])

    def test_many_frames_at_once(self) -> None:
        """Thousands of frames that come together are taken in several turns, and nothing is read meanwhile."""
        clock = TurnClock()
        self.make(reading=short_turns(clock, 3))
        client, owner = self.open()
        self.assertEqual(client.wire.producerState, "producing")
        tiny = frame_bytes(CONTINUATION, b"x", fin=False)
        data = frame_bytes(TEXT, b"begin", fin=False) + tiny * 3000 + frame_bytes(CONTINUATION, b"end")
        client.channel.dataReceived(data + frame_bytes(TEXT, b"x" * 50_000))
        self.assertEqual((owner.heard, client.wire.producerState), ([], "paused"))
        self.assertIn(clock.turns(), range(3, 20))
        self.assertEqual(owner.heard, ["begin" + "x" * 3000 + "end", "x" * 50_000])
        self.assertEqual(client.wire.producerState, "producing")

    def test_the_first_one_waits_for_a_thread(self) -> None:
        """Autobahn is imported in a thread when the first one is opened; the client waits meanwhile."""
        threads = ThreadsInTurn(at_once=False)
        self.make(threads=threads)
        clients = [Client(self, "/ws") for _ in range(2)]
        self.assertEqual([client.head for client in clients], ["", ""])
        while threads.step():
            pass
        for client in clients:
            client.read()
            self.assertEqual(client.status, 101)

    def test_the_server_stops_while_the_first_one_waits(self) -> None:
        """If the server stops meanwhile the client is told to come back."""
        threads = ThreadsInTurn(at_once=False)
        self.make(threads=threads)
        client = Client(self, "/ws")
        self.sockets.end()
        threads.step()
        client.read()
        self.assertEqual(client.status, 503)

    def test_paused_by_its_owner(self) -> None:
        """What its owner has paused is not read on because a turn has ended."""
        clock = TurnClock()
        self.make(reading=short_turns(clock, 3))
        client, owner = self.open()
        client.channel.dataReceived(frame_bytes(TEXT, b"x") * 1000)
        owner.socket.pause()
        clock.turns()
        self.assertEqual((len(owner.heard), client.wire.producerState), (1000, "paused"))
        owner.socket.resume()
        self.assertEqual(client.wire.producerState, "producing")

    @pytest.mark.setting("websocket.compress")
    def test_agreements(self) -> None:
        """The subprotocol and the compression that both know are agreed upon."""
        client, owner = self.open(sec_websocket_protocol="v1, v2", sec_websocket_extensions="permessage-deflate")
        self.assertEqual(owner.socket.protocol, "v1")
        self.assertIn("sec-websocket-protocol: v1", client.head.lower())
        self.assertIn("permessage-deflate", client.head.lower())
        for _ in range(2):
            owner.socket.send_text("packed " * 100)
        client.read()
        self.assertEqual(client.texts, ["packed " * 100] * 2)
        self.make(compress=False)
        client, owner = self.open(sec_websocket_protocol="v9", sec_websocket_extensions="permessage-deflate")
        self.assertEqual((owner.socket.protocol, "permessage" in client.head), ("", False))

    def test_offers_that_cannot_be_met(self) -> None:
        """An offer of an extension that is not known, or of a window that cannot be had, is declined, not refused."""
        for offered, agreed in [
            ("permessage-deflate; server_max_window_bits=8", ""),
            ("bogus=1, permessage-deflate", "permessage-deflate"),
            ("x-webkit-deflate-frame", ""),
            ("permessage-deflate; nonsense", ""),
            ("permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"),
            ("permessage-deflate; client_max_window_bits; client_max_window_bits=10", ""),
            ('permessage-deflate; server_max_window_bits="10"', "permessage-deflate"),
            (";;,=", ""),
        ]:
            client, owner = self.open(sec_websocket_extensions=offered)
            self.assertEqual("permessage-deflate" in client.head, bool(agreed), offered)
            owner.socket.send_text("works " * 50)
            client.read()
            self.assertEqual(client.texts, ["works " * 50])

    @pytest.mark.setting("websocket.origins")
    def test_pages_of_other_sites(self) -> None:
        """A page of another site may open a WebSocket if the settings name its origin."""
        self.make(origins=("https://friend.example",))
        for origin, status in (("https://friend.example", 101), ("https://evil.example", 403)):
            self.assertEqual(Client(self, "/ws", {"origin": origin}).status, status)

    @pytest.mark.setting("websocket.max_script_connections")
    def test_too_many_of_one_script(self) -> None:
        """A script has no more open connections than it may have; those of others are not counted."""
        self.make(max_script_connections=1)

        def enter(exchange: Exchange, request: Request) -> bool:
            self.sockets.admit(request, modern=True, owner=request.path)
            self.sockets.begin(exchange, request, owner=request.path, protocols=(), opened=Owner)
            return True

        self.site = self.make_site(responders=[enter])
        client = Client(self, "/greedy", {})
        statuses = [client.status, *(Client(self, path, {}).status for path in ("/greedy", "/modest"))]
        self.assertEqual(statuses, [101, 429, 101])
        client.gone()
        self.assertEqual(Client(self, "/greedy", {}).status, 101)

    def test_messages_to_many(self) -> None:
        """A message to many is put together once; those that follow soon leave together, in their order."""
        clients = [self.open()[0] for _ in range(2)]
        packing = self.open(sec_websocket_extensions="permessage-deflate; server_max_window_bits=9")[0]
        messages = [text_message(f"{number} " + "x" * 200) for number in range(3)]
        for message in messages:
            for owner in self.place.owners:
                owner.socket.send(message, soon=True)
        for client in (*clients, packing):
            client.read()
            self.assertEqual(client.texts, [messages[0].data.decode()])
        self.clock.advance(0.02)
        for client in (*clients, packing):
            client.read()
            self.assertEqual(client.texts, [message.data.decode() for message in messages])
        owner = self.place.owners[0]
        owner.socket.send(messages[0], soon=True)
        owner.socket.send_text("at once")
        clients[0].read()
        self.assertEqual(clients[0].texts[-2:], [messages[0].data.decode(), "at once"])
        owner.socket.send(messages[1], soon=True)
        owner.socket.close(1000, "")
        clients[0].read()
        self.assertEqual([opcode for opcode, _ in clients[0].frames[-2:]], [TEXT, CLOSE])
        packing.gone()
        self.place.owners[2].socket.send(messages[0], soon=True)
        self.clock.advance(1)

    def test_nothing_behind_the_end(self) -> None:
        """What waits for its moment when the client closes is not sent behind the closing frame."""
        client, owner = self.open()
        owner.socket.send_text("one")
        for _ in range(2):
            owner.socket.send(text_message("two"), soon=True)
        client.close(1000)
        self.clock.advance(1)
        self.assertEqual([opcode for opcode, _ in client.frames], [TEXT, TEXT, CLOSE])

    def test_messages_behind_the_request(self) -> None:
        """What a client sends before it has read the answer is heard."""
        channel, transport = self.connect(self.site)
        client = Client(self, "/nothing")
        lines = [
            "GET /ws HTTP/1.1", "host: a", "upgrade: websocket", "connection: upgrade",
            "sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
        ]  # fmt: skip
        channel.dataReceived("\r\n".join(lines).encode() + b"\x81\x82\0\0\0\0hi")
        self.assertEqual(self.place.owners[-1].heard, ["hi"])
        self.assertTrue(transport.value().startswith(b"HTTP/1.1 101 "))
        self.assertEqual(client.status, 404)

    def test_the_client_closes(self) -> None:
        """A client that closes is answered, and its owner told why; one that breaks off has the code 1006."""
        client, owner = self.open()
        client.close(4001, b"enough")
        self.assertEqual((owner.heard, client.closed_with), ([(4001, "enough")], 4001))
        client, owner = self.open()
        client.close(1014)
        self.assertEqual((owner.heard, client.closed_with), ([(1014, "")], 1014))
        owner.socket.send_text("too late")
        client.read()
        self.assertEqual(client.texts, [])
        client, owner = self.open()
        client.gone()
        self.assertEqual(owner.heard, [(1006, "")])
        self.assertEqual(self.sockets.state(), {"open": 0, "opened": 3, "refused": 0})

    @pytest.mark.setting("websocket.close_seconds")
    def test_the_owner_closes(self) -> None:
        """After the closing frame nothing is sent or heard; a client that does not answer it is cut off."""
        self.make(close_seconds=2.0)
        client, owner = self.open()
        owner.socket.close(4000, "ü" * 100)
        owner.socket.close(1000, "again")
        owner.socket.send_text("too late")
        client.read()
        client.say("too late")
        self.assertEqual([opcode for opcode, _ in client.frames], [CLOSE])
        self.assertEqual(client.frames[0][1][2:].decode(), "ü" * 61)
        self.assertEqual(owner.heard, [])
        self.clock.advance(2)
        client.read()
        self.assertEqual((client.over, owner.heard), (True, [(1006, "")]))

    @pytest.mark.setting("websocket.ping_seconds", "websocket.pong_seconds")
    def test_silent_clients(self) -> None:
        """Who is silent is asked, and cut off without an answer; who answers or speaks stays."""
        self.make(ping_seconds=10.0, pong_seconds=2.0)
        client, owner = self.open()
        self.clock.advance(10)
        client.read()
        (ping,) = client.frames
        self.assertEqual(ping[0], PING)
        client.frame(PONG, ping[1])
        self.clock.advance(9.9)
        client.read()
        self.assertEqual(client.frames, [ping])
        self.clock.advance(0.1)
        client.say("still here")
        self.clock.advance(2)
        client.read()
        self.assertEqual((len(client.frames), client.over), (2, False))
        self.clock.advance(8)
        self.clock.advance(2)
        client.read()
        self.assertEqual((len(client.frames), client.over), (3, True))
        self.assertEqual(owner.heard, ["still here", (1006, "")])

    @pytest.mark.setting("websocket.buffer_bytes")
    def test_slow_readers(self) -> None:
        """What waits for a client is bounded; one that catches up in time goes on, and its owner is told."""
        self.make(buffer_bytes=1024)
        client, owner = self.open()
        client.channel.pauseProducing()
        owner.socket.send_text("x" * 1000)
        self.assertGreater(owner.socket.buffered, 1000)
        client.channel.resumeProducing()
        self.assertEqual((owner.socket.buffered, owner.heard), (0, ["drained"]))
        client.channel.pauseProducing()
        owner.socket.send_text("x" * 1000)
        owner.socket.send_text("x" * 1000)
        client.read()
        self.assertEqual((client.closed_with, len(client.texts)), (1013, 2))

    def test_busy_owners(self) -> None:
        """While its owner is busy nothing is read from a client."""
        client, owner = self.open()
        owner.socket.pause()
        self.assertEqual(client.wire.producerState, "paused")
        owner.socket.resume()
        self.assertEqual(client.wire.producerState, "producing")

    @pytest.mark.setting("websocket.max_message_bytes", "websocket.max_frame_bytes")
    def test_broken_frames(self) -> None:
        """What breaks the protocol, or is too large, ends the connection with the code that says so."""
        self.make(max_message_bytes=2048, max_frame_bytes=1024)
        for frame, code in (
            ((TEXT, b"\xff"), 1007),
            ((TEXT, b"x" * 1025), 1009),
            ((3, b""), 1002),
            ((CONTINUATION, b"x"), 1002),
            ((CLOSE, b"\x03\xed"), 1002),
        ):
            client, owner = self.open()
            client.frame(*frame)
            self.assertEqual((frame[0], client.closed_with), (frame[0], code))
            self.assertEqual([event for event in owner.heard if not isinstance(event, tuple)], [])
            client.gone()
            self.assertEqual(owner.heard[-1][0], code)
        client, _ = self.open()
        client.frame(TEXT, b"unmasked", masked=False)
        self.assertEqual(client.closed_with, 1002)
        client, _ = self.open()
        for _ in range(3):
            client.frame(TEXT if not _ else CONTINUATION, b"x" * 1000, fin=False)
        self.assertEqual(client.closed_with, 1009)

    @pytest.mark.setting("websocket.max_connections")
    def test_too_many(self) -> None:
        """One more than may be open is told to come back."""
        self.make(max_connections=1)
        client, _ = self.open()
        other = Client(self, "/ws")
        self.assertEqual(other.status, 429)
        self.assertIn("retry-after: 5", other.head.lower())
        client.close()
        self.open()
        self.assertEqual(self.sockets.state()["refused"], 1)

    def test_the_server_stops(self) -> None:
        """Clients are told to come back, and nobody new is let in."""
        client, _ = self.open()
        self.sockets.end()
        client.read()
        self.assertEqual(client.closed_with, 1012)
        other = Client(self, "/ws")
        self.assertEqual(other.status, 503)

    def test_the_server_stops_with_many(self) -> None:
        """Thousands of clients are told to come back in many turns of the reactor."""
        turns = TurnClock()
        self.make(writing=short_turns(turns, 3))
        clients = [self.open()[0] for _ in range(30)]
        self.sockets.end()
        self.assertGreater(turns.turns(), 5)
        for client in clients:
            client.read()
            self.assertEqual(client.closed_with, 1012)

    def test_a_request_that_asks_for_none(self) -> None:
        """A plain request is told what is missing, with the header that proxies read."""
        channel, transport = self.connect(self.site)
        channel.dataReceived(b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n")
        (reply,) = replies(transport.value())
        self.assertEqual((reply.status, reply.headers["upgrade"]), (426, "websocket"))
