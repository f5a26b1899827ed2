"""`GET /engine/api/pages`: what features show to administrators."""

from __future__ import annotations

from collections.abc import Sequence

from aiwebengine.errors import CannotStart
from aiwebengine.values import Answer, ConsolePage
from aiwebengine.web.api.call import ApiCall, as_json
from aiwebengine.web.api.route import ApiRoute


class PageList:
    """See `interfaces.Console`; a list, by which the command line and other clients find what is shown."""

    def __init__(self) -> None:
        self._pages: tuple[ConsolePage, ...] = ()

    def show(self, pages: Sequence[ConsolePage]) -> None:
        """See `Console.show`."""
        names = [page.name for page in pages]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise CannotStart(f'Two features show a page named "{twice}" (ConsolePage.name). Leave one of them out.')
        self._pages = tuple(pages)

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [ApiRoute("GET", "/engine/api/pages", self.read)]

    async def read(self, call: ApiCall) -> Answer:
        """Return the list."""
        call.only()
        return as_json({"pages": [_as_json(page) for page in self._pages]})


def _as_json(page: ConsolePage) -> dict[str, object]:
    return {
        "name": page.name,
        "title": page.title,
        "summary": page.summary,
        "path": page.path,
        "parameters": page.parameters,
        "command": page.command or None,
    }
