"""
Bare twisted.web and Klein, each answering the same JSON: `python python_servers.py twisted|klein PORT`.

With `agent` a Klein handler answers what Twisted's Agent gets from the address that the query names.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from twisted.internet import epollreactor


def main(kind: str, port: int) -> None:
    """Serve until ended."""
    epollreactor.install()
    from klein import Klein  # noqa: PLC0415  it installs a reactor of its own choice otherwise
    from twisted.internet import reactor as installed  # noqa: PLC0415  the same
    from twisted.web.client import Agent, HTTPConnectionPool, readBody  # noqa: PLC0415  the same
    from twisted.web.resource import Resource  # noqa: PLC0415  the same
    from twisted.web.server import Site  # noqa: PLC0415  the same

    reactor: Any = installed
    app = Klein()

    @app.route("/hello/<name>")
    def hello(request: Any, name: str) -> bytes:
        request.setHeader(b"content-type", b"application/json")
        return json.dumps({"hello": name}).encode()

    pool = HTTPConnectionPool(reactor)
    # As many as there are clients in a run.
    pool.maxPersistentPerHost = 64
    agent = Agent(reactor, pool=pool)

    @app.route("/call")
    async def call(request: Any) -> bytes:
        answer = await agent.request(b"GET", request.uri.partition(b"?")[2])
        request.setHeader(b"content-type", b"application/json")
        return json.dumps(json.loads(await readBody(answer))).encode()

    class Leaf(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            request.setHeader(b"content-type", b"application/json")
            return b'{"hello":"Ada"}'

    root = Leaf() if kind == "twisted" else app.resource()
    reactor.listenTCP(port, Site(root), interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
