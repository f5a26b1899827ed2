"""
One schema of what all scripts register.

Root fields belong to one script each.  Types may be said by several: what they say is laid
together, field by field, and where two say different things of the same the deployment is
refused, naming both.  A schema is made whole or not at all, as a part of the registry, so that
a request meets routes and schema of the same moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_ast_schema,
    get_named_type,
    parse,
    print_ast,
    validate_schema,
)
from graphql.language import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    Node,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    StringValueNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    visit,
)
from graphql.language.ast import NameNode
from graphql.language.visitor import ParallelVisitor
from graphql.validation.specified_rules import specified_sdl_rules
from graphql.validation.validation_context import SDLValidationContext

from aiwebengine.errors import DeploymentRefused, Problem
from aiwebengine.features.graphql.execution.wording import in_words_of_graphql
from aiwebengine.features.graphql.schema.documents import ParsedSdl
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.schema.parts import ROOTS, fields_of
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.host.declare import nearest

INCREMENTAL = """
"Sends the fragment later, when the rest is there already."
directive @defer(label: String, if: Boolean! = true) on FRAGMENT_SPREAD | INLINE_FRAGMENT
"Sends the rest of a list later, one by one."
directive @stream(label: String, if: Boolean! = true, initialCount: Int! = 0) on FIELD
"""

_NO_QUERY = """
type Query {
  "There is no query yet: a schema needs one field at least."
  _empty: Boolean
}
"""

_KINDS: dict[type[Node], str] = {
    ObjectTypeDefinitionNode: "object",
    ObjectTypeExtensionNode: "object",
    InterfaceTypeDefinitionNode: "interface",
    InterfaceTypeExtensionNode: "interface",
    UnionTypeDefinitionNode: "union",
    UnionTypeExtensionNode: "union",
    EnumTypeDefinitionNode: "enum",
    EnumTypeExtensionNode: "enum",
    InputObjectTypeDefinitionNode: "input",
    InputObjectTypeExtensionNode: "input",
    ScalarTypeDefinitionNode: "scalar",
    ScalarTypeExtensionNode: "scalar",
}
_NODES: dict[str, type[Any]] = {
    "object": ObjectTypeDefinitionNode,
    "interface": InterfaceTypeDefinitionNode,
    "union": UnionTypeDefinitionNode,
    "enum": EnumTypeDefinitionNode,
    "input": InputObjectTypeDefinitionNode,
    "scalar": ScalarTypeDefinitionNode,
}
_MEMBERS = {"object": "fields", "interface": "fields", "input": "fields", "enum": "values"}
"""Where the things are that two scripts may say differently."""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class AssembledSchema:
    """A schema, and who resolves what in it."""

    schema: GraphQLSchema
    roots: Mapping[tuple[str, str], SchemaPart]
    """By kind of operation and name."""
    fields: Mapping[tuple[str, str], SchemaPart]
    """By type and field."""
    scalars: Mapping[str, SchemaPart]
    """Those that a script checks or changes."""
    sdl: str = ""

    def subscription(self, name: str) -> SchemaPart | None:
        """Return who registered a subscription."""
        return self.roots.get(("subscription", name))


@dataclass(slots=True, kw_only=True)
class _Type:
    """What is said of one type so far."""

    kind: str
    part: SchemaPart
    node: Any
    defined: bool = False
    """Whether a script defines it; others may only extend it."""
    description: StringValueNode | None = None
    members: dict[str, tuple[Any, SchemaPart]] = field(default_factory=dict)
    interfaces: dict[str, Any] = field(default_factory=dict)
    types: dict[str, Any] = field(default_factory=dict)
    directives: dict[str, Any] = field(default_factory=dict)


def assemble(
    parts: Sequence[SchemaPart], *, documents: ParsedSdl | None = None, settings: GraphQLSettings | None = None
) -> AssembledSchema:
    """
    Make the schema of all scripts, without resolvers; it may take a second, so call it in a thread.

    Args:
        parts: One at least.
        documents: Has what was parsed before.
        settings: How much there may be.

    Raises:
        DeploymentRefused: The parts do not fit together; it names each place and both owners.
    """
    terms = settings or GraphQLSettings()
    cache = documents or ParsedSdl(max_characters=terms.max_schema_bytes)
    try:
        return _Assembly(parts, documents=cache, settings=terms).result()
    except DeploymentRefused:
        # Once more, to find out where: what is cached has no position.
        placed = ParsedSdl(max_characters=terms.max_schema_bytes, places=True)
        return _Assembly(parts, documents=placed, settings=terms).result()


class _Assembly:
    """The making of one schema."""

    def __init__(self, parts: Sequence[SchemaPart], *, documents: ParsedSdl, settings: GraphQLSettings) -> None:
        self._parts = parts
        self._documents = documents
        self._settings = settings
        self._owners = {(part.kind, part.name): part for part in reversed(parts)}
        self._taken: dict[int, tuple[DefinitionNode, ...]] = {}
        """Accepted definitions, by their identity: a script may register the same text many times."""
        self._sources: dict[int, SchemaPart] = {}
        """Whose a source is, by its identity; the first of those that have the same text."""
        self._problems: list[Problem] = []
        self._types: dict[str, _Type] = {}
        self._directives: dict[str, tuple[DirectiveDefinitionNode, SchemaPart]] = {}
        self._roots: dict[tuple[str, str], SchemaPart] = {}
        self._fields: dict[tuple[str, str], SchemaPart] = {}
        self._scalars: dict[str, SchemaPart] = {}

    def result(self) -> AssembledSchema:
        self._check_bytes()
        for part in self._parts:
            if part.kind in ROOTS:
                self._claim(self._roots, (part.kind, part.name), part, f"{ROOTS[part.kind]}.{part.name}")
                self._take_all(self._documents.read(part), part)
            elif part.kind == "field":
                owner, _, name = part.name.partition(".")
                self._claim(self._fields, (owner, name), part, f"the handler of {part.name}")
            else:
                self._claim(self._scalars, part.name, part, f"the scalar {part.name}")
        self._check_types()
        self._stop()
        self._check_roots()
        self._check_extended()
        for name, part in self._scalars.items():
            self._add_scalar(name, part)
        self._stop()
        document = self._document()
        self._check(_sdl_errors(document))
        schema = build_ast_schema(document, assume_valid_sdl=True)
        self._check(validate_schema(schema))
        self._check_handlers(schema)
        self._stop()
        return AssembledSchema(schema=schema, roots=self._roots, fields=self._fields, scalars=self._scalars)

    # -- parts --------------------------------------------------------------------------------

    def _claim(self, taken: dict[Any, SchemaPart], key: Any, part: SchemaPart, what: str) -> None:
        other = taken.setdefault(key, part)
        if other is not part:
            self._conflict(f"{what} is registered by both", other, part, "Give one of them another name.")

    def _take_all(self, definitions: tuple[DefinitionNode, ...], part: SchemaPart) -> None:
        again = id(definitions) in self._taken
        self._taken[id(definitions)] = definitions
        for definition in definitions:
            if again:
                # All of it is there; only the root field has another owner.
                root = ROOTS[part.kind]
                for member in fields_of(definition, root):
                    if member.name.value == part.name and root in self._types:
                        self._member(root, self._types[root], member, part)
                continue
            if definition.loc is not None:
                self._sources.setdefault(id(definition.loc.source), part)
            self._take(definition, part)

    def _take(self, node: DefinitionNode, part: SchemaPart) -> None:
        if isinstance(node, DirectiveDefinitionNode):
            name = f"@{node.name.value}"
            known = self._directives.setdefault(name, (node, part))
            if known[0] is not node and _printed(known[0]) != _printed(node):
                self._conflict(f"the directive {name} is defined differently by", known[1], part, _SAME, node)
            return
        kind = _KINDS.get(type(node))
        if kind is None:
            self._problem("the SDL may only define types and directives.", part, node)
            return
        name = node.name.value  # type: ignore[attr-defined]
        if name in ROOTS.values() and kind != "object":
            self._problem(f"{name} is the type of operations, so it must be an object type.", part, node)
            return
        known_type = self._types.get(name)
        if known_type is None:
            known_type = self._types[name] = _Type(kind=kind, part=part, node=node)
        elif known_type.kind != kind:
            self._conflict(
                f"the type {name} is {_a_kind(known_type.kind)} in one and {_a_kind(kind)} in the other of",
                known_type.part,
                part,
                "Give one of them another name.",
                node,
            )
            return
        self._merge(name, known_type, node, part)

    def _merge(self, name: str, into: _Type, node: Any, part: SchemaPart) -> None:
        into.defined = into.defined or type(node) in _NODES.values()
        into.description = into.description or getattr(node, "description", None)
        for interface in getattr(node, "interfaces", None) or ():
            into.interfaces.setdefault(interface.name.value, interface)
        for member in getattr(node, "types", None) or ():
            into.types.setdefault(member.name.value, member)
        for directive in node.directives or ():
            into.directives.setdefault(print_ast(directive), directive)
        member_name = _MEMBERS.get(into.kind)
        for member in (getattr(node, member_name, None) or ()) if member_name else ():
            self._member(name, into, member, part)

    def _member(self, name: str, into: _Type, member: Any, part: SchemaPart) -> None:
        key = member.name.value
        kind = next((kind for kind, root in ROOTS.items() if root == name), None)
        owner = self._owner(kind, key) if kind is not None else None
        if owner is not None and owner is not part:
            # Who registered the field says what it is; others may repeat it.
            if key in into.members and into.members[key][1] is not owner and owner.script == part.script:
                into.members.pop(key)
            into.members.setdefault(key, (member, part))
            return
        known = into.members.get(key)
        if known is None or (owner is part and known[1] is not part):
            into.members[key] = (_described(member, part) if owner is part else member, part)
            return
        if _printed(known[0]) != _printed(member):
            what = "value" if into.kind == "enum" else "field"
            self._conflict(f"the {what} {name}.{key} is defined differently by", known[1], part, _SAME, member)

    def _owner(self, kind: str, name: str) -> SchemaPart | None:
        return self._owners.get((kind, name))

    def _check_roots(self) -> None:
        for kind, root in ROOTS.items():
            known = self._types.get(root)
            for name, (node, part) in (known.members if known is not None else {}).items():
                if (kind, name) not in self._roots:
                    suggestion = nearest(name, [other for of, other in self._roots if of == kind])
                    advice = (
                        f"did you mean {suggestion}?"
                        if suggestion
                        else f'register it too, or take it out of the SDL of "{part.name}".'
                    )
                    self._problem(f"{root}.{name} has no resolver; {advice}", part, node)

    def _check_extended(self) -> None:
        for name, known in self._types.items():
            if not known.defined and name not in ROOTS.values():
                suggestion = nearest(name, [type_name for type_name, other in self._types.items() if other.defined])
                advice = (
                    f"did you mean {suggestion}?"
                    if suggestion
                    else f'write "type {name}" in place of "extend type {name}".'
                )
                self._problem(f"{name} is extended, but no script defines it; {advice}", known.part, known.node)

    def _add_scalar(self, name: str, part: SchemaPart) -> None:
        known = self._types.get(name)
        if known is not None and known.kind != "scalar":
            self._conflict(
                f"{name} is {_a_kind(known.kind)} in one and a scalar in the other of", known.part, part, _SAME
            )
        elif known is None:
            node = ScalarTypeDefinitionNode(name=NameNode(value=name), directives=())
            self._types[name] = _Type(kind="scalar", part=part, node=node, defined=True)

    # -- the whole ----------------------------------------------------------------------------

    def _document(self) -> DocumentNode:
        definitions: list[Any] = [node for node, _ in self._directives.values()]
        for name, known in self._types.items():
            pieces: dict[str, Any] = {
                "name": known.node.name,
                "description": known.description,
                "directives": tuple(known.directives.values()),
                "loc": known.node.loc,
            }
            if known.kind in {"object", "interface"}:
                pieces["interfaces"] = tuple(known.interfaces.values())
            if known.kind == "union":
                pieces["types"] = tuple(known.types.values())
            elif known.kind in _MEMBERS:
                pieces[_MEMBERS[known.kind]] = tuple(node for node, _ in known.members.values())
            if known.kind == "scalar" and name in self._scalars and known.description is None:
                pieces["description"] = _text(self._scalars[name].options.get("description"))
            definitions.append(_NODES[known.kind](**pieces))
        more = INCREMENTAL if "Query" in self._types else INCREMENTAL + _NO_QUERY
        definitions += parse(more).definitions
        return DocumentNode(definitions=tuple(definitions))

    def _check_handlers(self, schema: GraphQLSchema) -> None:
        for (owner, name), part in self._fields.items():
            owner_type = schema.type_map.get(owner)
            if not isinstance(owner_type, GraphQLObjectType):
                objects = [
                    type_name for type_name, kind in schema.type_map.items() if isinstance(kind, GraphQLObjectType)
                ]
                what = (
                    "is an interface"
                    if isinstance(owner_type, GraphQLInterfaceType)
                    else "is not an object type of the schema"
                )
                suggestion = nearest(owner, objects)
                advice = f"; did you mean {suggestion}.{name}?" if suggestion and suggestion != owner else "."
                self._problem(f"{part.name}: {owner} {what}{advice}", part)
            elif name not in owner_type.fields:
                suggestion = nearest(name, list(owner_type.fields))
                advice = (
                    f"did you mean {owner}.{suggestion}?" if suggestion else f"it has {', '.join(owner_type.fields)}."
                )
                self._problem(f"{part.name}: {owner} has no field {name}; {advice}", part)
        for name, part in self._scalars.items():
            kind = schema.type_map.get(name)
            if isinstance(kind, GraphQLScalarType):
                kind.specified_by_url = part.options.get("specifiedBy", kind.specified_by_url)

    # -- how much there is --------------------------------------------------------------------

    def _check_bytes(self) -> None:
        """Refuse before anything is parsed."""
        seen: set[tuple[str, str]] = set()
        by_script: Counter[str] = Counter()
        for part in self._parts:
            if (part.script, part.sdl) in seen:
                continue
            seen.add((part.script, part.sdl))
            by_script[part.script] += len(part.sdl.encode())
            self._bound(by_script, part, "bytes of SDL", "schema_bytes")
        self._stop()

    def _check_types(self) -> None:
        by_script: Counter[str] = Counter()
        for known in self._types.values():
            by_script[known.part.script] += 1
            self._bound(by_script, known.part, "types", "types")

    def _bound(self, by_script: Counter[str], part: SchemaPart, what: str, setting: str) -> None:
        """Refuse a script with too much, and the script with which all have too much, once."""
        most, most_of_all = getattr(self._settings, f"max_script_{setting}"), getattr(self._settings, f"max_{setting}")
        if by_script[part.script] > most:
            raise self._too_much(f'The script "{part.script}"', most, what, f"graphql.max_script_{setting}", part)
        if sum(by_script.values()) > most_of_all:
            raise self._too_much("The schema of all scripts", most_of_all, what, f"graphql.max_{setting}", part)

    def _too_much(self, whose: str, most: int, what: str, setting: str, part: SchemaPart) -> DeploymentRefused:
        self._problems.clear()
        self._problem(f"{whose} may have at most {most:,} {what} in the GraphQL schema ({setting}).", part)
        return DeploymentRefused(self._problems[0].message, problems=self._problems)

    # -- problems -----------------------------------------------------------------------------

    def _check(self, errors: Sequence[GraphQLError]) -> None:
        for error in errors:
            node = next((candidate for candidate in error.nodes or () if self._part_of(candidate) is not None), None)
            part = self._part_of(node) or self._parts[-1]
            others = {
                other.script: other
                for candidate in error.nodes or ()
                if (other := self._part_of(candidate)) is not None and other.script != part.script
            }
            tail = "".join(
                f' The other is in "{other.script}" ({other.place or "its SDL"}).' for other in others.values()
            )
            self._problem(f"{in_words_of_graphql(error.message)}{tail}", part, node)
        self._stop()

    def _part_of(self, node: Node | None) -> SchemaPart | None:
        """Return whose SDL a node stands in."""
        return None if node is None or node.loc is None else self._sources.get(id(node.loc.source))

    def _conflict(self, what: str, part: SchemaPart, other: SchemaPart, hint: str, node: Node | None = None) -> None:
        if part.script == other.script:
            message = f'{what} {_place_of(part)} and {_place_of(other)} of the script "{other.script}".'
        else:
            message = f'{what} "{part.script}" ({_place_of(part)}) and "{other.script}" ({_place_of(other)}).'
        self._add("graphql_conflict", message, other, node, hint)

    def _problem(self, message: str, part: SchemaPart, node: Node | None = None) -> None:
        self._add("graphql_schema", message if message.endswith((".", "?")) else f"{message}.", part, node, None)

    def _add(self, code: str, message: str, part: SchemaPart, node: Node | None, hint: str | None) -> None:
        file, _, line = part.place.rpartition(":")
        at = ""
        if node is not None and node.loc is not None:
            place = node.loc.start_token
            at = f" (line {place.line}, column {place.column} of the SDL of {part.name})"
        self._problems.append(
            Problem(
                code=code,
                message=f"{message[:1].upper()}{message[1:]}{at}",
                file=file or None,
                line=int(line) if line.isdecimal() else None,
                hint=hint,
            )
        )
        if len(self._problems) >= _MOST_PROBLEMS:
            self._stop()

    def _stop(self) -> None:
        if self._problems:
            raise DeploymentRefused(self._problems[0].message, problems=self._problems)


_MOST_PROBLEMS = 50
"""The search ends at this number: each looks for a name that is like another, among all names."""
_SAME = "Use the same definition in both, or give one of them another name."


def _printed(node: Node) -> str:
    """Return what a node says, without its description."""
    text = print_ast(node)
    description = getattr(node, "description", None)
    return text[len(print_ast(description)) :].strip() if description is not None else text


class _TooManyErrors(Exception):
    """The limit of errors was reached; the rest is not searched."""


def _sdl_errors(document: DocumentNode) -> list[GraphQLError]:
    """Validate as `graphql.validation.validate.validate_sdl` does, up to a number of errors."""
    errors: list[GraphQLError] = []

    def found(error: GraphQLError) -> None:
        errors.append(error)
        if len(errors) >= _MOST_PROBLEMS:
            raise _TooManyErrors

    context = SDLValidationContext(document, None, found)
    rules = [rule(context) for rule in specified_sdl_rules]
    visitor = ParallelVisitor(rules)
    with suppress(_TooManyErrors):
        visit(document, visitor)
    # They refer to each other, and only the garbage collector would free what they have noted.
    for circular in (*rules, visitor, context):
        vars(circular).clear()
    return errors


def _described(node: FieldDefinitionNode, part: SchemaPart) -> FieldDefinitionNode:
    text = part.options.get("description")
    return replace(node, description=_text(text)) if text and node.description is None else node


def _text(value: str | None) -> StringValueNode | None:
    return StringValueNode(value=value, block="\n" in value) if value else None


def _a_kind(kind: str) -> str:
    return {"object": "an object type", "enum": "an enum", "input": "an input type", "interface": "an interface"}.get(
        kind, f"a {kind}"
    )


def _place_of(part: SchemaPart) -> str:
    return part.place or part.name


def type_name_of(kind: Any) -> str:
    """Return the name of the type that is inside lists and non-nulls."""
    return str(get_named_type(kind).name)
