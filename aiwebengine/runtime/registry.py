"""
What serves: a frozen snapshot, swapped whole.

Everything that reads it reads one attribute, so a request sees either all of a deployment
or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from aiwebengine.errors import Conflict, DeploymentRefused
from aiwebengine.runtime.hosts import Hosts, Tier
from aiwebengine.runtime.index import BuiltIndex, EntryIndex, Indexes
from aiwebengine.runtime.routes import Match, Routes, conflicts
from aiwebengine.values import Entry

_NO_KINDS: Mapping[str, EntryIndex] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveScript:
    """The serving version of one script."""

    uri: str
    version: str
    number: int
    entries: tuple[Entry, ...] = ()
    """What it has registered, in that order."""
    middleware: tuple[int, ...] = ()
    """Handlers that run around those of all its routes."""
    base: str = ""
    """Its base path, such as `/shop`, below which all its paths are; empty if it has none."""
    hosts: tuple[str, ...] = ()
    """On which it answers, such as `shop.example.org` or `*.example.org`; empty: on all."""
    grants: frozenset[str] = frozenset()
    isolation: str | None = None
    """`shared` or `request`; None: as the server's settings say."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """What the script asks for below the server's limits; see `settings.requested_limits.WORDS`."""
    budgets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What it asks for beside the server's budgets; see `settings.budgets`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All that serves."""

    generation: int = 0
    """Rises with every change."""
    scripts: Mapping[str, ActiveScript] = field(default_factory=lambda: MappingProxyType({}))
    """By URI."""
    routes: Routes = field(default_factory=Routes)
    """Of every entry that takes a path, whatever its kind, if its script answers on every host."""
    hosts: Hosts | None = None
    """What answers on which host; None if no script names one, and then `routes` is all."""
    indexing: Indexes = field(default_factory=lambda: Indexes(_NO_KINDS))
    indexes: Mapping[str, BuiltIndex] = field(default_factory=lambda: MappingProxyType({}))
    """By kind of entry."""

    def index(self, kind: str) -> Any:
        """Return what all entries of *kind* have become together; None if that kind is not known."""
        index = self.indexes.get(kind)
        return None if index is None else index.value

    def match(self, host: str, method: str, path: str) -> Match:
        """
        Find what answers; see `Routes.match`.

        Args:
            host: The `Host` header of a request; empty if it has none.
        """
        return self.routes.match(method, path) if self.hosts is None else self.hosts.match(host, method, path)

    def tiers(self, host: str) -> Sequence[Tier]:
        """
        Return what may answer on a host, the most specific first.

        Args:
            host: The `Host` header of a request; empty if it has none.
        """
        if self.hosts is None:
            return (Tier(routes=self.routes, scripts=tuple(self.scripts)),)
        return self.hosts.tiers(host)

    def with_scripts(self, actives: Iterable[ActiveScript]) -> Registry:
        """
        Return a registry in which *actives* serve too, each in place of its predecessor.

        Raises:
            DeploymentRefused: Two scripts take the same paths, or what they register does not fit together.
        """
        replaced = {**self.scripts, **{active.uri: active for active in actives}}
        return self._next(replaced)

    def with_script(self, active: ActiveScript) -> Registry:
        """
        See `with_scripts`.

        Raises:
            DeploymentRefused: Two scripts take the same paths, or what they register does not fit together.
        """
        # Last, so that the problems are reported from the side of what is being deployed.
        others = {uri: script for uri, script in self.scripts.items() if uri != active.uri}
        return self._next({**others, active.uri: active})

    def without(self, uri: str) -> Registry:
        """
        Return a registry in which *uri* does not serve.

        Raises:
            DeploymentRefused: Others need what it has registered.
        """
        return self._next({other: script for other, script in self.scripts.items() if other != uri})

    def unknown(self, uri: str) -> Sequence[Entry]:
        """Return the entries of a script that do not serve because their kind is not known."""
        return [entry for entry in self.scripts[uri].entries if not self.indexing.knows(entry)]

    def with_kinds(self, kinds: Mapping[str, EntryIndex]) -> Registry:
        """Return a registry that knows *kinds*, too; it is still of the same generation."""
        return self._serving(self.scripts, indexing=self.indexing.adding(kinds), generation=self.generation)

    def _next(self, scripts: Mapping[str, ActiveScript]) -> Registry:
        return self._serving(scripts, indexing=self.indexing, generation=self.generation + 1)

    def _serving(self, scripts: Mapping[str, ActiveScript], *, indexing: Indexes, generation: int) -> Registry:
        entries = [entry for script in scripts.values() for entry in script.entries if indexing.knows(entry)]
        everywhere, named = _by_host(entries, scripts)
        routes = Routes.build(everywhere)
        problems = conflicts(routes.all)
        for host, of_host in named.items():
            problems += conflicts([entry for entry in of_host if entry.methods], host=host)
        if problems:
            raise DeploymentRefused(problems[0].message, problems=problems)
        return Registry(
            generation=generation,
            scripts=MappingProxyType(dict(scripts)),
            routes=routes,
            hosts=_hosts(named, routes, scripts) if named else None,
            indexing=indexing,
            indexes=indexing.build(entries, self.indexes),
        )


def _by_host(
    entries: Iterable[Entry], scripts: Mapping[str, ActiveScript]
) -> tuple[list[Entry], dict[str, list[Entry]]]:
    """Return the entries of scripts that answer everywhere, and by name those of the others."""
    everywhere: list[Entry] = []
    named: dict[str, list[Entry]] = {host: [] for script in scripts.values() for host in script.hosts}
    for entry in entries:
        hosts = scripts[entry.script].hosts
        for of_host in [named[host] for host in hosts] or [everywhere]:
            of_host.append(entry)
    return everywhere, named


def _hosts(named: Mapping[str, Sequence[Entry]], routes: Routes, scripts: Mapping[str, ActiveScript]) -> Hosts:
    by_host: dict[str, list[str]] = {"": [], **{host: [] for host in named}}
    for script in scripts.values():
        for host in script.hosts or ("",):
            by_host[host].append(script.uri)
    return Hosts(
        named={
            host: Tier(routes=Routes.build(of_host), scripts=tuple(by_host[host])) for host, of_host in named.items()
        },
        everywhere=Tier(routes=routes, scripts=tuple(by_host[""])),
    )


class Current:
    """
    The one reference to what serves.

    Args:
        kinds: How the entries of each kind are put together, by its name.
    """

    def __init__(self, *, kinds: Mapping[str, EntryIndex] = _NO_KINDS) -> None:
        self.registry = Registry().with_kinds(kinds)
        self._observers: list[Callable[[Registry], None]] = []

    def add(self, kinds: Mapping[str, EntryIndex]) -> None:
        """Know *kinds*, too; observers are not notified, so this comes before the first script."""
        self.registry = self.registry.with_kinds(kinds)

    def on_change(self, call: Callable[[Registry], None]) -> None:
        """Have *call* called with what serves, after every change; it must not fail."""
        self._observers.append(call)

    def swap(self, new: Registry, expected_generation: int) -> None:
        """
        Make *new* the registry that serves.

        Raises:
            Conflict: Another change came first.
        """
        if self.registry.generation != expected_generation:
            raise Conflict("Another deployment changed what serves; try again.")
        self.registry = new
        for call in self._observers:
            call(new)
