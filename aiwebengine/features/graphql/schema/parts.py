"""
What a script adds to the GraphQL schema: one part for each registration.

Every part is an entry of one kind of registration, `GRAPHQL`, whatever function it came from; its key
is what it adds, such as `query notes` or `field Note.author`.

A part is checked as far as it can be by itself, so that a bad one throws where it stands.
Whether all parts of all scripts make one schema is found out when it is deployed
(`assembly.py`).

The SDL of a root field is either the field alone, perhaps with types after it, or whole
definitions among which the root type has the field:

    note(id: ID!): Note   type Note { id: ID!, text: String }
    type Query { note(id: ID!): Note }   type Note { id: ID!, text: String }
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from graphql import GraphQLError, Source
from graphql.language import (
    DefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    NameNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    Token,
    TypeSystemDefinitionNode,
    TypeSystemExtensionNode,
)
from graphql.language.ast import SchemaDefinitionNode, SchemaExtensionNode
from graphql.language.parser import Parser
from graphql.language.token_kind import TokenKind

from aiwebengine.errors import Invalid
from aiwebengine.features.graphql.declarations import PART_OPTIONS
from aiwebengine.features.graphql.execution.wording import in_words_of_graphql
from aiwebengine.features.graphql.schema.entries import CALLS_BY_KIND, OLDER_CALLS, SchemaPart
from aiwebengine.host.declare import described, nearest
from aiwebengine.host.registration.kinds import OptionChecks, Registration, blaming
from aiwebengine.values import Entry, HandlerRef

ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
"""The root type of each kind of operation."""

BUILT_IN_SCALARS = ("Int", "Float", "String", "Boolean", "ID")

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,199}")
_LONGEST_SDL = 256 * 1024
_MOST_TOKENS = 20_000
_LONGEST_TEXT = 2000
_MOST_HISTORY = 10_000


ReadSdl = Callable[[SchemaPart], tuple[DefinitionNode, ...]]
"""Parses the SDL of a part."""


def check_part(registration: Registration, *, read: ReadSdl | None = None) -> Entry:
    """
    Return the entry of one part; see `RegistrationKind.check`.

    Args:
        read: Parses its SDL, as `read_sdl` does.

    Raises:
        Invalid: A rule is broken; the message says which.
    """
    kind = registration.sent.get("kind")
    if not isinstance(kind, str) or kind not in CALLS_BY_KIND:
        raise Invalid(f"The schema has no parts of the kind {described(kind)}.")
    call = registration.call if registration.call in OLDER_CALLS else CALLS_BY_KIND[kind]
    registration = replace(registration, call=call)
    with blaming(argument=0):
        name = _name(registration.sent.get("name"), kind, call)
    with blaming(argument=1):
        part = SchemaPart(
            script=registration.script,
            version=registration.version,
            kind=kind,
            name=name,
            sdl=_text(registration.sent.get("sdl"), kind, name, call),
        )
        _check_sdl(part, call, read or read_sdl)
    return registration.entry(
        key=f"{kind} {name}",
        handler=_resolver(registration, kind),
        options={"kind": kind, "name": name, "sdl": part.sdl, "options": _options(registration, kind)},
    )


def read_sdl(part: SchemaPart, *, places: bool = True) -> tuple[DefinitionNode, ...]:
    """
    Parse the SDL of a part; a field alone becomes an extension of its root type.

    Args:
        part: Of a root field.
        places: Let each node know its position, which trebles its size in memory.

    Raises:
        GraphQLError: It is no SDL.
    """
    parser = _SdlParser(Source(part.sdl, part.name), no_location=not places, max_tokens=_MOST_TOKENS)
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
    parser.unlink()
    return tuple(definitions)


class _SdlParser(Parser):
    """A parser that can take the chain of its tokens apart."""

    def unlink(self) -> None:
        """Free the tokens, which only Python's garbage collector would do; places of nodes are kept."""
        token: Token | None = self._lexer.token
        while token is not None:
            before, token.prev, token.next = token.prev, None, None
            token = before


def fields_of(definition: DefinitionNode, root: str) -> Sequence[FieldDefinitionNode]:
    """Return the fields of *root* that a definition has."""
    if isinstance(definition, ObjectTypeDefinitionNode | ObjectTypeExtensionNode) and definition.name.value == root:
        return definition.fields or ()
    return ()


def _is_bare(sdl: str) -> bool:
    """Return whether the SDL begins with a field: a name with arguments or a type after it."""
    parser = Parser(Source(sdl), max_tokens=_MOST_TOKENS)
    parser.expect_token(TokenKind.SOF)
    if parser.peek_description():
        parser.parse_string_literal()
    if not parser.expect_optional_token(TokenKind.NAME):
        return False
    return parser.peek(TokenKind.PAREN_L) or parser.peek(TokenKind.COLON)


def _name(name: Any, kind: str, call: str) -> str:
    if kind == "field":
        names = name.split(".") if isinstance(name, str) else []
        if len(names) != 2 or not all(_NAME.fullmatch(part) for part in names):
            raise Invalid(
                f'{call}: the first argument names a field, such as "Note.author"; {described(name)} was given.'
            )
        if names[0] in ROOTS.values():
            wanted = CALLS_BY_KIND[names[0].lower()]
            raise Invalid(f"{call}: {described(name)} is a root field; register it with {wanted}.")
        return f"{names[0]}.{names[1]}"
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.startswith("__"):
        raise Invalid(
            f'{call}: the name must be a GraphQL name such as "notes": letters, digits and _, not beginning with a '
            f"digit or __; {described(name)} was given."
        )
    if kind == "scalar" and name in BUILT_IN_SCALARS:
        raise Invalid(f"{call}: {name} is a scalar of GraphQL itself; choose another name.")
    return name


def _text(sdl: Any, kind: str, name: str, call: str) -> str:
    if kind not in ROOTS:
        return ""
    if not isinstance(sdl, str) or not sdl.strip():
        raise Invalid(
            f'{call}: the second argument is SDL such as "{name}(id: ID!): String"; {described(sdl)} was given.'
        )
    if len(sdl) > _LONGEST_SDL:
        raise Invalid(f"{call}: the SDL may have at most {_LONGEST_SDL} characters; this one has {len(sdl)}.")
    return sdl


def _check_sdl(part: SchemaPart, call: str, read: ReadSdl) -> None:
    name = part.name
    if part.kind not in ROOTS:
        return
    root = ROOTS[part.kind]
    try:
        definitions = read(part)
    except GraphQLError as error:
        where = error.locations[0] if error.locations else None
        at = f" at line {where.line}, column {where.column} of the SDL" if where else ""
        message = in_words_of_graphql(error.message)
        raise Invalid(
            f"{call}({described(name)}): {message}{'' if message.endswith('.') else '.'} This is{at or ' in the SDL'}."
        ) from None
    except RecursionError:
        raise Invalid(f"{call}({described(name)}): the SDL is nested too deeply.") from None
    names: list[str] = []
    for definition in definitions:
        if isinstance(definition, SchemaDefinitionNode | SchemaExtensionNode):
            raise Invalid(f"{call}: the SDL may not say `schema`: the root types are Query, Mutation and Subscription.")
        if not isinstance(definition, TypeSystemDefinitionNode | TypeSystemExtensionNode):
            raise Invalid(f"{call}: the SDL has an operation in it; it may define types and fields only.")
        names += [field.name.value for field in fields_of(definition, root)]
    if name not in names:
        suggestion = nearest(name, names)
        advice = (
            f"did you mean {suggestion}?"
            if suggestion
            else f'write "type {root} {{ {name}: String }}" or "{name}: String".'
        )
        has = f"{root} with {', '.join(names[:5])}, but not {name}" if names else f"no field of {root}"
        raise Invalid(f"{call}({described(name)}): the SDL has {has}; {advice}")


def _resolver(registration: Registration, kind: str) -> HandlerRef | None:
    if kind == "scalar" or (kind == "subscription" and registration.sent.get("handler") is None):
        return None
    return registration.handler("the resolver")


def _options(registration: Registration, kind: str) -> dict[str, Any]:
    call = registration.call
    known = PART_OPTIONS[kind]
    options: dict[str, Any] = {}
    checks = OptionChecks(call)
    for name, value in registration.options.items():
        with checks.of(name):
            if name not in known:
                raise registration.unknown_option(name, known)
            if value is None:
                continue
            if name in {"writes", "batch"}:
                if not isinstance(value, bool):
                    raise Invalid(f"{call}: {name} is true or false; {described(value)} was given.")
            elif name == "history":
                if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_HISTORY:
                    raise Invalid(
                        f"{call}: history is a number from 0 to {_MOST_HISTORY}; {described(value)} was given."
                    )
            elif name in {"parse", "serialize"}:
                value = registration.function(value, name)  # noqa: PLW2901  it is the same, checked
            elif not isinstance(value, str) or len(value) > _LONGEST_TEXT:
                raise Invalid(
                    f"{call}: {name} is a string of at most {_LONGEST_TEXT} characters; {described(value)} was given."
                )
            options[name] = value
    checks.settle()
    return options
