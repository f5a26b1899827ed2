"""
Results that can be read off a message: what most subscriptions come to.

Where nothing below the field of a subscription needs a script, an event's result is a part of its message, in
the order and under the names of the document.  Which part that is is worked out once for a response stream: its
*shape*. Streams of different documents may have the same shape (arguments concern only the resolver, which ran when
they began), and share the result of a message.

Only results without errors come about here.  Whatever else a message holds, such as a null where none may be, and all
that is long, is left to graphql-core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

from graphql import (
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    is_leaf_type,
)
from graphql.language import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from aiwebengine.features.graphql.execution.execute import PreparedOperation
from aiwebengine.features.graphql.schema.leaves import leaf_value
from aiwebengine.features.graphql.schema.resolvers import EventField, RootValue, parsed

_MOST_VALUES = 300
"""In a result; more take too long for one step."""
_MOST_FIELDS = 200
_TYPENAME = "__typename"

ResultKind = tuple[Any, ...]
"""
What a value is made into.

It is one of `("leaf", type)`, `("list", kind)`, `("non-null", kind)` and `("object", name, ((key, field, kind), ...))`.
"""


class NotPlain(Exception):
    """Something is not as simple as this."""


class ResultShape:
    """
    What results of a response stream look like; streams with equal results have the same one.

    Args:
        key: The name of the field in the result.
        kind: What its value is made into.
        text_is_json: A string stands for the JSON of its value.
    """

    __slots__ = ("__weakref__", "_key", "_kind", "_text_is_json")

    def __init__(self, key: str, kind: ResultKind, *, text_is_json: bool) -> None:
        self._key = key
        self._kind = kind
        self._text_is_json = text_is_json

    def data(self, value: Any) -> dict[str, Any] | None:
        """Return the data of the result of a message; None if graphql-core must find out what that is."""
        try:
            completed = _completed(self._kind, parsed(value) if self._text_is_json else value, [_MOST_VALUES])
        except Exception:  # noqa: BLE001  whatever is wrong, graphql-core finds and says it
            return None
        return {self._key: completed}


class ResultShapes:
    """
    The shapes of all response streams, each once, and the results of one message.

    Args:
        encode: Makes the JSON of a response of its data.
    """

    def __init__(self, encode: Callable[[dict[str, Any]], str]) -> None:
        self._encode = encode
        self._known: WeakValueDictionary[ResultKind, ResultShape] = WeakValueDictionary()
        self._event: RootValue | None = None
        self._texts: dict[ResultShape, str | None] = {}

    def of(self, prepared: PreparedOperation) -> ResultShape | None:
        """Return the shape of an operation; None if its results are not so simple."""
        try:
            key, kind, text_is_json = _root(prepared)
        except NotPlain:
            return None
        whole = (key, kind, text_is_json)
        shape = self._known.get(whole)
        if shape is None:
            shape = self._known[whole] = ResultShape(key, kind, text_is_json=text_is_json)
        return shape

    def text(self, shape: ResultShape, event: RootValue) -> str | None:
        """Return the result of an event, as JSON; None if graphql-core must find out what that is."""
        if event is not self._event:
            self._event = event
            self._texts = {}
        if shape not in self._texts:
            data = shape.data(event.value)
            self._texts[shape] = None if data is None else self._encode(data)
        return self._texts[shape]


def _root(prepared: PreparedOperation) -> tuple[str, ResultKind, bool]:
    schema = prepared.assembled.schema
    root, selections = schema.subscription_type, prepared.node.selection_set.selections
    if root is None or prepared.node.directives or len(selections) != 1:
        raise NotPlain
    (selected,) = selections
    field = root.fields.get(selected.name.value) if isinstance(selected, FieldNode) else None
    if field is None or not isinstance(field.resolve, EventField) or selected.directives:
        raise NotPlain
    assert isinstance(selected, FieldNode)
    fragments = {
        definition.name.value: definition
        for definition in prepared.document.node.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    kind = _kind(field.type, selected.selection_set, fragments, [_MOST_FIELDS])
    return _key(selected), kind, field.resolve.text_is_json


def _kind(
    output: GraphQLOutputType,
    selected: SelectionSetNode | None,
    fragments: Mapping[str, FragmentDefinitionNode],
    room: list[int],
) -> ResultKind:
    if isinstance(output, GraphQLNonNull):
        return ("non-null", _kind(output.of_type, selected, fragments, room))
    if isinstance(output, GraphQLList):
        return ("list", _kind(output.of_type, selected, fragments, room))
    if is_leaf_type(output):
        return ("leaf", output)
    if not isinstance(output, GraphQLObjectType) or output.is_type_of is not None or selected is None:
        raise NotPlain
    members: dict[str, tuple[str, str, ResultKind | None]] = {}
    for node in _fields(output, selected, fragments, room):
        name, key = node.name.value, _key(node)
        field = output.fields.get(name)
        # What is requested twice would have to be merged, and arguments checked.
        if key in members or node.arguments:
            raise NotPlain
        if name == _TYPENAME:
            members[key] = (key, name, None)
        elif field is None or field.resolve is not None or field.args:
            raise NotPlain
        else:
            members[key] = (key, name, _kind(field.type, node.selection_set, fragments, room))
    return ("object", output.name, tuple(members.values()))


def _fields(
    output: GraphQLObjectType,
    selected: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    room: list[int],
) -> Iterator[FieldNode]:
    """Return the fields of a selection, including those of its fragments, in order."""
    for node in selected.selections:
        room[0] -= 1
        if node.directives or room[0] < 0:
            raise NotPlain
        if isinstance(node, FieldNode):
            yield node
            continue
        fragment: InlineFragmentNode | FragmentDefinitionNode
        if isinstance(node, FragmentSpreadNode):
            fragment = fragments[node.name.value]
        else:
            assert isinstance(node, InlineFragmentNode)
            fragment = node
        condition = fragment.type_condition
        if fragment.directives or (condition is not None and condition.name.value != output.name):
            raise NotPlain
        yield from _fields(output, fragment.selection_set, fragments, room)


def _key(node: FieldNode) -> str:
    return (node.alias or node.name).value


def _completed(kind: ResultKind, value: Any, room: list[int]) -> Any:
    """Return a value as it is sent, as graphql-core would make it."""
    what = kind[0]
    if what == "non-null":
        completed = _completed(kind[1], value, room)
        if completed is None:
            raise NotPlain
        return completed
    room[0] -= 1
    if room[0] < 0:
        raise NotPlain
    if value is None:
        return None
    if what == "leaf":
        return leaf_value(kind[1], value)
    if what == "list":
        if type(value) is not list:
            raise NotPlain
        return [_completed(kind[1], item, room) for item in value]
    return _object(kind[1], kind[2], value, room)


def _object(
    name: str, members: Sequence[tuple[str, str, ResultKind | None]], value: Any, room: list[int]
) -> dict[str, Any]:
    read = value if isinstance(value, dict) else {}
    room[0] -= len(members)
    return {key: name if kind is None else _completed(kind, read.get(field), room) for key, field, kind in members}
