"""
Bare twisted.web and autobahn, which send each message to all who listen: `python broadcasters.py HTTP_PORT WS_PORT`.

A stream of events is at `/stream` of the first port, WebSockets at the second; what is posted to `/send/stream` or
`/send/sockets` is sent, with nothing checked, kept or counted.
"""

from __future__ import annotations

import sys
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet import epollreactor


class Listener(WebSocketServerProtocol):
    """A WebSocket that listens."""

    def onOpen(self) -> None:
        """Listen."""
        self.factory.listening.append(self)

    def onClose(self, *_: object) -> None:
        """Listen no longer, however it came."""
        if self in self.factory.listening:
            self.factory.listening.remove(self)


def main(http_port: int, socket_port: int) -> None:
    """Serve until ended."""
    epollreactor.install()
    from twisted.internet import reactor as installed  # noqa: PLC0415  the one that was installed
    from twisted.web.resource import Resource  # noqa: PLC0415  the same
    from twisted.web.server import NOT_DONE_YET, Site  # noqa: PLC0415  the same

    reactor: Any = installed
    streams: list[Any] = []
    factory: Any = WebSocketServerFactory(reactor=reactor)
    factory.protocol = Listener
    factory.listening = []

    class Root(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> Any:
            if request.path != b"/stream":
                return b"here"
            request.setHeader(b"content-type", b"text/event-stream")
            request.write(b":\n\n")
            streams.append(request)
            request.notifyFinish().addErrback(lambda _: streams.remove(request))
            return NOT_DONE_YET

        def render_POST(self, request: Any) -> bytes:
            text = b'{"at":%b,"text":"what there is to say"}' % request.content.read()
            if request.path == b"/send/stream":
                event = b"data: %b\n\n" % text
                for listening in streams:
                    listening.write(event)
            else:
                message = factory.prepareMessage(text)
                for listening in factory.listening:
                    listening.sendPreparedMessage(message)
            return b"sent"

    reactor.listenTCP(http_port, Site(Root()), interface="127.0.0.1")
    reactor.listenTCP(socket_port, factory, backlog=1024, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
