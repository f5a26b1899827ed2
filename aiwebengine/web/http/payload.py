"""
The argument of a handler for a request: the member `q` of a run, as ASCII JSON.

    {"method":"GET","path":"/notes/7","url":"http://localhost/notes/7?full=1",
     "headers":{"host":"localhost"},"ip":"127.0.0.1","cookies":{"a":"1"},"trace":"00-...",
     "id":"9f..","params":{"id":"7"},"query":[["full","1"]],
     "body":"...", "form":[["name","value"]]}

Members that say nothing are left out.  A body that is not UTF-8 stands as base64 in `bodyBase64` instead of `body`.

A long body is not part of it: it goes to the script's process as it came (`Invocation.body`), and it is encoded as JSON
there, in the time of the handler.

It is put together from pieces of JSON, not from one dictionary: what the header fields say is the same for every
request of a connection that repeats them.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any
from urllib.parse import parse_qsl, unquote

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.values import Request

MOST_BYTES = 46 * 1024 * 1024
"""Largest body that a child takes: one value that it is sent has at most 64 MiB, and base64 needs a third more."""

_MAX_FIELDS = 1000
_SHORT = 64 * 1024
"""Longest body of which the server makes JSON itself: less work than a box of its own."""
_FORM = "application/x-www-form-urlencoded"
_text = encode_basestring_ascii
_encode = json.JSONEncoder(separators=(",", ":")).encode

Pairs = list[tuple[str, str]]


def sender_json(headers: Mapping[str, str], client: str, trace: str = "") -> str:
    """
    Return the members that header fields and the client's address make up.

    Args:
        trace: See `Request.trace`.
    """
    members = f'"headers":{_encode(headers)},"ip":{_text(client)}'
    if "cookie" in headers:
        members += f',"cookies":{_encode(read_cookies(headers["cookie"]))}'
    if trace:
        members += f',"trace":"{trace}"'
    return members


def payload(
    request: Request,
    params: Mapping[str, Any],
    *,
    sender: str,
    base: str = "",
    automatic: str = "",
) -> str:
    """
    Return the argument of the handler.

    Args:
        params: What the path's parameters matched.
        sender: What `sender_json` gave for the request.
        base: The script's base path, for a handler that takes paths without it.
        automatic: What the server answers by itself, as JSON, for middleware around it.

    Raises:
        Invalid: The query or a form has too many fields.
        TooLarge: No child could take the body.
    """
    identity, method, path, query, _, body, _, url, _ = request
    # Most requests have none of these.
    more = ""
    if query:
        more = f',"query":{_encode(query_pairs(request))}'
    if body:
        if len(body) > MOST_BYTES:
            raise TooLarge(
                f"The body has {len(body):,} bytes; a script can be given at most {MOST_BYTES:,}, "
                "whatever http.max_body_bytes says."
            )
        if len(body) <= _SHORT:
            more += _body(request)
    if base:
        more += f',"base":{_text(base)}'
    if automatic:
        more += f',"automatic":{automatic}'
    members = f',"params":{_members(params)}' if params else ""
    # A method and an id are tokens: nothing in them needs escaping.
    return f'{{"method":"{method}","path":{_text(path)},"url":{_text(url)},{sender},"id":"{identity}"{members}{more}}}'


def long_body(request: Request) -> bytes:
    """Return the body, if it is so long that it goes by itself; otherwise nothing."""
    return request.body if len(request.body) > _SHORT else b""


def bare_payload(request: Request, *, sender: str) -> str:
    """Return what a resolver receives of the request of its operation: no query and no body."""
    return (
        f'{{"method":"{request.method}","path":{_text(request.path)},"url":{_text(request.url)},{sender},'
        f'"id":"{request.id}"}}'
    )


def query_pairs(request: Request) -> Pairs:
    """
    Split the query of *request*; what is not UTF-8 in it becomes U+FFFD, as in a browser.

    Raises:
        Invalid: It has too many parameters.
    """
    return _pairs(request.query, "query")


def read_cookies(header: str) -> dict[str, str]:
    """
    Split a Cookie header; values are percent-decoded.

    Of two cookies of one name the first counts, as browsers send the closest first (RFC 6265, 5.4).
    """
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if equals and name and len(cookies) < _MAX_FIELDS:
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = value[1:-1]
            cookies.setdefault(name, unquote(value) if "%" in value else value)
    return cookies


def _members(values: Mapping[str, Any]) -> str:
    try:
        members = ""
        for name, value in values.items():
            members = f"{members},{_text(name)}:{_text(value)}"
        return f"{{{members[1:]}}}"
    except TypeError:
        # A schema has made something else of a string.
        return _encode(values)


def _body(request: Request) -> str:
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError:
        return f',"bodyBase64":"{binascii.b2a_base64(request.body, newline=False).decode("ascii")}"'
    members = f',"body":{_text(text)}'
    if request.headers.get("content-type", "")[: len(_FORM)].lower() == _FORM:
        members += f',"form":{_encode(_pairs(text, "form"))}'
    return members


def _pairs(text: str, what: str) -> Pairs:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Invalid(f"A {what} has at most {_MAX_FIELDS:,} fields; this one has {text.count('&') + 1:,}.") from None
