"""One path of the management API."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple, Protocol

from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, LongAnswer


class ApiRoute(NamedTuple):
    """A method, a path and who answers."""

    method: str
    path: str
    handler: Callable[[ApiCall], Coroutine[Any, Any, Answer | LongAnswer | None]]
    """Returns the answer; None if it has written the answer itself."""
    max_body_bytes: int = 64 * 1024


class ApiResource(Protocol):
    """Answers some routes."""

    def routes(self) -> Sequence[ApiRoute]:
        """Return them."""
