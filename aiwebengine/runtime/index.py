"""
What the entries of one kind become together, over all scripts that serve.

Each kind of registration says it with one `EntryIndex`.  The machinery builds it whenever an entry of
that kind has changed, and never otherwise, so what a request finds in the registry stays the same
object through all deployments that do not concern it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiwebengine.errors import DeploymentRefused, Problem
from aiwebengine.values import ROUTE, Entry


def no_conflicts(_: Sequence[Entry]) -> Sequence[Problem]:
    """Let every script register what it likes."""
    return ()


def distinct_keys(noun: str) -> Callable[[Sequence[Entry]], Sequence[Problem]]:
    """
    Return the rule that a key belongs to one script.

    Args:
        noun: What one entry is called, such as `tool`.
    """

    def conflicts(entries: Sequence[Entry]) -> Sequence[Problem]:
        owners: dict[str, Entry] = {}
        problems: list[Problem] = []
        for entry in entries:
            other = owners.setdefault(entry.key, entry)
            if other.script != entry.script:
                file, _, line = entry.place.rpartition(":")
                place = f" ({other.place})" if other.place else ""
                message = f'The {noun} {entry.key} of "{entry.script}" is also registered by "{other.script}"{place}.'
                problems.append(
                    Problem(
                        code=f"{entry.kind}_conflict",
                        message=message,
                        file=file or None,
                        line=int(line) if line.isdecimal() else None,
                        hint="Give one of them another name, or take it out of one script.",
                    )
                )
        return problems

    return conflicts


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryIndex:
    """How the entries of one kind are put together."""

    build: Callable[[Sequence[Entry]], Any] = tuple
    """Make what `Registry.index` returns; raises DeploymentRefused if the entries do not fit together."""
    conflicts: Callable[[Sequence[Entry]], Sequence[Problem]] = no_conflicts
    """Find entries of different scripts that cannot serve at the same time; each problem names both scripts."""


AS_THEY_ARE = EntryIndex()
"""Entries that become a tuple and never conflict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIndex:
    """An index, and what it was made of."""

    entries: tuple[Entry, ...]
    value: Any


class Indexes:
    """
    Builds the index of every kind that is known.

    Args:
        kinds: By name; plain routes are known in any case.
    """

    def __init__(self, kinds: Mapping[str, EntryIndex]) -> None:
        self._kinds: dict[str, EntryIndex] = {ROUTE: AS_THEY_ARE, **kinds}
        self._latest: dict[str, BuiltIndex] = {}

    def adding(self, kinds: Mapping[str, EntryIndex]) -> Indexes:
        """Return what builds those of *kinds*, too."""
        return Indexes({**self._kinds, **kinds})

    def knows(self, entry: Entry) -> bool:
        """Return whether the kind of *entry* is known; if not, it does not serve."""
        return entry.kind in self._kinds

    def build(self, entries: Iterable[Entry], serving: Mapping[str, BuiltIndex]) -> dict[str, BuiltIndex]:
        """
        Return the index of every kind.

        Args:
            entries: Of all scripts; each of a known kind.
            serving: The indexes that serve, of which those are kept whose entries are the same.

        Raises:
            DeploymentRefused: Entries are in conflict, or do not fit together.
        """
        by_kind: dict[str, list[Entry]] = {name: [] for name in self._kinds}
        for entry in entries:
            by_kind[entry.kind].append(entry)
        return {name: self._built(name, tuple(of_kind), serving.get(name)) for name, of_kind in by_kind.items()}

    def _built(self, name: str, entries: tuple[Entry, ...], serving: BuiltIndex | None) -> BuiltIndex:
        # A deployment is tried before it is committed: the second time it is built already.
        for known in (serving, self._latest.get(name)):
            if known is not None and known.entries == entries:
                return known
        index = self._kinds[name]
        if problems := index.conflicts(entries):
            raise DeploymentRefused(problems[0].message, problems=problems)
        built = self._latest[name] = BuiltIndex(entries=entries, value=index.build(entries))
        return built
