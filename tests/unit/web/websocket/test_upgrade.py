"""What asks for a WebSocket, and from where it may be asked."""

from __future__ import annotations

from typing import Any

import pytest

from aiwebengine.errors import Denied, EngineError, Invalid, UpgradeRequired
from aiwebengine.values import Request
from aiwebengine.web.websocket.upgrade import check_origin, is_upgrade, read_handshake

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = {
    "upgrade": "websocket",
    "connection": "keep-alive, Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": KEY,
}
REQUEST = Request(
    id="r", method="GET", path="/s", url="http://example.org/s", query="", headers=HEADERS, body=b"", client="192.0.2.7"
)


def asked(**headers: str) -> Request:
    """Ask with these header fields beside, or in place of, the usual ones."""
    given = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return REQUEST._replace(headers={name: value for name, value in given.items() if value})


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, True),
        ({"upgrade": "h2c, WebSocket"}, True),
        ({"upgrade": "h2c"}, False),
        ({"upgrade": ""}, False),
        ({"connection": "keep-alive"}, False),
        ({"connection": ""}, False),
    ],
)
def test_what_asks_for_one(headers: dict[str, str], wanted: bool) -> None:
    """Both header fields name it, in any case and among others."""
    assert is_upgrade(asked(**headers).headers) is wanted


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"headers": {"upgrade": ""}}, UpgradeRequired, "new WebSocket"),
        ({"headers": {"sec_websocket_version": "8"}}, UpgradeRequired, 'must be 13; "8"'),
        ({"headers": {"sec_websocket_version": ""}}, UpgradeRequired, "none was asked for"),
        ({"headers": {"sec_websocket_key": KEY[:-3] + "x=="}}, Invalid, "16 bytes"),
        ({"headers": {"sec_websocket_key": "\n" * 200}}, Invalid, r'"\n'),
        ({"headers": {"sec_websocket_protocol": "a b,c(d)"}}, Invalid, "list of at most 50"),
        ({"headers": {"sec_websocket_protocol": ",".join("x" * 51)}}, Invalid, "list of at most 50"),
        ({"method": "POST"}, Invalid, "a GET of HTTP/1.1"),
        ({"body": b"x"}, Invalid, "without a body"),
        ({"modern": False}, Invalid, "HTTP/1.1"),
    ],
)
def test_what_asks_wrongly(change: dict[str, Any], error: type[EngineError], words: str) -> None:
    """Whoever asks wrongly is told what is wrong."""
    modern = change.pop("modern", True)
    request = asked(**change.pop("headers", {}))._replace(**change)
    with pytest.raises(error) as caught:
        read_handshake(request, modern=modern)
    assert words in caught.value.public
    assert len(caught.value.public) < 400


def test_subprotocols() -> None:
    """The client's first of those that are spoken is chosen; what is not offered is not agreed upon."""
    handshake = read_handshake(asked(sec_websocket_protocol="chat.v3, chat.v2,chat.v1"), modern=True)
    assert handshake.choose(["chat.v1", "chat.v2"]) == "chat.v2"
    assert handshake.choose([]) == ""
    assert b"Protocol:" not in handshake.accepted("", compressed=False)
    assert b"\r\nSec-WebSocket-Protocol: chat.v2\r\n" in handshake.accepted("chat.v2", compressed=False)
    assert read_handshake(asked(), modern=True).choose(["chat.v1"]) == ""


def test_the_answer() -> None:
    """The answer proves that the key was read (RFC 6455, 1.3), and repeats of the compression what was agreed upon."""
    handshake = read_handshake(
        asked(sec_websocket_extensions="permessage-deflate; server_max_window_bits=10"), modern=True
    )
    plain = handshake.accepted("", compressed=False).decode().split("\r\n")
    assert plain[0] == "HTTP/1.1 101 Switching Protocols"
    assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in plain
    assert not any("permessage" in line for line in plain)
    assert handshake.accepted("", compressed=True).endswith(
        b"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10\r\n\r\n"
    )
    assert read_handshake(asked(sec_websocket_extensions="permessage-deflate"), modern=True).window_bits == 15


@pytest.mark.parametrize(
    ("origin", "allowed", "fits"),
    [
        ("", (), True),
        ("http://example.org", (), True),
        ("https://example.org", (), True),
        ("http://example.org:80", (), True),
        ("http://EXAMPLE.org", (), True),
        ("http://example.org:8080", (), False),
        ("http://example.org.evil.example", (), False),
        ("null", (), False),
        ("http://[", (), False),
        ("https://friend.example", ("https://friend.example",), True),
        ("https://friend.example:443", ("https://friend.example",), True),
        ("http://friend.example", ("https://friend.example",), False),
        ("https://anybody.example", ("*",), True),
    ],
)
def test_origins(origin: str, allowed: tuple[str, ...], fits: bool) -> None:
    """Pages of the server's own origin may connect, those of others if they are allowed; programs send no origin."""
    request = asked(origin=origin)
    if fits:
        check_origin(request, allowed)
    else:
        with pytest.raises(Denied, match="may not open this WebSocket"):
            check_origin(request, allowed)


def test_what_is_no_origin_equals_nothing() -> None:
    """A page without an origin may not connect because the server's own name cannot be read either."""
    with pytest.raises(Denied):
        check_origin(asked(origin="null")._replace(url="http://[/s"), ())
