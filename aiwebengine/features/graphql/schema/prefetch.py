"""
The root fields of a query, resolved before graphql-core begins.

Which scripts a query needs first is written in its document: all of its root fields, whose
arguments are known. So they are called at once, and when they have answered, graphql-core finds every value and waits
for none: for most queries no task is made at all, which is half of what execution costs. What is below (handlers of
fields, scalars) is resolved as usual, and what is not as simple as this (directives and fragments at the root, units,
scalars that are parsed) is left to the resolvers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLField
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import FieldNode, OperationDefinitionNode, OperationType, VariableNode, Visitor, visit

from aiwebengine.features.graphql.execution.documents import Document
from aiwebengine.features.graphql.schema.assembly import AssembledSchema
from aiwebengine.features.graphql.schema.batches import Call
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.schema.resolvers import RootField
from aiwebengine.features.graphql.transports.wire import encode_ascii, encode_for_script
from aiwebengine.long_json import Checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefetchedField:
    """One root field."""

    key: str
    """Its name in the result."""
    part: SchemaPart
    rooted: RootField
    field: GraphQLField
    node: FieldNode
    encoded: str
    """What the resolver learns about its position, as JSON."""
    arguments: str | None
    """Its arguments as JSON; None if they depend on variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All root fields of an operation."""

    items: tuple[PrefetchedField, ...]
    quick: bool
    """Nothing below them needs a script, so execution never waits."""


def plan_of(assembled: AssembledSchema, document: Document, node: OperationDefinitionNode) -> Plan | None:
    """Return the root fields of an operation that can be resolved at once; None if it is not so simple."""
    known = document.plans.get(id(node), document)
    if known is document:
        known = document.plans[id(node)] = _made(assembled, document, node)
    return known  # type: ignore[no-any-return]


def calls_of(plan: Plan, variables: VariableValues, checkpoint: Checkpoint) -> list[Call] | None:
    """Return the calls for all fields of a plan; None if arguments do not fit, which the resolvers report."""
    calls = []
    for item in plan.items:
        encoded = item.arguments
        if encoded is None:
            try:
                encoded = encode_for_script(get_argument_values(item.field, item.node, variables), checkpoint)
            except (GraphQLError, ValueError, RecursionError):
                return None
            checkpoint()
        calls.append(item.rooted.call(f'"a":{encoded},"i":{item.encoded}'))
    return calls


def _made(assembled: AssembledSchema, document: Document, node: OperationDefinitionNode) -> Plan | None:
    root = assembled.schema.query_type
    if node.operation is not OperationType.QUERY or node.directives or root is None:
        return None
    items: list[PrefetchedField] = []
    keys: set[str] = set()
    for selected in node.selection_set.selections:
        if not isinstance(selected, FieldNode) or selected.directives:
            return None
        name, key = selected.name.value, (selected.alias or selected.name).value
        if name.startswith("__"):
            continue
        part, field = assembled.roots.get(("query", name)), root.fields.get(name)
        rooted = getattr(field.resolve, "rooted", None) if field is not None else None
        if part is None or field is None or key in keys or not isinstance(rooted, RootField) or rooted.special:
            return None
        keys.add(key)
        encoded = encode_ascii(
            {
                "fieldName": name,
                "parentType": root.name,
                "returnType": str(field.type),
                "operation": {"kind": "query", "name": node.name.value if node.name is not None else None},
                "fields": document.selected([selected]),
                "path": [key],
            }
        )
        try:
            arguments = None if _has_variables(selected) else encode_ascii(get_argument_values(field, selected))
        except (GraphQLError, ValueError, RecursionError):
            return None
        items.append(
            PrefetchedField(
                key=key, part=part, rooted=rooted, field=field, node=selected, encoded=encoded, arguments=arguments
            )
        )
    if not items:
        return None
    return Plan(items=tuple(items), quick=not _asks_below(assembled, document))


def _asks_below(assembled: AssembledSchema, document: Document) -> bool:
    """Return whether a document may name a field that has a handler, or one whose values a script changes."""
    if any("serialize" in part.options for part in assembled.scalars.values()):
        return True
    looking = _Naming(name for _, name in assembled.fields)
    visit(document.node, looking)
    return looking.found


def _has_variables(node: FieldNode) -> bool:
    looking = _FragmentVisitor()
    for argument in node.arguments or ():
        visit(argument, looking)
    return looking.found


class _FragmentVisitor(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def enter_variable(self, _node: VariableNode, *_: Any) -> None:
        self.found = True


def by_script(calls: Sequence[Call]) -> Sequence[Sequence[Call]]:
    """Return calls together that go to the same version of a script."""
    if len(calls) == 1:
        return [calls]
    by_version: dict[str, list[Call]] = {}
    for call in calls:
        by_version.setdefault(call.part.version, []).append(call)
    return list(by_version.values())


class _Naming(Visitor):
    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._names = frozenset(names)
        self.found = False

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.found = self.found or node.name.value in self._names
