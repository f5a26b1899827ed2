"""The list of features: what an engine offers unless it is told otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.features.assets.feature import FEATURE as ASSETS
from aiwebengine.features.graphql.feature import FEATURE as GRAPHQL
from aiwebengine.features.idempotency.feature import FEATURE as IDEMPOTENCY
from aiwebengine.features.management.feature import FEATURE as MANAGEMENT
from aiwebengine.features.receipts.feature import FEATURE as RECEIPTS
from aiwebengine.features.recordings.feature import FEATURE as RECORDINGS
from aiwebengine.features.sockets.feature import FEATURE as SOCKETS
from aiwebengine.features.storage.feature import FEATURE as STORAGE
from aiwebengine.features.streams.feature import FEATURE as STREAMS

FEATURES: tuple[Feature, ...] = (
    RECEIPTS,
    RECORDINGS,
    IDEMPOTENCY,
    STORAGE,
    ASSETS,
    MANAGEMENT,
    STREAMS,
    SOCKETS,
    GRAPHQL,
)
"""In the order in which they are built and started."""

ENTRY_POINTS = "aiwebengine.features"
"""Group of the entry points by which packages of others add features."""


def installed() -> tuple[Feature, ...]:
    """
    Return the engine's own features and those of packages that are installed beside it.

    Raises:
        CannotStart: A package's feature cannot be loaded, or its name is taken.
    """
    found = {feature.name: feature for feature in FEATURES}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda one: one.name):
        feature = _loaded(point)
        if feature.name in found:
            raise CannotStart(
                f'The entry point "{point.name}" ({point.value}) adds a feature named "{feature.name}", but there is '
                "one of that name already. Uninstall one of the two packages."
            )
        found[feature.name] = feature
    return tuple(found.values())


def sections_of(features: Iterable[Feature]) -> Mapping[str, type[Any]]:
    """Return the sections of the settings that *features* bring."""
    return {name: kind for feature in features for name, kind in feature.settings.items()}


def _loaded(point: EntryPoint) -> Feature:
    try:
        feature = point.load()
    except Exception as error:
        raise CannotStart(
            f'The feature of the entry point "{point.name}" ({point.value}) fails to load: {error}.'
        ) from error
    if not isinstance(feature, Feature):
        raise CannotStart(f'The entry point "{point.name}" ({point.value}) is not an aiwebengine.feature.Feature.')
    return feature
