"""What a script asks for, checked: nothing that arrives from a child is trusted."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.features.fetch.integrity import Expected, read_integrity
from aiwebengine.features.fetch.network.decoding import ACCEPTED
from aiwebengine.features.fetch.network.failures import too_large
from aiwebengine.features.fetch.settings import FetchSettings

SAFE = frozenset(["GET", "HEAD", "OPTIONS"])
MOST_RETRIES = 10
USER_AGENT = "aiwebengine"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_NEVER = frozenset(["CONNECT", "TRACE", "TRACK"])
_MOST_HEADERS = 200
_MOST_HEADER_BYTES = 64 * 1024
# Those of a connection are the server's own; so is the host, which the address names.
_DROPPED = frozenset(
    [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]
)  # fmt: skip

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One request of a script."""

    url: str
    method: str
    headers: Headers
    """Names in lower case; without those of the connection."""
    redirect: str
    """`follow`, `manual` or `error`."""
    retries: int
    body: bytes | None
    """None if there is none, or if it is written piece by piece."""
    written: bool
    length: int | None
    """Of a body that is written, if it is known."""
    integrity: Sequence[Expected]
    secrets_in_body: bool = False
    """Whether secrets may stand in the body; it is not written piece by piece."""

    @property
    def safe(self) -> bool:
        """Whether it changes nothing."""
        return self.method in SAFE


def read_wanted(value: Mapping[str, Any], settings: FetchSettings) -> Wanted:
    """
    Check a request.

    Raises:
        Invalid, TooLarge: It is not valid.
    """
    redirect = value.get("redirect", "follow")
    if not isinstance(redirect, str) or redirect not in {"follow", "manual", "error"}:
        raise Invalid('fetch: redirect must be "follow", "manual" or "error".')
    retries = value.get("retry", 0)
    if not isinstance(retries, int) or isinstance(retries, bool) or not 0 <= retries <= MOST_RETRIES:
        raise Invalid(f"fetch: retry must be a whole number from 0 to {MOST_RETRIES}.")
    body, length = _body(value), value.get("length")
    if length is not None and (not isinstance(length, int) or isinstance(length, bool) or length < 0):
        raise Invalid("fetch: the length of a body must be a whole number.")
    size = length if length is not None else len(body or b"")
    if size > settings.max_request_bytes:
        raise too_large(
            f"fetch: the body of a request may have at most {settings.max_request_bytes} bytes; it has {size}."
        )
    secrets_in_body = value.get("secretsInBody") is True
    if secrets_in_body and value.get("written") is True:
        raise Invalid("fetch: with secretsInBody the body must be short, and no stream.")
    return Wanted(
        url=_string(value, "url"),
        method=_method(_string(value, "method")),
        headers=_headers(value.get("headers", [])),
        redirect=redirect,
        retries=retries,
        body=body,
        written=value.get("written") is True,
        length=length,
        integrity=read_integrity(_string(value, "integrity")),
        secrets_in_body=secrets_in_body,
    )


def read_bytes(text: Any) -> bytes:
    """
    Return the bytes that base64 means.

    Raises:
        Invalid: It is not valid.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise Invalid("fetch: a body must be base64.") from None


def with_defaults(headers: Headers, *, key: str, trace: str) -> list[tuple[str, str]]:
    """
    Return the headers of a request with those that it has unless the script says otherwise.

    Args:
        key: Its idempotency key; empty: none.
        trace: Its `traceparent`; empty: none.
    """
    given = {name for name, _ in headers}
    defaults = [("accept", "*/*"), ("accept-encoding", ACCEPTED), ("user-agent", USER_AGENT)]
    if key:
        defaults.append(("idempotency-key", key))
    if trace:
        defaults.append(("traceparent", trace))
    return [*headers, *((name, value) for name, value in defaults if name not in given)]


def _body(value: Mapping[str, Any]) -> bytes | None:
    text = value.get("text")
    if text is not None:
        if not isinstance(text, str):
            raise Invalid("fetch: the body must be a string.")
        return text.encode("utf-8", "replace")
    raw = value.get("base64")
    return None if raw is None else read_bytes(raw)


def _string(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name, "")
    if not isinstance(text, str):
        raise Invalid(f"fetch: {name} must be a string.")
    return text


def _method(method: str) -> str:
    if len(method) > 32 or not _TOKEN.fullmatch(method) or method.upper() in _NEVER:
        raise Invalid(f"fetch: the method {method[:32]!r} is not allowed.")
    return method


def _headers(value: Any) -> Headers:
    if not isinstance(value, list) or len(value) > _MOST_HEADERS:
        raise Invalid(f"fetch: a request may have at most {_MOST_HEADERS} headers.")
    headers: list[tuple[str, str]] = []
    size = 0
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise Invalid("fetch: headers must be pairs of strings.")
        name, text = pair[0].lower(), pair[1]
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(text):
            raise Invalid(f"fetch: the header {name[:100]!r} is not valid.")
        size += len(name) + len(text)
        if name not in _DROPPED:
            headers.append((name, text))
    if size > _MOST_HEADER_BYTES:
        raise Invalid(f"fetch: the headers of a request may have at most {_MOST_HEADER_BYTES} bytes; they have {size}.")
    return headers
