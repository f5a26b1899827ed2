"""Which part of GraphQL answers a path."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.logger import Logger

from aiwebengine.errors import INTERNAL_ERROR, EngineError
from aiwebengine.features.graphql.loading import GraphQLOnDemand
from aiwebengine.features.graphql.transports.paths import ASSETS, EVENTS, OLDER, QUERIES, SOCKET
from aiwebengine.observe.background import Background
from aiwebengine.services.reactor.cooperative import CooperativeTasks
from aiwebengine.values import Request
from aiwebengine.web.errors import error_answer
from aiwebengine.web.http.exchange import Exchange

_log = Logger()

_EXACT = frozenset({QUERIES, EVENTS, SOCKET})


class GraphQLSite:
    """
    The paths of GraphQL.

    Args:
        graphql: What answers requests, once it is loaded.
        graphiql: Whether there is GraphiQL.
        background: Runs what waits for it.
        tasks: Do what takes long in slices.
    """

    def __init__(
        self, *, graphql: GraphQLOnDemand, graphiql: bool, background: Background, tasks: CooperativeTasks
    ) -> None:
        self._graphql = graphql
        self._background = background
        self._tasks = tasks
        self._below: Sequence[str] = (OLDER, ASSETS) if graphiql else (OLDER,)

    def __call__(self, exchange: Exchange, request: Request) -> bool:
        """Answer *request* if it is for GraphQL; return whether it is."""
        path: str | None = request.path
        if path not in _EXACT:
            path = next((prefix for prefix in self._below if request.path.startswith(prefix)), None)
        if path is None:
            return False
        graphql = self._graphql.loaded
        if graphql is not None:
            self._tasks.start(graphql.enter[path], exchange, request)
        else:
            self._background.start("a GraphQL request", self._enter_when_loaded(path, exchange, request))
        return True

    async def _enter_when_loaded(self, path: str, exchange: Exchange, request: Request) -> None:
        try:
            graphql = await self._graphql.load()
        except (EngineError, ImportError) as error:
            if isinstance(error, ImportError):
                _log.failure("request {request}: GraphQL cannot be loaded", request=exchange.id)
            refusal = error if isinstance(error, EngineError) else EngineError(INTERNAL_ERROR)
            exchange.answered(error_answer(refusal, request_id=exchange.id, accept=exchange.sender.accept))
            return
        if exchange.waiting:
            self._tasks.start(graphql.enter[path], exchange, request)
