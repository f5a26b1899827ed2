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
    """Let clients query the schema."""
    graphiql: bool = True
    """Show GraphiQL to browsers that open `/graphql`; it needs introspection."""
    max_depth: Annotated[int, NumberRange(least=1, most=1000)] = 15
    """Maximum depth of an operation, in levels of fields."""
    max_complexity: Annotated[int, NumberRange(least=1, most=100_000_000)] = 5000
    """Maximum number of fields of an operation; below `first`, `last` or `limit` each counts that many times."""
    max_tokens: Annotated[int, NumberRange(least=10, most=1_000_000)] = 3000
    """Maximum length of a document, in tokens."""
    max_document_bytes: Annotated[int, NumberRange(least=_KIB, most=64 * _MIB)] = 64 * _KIB
    """Maximum size of a document in UTF-8, without variables; put long values into variables."""
    max_script_schema_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = _MIB
    """Maximum size of the SDL of one script; SDL that is registered several times counts once."""
    max_schema_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 4 * _MIB
    """Maximum size of the SDL of all scripts; the schema is built again whenever a part of it changes."""
    max_script_types: Annotated[int, NumberRange(least=1, most=1_000_000)] = 2000
    """Maximum number of types that one script defines."""
    max_types: Annotated[int, NumberRange(least=1, most=1_000_000)] = 10_000
    """Maximum number of types of the schema."""
    max_response_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 16 * _MIB
    """Maximum size of a result; a short document can request a large value many times."""
    max_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 30.0
    """Maximum time for a query or a mutation with all its fields."""
    max_subscriptions: Annotated[int, NumberRange(least=0, most=10_000_000)] = 20_000
    """Maximum number of open subscriptions of all clients; further ones are refused."""
    max_connection_subscriptions: Annotated[int, NumberRange(least=1, most=100_000)] = 100
    """Maximum number of open subscriptions of one WebSocket, or of one reserved stream of `/graphql/sse`."""
    queue_results: Annotated[int, NumberRange(least=1, most=100_000)] = 100
    """Maximum number of results that wait for a slow subscriber; beyond it its subscription ends with an error."""
    init_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 5.0
    """How long a WebSocket may take to send `connection_init`, and a stream of `/graphql/sse` may be unused."""
    persisted_queries: bool = True
    """Keep documents that clients send with their SHA-256 hash, so that later the hash is enough."""
    persisted_bytes: Annotated[int, NumberRange(least=0, most=_GIB)] = 4 * _MIB
    """Maximum size of the cached documents, in characters; the least recently used are removed first."""
    max_batch: Annotated[int, NumberRange(least=0, most=1000)] = 0
    """Maximum number of operations in one request, as a JSON array; with 0 an array is refused."""
