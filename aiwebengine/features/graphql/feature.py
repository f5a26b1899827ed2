"""The feature `graphql`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.host.graphql_calls import DECLARATIONS

FEATURE = Feature(
    name="graphql",
    parts="aiwebengine.features.graphql.parts:build",
    declares=DECLARATIONS,
    summary="One GraphQL schema of all scripts, with subscriptions.",
    guide="docs/howto/graphql.md",
)
