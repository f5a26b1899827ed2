"""Every setting is described and does something."""

from __future__ import annotations

import ast

import yaml

from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings.check import schema_fields
from aiwebengine.settings.describe import meanings
from tests.rules.tree import ROOT, name, parsed, python

SECTIONS = sections_of(FEATURES)


def test_every_setting_is_described() -> None:
    """Each setting has a full sentence under its field, and a rule if it is a number."""
    told = meanings(SECTIONS)
    for item in schema_fields(SECTIONS):
        meaning = told.get((item.section, item.key), "")
        assert meaning.endswith("."), item.name
        assert item.rule is not None or item.kind not in {int, float}, f"{item.name} has no bounds"


def test_every_default_is_allowed() -> None:
    """A default obeys the rule that stands beside it."""
    for item in schema_fields(SECTIONS):
        if item.rule is not None and item.kind is not tuple:
            assert item.rule.allows(item.default), item.name


def test_every_setting_has_an_effect() -> None:
    """Each setting is read somewhere outside of the settings floor."""
    read = {
        node.attr
        for path in python("aiwebengine")
        if not name(path).startswith("aiwebengine/settings/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
    }
    assert not [item.name for item in schema_fields(SECTIONS) if item.key not in read]


def test_profiles_set_known_settings() -> None:
    """The profiles' files are small: a value that is the base's own is left out, and each key exists."""
    known = {item.name for item in schema_fields(SECTIONS)}
    for path in sorted((ROOT / "config").glob("*.yaml")):
        for section, keys in (yaml.safe_load(path.read_text("utf-8")) or {}).items():
            for key in keys:
                assert f"{section}.{key}" in known, f"{path.name}: {section}.{key}"
