"""
Values of scalars and enums on their way out.

They are what graphql-core makes of them, but for numbers: what a script returns is a JavaScript number, so a `Float` is
printed, and a `String` or an `ID` made of it, as graphql-js does.
"""

from __future__ import annotations

from typing import Any

from graphql.execution import Executor
from graphql.execution.incremental.incremental_executor import IncrementalExecutor
from graphql.type import GraphQLLeafType

from aiwebengine.features.graphql.execution.numbers import LARGEST, number_of, number_text, shortest


def leaf_value(return_type: GraphQLLeafType, result: Any) -> Any:
    """
    Return a value as it is sent.

    Raises:
        GraphQLError, TypeError: It is not of that type.
    """
    value, kind = result, type(result)
    if kind is float or kind is int or kind is str:
        name = return_type.name
        if name in {"String", "ID"}:
            if kind is str:
                return value
            if name == "String" or kind is int or value.is_integer():
                return number_text(value)
        elif name in {"Float", "Int"}:
            if kind is str and (number := number_of(value)) is not None and value:
                value = shortest(number)
            if name == "Float" and type(value) is not str and abs(value) <= LARGEST:
                return shortest(value)
    return Executor.complete_leaf_value(return_type, value)


class WholeExecutor(Executor[Any]):
    """Executes an operation whose result is sent whole."""

    complete_leaf_value = staticmethod(leaf_value)

    def complete_list_item_value(self, item: Any, *args: Any) -> bool:
        """See `Executor`; lists are what makes results large."""
        self.context_value.checkpoint()
        return super().complete_list_item_value(item, *args)


class PartsExecutor(IncrementalExecutor):
    """Executes an operation whose result is sent part by part."""

    complete_leaf_value = staticmethod(leaf_value)

    def complete_list_item_value(self, item: Any, *args: Any) -> bool:
        """See `Executor`."""
        self.context_value.checkpoint()
        return super().complete_list_item_value(item, *args)
