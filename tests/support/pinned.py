"""A setting that has no effect: whatever is said, it keeps its default."""

from __future__ import annotations

import typing
from dataclasses import fields

from aiwebengine.settings.schema import Settings


def pin(setting: str) -> None:
    """Have *setting*, such as `http.idle_seconds`, keep its default in this process from now on."""
    section, _, key = setting.rpartition(".")
    kind = typing.get_type_hints(Settings)[section] if section else Settings
    default = next(field.default for field in fields(kind) if field.name == key)
    # The constructor of a frozen dataclass sets its fields as attributes.
    setattr(kind, key, property(lambda _: default, lambda _, __: None))
