"""From header fields to who sends, and to a request's value."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid
from aiwebengine.web.http.head import parse_fields
from aiwebengine.web.http.read import Reader, Sender


def _reader(*, trusted: tuple[str, ...] = (), public_url: str = "") -> Reader:
    return Reader(new_id=lambda: "made", trusted_proxies=trusted, public_url=public_url)


def _sender(block: bytes, *, peer: str = "192.0.2.7", secure: bool = False, reader: Reader | None = None) -> Sender:
    return (reader or _reader()).sender(parse_fields(block, most=20), peer=peer, secure=secure)


class SenderTests(SynchronousTestCase):
    """`Reader.sender`."""

    def test_nobody_is_trusted(self) -> None:
        """Without trusted proxies, forwarded headers are just headers."""
        block = b"Host: a\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Request-Id: x"
        sender = _sender(block)
        self.assertEqual((sender.client, sender.origin, sender.given_id), ("192.0.2.7", "http://a", None))
        self.assertEqual(_reader().identify(sender), "made")

    def test_token(self) -> None:
        """The owner's token is kept apart, and no script is told of it."""
        sender = _sender(b"Host: a\r\nX-Aiwebengine-Token: awe_x\r\nX-Other: y")
        self.assertEqual((sender.token, sender.headers), ("awe_x", {"host": "a", "x-other": "y"}))
        self.assertNotIn("awe_x", sender.json)
        self.assertEqual(_sender(b"Host: a").token, "")

    def test_others_are_not_trusted(self) -> None:
        """Only the proxies that are named are believed."""
        sender = _sender(b"Host: a\r\nX-Forwarded-For: 1.2.3.4", reader=_reader(trusted=("10.0.0.0/8",)))
        self.assertEqual(sender.client, "192.0.2.7")

    def test_forwarded_addresses(self) -> None:
        """The client is the last address that no trusted proxy vouches for; rubbish ends the search."""
        reader = _reader(trusted=("192.0.2.0/24", "2001:db8::/32"))
        for hops, client in [
            (b"1.2.3.4", "1.2.3.4"),
            (b"6.6.6.6, 1.2.3.4", "1.2.3.4"),
            (b"6.6.6.6, 1.2.3.4, 192.0.2.9", "1.2.3.4"),
            (b"1.2.3.4:5678", "1.2.3.4"),
            (b"[2001:db9::1]:80, 2001:db8::5", "2001:db9::1"),
            (b"192.0.2.1, 192.0.2.2", "192.0.2.1"),
            (b"1.2.3.4, unknown", "192.0.2.7"),
            (b"1.2.3.4, unknown, 192.0.2.3", "192.0.2.3"),
            (b"", "192.0.2.7"),
        ]:
            sender = _sender(b"Host: a\r\nX-Forwarded-For: " + hops, reader=reader)
            self.assertEqual(sender.client, client, hops)

    def test_mapped_addresses(self) -> None:
        """An IPv4 proxy on an IPv6 listener is the same proxy."""
        reader = _reader(trusted=("192.0.2.0/24",))
        sender = _sender(b"Host: a\r\nX-Forwarded-For: 1.2.3.4", peer="::ffff:192.0.2.7", reader=reader)
        self.assertEqual(sender.client, "1.2.3.4")

    def test_trace(self) -> None:
        """The trace of a trusted client is kept and told to the handler; that of others is not."""
        given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        lines = f"Host: a\r\ntraceparent: {given}".encode()
        trusted = _reader(trusted=("192.0.2.0/24",))
        sender = _sender(lines, reader=trusted)
        self.assertEqual(sender.trace, given)
        self.assertIn(f'"trace":"{given}"', sender.json)
        for sender in (_sender(lines, reader=_reader()), _sender(lines + b"x", reader=trusted)):
            self.assertEqual(sender.trace, "")
            self.assertNotIn('"trace"', sender.json)

    def test_no_address(self) -> None:
        """A connection without an address, such as a socket file, is nobody's."""
        sender = _sender(b"Host: a\r\nX-Forwarded-For: 1.2.3.4", peer="", reader=_reader(trusted=("0.0.0.0/0",)))
        self.assertEqual(sender.client, "")

    def test_hosts_without_url(self) -> None:
        """A host of which no URL can be made is the client's fault, before a script has to make one of it."""
        for host in (b"x:65536", b"x:99999", b"1.2.3.4.5", b"1.2.3.999", b"a.5", b"4294967296", b"[::1]:70000"):
            self.assertRaises(Invalid, lambda host=host: _sender(b"Host: " + host).origin)
        for host in (b"x:65535", b"127.0.0.1:80", b"127.1", b"1.2.3.4.", b"a5", b"5a.b", b"xn--9ca.test:00080"):
            self.assertEqual(_sender(b"Host: " + host).origin, "http://" + host.decode())

    def test_origins(self) -> None:
        """Scheme and host are those that the client sees."""
        self.assertEqual(_sender(b"Host: Example.org:81").origin, "http://Example.org:81")
        self.assertEqual(_sender(b"Host: [::1]:80", secure=True).origin, "https://[::1]:80")
        self.assertEqual(_sender(b"").origin, "http://localhost")
        self.assertEqual(_sender(b"Host: a", reader=_reader(public_url="https://x.org/")).origin, "https://x.org")
        for host in (b"a/b", b"a@b", b"a b", b"a:b", b"[a]", b"a:123456", b"\xe4", b"<"):
            self.assertRaises(Invalid, _sender, b"Host: " + host)


class RequestTests(SynchronousTestCase):
    """`Reader.read`."""

    def test_a_request(self) -> None:
        """Path and query stay as they were; the address is whole."""
        sender = _sender(b"Host: a\r\nAccept: b")
        request = _reader().read(identity="1", method="PUT", target="/%C3%A4?b=%zz?", sender=sender, body=b"c")
        self.assertEqual((request.path, request.query, request.url), ("/%C3%A4", "b=%zz?", "http://a/%C3%A4?b=%zz?"))
        self.assertEqual((request.id, request.method, request.body, request.client), ("1", "PUT", b"c", "192.0.2.7"))
        self.assertEqual(request.headers, {"host": "a", "accept": "b"})

    def test_a_bad_path(self) -> None:
        """A path that cannot be decoded is refused."""
        for target in ("/%", "/a#b"):
            self.assertRaises(
                Invalid, _reader().read, identity="1", method="GET", target=target, sender=_sender(b""), body=b""
            )
