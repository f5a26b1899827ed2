"""The address of an HTTP proxy: `http://proxy.example.com:3128`, perhaps with a user and a password."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Where requests are sent instead of to their server."""

    host: str
    port: int
    authorization: bytes
    """The value of `proxy-authorization`; empty: none."""


def read_proxy(text: str) -> Proxy | None:
    """Return the proxy of an address; None if it is no such address."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        return None
    authorization = b""
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + base64.b64encode(user.encode())
    return Proxy(host=parts.hostname, port=port or 80, authorization=authorization)


def is_proxy(text: str) -> bool:
    """Return whether a setting names a proxy, or none."""
    return not text or read_proxy(text) is not None
