"""
GraphiQL, for browsers that open `/graphql`.

It was bundled when the package was built, and is served from here: the page asks no other
server for anything.  Its files are compressed once, at that time, and their addresses change
with what is in them, so browsers may cache them forever.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from aiwebengine.errors import NotFound, Unavailable, WrongMethod
from aiwebengine.features.graphql.transports.paths import ASSETS
from aiwebengine.values import Answer, Request
from aiwebengine.web.errors import error_answer
from aiwebengine.web.http.exchange import Exchange

_TYPES = {".js": b"text/javascript; charset=utf-8", ".css": b"text/css; charset=utf-8"}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}graphiql.css">
<style>
html, body, #graphiql {{ height: 100%; margin: 0; }}
#graphiql > p {{ font: 1rem system-ui; padding: 1rem; }}
</style>
<div id="graphiql"><p>GraphiQL is loading; it needs JavaScript.</p></div>
<script src="{assets}graphiql.js" data-assets="{assets}"></script>
</html>
"""
_POLICY = (
    b"default-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; img-src 'self' data:; "
    b"font-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class GraphiQLPage:
    """
    See the module.

    Args:
        folder: Where the bundled files are.
    """

    def __init__(self, *, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, bytes] | None = None
        self._digest = ""

    def show(self, exchange: Exchange) -> None:
        """Answer with the page."""
        files = self._load()
        if not files:
            error = Unavailable(
                "GraphiQL was not bundled with this server: install the package anew, or run make ready in its folder."
            )
            exchange.answered(error_answer(error, request_id=exchange.id, accept=exchange.sender.accept))
            return
        page = _PAGE.format(assets=f"{ASSETS}{self._digest}/")
        exchange.answered(
            Answer(
                status=200,
                headers=(
                    (b"content-type", b"text/html; charset=utf-8"),
                    (b"cache-control", b"no-cache"),
                    (b"content-security-policy", _POLICY),
                    (b"x-content-type-options", b"nosniff"),
                    (b"vary", b"accept"),
                ),
                body=page.encode(),
            )
        )

    def file(self, exchange: Exchange, request: Request) -> None:
        """Answer with one of its files."""
        digest, _, name = request.path.removeprefix(ASSETS).partition("/")
        content = self._load().get(name)
        error: NotFound | WrongMethod | None = None
        if request.method not in {"GET", "HEAD"}:
            error = WrongMethod(f"{request.path[:200]} answers GET, not {request.method}.", allowed=("GET", "HEAD"))
        elif content is None:
            error = NotFound(f"There is no file {request.path[:200]}.")
        if error is not None or content is None:
            exchange.answered(
                error_answer(error or NotFound(""), request_id=exchange.id, accept=exchange.sender.accept)
            )
            return
        headers = [(b"content-type", _TYPES[Path(name).suffix]), (b"vary", b"accept-encoding")]
        # A page of another version of the server asks for other files.
        cache_control = b"public, max-age=31536000, immutable" if digest == self._digest else b"no-cache"
        headers += [(b"cache-control", cache_control), (b"x-content-type-options", b"nosniff")]
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers.append((b"content-encoding", b"gzip"))
        else:
            content = gzip.decompress(content)
        exchange.answered(Answer(status=200, headers=tuple(headers), body=content))

    def _load(self) -> dict[str, bytes]:
        if self._files is None:
            paths = sorted(self._folder.glob("*.gz"))
            self._files = {path.name.removesuffix(".gz"): path.read_bytes() for path in paths}
            self._digest = hashlib.sha256(b"".join(self._files.values())).hexdigest()[:12]
        return self._files
