"""What a redirect makes of a request (the Fetch standard, "HTTP-redirect fetch")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from twisted.web.iweb import IBodyProducer

from aiwebengine.features.fetch.network.bodies import BytesBody
from aiwebengine.features.fetch.network.failures import unavailable
from aiwebengine.features.fetch.network.targets import TargetUrl, joined, read_target

REDIRECTS = frozenset([301, 302, 303, 307, 308])

_OF_BODY = frozenset(["content-encoding", "content-language", "content-location", "content-type", "content-length"])
_OF_ORIGIN = frozenset(["authorization", "cookie", "proxy-authorization"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request to one server."""

    target: TargetUrl
    method: str
    headers: Sequence[tuple[str, str]]
    """Names in lower case."""
    body: IBodyProducer | None


def followed(request: Outgoing, status: int, location: str) -> Outgoing:
    """
    Return the request that a redirect asks for.

    Args:
        location: The header; not empty.

    Raises:
        Invalid: It leads to no address of http or https.
        Unavailable: The body cannot be sent again.
    """
    target = read_target(joined(request.target, location))
    method, headers, body = request.method, request.headers, request.body
    if (status in {301, 302} and method == "POST") or (status == 303 and method not in {"GET", "HEAD"}):
        method, body = "GET", None
        headers = [(name, value) for name, value in headers if name not in _OF_BODY]
    elif body is not None and not isinstance(body, BytesBody):
        raise unavailable(
            "redirect",
            f"fetch: {request.target.authority} redirects with status {status}, and a streamed body cannot be sent "
            "again.",
        )
    if target.origin != request.target.origin:
        headers = [(name, value) for name, value in headers if name not in _OF_ORIGIN]
    return replace(request, target=target, method=method, headers=headers, body=body)
