"""The flags of a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiwebengine.cli import flags
from aiwebengine.settings.check import schema_fields


def test_own_flags_are_settings() -> None:
    """Each flag of its own stands for a setting that exists."""
    known = {item.name for item in schema_fields({})}
    assert {key for key, _ in flags.OWN_FLAGS.values()} <= known


def test_flags_become_sources() -> None:
    """Flags that were given are handed on, in the order in which later ones win."""
    found = flags.sources(
        profile=None,
        config=["a.yaml"],
        own={"port": "1", "listen": None},
        assignments=["server.port = 2"],
        environ={},
        folder=Path(),
    )
    assert found.flags == (("--port", "server.port", "1"), ("--set server.port", "server.port", "2"))
    assert found.config == (Path("a.yaml"),)


def test_set_without_a_value() -> None:
    """--set needs an equals sign."""
    with pytest.raises(flags.WrongFlag, match="write it as section"):
        flags.sources(profile=None, config=[], own={}, assignments=["server.port"], environ={}, folder=Path())
