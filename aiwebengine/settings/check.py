"""
From what was written to what the schema says, with every problem in words.

`fields()` reads the schema's types once; `convert()` turns one value, and says what is allowed
when it cannot.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any

from aiwebengine.settings.allowed import FilePath, NumberRange, Rule, StringPattern
from aiwebengine.settings.schema import FormerNames, Settings

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(KiB|MiB|GiB)")
_UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SHOWN = 60


class WrongValue(Exception):
    """A value that the setting cannot have; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting, as the schema declares it."""

    section: str
    """Empty for `profile`, which stands in no section."""
    key: str
    kind: Any
    """`int`, `float`, `str`, `bool`, or `tuple` for a list of strings."""
    rule: Rule | None
    default: Any
    former: str = ""
    """Its name before, such as `streams.retry_seconds`; empty if it had no other."""

    @property
    def name(self) -> str:
        """Dotted, such as `server.port`."""
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def variable(self) -> str:
        """Environment variable that sets it."""
        return f"AIWEBENGINE__{self.section.upper()}__{self.key.upper()}" if self.section else "AIWEBENGINE_PROFILE"

    @property
    def secret(self) -> bool:
        """Return whether its value must not be shown."""
        return isinstance(self.rule, StringPattern) and self.rule.secret

    @property
    def allowed(self) -> str:
        """Return the allowed values as people read them: `a whole number from 0 to 65535`."""
        rule = self.rule.text if self.rule else ""
        if self.kind is bool:
            return "true or false"
        if self.kind is tuple:
            return f"a list, each item {rule}" if rule else "a list of strings"
        if isinstance(self.rule, NumberRange):
            size = "; sizes may be written as `10 MiB`" if self.key.endswith("_bytes") else ""
            return f"a {'whole ' if self.kind is int else ''}number {rule}{size}"
        return rule or "text"


Sections = Mapping[str, type[Any]]
"""Frozen classes by the name of their section in the files."""


def all_sections(features: Sections) -> Sections:
    """Return the sections of the machinery and then those of *features*."""
    hints = typing.get_type_hints(Settings)
    own = {item.name: hints[item.name] for item in dataclass_fields(Settings) if is_dataclass(hints[item.name])}
    return {**own, **features}


def schema_fields(features: Sections) -> Iterator[Field]:
    """
    Return all settings in the order of the schema.

    Args:
        features: Sections beside those of the machinery.
    """
    hints = typing.get_type_hints(Settings, include_extras=True)
    [profile] = [item for item in dataclass_fields(Settings) if item.name == "profile"]
    yield _field("", "profile", hints["profile"], profile.default)
    for section, kind in all_sections(features).items():
        yield from section_fields(section, kind)


def section_fields(section: str, kind: type[Any]) -> Iterator[Field]:
    """
    Return the settings of one section in the order of its class.

    Raises:
        TypeError: One of them has a type that settings cannot have.
    """
    hints = typing.get_type_hints(kind, include_extras=True)
    former: FormerNames = getattr(kind, "FORMER", {})
    for leaf in dataclass_fields(kind):
        yield _field(section, leaf.name, hints[leaf.name], leaf.default, former=former.get(leaf.name, ""))


def _field(section: str, key: str, hint: Any, default: Any, *, former: str = "") -> Field:
    rule: Rule | None = None
    if typing.get_origin(hint) is typing.Annotated:
        hint, rule = typing.get_args(hint)[:2]
    kind = typing.get_origin(hint) or hint
    if isinstance(kind, types.UnionType) or kind not in {int, float, str, bool, tuple}:
        raise TypeError(f"{section}.{key} has a type that settings cannot have: {hint}")
    return Field(section=section, key=key, kind=kind, rule=rule, default=default, former=former)


def convert(field: Field, value: Any, *, is_text: bool, folder: Path) -> Any:
    """
    Make one value what the schema says.

    Args:
        is_text: From the environment or a flag: `"8080"` stands for 8080.
        folder: From here relative paths start.

    Raises:
        Wrong: It is not allowed; the text says what is.
    """
    if value is None:
        raise WrongValue(f"`{field.name}` has no value; allowed is {field.allowed}")
    typed = _typed(field, value, is_text=is_text)
    if field.rule is not None:
        for item in typed if field.kind is tuple else (typed,):
            if not field.rule.allows(item):
                raise WrongValue(f"`{field.name}` cannot be {_show(field, item)}; allowed is {field.allowed}")
    if isinstance(field.rule, FilePath) and typed:
        return _absolute(field, typed, folder)
    return typed


def _typed(field: Field, value: Any, *, is_text: bool) -> Any:
    wrong = WrongValue(f"`{field.name}` cannot be {_show(field, value)}; allowed is {field.allowed}")
    if field.kind is bool:
        return _boolean(value, wrong, is_text=is_text)
    if field.kind in {int, float}:
        return _number(field, value, wrong)
    if field.kind is tuple:
        items = [part.strip() for part in value.split(",") if part.strip()] if is_text else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise wrong
        return tuple(items)
    if not isinstance(value, str):
        quoted = "; put quotes around it" if isinstance(value, bool | int | float) and field.rule is None else ""
        raise WrongValue(f"{wrong}{quoted}")
    return value


def _boolean(value: Any, wrong: WrongValue, *, is_text: bool) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if is_text else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise wrong


def _number(field: Field, value: Any, wrong: WrongValue) -> float:
    if isinstance(value, str):
        # Text even from a file: YAML 1.1 takes `1e3` for text, and sizes have units.
        match = _SIZE.fullmatch(value.strip())
        try:
            if match and field.key.endswith("_bytes"):
                value = int(float(match[1]) * _UNITS[match[2]])
            else:
                value = int(value) if field.kind is int else float(value)
        except ValueError:
            raise wrong from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise wrong
    if field.kind is int and value != int(value):
        raise wrong
    return int(value) if field.kind is int else float(value)


def _absolute(field: Field, value: str, folder: Path) -> str:
    try:
        return str(folder / Path(value).expanduser())
    except RuntimeError:
        raise WrongValue(f"`{field.name}` begins with `~`, but there is no home folder; write the whole path") from None


def unknown(path: tuple[str, ...], known: Mapping[tuple[str, ...], Field]) -> str:
    """Say that there is no such setting, and which one is meant."""
    name = ".".join(path)
    for field in known.values():
        if field.former == name:
            return f"The setting `{name}` is called `{field.name}` now"
    sections = dict.fromkeys(section for section, *rest in known if rest)
    if path[0] not in sections:
        advice = _suggestion(path, known) or ";"
        return f"There is no {_key_noun(path)} `{path[0]}`{advice} sections are {', '.join(sections)}"
    keys = [key for section, *rest in known if section == path[0] for key in rest]
    if len(path) == 1:
        return f"`{name}` is a section and takes keys, not a value; its keys are {', '.join(keys)}"
    if path[:2] in known:
        return f"`{'.'.join(path[:2])}` takes a value, not keys; allowed is {known[path[:2]].allowed}"
    return f"There is no setting `{name}`{_suggestion(path, known) or ';'} `{path[0]}` has {', '.join(keys)}"


def _key_noun(path: tuple[str, ...]) -> str:
    return "section" if len(path) > 1 else "section or setting"


def _suggestion(path: tuple[str, ...], known: Mapping[tuple[str, ...], Field]) -> str:
    names = [candidate for candidate in known if len(candidate) > 1]
    inside = {candidate[1]: ".".join(candidate) for candidate in names if candidate[0] == path[0]}
    suggestions = [inside[key] for key in difflib.get_close_matches(path[-1], inside, n=1)]
    suggestions += [".".join(candidate) for candidate in names if candidate[1] == path[-1]]
    suggestions += difflib.get_close_matches(path[0], {candidate[0] for candidate in known}, n=1)
    return f"; did you mean `{suggestions[0]}`?" if suggestions else ""


def _show(field: Field, value: Any) -> str:
    if field.secret:
        return "a value that is not shown because it may contain a password"
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, dt.date):
        return f"the date {value}, which YAML reads without quotation marks"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
