"""
What a script adds to the GraphQL schema: one part for each registration.

A part is checked as far as it can be by itself, so that a bad one throws where it stands.
Whether all parts of all scripts make one schema is found out when it is deployed
(`graphql/schema.py`).

The SDL of a root field is either the field alone, perhaps with types after it, or whole
definitions among which the root type has the field:

    note(id: ID!): Note   type Note { id: ID!, text: String }
    type Query { note(id: ID!): Note }   type Note { id: ID!, text: String }
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLError, Source
from graphql.language import (
    DefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    NameNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    TypeSystemDefinitionNode,
    TypeSystemExtensionNode,
)
from graphql.language.ast import SchemaDefinitionNode, SchemaExtensionNode
from graphql.language.parser import Parser
from graphql.language.token_kind import TokenKind

from aiwebengine.errors import Invalid, TooMany
from aiwebengine.host.declare import Argument, HostCall, nearest, told
from aiwebengine.values import HandlerRef, Invocation, SchemaPart

ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
"""The root type of each kind of operation."""

CALLS_BY_KIND = {
    "query": "registerQueryHandler",
    "mutation": "registerMutationHandler",
    "subscription": "registerSubscriptionHandler",
    "field": "registerFieldHandler",
    "scalar": "registerScalar",
}

PART_OPTIONS: dict[str, dict[str, str]] = {
    "query": {
        "writes": "whether the resolver may change things; then it is a unit of its own, as a mutation is",
        "description": "what the schema says of the field, unless the SDL does",
    },
    "mutation": {"description": "what the schema says of the field, unless the SDL does"},
    "subscription": {
        "history": "how many of the last messages are kept for clients of server-sent events who come back",
        "description": "what the schema says of the field, unless the SDL does",
    },
    "field": {"batch": "`false`: the handler is given one object at a time, not all that are asked for together"},
    "scalar": {
        "parse": "`(value) => value`: checks and changes what a client sends; what it throws refuses the value",
        "serialize": "`(value) => value`: changes what a resolver gave into what the client gets",
        "description": "what the schema says of it",
        "specifiedBy": "address of its specification",
    },
}
"""Options of each kind of registration, with what they mean."""

BUILT_IN_SCALARS = ("Int", "Float", "String", "Boolean", "ID")

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,199}")
_MOST_PARTS = 1000
_LONGEST_SDL = 256 * 1024
_MOST_TOKENS = 20_000
_LONGEST_TEXT = 2000
_MOST_HISTORY = 10_000

REGISTER = HostCall(
    name="register.graphql",
    speaks_for="registerQueryHandler",
    group="GraphQL",
    arguments=(Argument(name="part", kind="object", doc="The part of the schema."),),
    returns="void",
    effect="held",
    doc="Checks and keeps one part of the schema.",
    example="",
    errors=("too_many",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    part: SchemaPart
    stack: str


class Parts:
    """
    The parts that one load registers.

    Args:
        invocation: The load.
    """

    def __init__(self, *, invocation: Invocation) -> None:
        self._invocation = invocation
        self._kept: dict[tuple[str, str], _Kept] = {}

    def add(self, given: Mapping[str, Any]) -> None:
        """
        Check and keep one part; within a script a later one of the same name takes its place.

        Args:
            given: `kind`, `call`, `name`, `sdl`, `handler`, `options`, `stack`; not trusted.

        Raises:
            Invalid: A rule is broken; the message says which.
            TooMany: The script has too many parts.
        """
        kind = given.get("kind")
        if not isinstance(kind, str) or kind not in CALLS_BY_KIND:
            raise Invalid(f"The schema has no parts of the kind {told(kind)}.")
        call = _call(given.get("call"), kind)
        name = _name(given.get("name"), kind, call)
        sdl = _sdl(given.get("sdl"), kind, name, call)
        part = SchemaPart(
            script=self._invocation.script,
            version=self._invocation.version,
            kind=kind,
            name=name,
            sdl=sdl,
            handler=_resolver(given.get("handler"), kind, call),
            options=_options(given.get("options"), kind, call),
        )
        stack = given.get("stack")
        self._kept.pop((kind, name), None)
        self._kept[kind, name] = _Kept(part=part, stack=stack[:4000] if isinstance(stack, str) else "")
        if len(self._kept) > _MOST_PARTS:
            raise TooMany(f"{call}: a script may add at most {_MOST_PARTS} parts to the schema.")

    @property
    def fields(self) -> Sequence[str]:
        """Give the names of the subscriptions so far."""
        return [name for kind, name in self._kept if kind == "subscription"]

    def placed(self, place: Callable[[str], str]) -> tuple[SchemaPart, ...]:
        """
        Give every part with its place.

        Args:
            place: Makes `file:line` in the author's source of a stack; empty if it is not known.
        """
        return tuple(replace(one.part, place=place(one.stack)) for one in self._kept.values())


def read_sdl(part: SchemaPart, *, name: str = "") -> tuple[DefinitionNode, ...]:
    """
    Parse the SDL of a part; a field alone becomes an extension of its root type.

    Args:
        part: Of a root field.
        name: Of the source, by which a place in it is found again.

    Raises:
        GraphQLError: It is no SDL.
    """
    parser = Parser(Source(part.sdl, name or part.name), max_tokens=_MOST_TOKENS)
    definitions: list[DefinitionNode] = []
    if _is_bare(part.sdl):
        parser.expect_token(TokenKind.SOF)
        field = parser.parse_field_definition()
        definitions.append(
            ObjectTypeExtensionNode(
                name=NameNode(value=ROOTS[part.kind]), interfaces=(), directives=(), fields=(field,), loc=field.loc
            )
        )
        while not parser.expect_optional_token(TokenKind.EOF):
            definitions.append(parser.parse_definition())
    else:
        document: DocumentNode = parser.parse_document()
        definitions.extend(document.definitions)
    return tuple(definitions)


def fields_of(definition: DefinitionNode, root: str) -> Sequence[FieldDefinitionNode]:
    """Give the fields of *root* that a definition has."""
    if isinstance(definition, ObjectTypeDefinitionNode | ObjectTypeExtensionNode) and definition.name.value == root:
        return definition.fields or ()
    return ()


def _is_bare(sdl: str) -> bool:
    """Tell whether the SDL begins with a field: a name with arguments or a type after it."""
    parser = Parser(Source(sdl), max_tokens=_MOST_TOKENS)
    parser.expect_token(TokenKind.SOF)
    if parser.peek_description():
        parser.parse_string_literal()
    if not parser.expect_optional_token(TokenKind.NAME):
        return False
    return parser.peek(TokenKind.PAREN_L) or parser.peek(TokenKind.COLON)


def _call(given: Any, kind: str) -> str:
    older = {"registerGraphQLQuery", "registerGraphQLMutation", "registerGraphQLSubscription"}
    return given if isinstance(given, str) and given in older else CALLS_BY_KIND[kind]


def _name(given: Any, kind: str, call: str) -> str:
    if kind == "field":
        names = given.split(".") if isinstance(given, str) else []
        if len(names) != 2 or not all(_NAME.fullmatch(one) for one in names):
            raise Invalid(f'{call}: the first argument names a field, such as "Note.author"; {told(given)} was given.')
        if names[0] in ROOTS.values():
            wanted = CALLS_BY_KIND[names[0].lower()]
            raise Invalid(f"{call}: {told(given)} is a root field; register it with {wanted}.")
        return f"{names[0]}.{names[1]}"
    if not isinstance(given, str) or not _NAME.fullmatch(given) or given.startswith("__"):
        raise Invalid(
            f'{call}: the name must be a GraphQL name such as "notes": letters, digits and _, not beginning with a '
            f"digit or __; {told(given)} was given."
        )
    if kind == "scalar" and given in BUILT_IN_SCALARS:
        raise Invalid(f"{call}: {given} is a scalar of GraphQL itself; choose another name.")
    return given


def _sdl(given: Any, kind: str, name: str, call: str) -> str:
    if kind not in ROOTS:
        return ""
    root = ROOTS[kind]
    if not isinstance(given, str) or not given.strip():
        raise Invalid(f'{call}: the second argument is SDL such as "{name}(id: ID!): String"; {told(given)} was given.')
    if len(given) > _LONGEST_SDL:
        raise Invalid(f"{call}: the SDL may have at most {_LONGEST_SDL} characters; this one has {len(given)}.")
    probe = SchemaPart(script="", version="", kind=kind, name=name, sdl=given)
    try:
        definitions = read_sdl(probe)
    except GraphQLError as error:
        where = error.locations[0] if error.locations else None
        at = f" at line {where.line}, column {where.column} of the SDL" if where else ""
        raise Invalid(
            f"{call}({told(name)}): {error.message}{'' if error.message.endswith('.') else '.'}"
            f" This is{at or ' in the SDL'}."
        ) from None
    except RecursionError:
        raise Invalid(f"{call}({told(name)}): the SDL is nested too deeply.") from None
    found: list[str] = []
    for definition in definitions:
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            raise Invalid(f"{call}: the SDL may not say `schema`: the root types are Query, Mutation and Subscription.")
        if not isinstance(definition, TypeSystemDefinitionNode | TypeSystemExtensionNode):
            raise Invalid(f"{call}: the SDL has an operation in it; it may define types and fields only.")
        found += [field.name.value for field in fields_of(definition, root)]
    if name not in found:
        meant = nearest(name, found)
        advice = f"did you mean {meant}?" if meant else f'write "type {root} {{ {name}: String }}" or "{name}: String".'
        has = f"{root} with {', '.join(found[:5])}" if found else f"no field of {root}"
        raise Invalid(f"{call}({told(name)}): the SDL has {has}, but not {name}; {advice}")
    return given


def _resolver(given: Any, kind: str, call: str) -> HandlerRef | None:
    if kind == "scalar" or (kind == "subscription" and given is None):
        return None
    return _handler(given, call)


def _handler(given: Any, call: str) -> HandlerRef:
    number = given.get("id") if isinstance(given, dict) else None
    name = given.get("name") if isinstance(given, dict) else None
    return HandlerRef(id=_number(number, "the resolver", call), name=name[:200] if isinstance(name, str) else "")


def _number(value: Any, what: str, call: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1_000_000:
        raise Invalid(f"{call}: {what} must be a function, or the name of a top-level function.")
    return value


def _options(given: Any, kind: str, call: str) -> dict[str, Any]:
    known = PART_OPTIONS[kind]
    options: dict[str, Any] = {}
    for name, value in (given if isinstance(given, dict) else {}).items():
        if name not in known:
            meant = nearest(name, known)
            advice = f"; did you mean {meant}?" if meant else f"; there are {', '.join(known)}."
            raise Invalid(f"{call}: there is no option {told(name)}{advice}")
        if value is None:
            continue
        if name in {"writes", "batch"}:
            if not isinstance(value, bool):
                raise Invalid(f"{call}: {name} is true or false; {told(value)} was given.")
        elif name == "history":
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_HISTORY:
                raise Invalid(f"{call}: history is a number from 0 to {_MOST_HISTORY}; {told(value)} was given.")
        elif name in {"parse", "serialize"}:
            value = _number(value, name, call)  # noqa: PLW2901  it is the same, checked
        elif not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise Invalid(f"{call}: {name} is text of at most {_LONGEST_TEXT} characters; {told(value)} was given.")
        options[name] = value
    return options
