"""
From a field of the schema to a call of its script.

    root field        its own resolver: read-only in a query, a unit of its own in a mutation
    Type.field        the handler that was registered for it, once for all objects of the moment
    any other field   the member of that name, of the object above it

A custom scalar with `serialize` changes its values on their way out, one with `parse` those
that a client sends; both are run by the script that registered it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from aiwebengine.exact_json import decode
from aiwebengine.features.graphql.execution.failures import FieldFailed
from aiwebengine.features.graphql.execution.loop import Future
from aiwebengine.features.graphql.execution.operation import Operation
from aiwebengine.features.graphql.schema.assembly import AssembledSchema
from aiwebengine.features.graphql.schema.batches import Call
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.schema.parts import ROOTS
from aiwebengine.features.graphql.transports.wire import encode_for_script, encode_long_ascii

Resolver = Callable[..., Any]
_MOST_NAMED = 5


class RootValue:
    """The value of a subscription's root field, of one message."""

    __slots__ = ("id", "value")

    def __init__(self, value: Any, id: str = "") -> None:  # noqa: A002  the message's
        self.value = value
        self.id = id
        """Of the message; empty if it does not come from a topic."""


def attach(assembled: AssembledSchema) -> None:
    """Attach resolvers to the fields of a schema."""
    schema = assembled.schema
    for (kind, name), part in assembled.roots.items():
        field = _root_field(schema, kind, name)
        if kind == "subscription":
            field.resolve = EventField(text_is_json=reads_json(field.type))
            field.subscribe = _subscribed(part, field.args)
        else:
            field.resolve = _root(part, field.args, text_is_json=reads_json(field.type))
    for (owner, name), part in assembled.fields.items():
        kind_of_owner = schema.get_type(owner)
        assert isinstance(kind_of_owner, GraphQLObjectType)
        field = kind_of_owner.fields[name]
        field.resolve = _nested(part, field.args, text_is_json=reads_json(field.type))
    _serialize(schema, assembled)
    parsing = {name for name, part in assembled.scalars.items() if "parse" in part.options}
    for kind, name in assembled.roots:
        if kind != "subscription" and parsing:
            field = _root_field(schema, kind, name)
            if any(_contains_scalar(argument.type, parsing, set()) for argument in field.args.values()):
                rooted = getattr(field.resolve, "rooted", None)
                if rooted is not None:
                    rooted.special = True


def reads_json(kind: Any) -> bool:
    """Return whether a string that a resolver returns for a field of this type is the JSON of a value."""
    return is_list_type(get_nullable_type(kind)) or is_composite_type(get_named_type(kind))


def _root_field(schema: GraphQLSchema, kind: str, name: str) -> GraphQLField:
    root = schema.get_type(ROOTS[kind])
    assert isinstance(root, GraphQLObjectType)
    field: GraphQLField = root.fields[name]
    return field


def member(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    """Return the member of an object that has the field's name."""
    return source.get(info.field_name) if isinstance(source, dict) else None


def type_of(source: Any, info: GraphQLResolveInfo[Any], kind: GraphQLAbstractType) -> str:
    """
    Return the name of the type that an object says it is of.

    Raises:
        FieldFailed: It says nothing.
    """
    name = source.get("__typename") if isinstance(source, dict) else None
    if isinstance(name, str):
        return name
    names = [possible.name for possible in info.schema.get_possible_types(kind)][:_MOST_NAMED]
    raise FieldFailed(
        f"The value of {info.parent_type.name}.{info.field_name} needs a __typename, since {kind.name} has several "
        f"types: {', '.join(names)}.",
        {"code": "SCRIPT_FAILED"},
    )


class RootField:
    """
    A root field of a query or a mutation, and how its resolver is called.

    Args:
        part: Whose it is.
        text_is_json: A string that it returns is the JSON of an object.
    """

    __slots__ = ("_convert", "_handler", "_label", "part", "special", "unit")

    def __init__(self, part: SchemaPart, *, text_is_json: bool) -> None:
        assert part.handler is not None
        self.part = part
        self.unit = part.kind == "mutation" or part.options.get("writes") is True
        """What it does is committed by itself."""
        self.special = self.unit
        """It cannot be resolved before execution begins."""
        self._handler = part.handler.id
        self._label = f"{part.kind} {part.name}"
        self._convert = parsed if text_is_json else None

    def call(self, head: str) -> Call:
        """Make a call of its resolver."""
        return Call(self.part, "root", handler=self._handler, head=head, label=self._label, convert=self._convert)


def _root(part: SchemaPart, args: Mapping[str, GraphQLArgument], *, text_is_json: bool) -> Resolver:
    rooted = RootField(part, text_is_json=text_is_json)
    parses = _parses(args)

    def resolve(_source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        operation: Operation = info.context
        if operation.prefetched is not None:
            return operation.prefetched[info.path.key].get()

        def send(checked: Mapping[str, Any]) -> Future[Any]:
            call = rooted.call(
                f'"a":{encode_for_script(checked, operation.loop.checkpoint)},"i":{operation.info(info, path=True)}'
            )
            future = call.add(operation.loop.create_future())
            if rooted.unit:
                operation.batches.send([call], read_only=False)
            else:
                operation.batches.gather(call)
            return future

        return checking(operation, args, arguments, send) if parses(operation) else send(arguments)

    resolve.rooted = rooted  # type: ignore[attr-defined]  # For `prefetch.py`.
    return resolve


def _nested(part: SchemaPart, args: Mapping[str, GraphQLArgument], *, text_is_json: bool) -> Resolver:
    assert part.handler is not None
    handler = part.handler.id
    many = part.options.get("batch") is not False
    convert = parsed if text_is_json else None
    parses = _parses(args)

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        operation: Operation = info.context

        def send(checked: Mapping[str, Any]) -> Future[Any]:
            encoded = encode_for_script(checked, operation.loop.checkpoint)
            key = (part.name, id(info.field_nodes[0]), encoded)
            call: Call | None = operation.many.get(key) if many else None
            if call is None or call.full:
                head = f'"a":{encoded},"i":{operation.info(info, path=not many)}'
                kind = "many" if many else "one"
                call = Call(part, kind, handler=handler, head=head, label=f"field {part.name}", convert=convert)
                if many:
                    if not operation.many:
                        operation.loop.at_rest(operation.many.clear)
                    operation.many[key] = call
                operation.batches.gather(call)
            return call.add(operation.loop.create_future(), source)

        return checking(operation, args, arguments, send) if parses(operation) else send(arguments)

    return resolve


class EventField:
    """
    The resolver of a subscription's field: the value of an event.

    Args:
        text_is_json: A string stands for the JSON of a value.
    """

    __slots__ = ("text_is_json",)

    def __init__(self, *, text_is_json: bool) -> None:
        self.text_is_json = text_is_json

    def __call__(self, source: Any, _info: GraphQLResolveInfo[Any], **_: Any) -> Any:
        """Return it."""
        value = source.value if isinstance(source, RootValue) else None
        return parsed(value) if self.text_is_json else value


def _subscribed(part: SchemaPart, args: Mapping[str, GraphQLArgument]) -> Resolver:
    parses = _parses(args)

    async def subscribe(_source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        operation: Operation = info.context
        assert operation.opens is not None
        checked = await parse_arguments(operation, args, arguments) if parses(operation) else arguments
        return await operation.opens(part, operation, info, checked)

    return subscribe


def opening(operation: Operation, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]) -> str:
    """Return what the resolver of a subscription is called with: `"a":{...},"i":{...}`, as JSON."""
    return f'"a":{encode_long_ascii(arguments, operation.loop.checkpoint)},"i":{operation.info(info, path=True)}'


def parsed(value: Any) -> Any:
    """Return what a resolver of an object or a list means: JSON text is read, as older scripts return it."""
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return decode(value)
        except (ValueError, RecursionError):
            return value
    return value


# -- scalars ------------------------------------------------------------------------------------


def _serialize(schema: GraphQLSchema, assembled: AssembledSchema) -> None:
    """Have the fields of scalars with `serialize` pass through it."""
    changed = {name: part for name, part in assembled.scalars.items() if "serialize" in part.options}
    if not changed:
        return
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name.startswith("__"):
            continue
        for field in kind.fields.values():
            scalar = changed.get(get_named_type(field.type).name)
            if scalar is not None:
                field.resolve = _serialized(scalar, field.resolve or member)


def _serialized(part: SchemaPart, before: Resolver) -> Resolver:
    async def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        value = before(source, info, **arguments)
        if isinstance(value, Future) or hasattr(value, "__await__"):
            value = await value
        return await _each(info.context, part, "serialize", value)

    return resolve


async def _each(operation: Operation, part: SchemaPart, step: str, value: Any) -> Any:
    """Pass a value, or each in a list, through a function of a scalar."""
    if value is None:
        return None
    if isinstance(value, list):
        waiting = [_change(operation, part, step, item) if not isinstance(item, list) and item is not None
                   else _each(operation, part, step, item) for item in value]  # fmt: skip
        return [await future for future in waiting]
    return await _change(operation, part, step, value)


def _change(operation: Operation, part: SchemaPart, step: str, value: Any) -> Future[Any]:
    key = (f"{part.name}.{step}", 0, "")
    call: Call | None = operation.many.get(key)
    if call is None or call.full:
        handler = part.options[step]
        call = Call(part, "each", handler=handler, head="", label=f"scalar {part.name}.{step}")
        if not operation.many:
            operation.loop.at_rest(operation.many.clear)
        operation.many[key] = call
        operation.batches.gather(call)
    return call.add(operation.loop.create_future(), value)


def _parses(args: Mapping[str, GraphQLArgument]) -> Callable[[Operation], bool]:
    """Return whether there are scalars with `parse` in arguments; asked once for each schema."""
    known: list[bool] = []

    def tell(operation: Operation) -> bool:
        if not known:
            scalars = {name for name, part in operation.assembled.scalars.items() if "parse" in part.options}
            known.append(
                bool(scalars) and any(_contains_scalar(argument.type, scalars, set()) for argument in args.values())
            )
        return known[0]

    return tell


def _contains_scalar(kind: Any, scalars: set[str], seen: set[str]) -> bool:
    named = get_named_type(kind)
    if named.name in scalars:
        return True
    if isinstance(named, GraphQLInputObjectType) and named.name not in seen:
        seen.add(named.name)
        return any(_contains_scalar(field.type, scalars, seen) for field in named.fields.values())
    return False


async def checking(
    operation: Operation,
    args: Mapping[str, GraphQLArgument],
    arguments: Mapping[str, Any],
    send: Callable[[Mapping[str, Any]], Future[Any]],
) -> Any:
    """Pass what a client sent through `parse` of its scalars, then go on."""
    return await send(await parse_arguments(operation, args, arguments))


async def parse_arguments(
    operation: Operation, args: Mapping[str, GraphQLArgument], arguments: Mapping[str, Any]
) -> Mapping[str, Any]:
    """
    Pass what a client sent through `parse` of its scalars.

    Raises:
        FieldFailed: It was refused.
    """
    waiting: list[tuple[Any, Any, str, Future[Any]]] = []
    checked = {name: _copy(operation, args[name].type, value, (name,), waiting) for name, value in arguments.items()}
    for into, key, where, future in waiting:
        try:
            into[key] = await future
        except FieldFailed as error:
            extensions = {**error.extensions, "code": "BAD_USER_INPUT"}
            raise FieldFailed(f"The argument {where} is not valid: {error.message}", extensions) from None
    return {name: value.pop() if isinstance(value, _Box) else value for name, value in checked.items()}


class _Box(list[Any]):
    """Holds one value that is being changed."""


def _copy(operation: Operation, kind: Any, value: Any, path: tuple[str, ...], waiting: list[Any]) -> Any:
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if value is None:
        return None
    if isinstance(kind, GraphQLList):
        made: list[Any] = []
        for index, item in enumerate(value if isinstance(value, list) else [value]):
            _put(operation, kind.of_type, item, (*path, str(index)), waiting, made)
        return made
    if isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        inner: dict[str, Any] = {}
        for name, child in value.items():
            field = kind.fields.get(name)
            inner[name] = child
            if field is not None:
                _put(operation, field.type, child, (*path, name), waiting, inner, name)
        return inner
    if isinstance(kind, GraphQLScalarType) and "parse" in (_options(operation, kind.name)):
        box = _Box([None])
        part = operation.assembled.scalars[kind.name]
        waiting.append((box, 0, ".".join(path), _change(operation, part, "parse", value)))
        return box
    return value


def _put(
    operation: Operation, kind: Any, value: Any, path: tuple[str, ...], waiting: list[Any], into: Any, key: Any = None
) -> None:
    made = _copy(operation, kind, value, path, waiting)
    at = key if key is not None else len(into)
    if isinstance(made, _Box):
        box, _, where, future = waiting.pop()
        assert box is made
        waiting.append((into, at, where, future))
        made = None
    if isinstance(into, list):
        into.append(made)
    else:
        into[at] = made


def _options(operation: Operation, scalar: str) -> Mapping[str, Any]:
    part = operation.assembled.scalars.get(scalar)
    return part.options if part is not None else {}
