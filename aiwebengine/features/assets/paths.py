"""
Where stored assets are served: which script has something at the address of a request.

    asset "/logo.svg" of a script without a base path     /logo.svg
    asset "/logo.svg" of a script with basePath "/shop"   /shop/logo.svg
    asset "notes/7.json"                                  nowhere: only its script reads it

An asset is served if its path begins with `/` and has no empty part and none that begins with a dot.  `index.html` is
also what its folder answers.  The paths of all that is served are held in memory, so that a request for something
else asks no database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from aiwebengine.features.assets.store import NOBODY, AssetInfo, Rivals
from aiwebengine.runtime.registry import ActiveScript, Registry

_MOST_INFOS = 1000

INDEX = "index.html"
"""What a folder answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlace:
    """A stored asset at the address of a request."""

    owner: str
    """URI of its script, or `NOBODY`."""
    path: str
    """As it was stored."""
    folder: bool = False
    """The request names its folder without a slash at the end."""


class StoredPaths:
    """The paths of all stored assets that are served, with the scripts that have them."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[str, ...]] = {}
        self._registry: Registry | None = None
        self._bases: Sequence[str] = ("",)
        """Base paths of the scripts of that registry, the longest first."""
        self._infos: OrderedDict[StoredPlace, AssetInfo] = OrderedDict()
        """What is known about those that were requested recently."""
        self.changes = 0
        """How often something has changed so far."""

    @property
    def count(self) -> int:
        """Return how many paths there are."""
        return len(self._owners)

    def owners(self, path: str) -> tuple[str, ...]:
        """Return who has an asset at *path*."""
        return self._owners.get(path, ())

    def add(self, owner: str, path: str) -> None:
        """Note that *owner* has an asset at *path*, which belongs to no one else if *owner* is a script."""
        if not is_served(path):
            return
        self._changed()
        before = tuple(script for script in self.owners(path) if script and script != owner)
        self._owners[path] = (*before, owner)

    def remove(self, owner: str, path: str) -> None:
        """Know that *owner* has none at *path* any longer."""
        self._changed()
        left = tuple(script for script in self.owners(path) if script != owner)
        if left:
            self._owners[path] = left
        else:
            self._owners.pop(path, None)

    def find(self, registry: Registry, *, host: str, path: str) -> StoredPlace | None:
        """
        Return what is at the address of a request; None if nothing is.

        Args:
            registry: What serves.
            host: The `Host` header; empty if there is none.
            path: As it stands in the request.
        """
        path_asked = asked_path(path) if self._owners else None
        if path_asked is None:
            return None
        if registry is not self._registry:
            self._changed()
            self._registry = registry
            self._bases = sorted({"", *(script.base for script in registry.scripts.values())}, key=len, reverse=True)
        candidates = [
            (base, place)
            for base, rest in _rests(path_asked, self._bases)
            for place in self._places_at(rest, whole=bool(base) and base == path_asked)
        ]
        if not candidates:
            return None
        for tier in registry.tiers(host):
            for base, place in candidates:
                script = registry.scripts.get(place.owner)
                if script is not None and script.base == base and script.uri in tier.scripts:
                    return place
        return next((place for base, place in candidates if place.owner == NOBODY and not base), None)

    def info(self, place: StoredPlace) -> AssetInfo | None:
        """Return what is known of an asset; None if it has to be read."""
        return self._infos.get(place)

    def learn(self, place: StoredPlace, info: AssetInfo, changes: int) -> None:
        """
        Note what was read about an asset, unless something has changed in the meantime.

        Args:
            changes: What `changes` was before it was read.
        """
        if changes != self.changes:
            return
        self._infos[place] = info
        if len(self._infos) > _MOST_INFOS:
            self._infos.popitem(last=False)

    def rivals(self, registry: Registry, script: str, path: str) -> Rivals:
        """Return whose assets would be served at the same address as the asset *path* of *script*."""
        own = registry.scripts.get(script)
        if own is None or not is_served(path):
            return {}
        by_base: dict[str, set[str]] = {}
        for other in registry.scripts.values():
            if other.uri != script and _overlap(own, other):
                by_base.setdefault(other.base, set()).add(other.uri)
        bases = sorted(by_base, key=len, reverse=True)
        return {rest: frozenset(by_base[base]) for base, rest in _rests(own.base + path, bases) if is_served(rest)}

    def taken_by(self, rivals: Rivals) -> str | None:
        """Return one of *rivals* that has such an asset already; None if none has."""
        return next(
            (owner for path, scripts in rivals.items() for owner in self.owners(path) if owner in scripts), None
        )

    def _changed(self) -> None:
        self.changes += 1
        self._infos.clear()

    def _places_at(self, path: str, *, whole: bool) -> Iterator[StoredPlace]:
        """Return what is at *path*; *whole*: the request named the base path alone."""
        if path.endswith("/"):
            index = f"{path}{INDEX}"
            yield from (StoredPlace(owner=owner, path=index, folder=whole) for owner in self.owners(index))
            return
        yield from (StoredPlace(owner=owner, path=path) for owner in self.owners(path))
        index = f"{path}/{INDEX}"
        yield from (StoredPlace(owner=owner, path=index, folder=True) for owner in self.owners(index))


def is_served(path: str) -> bool:
    """Return whether a stored asset of that path has an address."""
    if not path.startswith("/"):
        return False
    *folders, name = path[1:].split("/")
    return bool(name) and all(part and part[0] != "." for part in (*folders, name)) and "\\" not in path


def asked_path(path: str) -> str | None:
    """
    Return the path of a request, decoded; None if no asset can be there.

    An encoded slash or backslash does not count: it never divides folders.
    """
    parts = path[1:].split("/")
    if "%" in path:
        try:
            parts = [unquote_to_bytes(part).decode("utf-8") for part in parts]
        except UnicodeDecodeError:
            return None
    *folders, name = parts
    if any(not part or part[0] == "." for part in folders) or name[:1] == ".":
        return None
    if any("/" in part or "\\" in part or "\0" in part for part in parts):
        return None
    return "/" + "/".join(parts)


def _rests(path: str, bases: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return each of *bases* below which *path* lies, in their order, and what is left of the path."""
    for base in bases:
        if path == base:
            yield base, "/"
        elif path.startswith(base + "/"):
            yield base, path[len(base) :]


def _overlap(script: ActiveScript, other: ActiveScript) -> bool:
    """Return whether two scripts answer on the same host with the same claim to it."""
    return bool(set(script.hosts) & set(other.hosts)) if script.hosts or other.hosts else True
