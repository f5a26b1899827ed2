"""The reference page of settings."""

from __future__ import annotations

from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings.check import schema_fields
from aiwebengine.settings.describe import PAGE, generated

SECTIONS = sections_of(FEATURES)


def test_page_has_every_setting() -> None:
    """Each setting stands on the page with what is allowed, its default and its environment variable."""
    page = generated(SECTIONS)[PAGE]
    for item in schema_fields(SECTIONS):
        assert f"### `{item.name}`" in page
        assert f"Environment: `{item.variable}`" in page


def test_sizes_are_told_for_people() -> None:
    """Defaults in bytes are written with units."""
    assert "Default: `10 MiB`. Environment: `AIWEBENGINE__HTTP__MAX_BODY_BYTES`" in generated(SECTIONS)[PAGE]


def test_lists_and_zeros_are_told_for_people() -> None:
    """A default that is a list is written as in the environment, and no size as 0."""
    page = generated(SECTIONS)[PAGE]
    assert "Default: `all`. Environment: `AIWEBENGINE__SANDBOX__ALLOW_MISSING`" in page
    assert "Default: `password, passwd, secret, " in page
    assert "Default: `0`. Environment: `AIWEBENGINE__POOL__RECYCLE_MEMORY_BYTES`" in page
