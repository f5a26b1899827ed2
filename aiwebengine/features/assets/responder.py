"""
How requests reach files.

    opener   a file of `public/`, which is an entry of the registry like a handler
    step     a stored asset at a path that otherwise a wildcard handler answers
    respond  a stored asset at a path that nothing answers; else `404.html` of the script to which the path belongs

So a handler that names a path, in letters or with parameters, comes before a stored asset, and a stored asset before
a wildcard, such as that of `export default { fetch }`.  No code of a script runs for a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred

from aiwebengine.errors import Invalid, NotFound, WrongMethod
from aiwebengine.features.assets.hashed import holds_digest
from aiwebengine.features.assets.paths import StoredPaths, StoredPlace
from aiwebengine.features.assets.public import KIND, missing_pages, served_file
from aiwebengine.features.assets.serve import FileServer, ServedFile, answer_failure
from aiwebengine.features.assets.store import AssetInfo, AssetStore
from aiwebengine.host.registration.kinds import Registration, RegistrationKind
from aiwebengine.runtime.index import EntryIndex
from aiwebengine.runtime.registry import Current, Registry
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.runtime.routes import NoRoute, names_wildcard
from aiwebengine.values import ROUTE, Answer, Entry, Invocation, Request
from aiwebengine.web.admission import AdmissionStep, Place, RequestRunner
from aiwebengine.web.arrival import Arrival
from aiwebengine.web.automatic import allowed, script_below
from aiwebengine.web.errors import wants_page
from aiwebengine.web.http.exchange import Exchange

_READING = frozenset({"GET", "HEAD"})
_METHODS = ("GET", "HEAD", "OPTIONS")


class FileResponder:
    """
    Answers requests with files.

    Args:
        current: What serves.
        stored: Where stored assets are served.
        assets: Has what is known of them.
        server: Sends files.
        reserved: Paths at which there are no files.
    """

    def __init__(
        self,
        *,
        current: Current,
        stored: StoredPaths,
        assets: AssetStore,
        server: FileServer,
        reserved: ReservedPaths,
    ) -> None:
        self._current = current
        self._stored = stored
        self._assets = assets
        self._server = server
        self._reserved = reserved

    @property
    def kind(self) -> RegistrationKind:
        """Return the kind of the files of `public/`; no JavaScript function registers one."""
        return RegistrationKind(
            name=KIND,
            functions=(),
            noun="public file",
            nouns="public files",
            check=_not_registered,
            takes_path=True,
            counted=True,
            index=EntryIndex(build=missing_pages),
            opens=self.open,
        )

    @property
    def step(self) -> AdmissionStep:
        """Return the step in front of wildcard handlers."""
        return AdmissionStep(
            name="stored assets",
            place=Place.ANSWERED,
            applies=lambda route: route.kind == ROUTE and names_wildcard(route),
            enter=self.enter,
        )

    def open(self, arrival: Arrival) -> None:
        """Answer with a file of `public/`; see `RegistrationKind.opens`."""
        request, options = arrival.request, arrival.match.route.options
        if options.get("folder") and not request.path.endswith("/"):
            arrival.exchange.answered(_folder(request))
        else:
            self._server.serve(arrival.exchange, request, served_file(options))

    def enter(
        self, exchange: Exchange, request: Request, _route: Entry, invocation: Invocation, way: RequestRunner
    ) -> bool:
        """Answer with a stored asset if there is one; see `web.admission.AdmissionStep.enter`."""
        if request.method not in _READING:
            return False
        place = self._find(request)
        if place is not None:
            self._answer(exchange, request, place, otherwise=lambda: way.run(invocation, exchange, exchange))
        return place is not None

    def respond(self, exchange: Exchange, request: Request) -> bool:
        """Answer what no handler does, if a file does; see `web.site.Responder`."""
        if self._reserved.holds(request.path):
            return False
        place = self._find(request)
        if place is not None:
            if request.method in _READING:
                self._answer(exchange, request, place, otherwise=lambda: exchange.failed(_not_stored(request)))
                return True
            if self._unanswered(request):
                exchange.answered(_not_read(request))
                return True
            return False
        page = self._missing(request, exchange.sender.accept)
        if page is None:
            return False
        self._server.missing(exchange, served_file(page.options))
        return True

    def _find(self, request: Request) -> StoredPlace | None:
        host = request.headers.get("host", "")
        return self._stored.find(self._current.registry, host=host, path=request.path)

    def _answer(
        self, exchange: Exchange, request: Request, place: StoredPlace, *, otherwise: Callable[[], None]
    ) -> None:
        """Answer with an asset; *otherwise*: the asset no longer exists."""
        if place.folder:
            exchange.answered(_folder(request))
            return
        known = self._stored.info(place)
        if known is not None:
            self._server.serve(exchange, request, _stored_file(known))
            return
        work = Deferred.fromCoroutine(self._serve(exchange, request, place, otherwise))
        work.addErrback(answer_failure, exchange)

    async def _serve(
        self, exchange: Exchange, request: Request, place: StoredPlace, otherwise: Callable[[], None]
    ) -> None:
        changes = self._stored.changes
        info = await self._assets.info(place.owner, place.path)
        if info is None:
            self._stored.remove(place.owner, place.path)
        else:
            self._stored.learn(place, info, changes)
        if not exchange.waiting:
            return
        if info is None:
            otherwise()
        else:
            self._server.serve(exchange, request, _stored_file(info))

    def _unanswered(self, request: Request) -> bool:
        """Return whether no script answers the path, with any method."""
        match = self._current.registry.match(request.headers.get("host", ""), request.method, request.path)
        return isinstance(match, NoRoute)

    def _missing(self, request: Request, accept: str) -> Entry | None:
        """Return the page for what is not there; None if there is none, or the client wants no page."""
        registry = self._current.registry
        pages = registry.index(KIND)
        if not pages or request.method not in _READING or not wants_page(accept) or not self._unanswered(request):
            return None
        owner = script_below(request, registry)
        page = _page_for(request, registry, pages)
        if page is not None and owner is not None and owner.middleware and owner.uri != page.script:
            # The path is that script's, whose middleware has its say about what is not there.
            return None
        return page


def _page_for(request: Request, registry: Registry, pages: Mapping[str, Entry]) -> Entry | None:
    """Return the page of the script whose base path is the longest; on one host no two have the same path."""
    path = request.path + "/"
    for tier in registry.tiers(request.headers.get("host", "")):
        candidates = [registry.scripts[uri] for uri in tier.scripts if uri in pages]
        candidates = [script for script in candidates if path.startswith(script.base + "/")]
        if candidates:
            return pages[max(candidates, key=lambda script: len(script.base)).uri]
    return None


def _stored_file(info: AssetInfo) -> ServedFile:
    return ServedFile(
        digest=info.digest,
        size=info.size_bytes,
        type=info.type,
        modified=info.updated_at / 1000,
        # What is stored may be replaced, whatever it is called: its name must hold its own hash.
        immutable=holds_digest(info.path, info.digest),
    )


def _folder(request: Request) -> Answer:
    """Lead to the folder, so that what its page names is looked for inside it."""
    query = f"?{request.query}" if request.query else ""
    location = f"{request.path}/{query}".encode("ascii")
    return Answer(status=307, headers=((b"location", location), (b"cache-control", b"no-cache")), body=b"")


def _not_read(request: Request) -> Answer:
    if request.method == "OPTIONS":
        return allowed(_METHODS)
    raise WrongMethod(
        f"{request.path[:200]} is a file: it does not answer {request.method}, but {', '.join(_METHODS)}.",
        allowed=_METHODS,
    )


def _not_stored(request: Request) -> NotFound:
    return NotFound(f"No script answers {request.path[:200]}.")


def _not_registered(registration: Registration) -> Entry:
    raise Invalid(f"{registration.kind}: files are registered by the deployment only.")
