"""
Documents: what clients send, parsed, checked against the schema, and measured.

The same few documents are sent over and over again, so they are cached, parsed and validated, as long as the schema is
the same. Persisted documents are kept by their SHA-256: a client may send that in place of the text, once the server
knows it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    ValuesOfCorrectTypeRule,
    specified_rules,
    validate,
)
from graphql.language import DocumentNode, OperationDefinitionNode, SelectionSetNode
from graphql.language.parser import Parser
from graphql.validation import ASTValidationRule

from aiwebengine.features.graphql.execution.literals import LocatedValues, too_large
from aiwebengine.features.graphql.execution.measure import Measure, measure
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.long_json import Checkpoint

_MOST_KEPT = 1000
_LONGEST_KEPT = 32 * 1024
_MOST_FRAGMENTS_DEEP = 30


class Document:
    """
    One document that was parsed.

    Args:
        text: As it came.
        node: What it says.
    """

    __slots__ = (
        "_fields", "_measures", "admitted", "errors", "fragments", "incremental", "infos", "node", "operations",
        "plans", "text", "writers",
    )  # fmt: skip

    def __init__(self, text: str, node: DocumentNode) -> None:
        self.text = text
        self.node = node
        self.errors: Sequence[GraphQLError] = ()
        """What is wrong with it."""
        self.operations = [
            definition for definition in node.definitions if isinstance(definition, OperationDefinitionNode)
        ]
        self.fragments = {
            definition.name.value: definition
            for definition in node.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.incremental = "@defer" in text or "@stream" in text
        """It asks for results in several parts."""
        self.admitted: set[int] = set()
        """Operations that do not ask for too much, whatever their variables are."""
        self.infos: dict[tuple[int, int], str] = {}
        """What resolvers learn about their positions, by field and operation."""
        self.plans: dict[int, Any] = {}
        """What is resolved before an operation is executed; see `schema/prefetch.py`."""
        self.writers: dict[tuple[Any, ...], Any] = {}
        """Writers of results; see `schema/writing.py`."""
        self._measures: dict[str, Measure] = {}
        self._fields: dict[int, dict[str, Any]] = {}

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """
        Return the operation of that name, or the only one.

        Raises:
            GraphQLError: There is no operation, or it is not clear which one is meant.
        """
        if name is None:
            if len(self.operations) == 1:
                return self.operations[0]
            raise GraphQLError(
                "Must provide operation name if query contains multiple operations."
                if self.operations
                else "Must provide an operation."
            )
        for operation in self.operations:
            if operation.name is not None and operation.name.value == name:
                return operation
        raise GraphQLError(f"Unknown operation named '{name[:200]}'.")

    def measured(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Measure:
        """Measure an operation."""
        name = operation.name.value if operation.name is not None else ""
        known = self._measures.get(name)
        if known is None or not known.fixed:
            known = self._measures[name] = measure(operation, self.node, variables)
        return known

    def selected(self, nodes: Sequence[FieldNode]) -> dict[str, Any]:
        """Return the names of the fields below *nodes*, as a tree; what is skipped or deferred is in it, too."""
        known = self._fields.get(id(nodes[0]))
        if known is None:
            known = {}
            for node in nodes:
                _select(node.selection_set, self.fragments, known, 0)
            self._fields[id(nodes[0])] = known
        return known


class Documents:
    """
    See the module.

    Args:
        settings: The limits.
        checkpoint: Called again and again while a document is read.
    """

    def __init__(self, *, settings: GraphQLSettings, checkpoint: Checkpoint) -> None:
        self._settings = settings
        self._checkpoint = checkpoint
        rules = (_rule(checkpoint), *specified_rules)
        rules = tuple(LocatedValues if rule is ValuesOfCorrectTypeRule else rule for rule in rules)
        self._rules = rules if settings.introspection else (*rules, NoSchemaIntrospectionCustomRule)
        self._schema: GraphQLSchema | None = None
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._persisted: OrderedDict[str, str] = OrderedDict()
        self._persisted_bytes = 0
        self._hits = self._misses = 0

    def read(self, text: str, schema: GraphQLSchema) -> Document:
        """
        Parse and check a document; its `errors` say what is wrong.

        Raises:
            GraphQLError: It is too large, or cannot be parsed.
        """
        if schema is not self._schema:
            self._kept.clear()
            self._schema = schema
        known = self._kept.get(text)
        if known is not None:
            self._hits += 1
            self._kept.move_to_end(text)
            return known
        self._misses += 1
        self._look_at_size(text)
        document = self._parse(text)
        document.errors = self._too_much(document) or self._validate(document, schema)
        if len(text) <= _LONGEST_KEPT and schema is self._schema:
            self._kept[text] = document
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return document

    def admit(self, document: Document, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
        """
        Refuse what asks for too much.

        Raises:
            GraphQLError: It does.
        """
        if id(operation) in document.admitted:
            return
        measured = document.measured(operation, variables)
        if error := self._excess(measured, operation):
            raise error
        if measured.fixed:
            document.admitted.add(id(operation))

    def persisted(self, digest: str) -> str | None:
        """Return the document whose SHA-256 is *digest*; None if it is not known."""
        text = self._persisted.get(digest)
        if text is not None:
            self._persisted.move_to_end(digest)
        return text

    def persist(self, text: str, digest: str) -> None:
        """
        Keep a document under its SHA-256.

        Raises:
            GraphQLError: It is the digest of something else.
        """
        if not hmac.compare_digest(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(), digest):
            raise GraphQLError("provided sha does not match query", extensions={"code": "BAD_USER_INPUT"})
        if digest not in self._persisted and len(text) <= self._settings.persisted_bytes:
            self._persisted[digest] = text
            self._persisted_bytes += len(text)
            while self._persisted_bytes > self._settings.persisted_bytes:
                _, removed = self._persisted.popitem(last=False)
                self._persisted_bytes -= len(removed)

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {
            "documents": len(self._kept),
            "documentHits": self._hits,
            "documentMisses": self._misses,
            "persisted": len(self._persisted),
        }

    def _look_at_size(self, text: str) -> None:
        """Refuse what takes long to read, before it is: tokens are counted, but each may have any length."""
        most = self._settings.max_document_bytes
        if len(text) > most or (len(text) * 4 > most and len(text.encode("utf-8", "surrogatepass")) > most):
            raise GraphQLError(
                f"The document may have at most {most:,} bytes (graphql.max_document_bytes). "
                "Put long values into variables.",
                extensions={"code": "TOO_LARGE"},
            )

    def _parse(self, text: str) -> Document:
        try:
            return Document(text, _SlicedParser(text, self._settings.max_tokens, self._checkpoint).parse_document())
        except RecursionError:
            raise GraphQLError("Syntax Error: the document is nested too deeply.") from None

    def _too_much(self, document: Document) -> Sequence[GraphQLError]:
        # Before it is checked: checking what is too large takes long itself.
        for operation in document.operations:
            measured = document.measured(operation, {})
            if error := self._excess(measured, operation):
                return (error,)
        return ()

    def _excess(self, measured: Measure, operation: OperationDefinitionNode) -> GraphQLError | None:
        settings = self._settings
        for what, has, most, setting in (
            ("levels deep", measured.depth, settings.max_depth, "max_depth"),
            ("fields large", measured.complexity, settings.max_complexity, "max_complexity"),
        ):
            if has > most:
                seen = f"{has:,}" if has < 10**9 else "endlessly many"
                return GraphQLError(
                    f"The operation may be at most {most:,} {what} (graphql.{setting}); it is {seen}. Ask for less.",
                    operation,
                    extensions={"code": "TOO_LARGE"},
                )
        return None

    def _validate(self, document: Document, schema: GraphQLSchema) -> Sequence[GraphQLError]:
        try:
            return too_large(document.node, document.text, schema) or validate(
                schema, document.node, self._rules, max_errors=20
            )
        except RecursionError:
            return (GraphQLError("The document is nested too deeply."),)


class _SlicedParser(Parser):
    """Passes a checkpoint at each token."""

    def __init__(self, text: str, max_tokens: int, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        super().__init__(text, max_tokens=max_tokens)

    def advance_lexer(self) -> None:
        self._checkpoint()
        super().advance_lexer()


def _rule(checkpoint: Checkpoint) -> type[ASTValidationRule]:
    """Return a rule that nothing breaks, and that passes a checkpoint at each node."""

    class CheckpointRule(ASTValidationRule):
        def enter(self, *_: Any) -> None:
            checkpoint()

    return CheckpointRule


def _select(
    selection: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode], into: dict[str, Any], deep: int
) -> None:
    if selection is None or deep > _MOST_FRAGMENTS_DEEP:
        return
    for selected in selection.selections:
        if isinstance(selected, FieldNode):
            _select(selected.selection_set, fragments, into.setdefault(selected.name.value, {}), deep + 1)
        elif isinstance(selected, InlineFragmentNode):
            _select(selected.selection_set, fragments, into, deep + 1)
        elif isinstance(selected, FragmentSpreadNode) and selected.name.value in fragments:
            _select(fragments[selected.name.value].selection_set, fragments, into, deep + 1)
