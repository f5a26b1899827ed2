"""The paths at which GraphQL answers; a path that ends with `/` stands for all below it."""

from __future__ import annotations

QUERIES = "/graphql"
EVENTS = "/graphql/sse"
SOCKET = "/graphql/ws"
OLDER = "/graphql/subscription/"
ASSETS = "/graphql/assets/"
"""Of GraphiQL."""
