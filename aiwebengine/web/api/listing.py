"""How people see what a script has registered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.values import Entry

_FOR_PEOPLE = ("summary", "tags")
"""Options of entries that do nothing but stand in lists."""


class Listing:
    """
    Lists entries, kind by kind.

    Args:
        kinds: What may be registered; the order of the list is theirs.
    """

    def __init__(self, kinds: Sequence[RegistrationKind]) -> None:
        self._kinds = kinds

    def __call__(self, entries: Iterable[Entry]) -> list[dict[str, Any]]:
        """
        Return a group for each kind that is among *entries*.

        Returns:
            `kind`, `noun`, `nouns`, `count` and `entries` of each group; of each entry `name`, `handler`, `place`,
            `methods` and `path` if it takes one, and `summary` and `tags` if it was registered with them.  Of a kind
            that is counted there are no entries.
        """
        by_kind: dict[str, list[Entry]] = {}
        for entry in entries:
            by_kind.setdefault(entry.kind, []).append(entry)
        groups = [_of_kind(kind, by_kind.pop(kind.name)) for kind in self._kinds if kind.name in by_kind]
        # What nothing in this server offers does not serve, but it is there.
        for name, left in by_kind.items():
            noun = f'"{name}" that this server does not offer'
            groups.append(_group(name, noun, noun, [(entry.label, entry) for entry in left]))
        return groups


def _of_kind(kind: RegistrationKind, entries: Sequence[Entry]) -> dict[str, Any]:
    if not kind.counted:
        return _group(kind.name, kind.noun, kind.nouns, [(kind.describe(entry), entry) for entry in entries])
    return {**_group(kind.name, kind.noun, kind.nouns, []), "count": len({entry.place for entry in entries})}


def _group(kind: str, noun: str, nouns: str, named: Sequence[tuple[str, Entry]]) -> dict[str, Any]:
    return {
        "kind": kind,
        "noun": noun,
        "nouns": nouns,
        "count": len(named),
        "entries": [_entry(name, entry) for name, entry in named],
    }


def _entry(name: str, entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": name,
        "handler": entry.handler.name if entry.handler is not None else "",
        "place": entry.place,
    }
    if entry.methods:
        shown.update(methods=list(entry.methods), path=entry.key)
    shown.update({option: entry.options[option] for option in _FOR_PEOPLE if entry.options.get(option)})
    return shown
