"""
Schemas that are no longer used, taken apart.

The types of a schema refer to each other, so only Python's garbage collector would free one that was replaced, in one
step that takes a quarter of a second for a schema with as many types as there may be.  Here they are emptied one by
one, in the thread in which the next schema is made, and the collector is not needed.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator
from types import CellType, FunctionType
from typing import Any

from graphql import GraphQLNamedType, GraphQLSchema, is_introspection_type, is_specified_scalar_type

from aiwebengine.features.graphql.schema.assembly import AssembledSchema

_MOST_FUNCTIONS = 100


class ReplacedSchemas:
    """The schemas that are no longer used, until they are taken apart."""

    def __init__(self) -> None:
        self._unused: deque[GraphQLSchema] = deque()

    def watch(self, assembled: AssembledSchema) -> None:
        """Have a schema taken apart some time after the last operation on it has ended."""
        weakref.finalize(assembled, self._unused.append, assembled.schema).atexit = False

    def take_apart(self) -> None:
        """Free them; in a thread."""
        while self._unused:
            take_apart(self._unused.popleft())


def take_apart(schema: GraphQLSchema) -> None:
    """Empty the types of a schema."""
    types = [
        kind
        for kind in schema.type_map.values()
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind)
    ]
    for found in _dictionaries_behind(types):
        found.clear()
    for kind in types:
        vars(kind).clear()


def _dictionaries_behind(types: list[GraphQLNamedType]) -> Iterator[dict[Any, Any]]:
    """Yield the dictionaries of types that the functions which made them share."""
    functions = [value for kind in types for value in vars(kind).values() if isinstance(value, FunctionType)][:1]
    seen: set[int] = set()
    while functions and len(seen) < _MOST_FUNCTIONS:
        function = functions.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        for value in map(_content, function.__closure__ or ()):
            if isinstance(value, FunctionType):
                functions.append(value)
            elif isinstance(value, dict) and value.get(types[0].name) is types[0]:
                yield value


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        # It is empty.
        return None
