"""
From HTTP to WebSocket: the request, whether it is allowed, and the interfaces of both sides.

Here is what can be decided without a connection (RFC 6455, section 4.2), and the interfaces between a WebSocket and its
owner:

    Socket          what the owner of a WebSocket can do with it
    SocketEvents    the events that the owner gets
    Endpoint        a path at which the engine itself serves WebSockets
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Protocol
from urllib.parse import urlsplit
from zlib import MAX_WBITS

from aiwebengine.errors import Denied, Invalid, UpgradeRequired
from aiwebengine.values import Request
from aiwebengine.web.websocket.frames import OutgoingMessage

_KEY = re.compile(r"[A-Za-z0-9+/]{21}[AQgw]==")
_WORD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_VERSION = "13"
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a server adds to a client's key to prove that it supports WebSockets."""
_MOST_PROTOCOLS = 50
_MOST_OFFERS = 20
_WINDOWS = frozenset(str(bits) for bits in range(9, 16))
"""Sizes of windows that zlib has; 8 is legal, and cannot be had in a raw stream."""
_DEFLATE_PARAMETERS: Mapping[str, frozenset[str | None]] = {
    "server_no_context_takeover": frozenset({None}),
    "client_no_context_takeover": frozenset({None}),
    "server_max_window_bits": _WINDOWS,
    "client_max_window_bits": _WINDOWS | {None},
}
"""Parameters of permessage-deflate and the values that they may have; None: without one."""
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SHOWN = 80

ANY_ORIGIN = "*"


class Socket(Protocol):
    """An open WebSocket."""

    protocol: str
    """The subprotocol that was agreed upon; empty if there is none."""

    def send_text(self, text: str) -> None:
        """Send a message of text; one that cannot be sent any more is dropped."""

    def send(self, message: OutgoingMessage, *, soon: bool = False) -> None:
        """
        Send a message; the same.

        Args:
            message: The message, which may be for others, too.
            soon: It may wait a moment for others, and leave with them.
        """

    def close(self, code: int, reason: str) -> None:
        """Close when what was sent before has left; once is enough."""

    def pause(self) -> None:
        """Read no more messages for now; the client has to wait."""

    def resume(self) -> None:
        """Read on."""

    @property
    def buffered(self) -> int:
        """How many bytes of messages wait for the client."""


class SocketEvents(Protocol):
    """Receives the events of a WebSocket."""

    def text(self, data: bytes) -> None:
        """A text message has arrived; it is valid UTF-8, and is not decoded, since it may be long."""

    def binary(self, data: bytes) -> None:
        """A binary message has arrived."""

    def closed(self, code: int, reason: str) -> None:
        """It is over: nothing comes after this."""

    def drained(self) -> None:
        """What has waited for the client has left."""


class Endpoint(Protocol):
    """A path at which the engine itself serves WebSockets."""

    path: str
    """All of the path."""
    protocols: tuple[str, ...]
    """Subprotocols that are spoken there, best first."""

    def open(self, socket: Socket, request: Request) -> SocketEvents:
        """Have an open socket; it has no subprotocol if the client requested none of `protocols`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """A client's wish for a WebSocket, checked."""

    key: str
    protocols: tuple[str, ...]
    """Subprotocols that the client supports, best first."""
    window_bits: int
    """How far back the client looks in what is compressed; 0 if it does not know permessage-deflate."""

    def choose(self, spoken: Sequence[str]) -> str:
        """Return the subprotocol to use: the client's first that is among *spoken*; empty if none is."""
        return next((protocol for protocol in self.protocols if protocol in spoken), "")

    def accepted(self, protocol: str, *, compressed: bool) -> bytes:
        """
        Return the head of the answer.

        Args:
            protocol: The subprotocol that is spoken; empty for none.
            compressed: Messages may be compressed, as the client has offered.
        """
        digest = sha1(f"{self.key}{_GUID}".encode(), usedforsecurity=False).digest()
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Server: aiwebengine",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {b64encode(digest).decode('ascii')}",
        ]
        if protocol:
            lines.append(f"Sec-WebSocket-Protocol: {protocol}")
        if compressed:
            # A context for each direction and connection would take a third of a megabyte.
            window = f"; server_max_window_bits={self.window_bits}" if self.window_bits < MAX_WBITS else ""
            lines.append(
                "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                f"client_no_context_takeover{window}"
            )
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def is_upgrade(headers: Mapping[str, str]) -> bool:
    """Return whether a request asks for a WebSocket."""
    return (
        "upgrade" in headers
        and "websocket" in _words(headers["upgrade"])
        and "upgrade" in _words(headers.get("connection", ""))
    )


def read_handshake(request: Request, *, modern: bool) -> Handshake:
    """
    Check what *request* asks for.

    Args:
        request: Any request for a path that serves WebSockets.
        modern: It is HTTP/1.1.

    Raises:
        UpgradeRequired: It does not ask for a WebSocket, or for another version.
        Invalid: It asks wrongly.
    """
    headers = request.headers
    if not is_upgrade(headers):
        raise UpgradeRequired(
            f"{request.path[:200]} is a WebSocket: a browser opens it with new WebSocket(address); this request has "
            'no header "upgrade: websocket" with "connection: upgrade". (Does a proxy drop them?)'
        )
    if request.method != "GET" or not modern or request.body:
        raise Invalid("WebSocket upgrade required by a GET of HTTP/1.1 without a body; this request is something else.")
    version = headers.get("sec-websocket-version", "")
    if version != _VERSION:
        raise UpgradeRequired(f"The version of the WebSocket must be {_VERSION}; {_shown(version)} was asked for.")
    key = headers.get("sec-websocket-key", "")
    if not _KEY.fullmatch(key):
        raise Invalid(f"The header sec-websocket-key must be 16 bytes as base64; it is {_shown(key)}.")
    protocols = tuple(headers["sec-websocket-protocol"].replace(" ", "").split(",")) if _asks(headers) else ()
    if len(protocols) > _MOST_PROTOCOLS or not all(_WORD.fullmatch(protocol) for protocol in protocols):
        raise Invalid(
            f"The header sec-websocket-protocol is a list of at most {_MOST_PROTOCOLS} words; "
            f"this one is {_shown(headers['sec-websocket-protocol'])}."
        )
    window_bits = offered_window(headers.get("sec-websocket-extensions", ""))
    return Handshake(key=key, protocols=protocols, window_bits=window_bits)


def offered_window(offered: str) -> int:
    """
    Return the window of the client's first offer of permessage-deflate that the server can meet; 0 if there is none.

    A client may offer what is not known here, or a window that zlib cannot have (RFC 6455, 9.1; RFC 7692, 7):
    then there is no extension, and the WebSocket is opened all the same.
    """
    return next((bits for part in offered.split(",")[:_MOST_OFFERS] if (bits := _window(part))), 0)


def _window(offer: str) -> int:
    name, *parameters = (part.strip() for part in offer.split(";"))
    if name.lower() != "permessage-deflate":
        return 0
    seen: dict[str, str] = {}
    for parameter in parameters:
        key, has_value, value = (part.strip() for part in parameter.partition("="))
        value = value.strip('"')
        allowed = _DEFLATE_PARAMETERS.get(key)
        if allowed is None or key in seen or (value if has_value else None) not in allowed:
            return 0
        seen[key] = value
    return int(seen.get("server_max_window_bits", MAX_WBITS))


def check_origin(request: Request, allowed: Iterable[str]) -> None:
    """
    Refuse a page of another site, which would use the cookies of its visitor.

    Programs that are not browsers send no origin, and could send any; they are let through.

    Args:
        request: Of the same origin if it was sent to the host that the page came from.
        allowed: Further origins; `*` for all.

    Raises:
        Denied: The page may not open the WebSocket.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return
    # What is no origin, such as "null", equals nothing.
    client_origin = _origin(origin)
    if client_origin is not None and client_origin[1:] == _place(request.url):
        return
    if not any(
        permitted == ANY_ORIGIN or (client_origin is not None and _origin(permitted) == client_origin)
        for permitted in allowed
    ):
        raise Denied(
            f"Pages from {_shown(origin)} may not open this WebSocket; have the origin added to the option `origins` "
            "of its registration, or to the server's setting `websocket.origins`."
        )


def _place(address: str) -> tuple[str, int | None] | None:
    """Return host and port; a proxy may terminate TLS, so the scheme does not count."""
    origin = _origin(address)
    return None if origin is None else origin[1:]


def _origin(address: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.scheme, parts.hostname, None if port == _PORTS.get(parts.scheme) else port


def _words(value: str) -> list[str]:
    return [word.strip() for word in value.lower().split(",")]


def _asks(headers: Mapping[str, str]) -> bool:
    return bool(headers.get("sec-websocket-protocol", "").strip())


def _shown(text: str) -> str:
    shown = text[:_SHOWN].encode("unicode_escape").decode("ascii")
    return f'"{shown}"' if text else "none"
