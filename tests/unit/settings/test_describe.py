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
