"""
Settings from files, environment and flags to one frozen value.

Precedence, later ones win: defaults of the schema, `base.yaml`, the profile's file, files given
by `--config` (or `AIWEBENGINE_CONFIG`), variables `AIWEBENGINE__SECTION__KEY`, flags.
A wrong value stops the start even where a later one covers it, and all problems are reported at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiwebengine
from aiwebengine.errors import CannotStart
from aiwebengine.settings import schema
from aiwebengine.settings.check import Field, Sections, WrongValue, all_sections, convert, schema_fields, unknown
from aiwebengine.settings.sources import (
    RawValue,
    SourcePlace,
    UnreadableSettings,
    from_environment,
    from_file,
    from_flags,
)

_PROFILE = ("profile",)
_USER_INFO = re.compile(r"://\S*@")
"""Name and password in an address, such as one that stands beside a key that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongSetting:
    """One problem, and where the value was written."""

    message: str
    """The rule, the value seen and what is allowed."""
    place: SourcePlace

    def __str__(self) -> str:
        """Return it like a compiler: place, message, the line with a mark under its key."""
        where = ":".join(str(part) for part in (self.place.source, self.place.line, self.place.column) if part)
        text = f"{where}: {self.message}"
        if self.place.snippet and self.place.column:
            indent = " " * (self.place.column - 1)
            line = _USER_INFO.sub("://***@", self.place.snippet.expandtabs(1)[:200])
            text += f"\n    {line}\n    {indent}^"
        return text


class WrongSettings(CannotStart):
    """
    The settings are wrong.

    Args:
        problems: All of them, in the order of the sources.
    """

    def __init__(self, problems: Sequence[WrongSetting]) -> None:
        count = "One setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        super().__init__(
            f"{count} wrong:\n" + "\n".join(str(problem) for problem in problems),
            details={"problems": [{"message": p.message, "place": p.place.source} for p in problems]},
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingSources:
    """What is laid over the schema's defaults, and from where."""

    profile: str | None = None
    """None: what `AIWEBENGINE_PROFILE` or a file of `config` says, else development."""
    config: tuple[Path, ...] = ()
    """Files, later ones win."""
    flags: tuple[tuple[str, str, str], ...] = ()
    """`(flag as written, dotted key, value)`."""
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path()
    """Relative paths start here: the folder in which the server is started."""
    values: Path | None = None
    """Folder of `base.yaml` and the profiles; None: the ones that come with the engine."""


def load(sources: SettingSources, *, sections: Sections) -> schema.Settings:
    """
    Return the settings.

    Args:
        sections: Of features, by their name in the files.

    Raises:
        WrongSettings: With every problem of every source.
    """
    known = {_path(item): item for item in schema_fields(sections)}
    problems: list[WrongSetting] = []
    named = [*_config_files(sources)]
    profile = _profile(sources, named, known, problems)
    values = sources.values if sources.values is not None else _values_folder()
    files = [values / "base.yaml", values / f"{profile}.yaml", *named]
    layers: list[Iterable[RawValue | UnreadableSettings]] = [from_file(path) for path in files]
    layers += [from_environment(sources.environ), from_flags(sources.flags)]
    chosen: dict[tuple[str, ...], Any] = {}
    for layer in layers:
        for raw in layer:
            _take(raw, chosen, known, problems, sources.folder)
    if problems:
        raise WrongSettings(problems)
    return _build(profile, chosen, sections)


def _path(item: Field) -> tuple[str, ...]:
    return (item.section, item.key) if item.section else (item.key,)


def _config_files(sources: SettingSources) -> Iterable[Path]:
    extra = sources.environ.get("AIWEBENGINE_CONFIG", "").split(os.pathsep)
    paths = [*(Path(path) for path in extra if path), *sources.config]
    return [sources.folder / path.expanduser() for path in paths]


def _values_folder() -> Path:
    """Find the values that come with the engine: inside the installed package, or beside it in a checkout."""
    package = Path(aiwebengine.__file__).parent
    installed = package / "config"
    return installed if installed.is_dir() else package.parent / "config"


def _profile(
    sources: SettingSources,
    named: Sequence[Path],
    known: Mapping[tuple[str, ...], Field],
    problems: list[WrongSetting],
) -> str:
    raw = RawValue(path=_PROFILE, value=known[_PROFILE].default, place=SourcePlace(source="default"))
    for path in named:
        for item in from_file(path):
            if isinstance(item, RawValue) and item.path == _PROFILE:
                raw = item
    if sources.environ.get("AIWEBENGINE_PROFILE"):
        place = SourcePlace(source="environment variable AIWEBENGINE_PROFILE")
        raw = RawValue(path=_PROFILE, value=sources.environ["AIWEBENGINE_PROFILE"], place=place, is_text=True)
    if sources.profile is not None:
        place = SourcePlace(source="flag --profile")
        raw = RawValue(path=_PROFILE, value=sources.profile, place=place, is_text=True)
    chosen: dict[tuple[str, ...], Any] = {}
    if raw.place.line is None:
        _take(raw, chosen, known, problems, sources.folder)
    elif raw.value in getattr(known[_PROFILE].rule, "words", ()):
        chosen[_PROFILE] = raw.value  # A wrong one is reported when its file is read.
    return str(chosen.get(_PROFILE, known[_PROFILE].default))


def _take(
    raw: RawValue | UnreadableSettings,
    chosen: dict[tuple[str, ...], Any],
    known: Mapping[tuple[str, ...], Field],
    problems: list[WrongSetting],
    folder: Path,
) -> None:
    if isinstance(raw, UnreadableSettings):
        problems.append(WrongSetting(message=raw.message, place=raw.place))
        return
    item = known.get(raw.path)
    if item is None:
        problems.append(WrongSetting(message=f"{unknown(raw.path, known)}.", place=raw.place))
        return
    try:
        chosen[raw.path] = convert(item, raw.value, is_text=raw.is_text, folder=folder)
    except WrongValue as error:
        place = replace(raw.place, snippet=None) if item.secret else raw.place
        problems.append(WrongSetting(message=f"{error}.", place=place))


def _build(profile: str, chosen: Mapping[tuple[str, ...], Any], sections: Sections) -> schema.Settings:
    made: dict[str, Any] = {}
    for name, kind in all_sections(sections).items():
        made[name] = kind(**{path[1]: value for path, value in chosen.items() if path[0] == name})
    features = {name: made.pop(name) for name in sections}
    return schema.Settings(profile=profile, features=features, **made)
