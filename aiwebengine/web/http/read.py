"""
From the head and body of a request to `values.Request`.

Header values are Latin-1, as the standard says of them; path and query stay as they were on
the wire.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache

from aiwebengine.errors import Invalid
from aiwebengine.values import Cause, Request, tuple_of
from aiwebengine.web.http.conditions import CONDITIONS
from aiwebengine.web.http.head import Fields, check_path
from aiwebengine.web.http.payload import sender_json
from aiwebengine.web.http.trace import trace_parent

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the current request, for the log."""

TOKEN_HEADER = "x-aiwebengine-token"  # noqa: S105  the name of a header
"""With it administrators request figures about the answer."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PORT = r"(?::(?:[0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
_HOST = re.compile(
    rf"((?=[^:]{{1,253}}(?::|$))(?:[A-Za-z0-9_\-]*\.)*[0-9]+\.?){_PORT}"
    rf"|[A-Za-z0-9._\-]{{1,253}}{_PORT}|\[[0-9A-Fa-f:.]{{2,45}}\]{_PORT}"
)
"""Its group is a name that ends in a number, which must be an address (URL Standard, "ends in a number")."""
_BYTE = 256
_MAX_HOPS = 50


class Sender:
    """What a connection's header fields say about the sender; worked out once for requests that repeat them."""

    __slots__ = ("accept", "cause", "client", "conditional", "given_id", "headers", "json", "origin", "token", "trace")

    accept: str
    """The `accept` header; empty if there is none."""
    cause: Cause | None
    """The invocation that sends the request; None if it comes from outside."""
    client: str
    """Address of the client, after trusted proxies."""
    conditional: bool
    """It has a header by which a server may answer less than all; see `conditions.CONDITIONS`."""
    given_id: str | None
    """The request's id, if a trusted proxy gave one."""
    headers: Mapping[str, str]
    origin: str
    """Scheme and host as the client sees them."""
    token: str
    """The administrator's token if it was sent, for `Server-Timing`; empty if none was sent.  No script sees it."""
    json: str
    """What `payload` passes to a handler of all this."""
    trace: str
    """See `Request.trace`."""


class Reader:
    """
    Makes values of requests.

    Args:
        new_id: Makes the id of a request.
        trusted_proxies: Addresses or networks whose forwarded headers are believed.
        public_url: What clients call this server; empty: taken from each request.
    """

    def __init__(self, *, new_id: Callable[[], str], trusted_proxies: Sequence[str], public_url: str) -> None:
        self._new_id = new_id
        self._trusted = [ipaddress.ip_network(text, strict=False) for text in trusted_proxies]
        self._public_url = public_url.rstrip("/")

    def sender(self, fields: Fields, *, peer: str, secure: bool) -> Sender:
        """
        Work out who sends.

        Args:
            peer: Address of the other end of the connection; empty if it has none.
            secure: The connection itself is encrypted.

        Raises:
            Invalid: The host is not one.
        """
        headers = fields.headers
        trusted = bool(self._trusted) and self._is_trusted(peer)
        sent = headers.get("x-request-id") if trusted else None
        sender = Sender()
        sender.cause = None
        sender.token = headers.get(TOKEN_HEADER, "")
        if sender.token:
            headers = {name: value for name, value in headers.items() if name != TOKEN_HEADER}
        sender.headers = headers
        sender.given_id = sent if sent is not None and _ID.fullmatch(sent) else None
        sender.client = self._client(peer, headers) if trusted else peer
        sender.origin = self._origin(headers, secure=secure, trusted=trusted)
        sender.accept = headers.get("accept", "")
        sender.conditional = not CONDITIONS.isdisjoint(headers)
        sender.trace = trace_parent(headers["traceparent"]) if trusted and "traceparent" in headers else ""
        sender.json = sender_json(headers, sender.client, sender.trace)
        return sender

    def identify(self, sender: Sender | None) -> str:
        """Return the id of one request; None stands for a sender whose fields could not be read."""
        return (sender.given_id if sender is not None else None) or self._new_id()

    def read(self, *, identity: str, method: str, target: str, sender: Sender, body: bytes) -> Request:
        """
        Make a request's value.

        Args:
            identity: Its id.
            target: Begins with `/`.

        Raises:
            Invalid: The path cannot be decoded; the message says why.
        """
        path, _, query = target.partition("?")
        if "%" in path or "#" in path:
            check_path(path)
        return tuple_of(
            Request,
            (
                identity,
                method,
                path,
                query,
                sender.headers,
                body,
                sender.client,
                sender.origin + target,
                sender.trace,
            ),
        )

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._trusted)

    def _client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the last address that no trusted proxy vouches for, from the right."""
        hops = headers.get("x-forwarded-for", "").split(",")
        for hop in reversed(hops[-_MAX_HOPS:]):
            address = _address(hop.strip())
            if address is None:
                break
            peer = address
            if not self._is_trusted(address):
                break
        return peer

    def _origin(self, headers: Mapping[str, str], *, secure: bool, trusted: bool) -> str:
        if self._public_url:
            return self._public_url
        host = headers.get("host", "")
        if not _is_host(host):
            if host:
                raise Invalid("The Host header must be the name of a host, with or without a port.")
            host = "localhost"
        scheme = "https" if secure else "http"
        if trusted and headers.get("x-forwarded-proto") in {"http", "https"}:
            scheme = headers["x-forwarded-proto"]
        return f"{scheme}://{host}"


def _address(hop: str) -> str | None:
    """Read an address, which some proxies write with a port; None if it is not valid."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ipaddress.ip_address(hop))
    except ValueError:
        return None


@lru_cache(maxsize=1000)
def _is_host(header: str) -> bool:
    """Return whether a URL can be made of a `Host` header; clients repeat themselves."""
    match = _HOST.fullmatch(header)
    return match is not None and (not match[1] or _is_address(match[1]))


def _is_address(host: str) -> bool:
    """Return whether a name that ends in a number is an IPv4 address, as URLs have it: `127.0.0.1`, or `127.1`."""
    *first, last = host.removesuffix(".").split(".")
    return (
        all(part.isdigit() and int(part) < _BYTE for part in first)
        and len(first) < 4
        and int(last) < _BYTE ** (4 - len(first))
    )
