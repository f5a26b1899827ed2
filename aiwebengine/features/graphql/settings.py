"""Settings of GraphQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_KIB = 1024
_MIB = 1024 * _KIB
_GIB = 1024 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLSettings:
    """The GraphQL endpoint `/graphql`, and the subscriptions there."""

    introspection: bool = True
    """Let clients ask for the schema itself."""
    graphiql: bool = True
    """Show GraphiQL to browsers that open `/graphql`; it needs introspection."""
    max_depth: Annotated[int, NumberRange(least=1, most=1000)] = 15
    """Deepest operation, in levels of fields."""
    max_complexity: Annotated[int, NumberRange(least=1, most=100_000_000)] = 5000
    """Largest operation, in fields; below `first`, `last` and `limit` they count that many times."""
    max_tokens: Annotated[int, NumberRange(least=10, most=1_000_000)] = 3000
    """Longest document, in words and signs."""
    max_document_bytes: Annotated[int, NumberRange(least=_KIB, most=64 * _MIB)] = 64 * _KIB
    """Largest document, in bytes of UTF-8; long values belong into variables, which are no part of it."""
    max_script_schema_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = _MIB
    """Most SDL of one script, in bytes; what is registered several times counts once."""
    max_schema_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 4 * _MIB
    """Most SDL of all scripts: all of it is put together again whenever a part of it changes."""
    max_script_types: Annotated[int, NumberRange(least=1, most=1_000_000)] = 2000
    """Most types that one script defines in the GraphQL schema."""
    max_types: Annotated[int, NumberRange(least=1, most=1_000_000)] = 10_000
    """Most types of the GraphQL schema."""
    max_response_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 16 * _MIB
    """Largest result: few words can ask for the same large value very often."""
    max_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 30.0
    """Longest time for a query or a mutation, all its fields together."""
    max_subscriptions: Annotated[int, NumberRange(least=0, most=10_000_000)] = 20_000
    """Most open subscriptions of all clients; one more is refused."""
    max_connection_subscriptions: Annotated[int, NumberRange(least=1, most=100_000)] = 100
    """Most open subscriptions of one WebSocket, or of one token of the single connection mode of `/graphql/sse`."""
    queue_results: Annotated[int, NumberRange(least=1, most=100_000)] = 100
    """Most results that wait for a subscriber who reads slowly; with one more its subscription ends with an error."""
    init_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 5.0
    """How long a WebSocket may take to send `connection_init`, and an unused token of `/graphql/sse` lives."""
    persisted_queries: bool = True
    """Keep documents that clients send with their SHA-256, so that later the digest is enough."""
    persisted_bytes: Annotated[int, NumberRange(least=0, most=_GIB)] = 4 * _MIB
    """Most characters of such documents; those that were used longest ago are forgotten first."""
    max_batch: Annotated[int, NumberRange(least=0, most=1000)] = 0
    """Most operations that one request may have, as a JSON array of them; with 0 an array is refused."""
