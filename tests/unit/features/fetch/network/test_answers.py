"""Answers of servers, read piece by piece."""

from __future__ import annotations

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiwebengine.features.fetch.network.answers import MOST_FIELDS, AnswerParser, HeadTooLarge, NotHttp
from tests.support.examples import examples

HEAD = b"HTTP/1.1 200 OK\r\n"


def parser(method="GET", most_head_bytes=10_000):
    return AnswerParser(method=method, most_head_bytes=most_head_bytes)


def read(data, *, method="GET", at_once=None):
    """Read an answer in pieces; return the parser and the body."""
    made = parser(method)
    size = at_once or len(data) or 1
    body = b"".join(made.feed(data[at : at + size]) for at in range(0, len(data), size))
    return made, body


@pytest.mark.parametrize("at_once", [None, 1, 7])
def test_length(at_once):
    """An answer with a length is over when so much of its body has come."""
    made, body = read(HEAD + b"X-Own:  a b \t\r\nContent-Length: 3\r\n\r\nabc", at_once=at_once)
    assert (made.head.status, made.head.phrase) == (200, "OK")
    assert made.head.headers == [("x-own", "a b"), ("content-length", "3")]
    assert (body, made.complete, made.reusable, made.ends_with_connection) == (b"abc", True, True, False)


@pytest.mark.parametrize("at_once", [None, 1, 7])
def test_chunks(at_once):
    """Chunks are joined, and what stands behind them is dropped."""
    data = HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nTrailer-Of: mine\r\n\r\n"
    made, body = read(data, at_once=at_once)
    assert (body, made.complete, made.reusable) == (b"abcde", True, True)
    assert made.head.headers == [("transfer-encoding", "chunked")]


def test_pieces_are_joined():
    """Chunks of one byte that arrive together are one piece."""
    made = parser()
    made.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    assert made.feed(b"1\r\nx\r\n" * 1000) == b"x" * 1000
    assert not made.complete


def test_until_the_connection_ends():
    """Without a length the end of the connection is that of the body, and it cannot be used again."""
    for data in (HEAD + b"\r\nabc", HEAD + b"Transfer-Encoding: gzip\r\n\r\nabc"):
        made, body = read(data)
        assert (body, made.complete, made.reusable, made.ends_with_connection) == (b"abc", False, False, True)


@pytest.mark.parametrize(
    ("data", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", True),
    ],
)
def test_use_again(data, reusable):
    """A connection is used again if the version and the fields of the answer allow it."""
    made, body = read(data)
    assert (body, made.complete, made.reusable) == (b"", True, reusable)


def test_head():
    """An answer to HEAD is over with its head, whatever that says of a body; bytes behind it are none of it."""
    for framing in (b"Content-Length: 100\r\n", b"Transfer-Encoding: chunked\r\n"):
        made, body = read(HEAD + framing + b"\r\n", method="HEAD")
        assert (body, made.complete, made.reusable) == (b"", True, True)
        made, body = read(HEAD + framing + b"\r\nabc", method="HEAD")
        assert (body, made.complete, made.reusable) == (b"", True, False)
    made, body = read(HEAD + b"\r\n", method="HEAD")
    assert (made.complete, made.reusable, made.ends_with_connection) == (True, False, False)


def test_surplus():
    """A connection on which more comes than was asked for is not used again."""
    for surplus in (b"HTTP/1.1 200 OK\r\n", b"x", b"\0\1\2"):
        made, body = read(HEAD + b"Content-Length: 1\r\n\r\na" + surplus)
        assert (body, made.complete, made.reusable) == (b"a", True, False)
    made = parser()
    made.feed(HEAD + b"Content-Length: 1\r\n\r\na")
    made.feed(HEAD)
    assert not made.reusable


@pytest.mark.parametrize("at_once", [None, 1])
def test_interim(at_once):
    """Interim answers are passed over, with their fields."""
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        + HEAD
        + b"Content-Length: 1\r\n\r\na"
    )
    made, body = read(data, at_once=at_once)
    assert (made.head.status, made.head.phrase, made.head.headers) == (200, "OK", [("content-length", "1")])
    assert (body, made.reusable) == (b"a", True)


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"X-A : b\r\n\r\n",
        HEAD + b"X-A: b\0c\r\n\r\n",
        HEAD + b"X-A: b\r\n c\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
    ],
)
def test_not_http(data):
    """What two programs could read in two ways is refused."""
    with pytest.raises(NotHttp):
        read(data)


@pytest.mark.setting("fetch.max_head_bytes")
def test_large_heads():
    """A head that is larger than allowed is refused: at once, byte by byte, and with interim answers."""
    for data in (
        HEAD + b"x-a: " + b"z" * 20_000 + b"\r\n\r\n",
        HEAD + b"x-a: zzzzzzzz\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 " + b"O" * 20_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
    ):
        for size in (len(data), 100):
            with pytest.raises(HeadTooLarge):
                read(data, at_once=size)


def test_many_fields():
    """Very many fields are refused however short they are, also behind the body."""
    fields = b"a:\r\n" * (MOST_FIELDS + 2)
    with pytest.raises(HeadTooLarge):
        parser(most_head_bytes=10**6).feed(HEAD + fields)
    made = parser(most_head_bytes=10**6)
    made.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
    with pytest.raises(HeadTooLarge):
        made.feed(fields)


NAMES = st.sampled_from(["x-a", "X-B", "Set-Cookie", "content-type", "vary", "x_c", "!"])
VALUES = st.text(st.sampled_from('ab ,;=\t"é~'), max_size=12)
FRAMES = st.sampled_from(
    [
        ("", b"abc"),
        ("Content-Length: 3\r\n", b"abc"),
        ("content-length: 0\r\n", b""),
        ("Transfer-Encoding: chunked\r\n", b"1\r\na\r\n02;x=y\r\nbc\r\n0\r\n\r\n"),
        ("transfer-encoding: Chunked\r\n", b"3\r\nabc\r\n0\r\nT: u\r\n\r\n"),
        ("Content-Length: 3\r\nConnection: close\r\n", b"abc"),
    ]
)
STATUSES = st.sampled_from([200, 201, 204, 206, 301, 304, 404, 418, 500, 599])
PHRASES = st.sampled_from(["OK", "", "Not so well", "Größe"])


@examples(200)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST"]),
    version=st.sampled_from(["1.1", "1.0"]),
    status=STATUSES,
    phrase=PHRASES,
    fields=st.lists(st.tuples(NAMES, VALUES), max_size=5),
    frame=FRAMES,
    interim=st.booleans(),
    at_once=st.integers(1, 200),
)
@example(
    method="GET", version="1.1", status=200, phrase="", fields=[("x-a", "")], frame=("", b""), interim=True, at_once=1
)
def test_beside_another_reader(method, version, status, phrase, fields, frame, interim, at_once):
    """Another implementation reads the same status, fields and body, and finds the same end."""
    framing, content = frame
    if status in {204, 304} or method == "HEAD":
        content = b""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    data = f"HTTP/{version} {status} {phrase}\r\n{lines}{framing}\r\n".encode("latin-1") + content
    if interim:
        data = b"HTTP/1.1 103 Early Hints\r\nx-early: yes\r\n\r\n" + data
    made, body = read(data, method=method, at_once=at_once)
    other = h11.Connection(h11.CLIENT)
    other.send(h11.Request(method=method, target="/", headers=[("host", "a"), ("content-length", "0")]))
    other.send(h11.EndOfMessage())
    other.receive_data(data)
    other_body, over = b"", False
    while (event := other.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
        match event:
            case h11.Response():
                head = event
            case h11.Data():
                other_body += bytes(event.data)
            case h11.EndOfMessage():
                over = True
                break
    shown = [(name.decode(), value.decode("latin-1")) for name, value in head.headers]
    # The other one tells transfer codings in lower case.
    assert [
        (name, value.lower() if name == "transfer-encoding" else value) for name, value in made.head.headers
    ] == shown
    assert (made.head.status, made.head.phrase.encode("latin-1")) == (head.status_code, bytes(head.reason))
    assert (body, made.complete) == (other_body, over)
    if made.reusable:
        assert other.their_state is h11.DONE


@examples(200)
@given(data=st.binary(max_size=200), frame=FRAMES, cut=st.integers(0, 100))
def test_any_bytes(data, frame, cut):
    """Whatever arrives is read, or refused as what it is; nothing else is ever raised."""
    framing, content = frame
    whole = HEAD + framing.encode() + b"\r\n" + content
    for text in (data, whole[:cut] + data + whole[cut:]):
        made = parser(most_head_bytes=100)
        try:
            made.feed(text)
        except (NotHttp, HeadTooLarge):
            continue
