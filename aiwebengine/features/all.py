"""The list of features: what an engine offers unless it is told otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from traceback import extract_tb
from typing import Any

from aiwebengine.errors import CannotStart
from aiwebengine.feature import API_VERSION, Feature
from aiwebengine.features.assets.feature import FEATURE as ASSETS
from aiwebengine.features.codegen.feature import FEATURE as CODEGEN
from aiwebengine.features.crypto.feature import FEATURE as CRYPTO
from aiwebengine.features.fetch.feature import FEATURE as FETCH
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
    CODEGEN,
    CRYPTO,
    FETCH,
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
        CannotStart: A package's feature cannot be loaded, is declared wrongly, or its name is taken.
    """
    by_name = {feature.name: feature for feature in FEATURES}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry_point: entry_point.name):
        feature = _loaded(point)
        if feature.name in by_name:
            own = feature.name in {builtin.name for builtin in FEATURES}
            remedy = "Give it another name (Feature.name)" if own else "Uninstall one of the two packages"
            raise CannotStart(
                f'{_capital(_origin_of(point))} adds a feature named "{feature.name}", but there is '
                f"{'one of the engine' if own else 'another one'} of that name already. {remedy}."
            )
        by_name[feature.name] = feature
    return tuple(by_name.values())


def sections_of(features: Iterable[Feature]) -> Mapping[str, type[Any]]:
    """Return the sections of the settings that *features* bring."""
    return {name: kind for feature in features for name, kind in feature.settings.items()}


def _loaded(point: EntryPoint) -> Feature:
    try:
        feature = point.load()
    except Exception as error:
        raise CannotStart(
            f"The feature of {_origin_of(point)} fails to load: {type(error).__name__}: {error}{_import_place(error)}. "
            "Correct the entry point or what it names, or uninstall the package."
        ) from error
    if not isinstance(feature, Feature):
        raise CannotStart(
            f"{_capital(_origin_of(point))} names {_described(feature)}; it must name a value of the class "
            "aiwebengine.feature.Feature."
        )
    if feature.api_version is None:
        raise CannotStart(
            f'The feature "{feature.name}" does not say for which version of the feature interface it was made '
            f"({_origin_of(point)}). Add api_version={API_VERSION} to its Feature."
        )
    problems = feature.declares.problems()
    if problems:
        raise CannotStart(
            f'The feature "{feature.name}" declares what scripts see of it wrongly ({_origin_of(point)}):'
            + "".join(f"\n  {problem}" for problem in problems)
        )
    return feature


def _described(value: object) -> str:
    """Say what *value* is, for somebody who has named the wrong one."""
    kind = type(value).__name__
    return f"a{'n' if kind[0] in 'AEIOUaeiou' else ''} {kind}"


def _origin_of(point: EntryPoint) -> str:
    package = f" of the package {point.dist.name} {point.dist.version}" if point.dist is not None else ""
    return f'the entry point "{point.name}" ({point.value}){package}'


def _import_place(error: BaseException) -> str:
    """Return where an import failed, if it was in a file of the package."""
    frames = extract_tb(error.__traceback__)
    inside = [frame for frame in frames if "importlib" not in frame.filename and frame.filename != __file__]
    return f" ({inside[-1].filename}:{inside[-1].lineno})" if inside else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
