"""The pages made from settings and commands are current."""

from __future__ import annotations

import pytest

from aiwebengine.cli import reference
from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings import describe
from tests.rules.tree import ROOT

PAGES = {**describe.generated(sections_of(FEATURES)), **reference.generated()}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_page_is_current(page: str) -> None:
    """The page is what `aiwebengine types` writes."""
    assert (ROOT / page).read_text("utf-8") == PAGES[page]
