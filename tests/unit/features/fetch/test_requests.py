"""What a script asks for, checked."""

from __future__ import annotations

import base64

import pytest

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.features.fetch.requests import read_bytes, read_wanted, with_defaults
from aiwebengine.features.fetch.settings import FetchSettings

SETTINGS = FetchSettings(max_request_bytes=100)


def read(**members):
    return read_wanted({"url": "https://a.example/", "method": "GET", **members}, SETTINGS)


def test_least():
    """A request needs no more than its address and method."""
    wanted = read()
    assert (wanted.url, wanted.method, wanted.headers, wanted.redirect) == ("https://a.example/", "GET", [], "follow")
    assert (wanted.retries, wanted.body, wanted.written, wanted.length, wanted.integrity) == (0, None, False, None, [])
    assert wanted.safe


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "get", "PURGE"])
def test_unsafe(method):
    """Whatever is not GET, HEAD or OPTIONS may change something, and is sent as it is written."""
    wanted = read(method=method)
    assert wanted.method == method
    assert not wanted.safe


def test_bodies():
    """A body is text or base64, or is written later with a known or unknown length."""
    assert read(text="h\u00e9").body == "h\u00e9".encode()
    assert read(text="\ud800").body == b"?"
    assert read(base64=base64.b64encode(b"\0\xff").decode()).body == b"\0\xff"
    later = read(written=True, length=7)
    assert (later.body, later.written, later.length) == (None, True, 7)
    assert read(written=1).written is False


@pytest.mark.parametrize(
    "members",
    [{"text": "x" * 101}, {"base64": base64.b64encode(b"x" * 101).decode()}, {"written": True, "length": 101}],
)
@pytest.mark.setting("fetch.max_request_bytes")
def test_too_large(members):
    """A body that is larger than the setting is refused before anything is sent, with both sizes."""
    with pytest.raises(TooLarge, match="at most 100 bytes; it has 101") as refused:
        read(**members)
    assert refused.value.details == {"reason": "size"}


@pytest.mark.parametrize(
    "members",
    [
        {"url": 7},
        {"url": None},
        {"method": None},
        {"method": ""},
        {"method": "G T"},
        {"method": "GET\r\nx: y"},
        {"method": "M" * 33},
        {"method": "CONNECT"},
        {"method": "trace"},
        {"method": "Track"},
        {"redirect": "maybe"},
        {"redirect": None},
        {"redirect": ["follow"]},
        {"redirect": {}},
        {"retry": -1},
        {"retry": 11},
        {"retry": 1.5},
        {"retry": "3"},
        {"retry": True},
        {"retry": 10**400},
        {"length": -1},
        {"length": "5"},
        {"length": 1.0},
        {"length": True},
        {"text": 5},
        {"text": ["x"]},
        {"base64": 5},
        {"base64": "???"},
        {"base64": "abc"},
        {"base64": "YQ==\n"},
        {"base64": "\u00e9"},
        {"integrity": 5},
        {"headers": None},
        {"headers": {"a": "b"}},
        {"headers": "ab"},
        {"headers": ["ab"]},
        {"headers": [["a"]]},
        {"headers": [["a", "b", "c"]]},
        {"headers": [["a", 1]]},
        {"headers": [[None, "b"]]},
        {"headers": [["", "b"]]},
        {"headers": [["a b", "c"]]},
        {"headers": [["a:", "c"]]},
        {"headers": [["a\u00e9", "c"]]},
        {"headers": [["a", "b\r\nc: d"]]},
        {"headers": [["a", "b\0"]]},
        {"headers": [["a", "\u0100"]]},
        {"headers": [["a", "b"]] * 201},
        {"headers": [["a", "b" * 70_000]]},
        {"headers": [["a" * 400, "b"]] * 199},
    ],
)
def test_wrong(members):
    """What has the wrong shape, or could end the head of a request, is refused in words."""
    with pytest.raises(Invalid) as refused:
        read(**members)
    assert refused.value.public.startswith("fetch: ")


def test_headers():
    """Names are in lower case, repeated ones stay, and those that belong to the connection are dropped."""
    dropped = [
        "Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Expect",
        "Keep-Alive", "Proxy-Authorization", "Proxy-Connection",
    ]  # fmt: skip
    wanted = read(headers=[["X-A", "1"], ["x-a", "\t\u00e9"], *([name, "x"] for name in dropped), ["Cookie", "c=d"]])
    assert wanted.headers == [("x-a", "1"), ("x-a", "\t\u00e9"), ("cookie", "c=d")]


def test_defaults():
    """A request says what it accepts, who sends it and of which trace it is, unless the script says it."""
    assert dict(with_defaults([], key="k", trace="t")) == {
        "accept": "*/*",
        "accept-encoding": "gzip, deflate, br, zstd",
        "user-agent": "aiwebengine",
        "idempotency-key": "k",
        "traceparent": "t",
    }
    own = [
        ("accept", "a"),
        ("accept-encoding", "b"),
        ("user-agent", "c"),
        ("idempotency-key", "d"),
        ("traceparent", "e"),
    ]
    assert with_defaults(own, key="k", trace="t") == own
    assert {name for name, _ in with_defaults([], key="", trace="")} == {"accept", "accept-encoding", "user-agent"}


@pytest.mark.parametrize("text", [None, 1, [], {}, "a", "a===", "\u00e9", "YQ= ="])
def test_no_bytes(text):
    """A piece of a body that is no base64 is refused."""
    with pytest.raises(Invalid, match="base64"):
        read_bytes(text)
