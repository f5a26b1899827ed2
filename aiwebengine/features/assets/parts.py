"""What an engine gets of assets."""

from __future__ import annotations

from functools import partial

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from aiwebengine.features.assets.api import Assets
from aiwebengine.features.assets.calls import GROUP, AssetCalls
from aiwebengine.features.assets.contents import Contents
from aiwebengine.features.assets.paths import StoredPaths
from aiwebengine.features.assets.public import public_entries
from aiwebengine.features.assets.responder import FileResponder
from aiwebengine.features.assets.serve import FileServer
from aiwebengine.features.assets.settings import AssetSettings
from aiwebengine.features.assets.store import AssetStore, remove_all
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.observe.background import Background
from aiwebengine.services.threads import Threads
from aiwebengine.values import ConsolePage
from aiwebengine.web.handover import HandoverParticipant

_THREADS = 2
_FOLDER = "asset-cache"


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    most = base.settings.deploy.max_source_bytes
    settings = base.settings.of(AssetSettings)
    store = AssetStore(database=base.database, milliseconds=base.milliseconds, max_bytes=most, settings=settings)
    stored = StoredPaths()
    known = KnownPaths(store=store, stored=stored, background=base.background)
    calls = AssetCalls(store=store, stored=stored, registry=lambda: machinery.current.registry, max_bytes=most)
    threads = Threads(reactor=base.reactor, name="files", size=_THREADS)
    contents = Contents(
        read=base.database.read,
        threads=threads,
        packing=base.unpacking_threads,
        folder=base.folder / _FOLDER,
        settings=settings,
        now=base.seconds,
    )
    responder = FileResponder(
        current=machinery.current,
        stored=stored,
        assets=store,
        server=FileServer(contents),
        reserved=machinery.reserved,
    )
    machinery.hooks.found_in_files.append(partial(public_entries, reserved=machinery.reserved))
    base.store.on_purge(remove_all)
    page = ConsolePage(
        name="assets", title="Assets", summary="Files that scripts and people have stored.", path="/engine/api/assets"
    )
    return Parts(
        groups=[calls],
        effects={GROUP: calls},
        services=[("file threads", threads), ("paths of assets", known)],
        api=[Assets(assets=store, stored=stored, current=machinery.current, max_bytes=most)],
        responders=[responder.respond],
        admission=[responder.step],
        kinds=[responder.kind],
        pages=[page],
        state={"assets": lambda: {"paths": stored.count, **contents.state(), "threads": threads.state()}},
        handing=[HandoverParticipant(alone=known.reload)],
    )


class KnownPaths(Service):
    """
    Has the paths of stored assets read from the database.

    Args:
        store: Reads them.
        stored: Gets them.
        background: Reads them again when the engine has succeeded another.
    """

    def __init__(self, *, store: AssetStore, stored: StoredPaths, background: Background) -> None:
        self._store = store
        self._stored = stored
        self._background = background

    def startService(self) -> Deferred[None]:
        """Read them."""
        super().startService()
        return Deferred.fromCoroutine(self._read())

    def reload(self) -> None:
        """Read them again: a predecessor may have stored something until its end."""
        self._background.start("read the paths of assets", self._read())

    async def _read(self) -> None:
        for owner, path in await self._store.places():
            self._stored.add(owner, path)
