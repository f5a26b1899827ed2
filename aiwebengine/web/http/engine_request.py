"""Requests to the engine's own paths: twisted.web's, bounded, with their bodies left alone."""

from __future__ import annotations

from io import BytesIO

from twisted.web import http, server

from aiwebengine.values import Request
from aiwebengine.web.http.head import Fields
from aiwebengine.web.http.read import Sender


class EngineRequest(server.Request):
    """
    A request that goes through twisted.web's site to a Klein application.

    twisted.web would parse forms and uploads before the caller is identified.
    """

    leaving = False
    """See `Exchange.leaving`."""
    sender: Sender
    """Who sends it."""

    def begin(self, fields: Fields, *, method: str, target: str, minor: int, identity: str, sender: Sender) -> None:
        """
        Set what the head says.

        Args:
            fields: Its header fields.
            method: Of its first line.
            target: Begins with `/`.
            minor: 1 for HTTP/1.1.
            identity: The request's id, which the answer has unless it has its own.
            sender: Who sends it.
        """
        self.sender = sender
        for name, value in fields.pairs:
            self.requestHeaders.addRawHeader(name, value)
        self.parseCookies()
        self.content = BytesIO()
        self.method = method.encode("ascii")
        self.uri = target.encode("ascii")
        self.clientproto = b"HTTP/1.1" if minor else b"HTTP/1.0"
        self.setHeader(b"x-request-id", identity.encode("ascii"))

    def enter(self) -> None:
        """Mark the request as complete, and pass it to the site."""
        assert self.content is not None
        self.content.seek(0)
        self.path, _, query = self.uri.partition(b"?")
        self.args = http.parse_qs(query, True)
        self.process()


def request_value(request: server.Request, *, identity: str) -> Request:
    """
    Return a request as a value, without its body.

    Args:
        identity: Its id.
    """
    headers: dict[str, str] = {}
    for raw, values in request.requestHeaders.getAllRawHeaders():
        name = raw.decode("latin-1").lower()
        headers[name] = ("; " if name == "cookie" else ", ").join(value.decode("latin-1") for value in values)
    # One that did not come over one of our connections has no more to report.
    sender = request.sender if isinstance(request, EngineRequest) else None
    target = request.uri.decode("latin-1")
    path, _, query = target.partition("?")
    return Request(
        id=identity,
        method=request.method.decode("latin-1"),
        path=path,
        query=query,
        headers=headers,
        body=b"",
        client=sender.client if sender is not None else "",
        url=sender.origin + target if sender is not None else target,
    )
