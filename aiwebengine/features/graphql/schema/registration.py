"""The kind of registration whose entries become one GraphQL schema."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aiwebengine.features.graphql.schema.assembly import AssembledSchema, assemble
from aiwebengine.features.graphql.schema.documents import ParsedSdl
from aiwebengine.features.graphql.schema.parts import (
    CALLS_BY_KIND,
    GRAPHQL,
    OLDER_CALLS,
    check_part,
    part_of,
    takes_long,
)
from aiwebengine.features.graphql.schema.resolvers import attach
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.runtime.index import EntryIndex
from aiwebengine.values import Entry


def build_schema(
    entries: Sequence[Entry], *, documents: ParsedSdl | None = None, settings: GraphQLSettings | None = None
) -> AssembledSchema | None:
    """
    Make the schema of all scripts; None if no script adds to it.

    Raises:
        DeploymentRefused: The parts do not fit together; it names each place and both owners.
    """
    if not entries:
        return None
    assembled = assemble([part_of(entry) for entry in entries], documents=documents, settings=settings)
    attach(assembled)
    return assembled


def schema_parts(settings: GraphQLSettings) -> RegistrationKind:
    """Make the kind that `registerQueryHandler` and its like register, with a memory of what was parsed."""
    documents = ParsedSdl(max_characters=settings.max_schema_bytes)
    return RegistrationKind(
        name=GRAPHQL,
        functions=(*CALLS_BY_KIND.values(), *OLDER_CALLS),
        noun="GraphQL field",
        nouns="GraphQL fields",
        check=partial(check_part, read=documents.read),
        takes_long=takes_long,
        # Two parts in conflict are found while the schema is made, with all else that does not fit.
        index=EntryIndex(build=partial(build_schema, documents=documents, settings=settings)),
    )
