"""A setting that has no effect: whatever is said, it keeps its default."""

from __future__ import annotations

from dataclasses import fields

from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings.check import all_sections
from aiwebengine.settings.schema import Settings


def pin(setting: str) -> None:
    """Have *setting*, such as `http.idle_seconds`, keep its default in this process from now on."""
    section, _, key = setting.rpartition(".")
    kind = all_sections(sections_of(FEATURES))[section] if section else Settings
    [default] = [field.default for field in fields(kind) if field.name == key]
    # The constructor of a frozen dataclass sets its fields as attributes.
    setattr(kind, key, property(lambda _: default, lambda _, __: None))
