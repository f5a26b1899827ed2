"""Rules for values that stand in a document, beside those of graphql-core."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from graphql import (
    DocumentNode,
    FloatValueNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    IntValueNode,
    ValidationRule,
    ValueNode,
    validate,
)
from graphql import ValuesOfCorrectTypeRule as ValuesOfCorrectType
from graphql.language import VisitorAction

_LONGEST = 40
_LARGEST = "1.7976931348623157e+308"
_MAY_BE_LARGE = re.compile(r"[eE]\+?0*[1-9]\d\d|\d{300}")


def too_large(document: DocumentNode, text: str, schema: GraphQLSchema) -> Sequence[GraphQLError]:
    """
    Return what is wrong with numbers that cannot be passed to a script, such as `1e400`, each with its place.

    Args:
        document: Where they stand.
        text: The same, as it came.
        schema: For the rule.
    """
    return validate(schema, document, (_NumbersInRange,)) if _MAY_BE_LARGE.search(text) else ()


class LocatedValues(ValuesOfCorrectType):
    """The rule of graphql-core, with the place of lists and objects, too: it forgets that."""

    _node: ValueNode | None = None

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """See `ValuesOfCorrectTypeRule`."""
        self._node = node
        return super().is_valid_value_node(node, input_type)

    def report_error(self, error: GraphQLError) -> None:
        """See `ValidationRule`."""
        if error.locations is None and self._node is not None:
            error = GraphQLError(error.message, self._node)
        super().report_error(error)


class _NumbersInRange(ValidationRule):
    """A number is not larger than JavaScript's largest."""

    def enter_float_value(self, node: FloatValueNode, *_: Any) -> None:
        """See `ValidationRule`."""
        self._check(node)

    def enter_int_value(self, node: IntValueNode, *_: Any) -> None:
        """See `ValidationRule`."""
        self._check(node)

    def _check(self, node: FloatValueNode | IntValueNode) -> None:
        if math.isinf(float(node.value)):
            shown = node.value if len(node.value) <= _LONGEST else node.value[:_LONGEST] + "…"
            self.report_error(GraphQLError(f"The number {shown} is too large: the largest is {_LARGEST}.", node))
