"""
Results written as JSON while they are completed.

graphql-core completes a result as a tree of dictionaries and lists, which is walked again to measure it and once more
to write it.  If nothing below the root fields needs a script, all values are there before execution begins.
Then a writer, made once for an operation, checks and writes them in one walk.

A writer knows only results without errors.  Where a value does not fit its type, or is null and may not be, or where
the result becomes too large, it raises `Unwritable`, and graphql-core executes the operation and reports the errors.

    { rows { id name } }   ->   object(list(object(leaf, leaf)))   ->   {"rows":[{"id":1,"name":"one"}]}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import DirectiveNode, FieldNode, OperationDefinitionNode, VariableNode, Visitor, visit

from aiwebengine.features.graphql.execution.documents import Document
from aiwebengine.features.graphql.schema.output import (
    Member,
    Output,
    Unwritable,
    Writer,
    leaf_writer,
    list_writer,
    object_writer,
)
from aiwebengine.long_json import Checkpoint

_TOGETHER = 256
"""Number of values of a list that are written between two checkpoints."""
_MOST_FIELDS = 10_000
"""A writer of more is not made: it would be cached as long as its document."""
_MOST_WRITERS = 100
"""Of one document, which has one for all values of the variables in its directives."""
_FIELDS_OF_UNKNOWN = 16
"""What an object of an interface or a union counts for."""


class ResultWriter:
    """
    Writes the results of one operation.

    Args:
        write: Writes the values of the root fields, by their names in the result.
        checks: Fields whose arguments may not fit, depending on variables.
    """

    __slots__ = ("_checks", "_write")

    def __init__(self, write: Writer, checks: Sequence[tuple[GraphQLField, FieldNode]]) -> None:
        self._write = write
        self._checks = checks

    def write(self, values: Mapping[str, Any], variables: VariableValues, output: Output) -> str:
        """
        Return JSON of the data.

        Raises:
            Unwritable: Only graphql-core can determine the result.
        """
        try:
            for field, node in self._checks:
                get_argument_values(field, node, variables)
            return self._write(values, output)
        except (GraphQLError, RecursionError):
            raise Unwritable from None


def writer_of(
    schema: GraphQLSchema,
    document: Document,
    node: OperationDefinitionNode,
    variables: VariableValues,
    checkpoint: Checkpoint,
) -> ResultWriter | None:
    """Return the writer of an operation, whose root fields are those of a plan; None if there can be none."""
    depends = document.writers.get((id(node),))
    if depends is None:
        depends = document.writers[id(node),] = _conditions(document)
    key = (id(node), *[variables.coerced.get(name) for name in depends])
    if len(key) > 1:
        if any(value is not None and type(value) is not bool for value in key[1:]):
            return None
    else:
        key = (id(node), None)
    known = document.writers.get(key, document)
    if known is document:
        if len(document.writers) >= _MOST_WRITERS:
            document.writers.clear()
        # It is cached with its document, and refers to nothing else that a client has sent.
        needed = VariableValues(
            sources={name: variables.sources[name] for name in depends if name in variables.sources},
            coerced={name: variables.coerced[name] for name in depends if name in variables.coerced},
        )
        factory = _WriterFactory(schema=schema, document=document, node=node, variables=needed, checkpoint=checkpoint)
        try:
            known = factory.made()
        except Unwritable:
            known = None
        document.writers[key] = known
    return known  # type: ignore[no-any-return]


class _WriterFactory:
    """
    Makes the writer of one operation.

    Args:
        schema: The types.
        document: Has the operation.
        node: The operation.
        variables: What `@skip` and `@include` depend on.
        checkpoint: Called again and again.
    """

    def __init__(
        self,
        *,
        schema: GraphQLSchema,
        document: Document,
        node: OperationDefinitionNode,
        variables: VariableValues,
        checkpoint: Checkpoint,
    ) -> None:
        self._schema = schema
        self._node = node
        self._variables = variables
        self._checkpoint = checkpoint
        self._fragments = {name: FragmentDetails(fragment, None) for name, fragment in document.fragments.items()}
        self._checks: list[tuple[GraphQLField, FieldNode]] = []
        self._fields = 0

    def made(self) -> ResultWriter:
        """
        Return the writer.

        Raises:
            Unwritable: Only graphql-core can execute this operation.
        """
        root = self._schema.query_type
        assert root is not None
        try:
            fields = collect_fields(self._schema, self._fragments, self._variables, root, self._node).grouped_field_set
            write = object_writer(*self._members(root, fields, root=True), nullable=False)
        except (GraphQLError, RecursionError):
            raise Unwritable from None
        return ResultWriter(write, self._checks)

    def _members(
        self, parent: GraphQLObjectType, fields: Mapping[str, Sequence[FieldDetails]], *, root: bool = False
    ) -> tuple[Sequence[Member], str]:
        """Return the members of an object, and what stands behind them."""
        self._checkpoint()
        self._fields += len(fields)
        if self._fields > _MOST_FIELDS:
            raise Unwritable
        members: list[Member] = []
        before = "{"
        for key, details in fields.items():
            name = details[0].node.name.value
            before += f"{encode_basestring(key)}:"
            if name == "__typename":
                before += f'"{parent.name}",'
                continue
            field = parent.fields.get(name)
            if field is None or (field.resolve is not None and not root):
                raise Unwritable
            if not root:
                self._check(field, details[0].node)
            members.append((before, key if root else name, self._writer(field.type, details)))
            before = ","
        return members, f"{before.removesuffix(',')}}}"

    def _check(self, field: GraphQLField, node: FieldNode) -> None:
        """Check the arguments of a field that needs no script: they may not fit all the same."""
        if not field.args and not node.arguments:
            return
        if any(_variables_in(argument) for argument in node.arguments or ()):
            self._checks.append((field, node))
        else:
            get_argument_values(field, node, self._variables)

    def _writer(self, kind: Any, details: Sequence[FieldDetails]) -> Writer:
        nullable = not isinstance(kind, GraphQLNonNull)
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if isinstance(kind, GraphQLList):
            before = self._fields
            item = self._writer(kind.of_type, details)
            return list_writer(item, max(1, _TOGETHER // (1 + self._fields - before)), nullable=nullable)
        if is_leaf_type(kind):
            return leaf_writer(kind, nullable=nullable)
        if is_abstract_type(kind):
            return self._abstract(kind, details, nullable=nullable)
        return self._selected(kind, details, nullable=nullable)

    def _selected(self, kind: GraphQLObjectType, details: Sequence[FieldDetails], *, nullable: bool) -> Writer:
        if kind.is_type_of is not None:
            raise Unwritable
        fields = collect_subfields(
            self._schema, self._fragments, self._variables, self._node, kind, list(details)
        ).grouped_field_set
        return object_writer(*self._members(kind, fields), nullable=nullable)

    def _abstract(self, kind: Any, details: Sequence[FieldDetails], *, nullable: bool) -> Writer:
        """Return the writer of a value that says its own type; what is written of each type is known with its first."""
        known: dict[str, Writer] = {}
        self._fields += _FIELDS_OF_UNKNOWN

        def write(value: Any, output: Output) -> str:
            if value is None and nullable:
                return "null"
            name = value.get("__typename") if type(value) is dict else None
            if type(name) is not str:
                raise Unwritable
            writer = known.get(name)
            if writer is None:
                runtime = self._schema.get_type(name)
                if not isinstance(runtime, GraphQLObjectType) or not self._schema.is_sub_type(kind, runtime):
                    raise Unwritable
                writer = known[name] = self._selected(runtime, details, nullable=False)
            return writer(value, output)

        return write


def _conditions(document: Document) -> tuple[str, ...]:
    """Return the variables that stand in directives of a document."""
    looking = _DirectiveVariables()
    visit(document.node, looking)
    return tuple(sorted(looking.names))


def _variables_in(node: Any) -> Collection[str]:
    looking = _VariableVisitor()
    visit(node, looking)
    return looking.names


class _VariableVisitor(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


class _DirectiveVariables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.names.update(_variables_in(node))
