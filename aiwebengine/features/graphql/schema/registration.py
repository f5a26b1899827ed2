"""The kind of registration whose entries become one GraphQL schema."""

from __future__ import annotations

from collections.abc import Sequence

from aiwebengine.features.graphql.schema.assembly import Assembled, assemble
from aiwebengine.features.graphql.schema.parts import CALLS_BY_KIND, GRAPHQL, OLDER_CALLS, check_part, part_of
from aiwebengine.features.graphql.schema.resolvers import attach
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.runtime.index import EntryIndex
from aiwebengine.values import Entry


def build_schema(entries: Sequence[Entry]) -> Assembled | None:
    """
    Make the schema of all scripts; None if no script adds to it.

    Raises:
        DeploymentRefused: The parts do not fit together; it names each place and both owners.
    """
    if not entries:
        return None
    assembled = assemble([part_of(entry) for entry in entries])
    attach(assembled)
    return assembled


SCHEMA_PARTS = RegistrationKind(
    name=GRAPHQL,
    functions=(*CALLS_BY_KIND.values(), *OLDER_CALLS),
    noun="GraphQL field",
    nouns="GraphQL fields",
    check=check_part,
    # Two parts in conflict are found while the schema is made, with all else that does not fit.
    index=EntryIndex(build=build_schema),
)
"""What `registerQueryHandler` and its like register."""
