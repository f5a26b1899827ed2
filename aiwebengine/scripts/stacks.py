"""
Where in the author's source: for stacks that children show, in what they log and what they throw.

A child knows lines of the bundle only.  The source map of a version is decoded once, elsewhere
if it is large, and cached while it is used.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.build.sourcemap import SourceMap, readable
from aiwebengine.errors import EngineError
from aiwebengine.interfaces import ScriptSource
from aiwebengine.services.threads import Runs
from aiwebengine.values import Bundle

_log = Logger()
_MOST_LINES = 1_000_000
"""Of all cached maps together; a line takes 24 bytes."""
_MOST_VERSIONS = 500
_LARGE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What is cached of one version."""

    source_map: SourceMap | None = None
    """None if the author's source runs as it is."""
    only: str | None = None
    """The name of its one file, then."""

    def readable(self, text: str) -> str:
        """Return *text* with the author's places in it."""
        return readable(text, self.source_map, self.only)


class Stacks:
    """
    Keeps places of versions.

    Args:
        source: Where bundles are.
        threads: Where large maps are decoded.
    """

    def __init__(self, *, source: ScriptSource, threads: Runs) -> None:
        self._source = source
        self._threads = threads
        self._known: OrderedDict[str, Places] = OrderedDict()
        self._lines = 0
        self._coming: dict[str, Deferred[Places]] = {}

    def readable(self, version: str, text: str) -> str | Deferred[str]:
        """
        Return *text* with the author's places where it shows raw stacks.

        Returns:
            The text; a Deferred if the version is not known yet.  It never fails: of a version that cannot be read
            the text stays as it is.
        """
        known = self._known.get(version)
        if known is not None:
            self._known.move_to_end(version)
            return known.readable(text)
        return self.of(version).addCallbacks(lambda places: places.readable(text), partial(_unmapped, version, text))

    def of(self, version: str, bundle: Bundle | None = None) -> Deferred[Places]:
        """
        Return the places of a version.

        Args:
            bundle: Its bundle, if the caller has it already.

        Returns:
            Requests are answered in their order.  It fails as `ScriptSource.bundle` does.
        """
        answer: Deferred[Places] = Deferred()
        known = self._known.get(version)
        if known is not None:
            answer.callback(known)
            return answer
        coming = self._coming.get(version)
        if coming is None:
            coming = self._coming[version] = Deferred.fromCoroutine(self._read(version, bundle))
            coming.addBoth(self._read_done, version)
        _share(coming, answer)
        return answer

    async def _read(self, version: str, bundle: Bundle | None) -> Places:
        if bundle is None:
            bundle = await self._source.bundle(version)
        if not bundle.source_map:
            places = Places(only=next(iter(bundle.files), None) if len(bundle.files) == 1 else None)
        elif len(bundle.source_map) < _LARGE:
            places = Places(source_map=SourceMap.parse(bundle.source_map))
        else:
            places = Places(source_map=await self._threads.run(SourceMap.parse, bundle.source_map))
        self._keep(version, places)
        return places

    def _read_done(self, result: Places | Failure, version: str) -> Places | Failure:
        del self._coming[version]
        return result

    def _keep(self, version: str, places: Places) -> None:
        self._known[version] = places
        self._lines += _size(places)
        while len(self._known) > _MOST_VERSIONS or (self._lines > _MOST_LINES and len(self._known) > 1):
            _, old = self._known.popitem(last=False)
            self._lines -= _size(old)


def _size(places: Places) -> int:
    return len(places.source_map) if places.source_map is not None else 0


def _share(coming: Deferred[Places], answer: Deferred[Places]) -> None:
    def finish(result: Places | Failure) -> Places | Failure | None:
        tell: Callable[..., None] = answer.errback if isinstance(result, Failure) else answer.callback
        tell(result)
        return None if isinstance(result, Failure) else result

    coming.addBoth(finish)


def _unmapped(version: str, text: str, failure: Failure) -> str:
    if failure.check(EngineError) is None:
        _log.failure("the source map of {version} cannot be read", failure=failure, version=version)
    return text
