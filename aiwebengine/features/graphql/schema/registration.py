"""The kind of registration whose entries become one GraphQL schema."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from aiwebengine.features.graphql.schema.assembly import AssembledSchema, assemble
from aiwebengine.features.graphql.schema.disposal import ReplacedSchemas
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
from aiwebengine.observe.interpreter import Collector
from aiwebengine.runtime.index import EntryIndex
from aiwebengine.values import Entry

_LARGE = 200
"""A schema of so many types is set aside from garbage collection."""


class SchemaBuilder:
    """
    Makes the schema of all scripts, in a thread.

    Args:
        settings: How much there may be.
        collector: Does not look at large schemas.
    """

    def __init__(self, *, settings: GraphQLSettings, collector: Collector) -> None:
        self.documents = ParsedSdl(max_characters=settings.max_schema_bytes)
        self._settings = settings
        self._collector = collector
        self._replaced = ReplacedSchemas()

    def build(self, entries: Sequence[Entry]) -> AssembledSchema | None:
        """
        Return the schema; None if no script adds to it.

        Raises:
            DeploymentRefused: The parts do not fit together; it names each place and both owners.
        """
        with self._collector.young_objects_only():
            self._replaced.take_apart()
            if not entries:
                return None
            assembled = assemble(
                [part_of(entry) for entry in entries], documents=self.documents, settings=self._settings
            )
            attach(assembled)
            self._replaced.watch(assembled)
            if len(assembled.schema.type_map) >= _LARGE:
                self._collector.set_aside()
        return assembled


def schema_parts(settings: GraphQLSettings, collector: Collector | None = None) -> RegistrationKind:
    """Make the kind that `registerQueryHandler` and its like register, with a memory of what was parsed."""
    builder = SchemaBuilder(settings=settings, collector=collector or Collector())
    return RegistrationKind(
        name=GRAPHQL,
        functions=(*CALLS_BY_KIND.values(), *OLDER_CALLS),
        noun="GraphQL field",
        nouns="GraphQL fields",
        check=partial(check_part, read=builder.documents.read),
        takes_long=takes_long,
        # Two parts in conflict are found while the schema is made, with all else that does not fit.
        index=EntryIndex(build=builder.build),
    )
