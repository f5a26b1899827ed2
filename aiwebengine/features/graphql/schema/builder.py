"""One GraphQL schema of the registrations of all scripts."""

from __future__ import annotations

from collections.abc import Sequence

from aiwebengine.features.graphql.schema.assembly import AssembledSchema, assemble
from aiwebengine.features.graphql.schema.disposal import ReplacedSchemas
from aiwebengine.features.graphql.schema.documents import ParsedSdl
from aiwebengine.features.graphql.schema.entries import part_of
from aiwebengine.features.graphql.schema.parts import check_part
from aiwebengine.features.graphql.schema.resolvers import attach
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.host.registration.kinds import Registration
from aiwebengine.observe.interpreter import Collector
from aiwebengine.values import Entry

_LARGE = 200
"""A schema of this many types is set aside from garbage collection."""


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

    def check(self, registration: Registration) -> Entry:
        """Return the entry of one part; see `check_part`."""
        return check_part(registration, read=self.documents.read)

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
