"""
How deep an operation is and how much it requests, measured before it is executed.

Depth counts the levels of fields.  Complexity counts fields; what is below a field with an
argument `first`, `last` or `limit` counts that many times, for so many objects may come.
Introspection counts for neither: it costs no script anything, and is bounded by a rule of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

_COUNTS = ("first", "last", "limit")
_MOST = 10**9
_MOST_STEPS = 200_000
_MOST_REPEATED = 50


class Measure(NamedTuple):
    """What an operation asks for."""

    depth: int
    complexity: int
    fixed: bool
    """Whether it is the same whatever the variables are."""


def measure(operation: OperationDefinitionNode, document: DocumentNode, variables: Mapping[str, Any]) -> Measure:
    """Measure *operation*; what is circular is reported as endless."""
    return _Measurement(document, variables).of(operation.selection_set)


class _Measurement:
    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._variables = variables
        self._fixed = True
        self._known: dict[str, tuple[int, int]] = {}
        self._open: set[str] = set()
        self._steps = 0

    def of(self, selection: SelectionSetNode) -> Measure:
        depth, complexity = self._set(selection)
        return Measure(depth, complexity, self._fixed)

    def _set(self, selection: SelectionSetNode | None) -> tuple[int, int]:
        depth = complexity = 0
        repeated: dict[str, int] = {}
        for selected in selection.selections if selection is not None else ():
            self._steps += 1
            if self._steps > _MOST_STEPS:
                return _MOST, _MOST
            if isinstance(selected, FieldNode | FragmentSpreadNode):
                name = (
                    (selected.alias or selected.name).value
                    if isinstance(selected, FieldNode)
                    else f"...{selected.name.value}"
                )
                repeated[name] = repeated.get(name, 0) + 1
                if repeated[name] > _MOST_REPEATED:
                    # Each is compared with each other one when the document is checked.
                    return _MOST, _MOST
            if isinstance(selected, FieldNode):
                if selected.name.value.startswith("__"):
                    continue
                below, cost = self._set(selected.selection_set)
                measured = (below + 1, 1 + cost * self._times(selected))
            elif isinstance(selected, InlineFragmentNode):
                measured = self._set(selected.selection_set)
            else:
                assert isinstance(selected, FragmentSpreadNode)
                measured = self._fragment(selected.name.value)
            depth, complexity = max(depth, measured[0]), min(_MOST, complexity + measured[1])
        return depth, complexity

    def _fragment(self, name: str) -> tuple[int, int]:
        if name in self._known:
            return self._known[name]
        fragment = self._fragments.get(name)
        if fragment is None:
            return 0, 0
        if name in self._open:
            return _MOST, _MOST
        self._open.add(name)
        measured = self._known[name] = self._set(fragment.selection_set)
        self._open.discard(name)
        return measured

    def _times(self, node: FieldNode) -> int:
        times = 1
        for argument in node.arguments or ():
            if argument.name.value not in _COUNTS:
                continue
            value = argument.value
            if isinstance(value, IntValueNode):
                times = max(times, min(_MOST, abs(int(value.value))))
            elif isinstance(value, VariableNode):
                self._fixed = False
                variable = self._variables.get(value.name.value)
                if isinstance(variable, int) and not isinstance(variable, bool):
                    times = max(times, min(_MOST, abs(variable)))
        return times
