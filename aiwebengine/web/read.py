"""
From twisted.web's request to `values.Request`, and from that to what a handler is given.

Header names and values are decoded as Latin-1, as the standard says of them; the path and
the query stay as they were on the wire.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl

from aiwebengine.errors import Invalid, UnsupportedMedia
from aiwebengine.values import Request

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request in hand, for the log."""

_MAX_FIELDS = 1000
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_BAD_TARGET = re.compile(rb"[\x00-\x20\x7f-\xff\"<>\\^`{|}]")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HOST = re.compile(r"[A-Za-z0-9._\-:\[\]]{1,255}")
_encode = json.JSONEncoder(separators=(",", ":")).encode

_names: dict[bytes, str] = {
    name: name.decode("ascii").lower()
    for name in (
        b"Host", b"User-Agent", b"Accept", b"Accept-Encoding", b"Accept-Language", b"Connection", b"Content-Type",
        b"Content-Length", b"Cookie", b"Cache-Control", b"Origin", b"Referer", b"Authorization", b"X-Request-Id",
    )
}  # fmt: skip


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

    def read(
        self,
        *,
        method: bytes,
        target: bytes,
        headers: Mapping[str, str],
        body: bytes,
        peer: str,
        secure: bool,
    ) -> Request:
        """
        Make a request's value.

        Raises:
            Invalid: The target or the host is not one; the message names it.
        """
        given = headers.get("x-request-id")
        trusted = bool(self._trusted) and self._is_trusted(peer)
        identity = given if given is not None and trusted and _ID.fullmatch(given) else self._new_id()
        raw_path, _, raw_query = target.partition(b"?")
        if _BAD_TARGET.search(raw_path) or not raw_path.startswith(b"/"):
            raise Invalid("The request's path is not a path; it begins with / and is percent-encoded.")
        path = raw_path.decode("ascii")
        if "%" in path and _BAD_PERCENT.search(path):
            raise Invalid("The request's path has a % that is not followed by two hexadecimal digits, or a zero byte.")
        query = raw_query.decode("latin-1")
        client = self._client(peer, headers) if trusted else peer
        return Request(
            id=identity,
            method=method.decode("latin-1"),
            path=path,
            query=query,
            headers=headers,
            body=body,
            client=client,
            url=self._origin(headers, secure=secure, trusted=trusted) + path + ("?" + query if query else ""),
        )

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)

    def _client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Give the last address that no trusted proxy vouches for, from the right."""
        for part in reversed(headers.get("x-forwarded-for", "").split(",")):
            address = part.strip()
            try:
                ipaddress.ip_address(address)
            except ValueError:
                break
            peer = address
            if not self._is_trusted(address):
                break
        return peer

    def _origin(self, headers: Mapping[str, str], *, secure: bool, trusted: bool) -> str:
        if self._public_url:
            return self._public_url
        host = headers.get("host", "")
        if not _HOST.fullmatch(host):
            if host:
                raise Invalid("The Host header is not the name of a host.")
            host = "localhost"
        scheme = "https" if secure else "http"
        if trusted and headers.get("x-forwarded-proto") in {"http", "https"}:
            scheme = headers["x-forwarded-proto"]
        return f"{scheme}://{host}"


def read_headers(pairs: Any) -> dict[str, str]:
    """Join raw headers to one text for each lower-case name."""
    headers: dict[str, str] = {}
    for raw, values in pairs:
        name = _names.get(raw) or raw.decode("latin-1").lower()
        if len(values) == 1:
            headers[name] = values[0].decode("latin-1")
        else:
            headers[name] = ("; " if name == "cookie" else ", ").join(value.decode("latin-1") for value in values)
    return headers


def payload(request: Request, params: Mapping[str, str], *, data: Any = None, checked: bool = False) -> str:
    """
    Make what the handler is given, as ASCII JSON.

    Args:
        params: What the path's parameters matched.
        data: The body as its schema accepted it.
        checked: Whether there was a schema.

    Raises:
        Invalid: The query or the body cannot be read.
        UnsupportedMedia: The body has an encoding that is not taken.
    """
    given: dict[str, Any] = {
        "method": request.method,
        "path": request.path,
        "url": request.url,
        "headers": request.headers,
        "ip": request.client,
        "id": request.id,
    }
    if params:
        given["params"] = params
    if request.query:
        given["query"] = query_pairs(request.query)
    if "cookie" in request.headers:
        given["cookies"] = read_cookies(request.headers["cookie"])
    if request.body:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", ""}:
            raise UnsupportedMedia(
                f'A request body with the content-encoding "{encoding[:40]}" is not taken; send it as it is.'
            )
        try:
            given["body"] = request.body.decode("utf-8")
        except UnicodeDecodeError:
            import binascii  # noqa: PLC0415  only binary bodies come here

            given["bodyBase64"] = binascii.b2a_base64(request.body, newline=False).decode("ascii")
    if checked:
        given["data"] = data
    return _encode(given)


def query_pairs(query: str) -> list[tuple[str, str]]:
    """
    Split a raw query.

    Raises:
        Invalid: It has too many fields.
    """
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Invalid(f"A query has at most {_MAX_FIELDS} parameters.") from None


def read_cookies(header: str) -> dict[str, str]:
    """Split a Cookie header; of two cookies of one name the first counts, as browsers send the closest first."""
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if equals and name and len(cookies) < _MAX_FIELDS:
            value = value.strip()
            cookies.setdefault(name, value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value)
    return cookies
