"""Which part of GraphQL answers a path."""

from __future__ import annotations

from collections.abc import Mapping

from aiwebengine.features.graphql.transports.http import Enter
from aiwebengine.values import Request
from aiwebengine.web.http.exchange import Exchange


class GraphQLSite:
    """
    The paths of GraphQL.

    Args:
        exact: Who answers a path.
        below: Who answers what begins with a path, which ends with `/`.
    """

    def __init__(self, *, exact: Mapping[str, Enter], below: Mapping[str, Enter]) -> None:
        self._exact = exact
        self._below = below

    def __call__(self, exchange: Exchange, request: Request) -> bool:
        """Answer *request* if it is for GraphQL; tell whether it is."""
        enter = self._exact.get(request.path)
        if enter is None:
            enter = next((one for prefix, one in self._below.items() if request.path.startswith(prefix)), None)
        if enter is None:
            return False
        enter(exchange, request)
        return True
