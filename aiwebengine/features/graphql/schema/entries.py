"""
Registrations of the GraphQL schema as entries, and as the parts that these hold.

This module does not import graphql-core, so that a server whose scripts use no GraphQL need not load it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiwebengine.values import Entry, HandlerRef

GRAPHQL = "graphql"
"""The kind of registration."""

CALLS_BY_KIND = {
    "query": "registerQueryHandler",
    "mutation": "registerMutationHandler",
    "subscription": "registerSubscriptionHandler",
    "field": "registerFieldHandler",
    "scalar": "registerScalar",
}

OLDER_CALLS = ("registerGraphQLQuery", "registerGraphQLMutation", "registerGraphQLSubscription")

_QUICK_SDL = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPart:
    """What one registration of a script adds to the GraphQL schema."""

    script: str
    """URI of the script."""
    version: str
    """Version id (`Bundle.version`)."""
    kind: str
    """`query`, `mutation`, `subscription`: a root field; `field`: a field of an object; `scalar`."""
    name: str
    """Of the root field or the scalar; `Type.field` for a field of an object."""
    sdl: str
    """As it was registered; empty unless it is a root field."""
    handler: HandlerRef | None = None
    """The resolver; None for a scalar, and for a subscription without a filter."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As registered, validated."""
    place: str = ""
    """`file:line` of the registration in the author's source, if known."""


def has_long_sdl(sent: Mapping[str, Any]) -> bool:
    """Return whether a registration has so much SDL that it takes milliseconds to parse it."""
    sdl = sent.get("sdl")
    return isinstance(sdl, str) and len(sdl) > _QUICK_SDL


def part_of(entry: Entry) -> SchemaPart:
    """Return the part that `check_part` has made *entry* of."""
    return SchemaPart(
        script=entry.script,
        version=entry.version,
        kind=entry.options["kind"],
        name=entry.options["name"],
        sdl=entry.options["sdl"],
        handler=entry.handler,
        options=entry.options["options"],
        place=entry.place,
    )


def subscriptions_of(entries: Iterable[Entry]) -> Sequence[str]:
    """Return the names of the subscriptions among *entries*, which may be of any kind."""
    return [
        entry.options["name"] for entry in entries if entry.kind == GRAPHQL and entry.options["kind"] == "subscription"
    ]
