"""The list of features: what an engine offers unless it is configured otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from traceback import extract_tb
from typing import Any

from aiwebengine.errors import CannotStart
from aiwebengine.feature import API_VERSION, Feature
from aiwebengine.features.assets.feature import FEATURE as ASSETS
from aiwebengine.features.codegen.feature import FEATURE as CODEGEN
from aiwebengine.features.crypto.feature import FEATURE as CRYPTO
from aiwebengine.features.database.feature import FEATURE as DATABASE
from aiwebengine.features.fetch.feature import FEATURE as FETCH
from aiwebengine.features.graphql.feature import FEATURE as GRAPHQL
from aiwebengine.features.idempotency.feature import FEATURE as IDEMPOTENCY
from aiwebengine.features.management.feature import FEATURE as MANAGEMENT
from aiwebengine.features.receipts.feature import FEATURE as RECEIPTS
from aiwebengine.features.recordings.feature import FEATURE as RECORDINGS
from aiwebengine.features.secrets.feature import FEATURE as SECRETS
from aiwebengine.features.sockets.feature import FEATURE as SOCKETS
from aiwebengine.features.storage.feature import FEATURE as STORAGE
from aiwebengine.features.streams.feature import FEATURE as STREAMS
from aiwebengine.host.declarations import NOTHING, Declarations
from aiwebengine.host.names import declarations, known_globals
from aiwebengine.settings.check import all_sections, section_fields
from aiwebengine.terminal.commands import COMMANDS

FEATURES: tuple[Feature, ...] = (
    RECEIPTS,
    RECORDINGS,
    IDEMPOTENCY,
    STORAGE,
    ASSETS,
    MANAGEMENT,
    CODEGEN,
    CRYPTO,
    DATABASE,
    FETCH,
    SECRETS,
    STREAMS,
    SOCKETS,
    GRAPHQL,
)
"""In the order in which they are built and started."""

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PLACE = re.compile(r"[\w.]+:\w+")

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
        _refuse_wrong(feature, by_name.values(), point)
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
    if type(feature.api_version) is not int:
        raise CannotStart(
            f'The feature "{feature.name}" says api_version={feature.api_version!r} ({_origin_of(point)}), which is '
            f"not a whole number. Write api_version={API_VERSION}."
        )
    problems = feature.declares.problems()
    if problems:
        raise CannotStart(
            f'The feature "{feature.name}" declares what scripts see of it wrongly ({_origin_of(point)}):'
            + "".join(f"\n  {problem}" for problem in problems)
        )
    return feature


def _refuse_wrong(feature: Feature, before: Iterable[Feature], point: EntryPoint) -> None:
    """Refuse a feature with names that are taken or cannot be, or with settings that cannot be read."""
    others = list(before)
    problems = [*_wrong_names(feature, others), *_taken_names(feature, others), *_wrong_settings(feature)]
    if problems:
        raise CannotStart(
            f'The feature "{feature.name}" cannot be used ({_origin_of(point)}):'
            + "".join(f"\n  {problem}." for problem in problems)
        )


def _wrong_names(feature: Feature, before: Iterable[Feature]) -> Iterator[str]:
    if not _NAME.fullmatch(feature.name):
        yield f'its name "{feature.name}" (Feature.name) must be lower-case letters, digits, - and _'
    sections = dict.fromkeys(all_sections({}), "the engine")
    commands = dict.fromkeys(COMMANDS, "the engine")
    for other in before:
        sections.update(dict.fromkeys(other.settings, f'the feature "{other.name}"'))
        commands.update(dict.fromkeys(other.commands, f'the feature "{other.name}"'))
    for section in feature.settings:
        if section in sections:
            yield (
                f'the section "{section}" of the settings (Feature.settings) is one of {sections[section]} already; '
                "give it another name"
            )
    for command, place in feature.commands.items():
        if command in commands:
            yield (
                f'the command "{command}" (Feature.commands) is one of {commands[command]} already; '
                "give it another name"
            )
        if not _PLACE.fullmatch(place):
            yield f'the command "{command}" is at "{place}", which is not module:command (Feature.commands)'


def _taken_names(feature: Feature, before: Iterable[Feature]) -> Iterator[str]:
    """Say which names that scripts see are there already."""
    owners: dict[tuple[str, str], str] = {("name", name): "the engine" for name in known_globals(NOTHING)}
    owners |= dict.fromkeys(_seen(declarations([])), "the engine")
    for other in before:
        owners |= dict.fromkeys(_seen(other.declares), f'the feature "{other.name}"')
    for what, name in _seen(feature.declares):
        if (what, name) in owners:
            yield (
                f'the {what} "{name}" that scripts see (Feature.declares) is one of {owners[what, name]} already; '
                "give it another name"
            )


def _seen(declares: Declarations) -> Iterator[tuple[str, str]]:
    """Yield what no other feature may declare: what it is, and its name."""
    yield from (("name", name) for name in declares.names)
    yield from (("type", shape.name.partition("<")[0]) for shape in declares.shapes)
    yield from (("capability", capability.name) for capability in declares.capabilities)
    yield from (("host call", call.name) for call in declares.calls if call.speaks_for)


def _wrong_settings(feature: Feature) -> Iterator[str]:
    for section, kind in feature.settings.items():
        if not (isinstance(kind, type) and is_dataclass(kind)):
            yield (
                f'the section "{section}" of the settings (Feature.settings) is {_described(kind)}, not a frozen '
                "dataclass"
            )
            continue
        try:
            settings = list(section_fields(section, kind))
        except TypeError as error:
            yield str(error)
            continue
        for setting in settings:
            if setting.default is MISSING:
                yield f"{setting.name} has no default; every setting needs one"


def _described(value: object) -> str:
    """Return a description of *value* for an error message."""
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
