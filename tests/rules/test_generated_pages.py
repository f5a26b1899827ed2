"""The pages made from settings, commands and the feature interface are current."""

from __future__ import annotations

import pytest

from aiwebengine.assembly import feature_interface
from aiwebengine.cli import reference
from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings import describe
from tests.rules.tree import ROOT

PAGES = {
    **describe.generated(sections_of(FEATURES)),
    **reference.generated(),
    **feature_interface.generated(),
}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_page_is_current(page: str) -> None:
    """The page is what `aiwebengine types` writes."""
    assert (ROOT / page).read_text("utf-8") == PAGES[page]
