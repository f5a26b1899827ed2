"""Requests to the engine's own paths: twisted.web's, bounded, with their bodies left alone."""

from __future__ import annotations

from io import BytesIO

from twisted.web import http, server

from aiwebengine.web.http.head import Fields


class EngineRequest(server.Request):
    """
    A request that goes through twisted.web's site to a Klein application.

    twisted.web would parse forms and uploads before anybody asked who sends them.
    """

    leaving = False
    """See `Exchange.leaving`."""

    def begin(self, fields: Fields, *, method: str, target: str, minor: int, identity: str) -> None:
        """
        Be what a head says.

        Args:
            fields: Its header fields.
            method: Of its first line.
            target: Begins with `/`.
            minor: 1 for HTTP/1.1.
            identity: The request's id, which the answer carries unless who answers gives another.
        """
        for name, value in fields.pairs:
            self.requestHeaders.addRawHeader(name, value)
        self.parseCookies()
        self.content = BytesIO()
        self.method = method.encode("ascii")
        self.uri = target.encode("ascii")
        self.clientproto = b"HTTP/1.1" if minor else b"HTTP/1.0"
        self.setHeader(b"x-request-id", identity.encode("ascii"))

    def enter(self) -> None:
        """Be complete, and go to the site."""
        assert self.content is not None
        self.content.seek(0)
        self.path, _, query = self.uri.partition(b"?")
        self.args = http.parse_qs(query, True)
        self.process()
