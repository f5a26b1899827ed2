"""What is taken for the head of a request, and what is said of the rest."""

from __future__ import annotations

import h11
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import (
    CallerError,
    EngineError,
    HeadersTooLarge,
    Invalid,
    NotImplementedByServer,
    UnsupportedVersion,
)
from aiwebengine.web.http.head import (
    check_fields,
    check_path,
    early_fault,
    parse_fields,
    parse_line,
    split_target,
    with_host,
)


class LineTests(SynchronousTestCase):
    """`parse_line`."""

    def test_a_line(self) -> None:
        """Method, target and version come out as they stand."""
        self.assertEqual(parse_line(b"GET /a?b=c HTTP/1.1"), ("GET", "/a?b=c", 1))
        self.assertEqual(parse_line(b"X-Y! * HTTP/1.0"), ("X-Y!", "*", 0))

    def test_what_is_not_a_line(self) -> None:
        """What could be read in two ways is refused, with the reason."""
        for line, words in [
            (b"GET /", '"HTTP/1.1"'),
            (b"GET  / HTTP/1.1", '"HTTP/1.1"'),
            (b"GET / HTTP/1.1 ", '"HTTP/1.1"'),
            (b" GET / HTTP/1.1", '"HTTP/1.1"'),
            (b"GET /a b HTTP/1.1", '"HTTP/1.1"'),
            (b"GET / HTTP/2.0", "speaks HTTP/1.1"),
            (b"PRI * HTTP/2.0", "speaks HTTP/1.1"),
            (b"GET / HTTP/1.2", "speaks HTTP/1.1"),
            (b"GET / http/1.1", '"HTTP/1.1"'),
            (b"G(T / HTTP/1.1", '"HTTP/1.1"'),
            (b"GET /\xc3\xa4 HTTP/1.1", "percent-encode"),
            (b"GET /\x00 HTTP/1.1", "control characters"),
            (b"GET /\tx HTTP/1.1", "control characters"),
            (b"", '"HTTP/1.1"'),
        ]:
            error = self.assertRaises(CallerError, parse_line, line)
            self.assertIsInstance(error, UnsupportedVersion if "speaks" in words else Invalid)
            self.assertIn(words, error.public, line)
            self.assertTrue(error.public.isprintable())


class FieldTests(SynchronousTestCase):
    """`parse_fields`."""

    def test_fields(self) -> None:
        """Names are lower case, values lose the space around them, repeated ones are joined."""
        fields = parse_fields(
            b"Host: a\r\nACCEPT:  text/html \t\r\naccept: */*\r\nCookie: a=1\r\ncookie: b=2\r\nX-Empty:", most=10
        )
        self.assertEqual(
            fields.headers,
            {"host": "a", "accept": "text/html, */*", "cookie": "a=1; b=2", "x-empty": ""},
        )
        self.assertEqual(fields.pairs[1], (b"ACCEPT", b"text/html"))
        self.assertEqual((fields.length, fields.chunked, fields.close), (0, False, False))

    def test_none(self) -> None:
        """A head may have no fields."""
        self.assertEqual(parse_fields(b"", most=10).headers, {})

    def test_other_bytes(self) -> None:
        """Bytes above ASCII in a value are Latin-1."""
        self.assertEqual(parse_fields(b"X: \xe9", most=1).headers["x"], "\xe9")

    def test_the_end_of_the_connection(self) -> None:
        """`close` counts wherever it stands in the list."""
        self.assertTrue(parse_fields(b"Connection: keep-alive, Close", most=1).close)
        self.assertFalse(parse_fields(b"Connection: closed", most=1).close)

    def test_bodies(self) -> None:
        """A body has a length or chunks."""
        self.assertEqual(parse_fields(b"Content-Length: 12", most=1).length, 12)
        chunked = parse_fields(b"Transfer-Encoding: Chunked", most=1)
        self.assertEqual((chunked.chunked, chunked.length), (True, None))
        self.assertTrue(parse_fields(b"Expect: 100-Continue", most=1).continues)

    def test_what_are_no_fields(self) -> None:
        """What could be read in two ways is refused, with the reason."""
        for block, words in [
            (b"A : b", "between the name of a header and its colon"),
            (b"A: b\r\n c: d", "on one line"),
            (b"A: b\r\n\tc", "on one line"),
            (b" A: b", "on one line"),
            (b"A", "a name, a colon and a value"),
            (b": b", "letters, digits and hyphens"),
            (b"\xc3\xa4: b", "letters, digits and hyphens"),
            (b"A: b\x00", "control character"),
            (b"A: b\nC: d", "control character"),
            (b"A: b\rC: d", "control character"),
            (b"A: b\r\n\nC: d", "letters, digits and hyphens"),
            (b"Host: a\r\nHost: a", "once"),
            (b"Content-Length: 1\r\nContent-Length: 1", "once"),
            (b"Content-Length: 1, 1", "number of bytes"),
            (b"Content-Length: +1", "number of bytes"),
            (b"Content-Length: 1\xb2", "number of bytes"),
            (b"Content-Length:", "number of bytes"),
            (b"Content-Length: 99999999999999999999", "number of bytes"),
            (b"Transfer-Encoding: chunked\r\nContent-Length: 1", "not have both"),
            (b"Transfer-Encoding: chunked, gzip", '"chunked"'),
            (b"Transfer-Encoding: chunked, chunked", '"chunked"'),
            (b"Transfer-Encoding: identity", '"chunked"'),
            (b"Transfer-Encoding: \x0bchunked", "control character"),
            (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "once"),
        ]:
            error = self.assertRaises(Invalid, parse_fields, block, most=10)
            self.assertIn(words, error.public, block)

    def test_unknown_coding(self) -> None:
        """A transfer coding that the server does not know is not the client's fault of form: 501."""
        for block in (b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: X , Chunked"):
            error = self.assertRaises(NotImplementedByServer, parse_fields, block, most=10)
            self.assertIn("transfer coding", error.public)

    def test_too_many(self) -> None:
        """A bounded number of fields is read."""
        self.assertEqual(len(parse_fields(b"\r\n".join([b"a: b"] * 5), most=5).pairs), 5)
        error = self.assertRaises(HeadersTooLarge, parse_fields, b"\r\n".join([b"a: b"] * 6), most=5)
        self.assertIn("this one has 6", error.public)

    def test_versions(self) -> None:
        """HTTP/1.1 needs a host; HTTP/1.0 has no chunks."""
        check_fields(parse_fields(b"", most=1), 0)
        check_fields(parse_fields(b"Host:", most=1), 1)
        self.assertRaises(Invalid, check_fields, parse_fields(b"", most=1), 1)
        self.assertRaises(Invalid, check_fields, parse_fields(b"Transfer-Encoding: chunked", most=1), 0)


class TargetTests(SynchronousTestCase):
    """`split_target`, `with_host` and `check_path`."""

    def test_absolute_targets(self) -> None:
        """A proxy's form of a target is taken apart."""
        self.assertEqual(split_target("http://a:80/b?c"), ("a:80", "/b?c"))
        self.assertEqual(split_target("HTTPS://a"), ("a", "/"))
        self.assertEqual(split_target("http://a?b"), ("a", "/?b"))
        self.assertEqual(split_target("*"), (None, "*"))

    def test_other_targets(self) -> None:
        """A target of another kind is refused."""
        for target in ("a/b", "ftp://a/b", "http://", "http:///b", "http://user@a/", "example.org:443", "?a"):
            self.assertIn("begins with /", self.assertRaises(Invalid, split_target, target).public, target)

    def test_the_host_of_the_target_counts(self) -> None:
        """Its host takes the place of the header's."""
        fields = with_host(parse_fields(b"A: b\r\nHost: c\r\nContent-Length: 3", most=5), "d")
        self.assertEqual((fields.headers["host"], fields.headers["a"], fields.length), ("d", "b", 3))
        self.assertEqual([value for name, value in fields.pairs if name == b"Host"], [b"d"])

    def test_paths(self) -> None:
        """A path that cannot be decoded is refused, and says where."""
        check_path("/a%20b/%C3%A4/%25")
        for path, words in [
            ("/%", "two hexadecimal"),
            ("/%zz", '"%zz"'),
            ("/100%!", "%25"),
            ("/%00", "NUL"),
            ("/%FF", "UTF-8"),
            ("/%C3%28", "UTF-8"),
            ("/a#b", "fragment"),
        ]:
            self.assertIn(words, self.assertRaises(Invalid, check_path, path).public, path)


class EarlyTests(SynchronousTestCase):
    """`early_fault`."""

    def test_what_can_never_become_a_head(self) -> None:
        """A greeting of TLS and lines without CR are told at once, not after a minute."""
        self.assertIn("HTTPS", early_fault(b"\x16\x03\x01\x02") or "")
        self.assertIn("CR", early_fault(b"GET / HTTP/1.1\nHost: a\n\n") or "")
        self.assertIsNone(early_fault(b"GET / HTTP/1.1\r\nHo"))
        self.assertIsNone(early_fault(b"GET / HTTP/1.1\r"))


_TOKEN = st.text("AZaz09-_!", min_size=1, max_size=6)
_NOISE = st.sampled_from([b" ", b"\t", b"\r\n", b"\n", b"\r", b":", b"\x00", b"\xff", b"chunked", b"1", b","])


@st.composite
def _heads(draw: st.DrawFn) -> bytes:
    """Return heads, most of them almost right."""
    lines = [b"GET /%s HTTP/1.1" % draw(_TOKEN).encode(), b"Host: a"]
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.one_of(_TOKEN, st.sampled_from(["Content-Length", "Transfer-Encoding", "Connection"])))
        value = draw(st.one_of(_TOKEN, st.sampled_from(["0", "3", "chunked", "close", "3, 3"])))
        lines.append(name.encode() + b": " + value.encode())
    head = b"\r\n".join(lines)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(head)))
        head = head[:at] + draw(_NOISE) + head[at:]
    return head


@given(_heads())
def test_what_is_taken_is_what_others_read(head: bytes) -> None:
    """A head that is taken means the same to another strict parser: the same fields and the same framing."""
    line, _, block = head.partition(b"\r\n")
    if b"\r\n\r\n" in head + b"\r\n":
        return
    try:
        method, target, minor = parse_line(line)
        fields = parse_fields(block, most=100)
        check_fields(fields, minor)
    except EngineError:
        return
    other = h11.Connection(h11.SERVER)
    other.receive_data(head + b"\r\n\r\n")
    event = other.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method.decode(), event.target.decode()) == (method, target)
    theirs: dict[str, str] = {}
    for name, value in event.headers:
        text = value.decode("latin-1")
        theirs[name.decode()] = f"{theirs[name.decode()]}, {text}" if name.decode() in theirs else text
    assert {name: value for name, value in fields.headers.items() if name != "transfer-encoding"} == {
        name: value for name, value in theirs.items() if name != "transfer-encoding"
    }
    following = other.next_event()
    assert (fields.length == 0 and not fields.chunked) == isinstance(following, h11.EndOfMessage)
