"""The feature `graphql`; see the package."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.feature import Feature
from aiwebengine.features.graphql.declarations import DECLARATIONS
from aiwebengine.features.graphql.settings import GraphQLSettings

FEATURE = Feature(
    name="graphql",
    parts="aiwebengine.features.graphql.parts:build",
    declares=DECLARATIONS,
    summary="One GraphQL schema of all scripts, with subscriptions.",
    settings={"graphql": GraphQLSettings},
    prelude=(Path(__file__).with_name("graphql.js"),),
    guide="docs/howto/graphql.md",
)
