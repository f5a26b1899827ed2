"""One operation that is being executed: its caller, its document, and the calls that it makes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from graphql import GraphQLResolveInfo
from graphql.language import OperationDefinitionNode

from aiwebengine.errors import Cancelled
from aiwebengine.features.graphql.execution.documents import Document
from aiwebengine.features.graphql.execution.loop import ReactorLoop
from aiwebengine.features.graphql.execution.slots import Slot
from aiwebengine.features.graphql.schema.assembly import AssembledSchema
from aiwebengine.features.graphql.schema.batches import Batches, Caller
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.transports.wire import encode_ascii


class Params(NamedTuple):
    """What a client asks for; a tuple, as it is made for each request."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None = None


Opens = Callable[[SchemaPart, "Operation", GraphQLResolveInfo[Any], Mapping[str, Any]], Awaitable[Any]]


class Operation:
    """
    The context of one execution; see the module.

    Args:
        assembled: The schema.
        document: What is executed of.
        node: The operation in it.
        caller: Who asks.
        loop: Runs it.
        batches: Its calls.
    """

    __slots__ = (
        "assembled", "batches", "caller", "document", "loop", "many", "node", "opens", "prefetched",
    )  # fmt: skip

    def __init__(
        self,
        *,
        assembled: AssembledSchema,
        document: Document,
        node: OperationDefinitionNode,
        caller: Caller,
        loop: ReactorLoop,
        batches: Batches,
    ) -> None:
        self.assembled = assembled
        self.document = document
        self.node = node
        self.caller = caller
        self.loop = loop
        self.batches = batches
        self.opens: Opens | None = None
        """Asks for the source of a subscription."""
        self.prefetched: Mapping[Any, Slot] | None = None
        """Values of root fields that are there already, by name in the result; see `schema/prefetch.py`."""
        self.many: dict[tuple[str, int, str], Any] = {}
        """Calls for objects that are being gathered."""

    @property
    def kind(self) -> str:
        """`query`, `mutation` or `subscription`."""
        return self.node.operation.value

    def checkpoint(self) -> None:
        """
        Let other work run if this has taken long.

        Raises:
            Cancelled: Nothing waits for the result any more.
        """
        self.loop.checkpoint()
        if self.batches.cancelled:
            raise Cancelled("The operation was cancelled.")

    def info(self, info: GraphQLResolveInfo[Any], *, path: bool) -> str:
        """
        Return what a resolver learns about its position, as JSON.

        Args:
            path: Return the position in the result, which is the same for every execution if the field is a root field.
        """
        if path and info.path.prev is not None:
            return encode_ascii(self._info(info, path=True))
        key = (id(info.field_nodes[0]), id(self.node))
        known = self.document.infos.get(key)
        if known is None:
            known = self.document.infos[key] = encode_ascii(self._info(info, path=path))
        return known

    def _info(self, info: GraphQLResolveInfo[Any], *, path: bool) -> dict[str, Any]:
        name = self.node.name.value if self.node.name is not None else None
        summary: dict[str, Any] = {
            "fieldName": info.field_name,
            "parentType": info.parent_type.name,
            "returnType": str(info.return_type),
            "operation": {"kind": self.kind, "name": name},
            "fields": self.document.selected(info.field_nodes),
        }
        if path:
            summary["path"] = info.path.as_list()
        return summary
