"""The kind of registration whose entries become one GraphQL schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiwebengine.features.graphql.schema.entries import CALLS_BY_KIND, GRAPHQL, OLDER_CALLS, has_long_sdl
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.host.registration.kinds import Registration, RegistrationKind
from aiwebengine.observe.interpreter import Collector
from aiwebengine.runtime.index import EntryIndex
from aiwebengine.values import Entry

if TYPE_CHECKING:
    from aiwebengine.features.graphql.schema.assembly import AssembledSchema
    from aiwebengine.features.graphql.schema.builder import SchemaBuilder


class SchemaBuilderOnDemand:
    """
    A `SchemaBuilder` that is made, and its modules imported, with the first part of a schema.

    Args:
        settings: How much there may be.
        collector: Does not look at large schemas.
    """

    def __init__(self, *, settings: GraphQLSettings, collector: Collector) -> None:
        self._settings = settings
        self._collector = collector
        self._builder: SchemaBuilder | None = None

    def takes_long(self, sent: Mapping[str, Any]) -> bool:
        """Return whether it takes milliseconds to check a registration, which is then done in a thread."""
        return self._builder is None or has_long_sdl(sent)

    def check(self, registration: Registration) -> Entry:
        """See `RegistrationKind.check`."""
        return self._needed().check(registration)

    def build(self, entries: Sequence[Entry]) -> AssembledSchema | None:
        """See `SchemaBuilder.build`."""
        if self._builder is None and not entries:
            return None
        return self._needed().build(entries)

    def _needed(self) -> SchemaBuilder:
        if self._builder is None:
            from aiwebengine.features.graphql.schema.builder import SchemaBuilder  # noqa: PLC0415  See `loading.py`.

            # Two threads may both come here; what the first has parsed is then parsed again.
            self._builder = SchemaBuilder(settings=self._settings, collector=self._collector)
        return self._builder


def schema_parts(settings: GraphQLSettings, collector: Collector | None = None) -> RegistrationKind:
    """Return the kind that `registerQueryHandler` and its like register, with a memory of what was parsed."""
    builder = SchemaBuilderOnDemand(settings=settings, collector=collector or Collector())
    return RegistrationKind(
        name=GRAPHQL,
        functions=(*CALLS_BY_KIND.values(), *OLDER_CALLS),
        noun="GraphQL field",
        nouns="GraphQL fields",
        check=builder.check,
        takes_long=builder.takes_long,
        # Two parts in conflict are found while the schema is made, with all else that does not fit.
        index=EntryIndex(build=builder.build),
    )
