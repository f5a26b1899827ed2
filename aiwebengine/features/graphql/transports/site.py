"""Which part of GraphQL answers a path."""

from __future__ import annotations

from collections.abc import Mapping

from aiwebengine.features.graphql.transports.http import Enter
from aiwebengine.services.reactor.cooperative import CooperativeTasks
from aiwebengine.values import Request
from aiwebengine.web.http.exchange import Exchange


class GraphQLSite:
    """
    The paths of GraphQL.

    Args:
        exact: Who answers a path.
        below: Who answers what begins with a path, which ends with `/`.
        tasks: Do what takes long in slices.
    """

    def __init__(self, *, exact: Mapping[str, Enter], below: Mapping[str, Enter], tasks: CooperativeTasks) -> None:
        self._tasks = tasks
        self._exact = exact
        self._below = below

    def __call__(self, exchange: Exchange, request: Request) -> bool:
        """Answer *request* if it is for GraphQL; tell whether it is."""
        enter = self._exact.get(request.path)
        if enter is None:
            enter = next(
                (enter_below for prefix, enter_below in self._below.items() if request.path.startswith(prefix)), None
            )
        if enter is None:
            return False
        self._tasks.start(enter, exchange, request)
        return True
