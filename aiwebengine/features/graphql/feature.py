"""The feature `graphql`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.graphql.settings import GraphQLSettings
from aiwebengine.host.graphql_calls import DECLARATIONS

FEATURE = Feature(
    name="graphql",
    parts="aiwebengine.features.graphql.parts:build",
    declares=DECLARATIONS,
    summary="One GraphQL schema of all scripts, with subscriptions.",
    settings={"graphql": GraphQLSettings},
    guide="docs/howto/graphql.md",
)
