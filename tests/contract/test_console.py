"""The console port: what every console does with pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aiwebengine.assembly.interim import OWN_PAGES
from aiwebengine.errors import CannotStart
from aiwebengine.interfaces import Console
from aiwebengine.values import ConsolePage
from aiwebengine.web.api.pages import PageList

CONSOLES: list[Callable[[], Console]] = [PageList]
NOTES = ConsolePage(name="notes", title="Notes", summary="All notes.", path="/engine/api/notes")


@pytest.mark.parametrize("make", CONSOLES)
def test_takes_pages(make: Callable[[], Console]) -> None:
    """A console takes any pages, and none; two of one name stop the start, with the name."""
    make().show([])
    make().show([*OWN_PAGES, NOTES])
    with pytest.raises(CannotStart, match="notes"):
        make().show([NOTES, NOTES])
