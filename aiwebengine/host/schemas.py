"""
JSON Schema, draft 2020-12, for values that come from outside.

Both sides are hostile here: a script writes the schema, a client the value, and the
check runs in the server.  So every check has a budget of steps, patterns are matched by
RE2 in linear time, references stay inside the schema, and a message never repeats more
of a value than a few words.  A keyword that is not known is refused when the schema is
registered: a misspelt rule would otherwise be no rule at all.

Not to be had: `unevaluatedProperties`, `unevaluatedItems`, `$dynamicRef`, references to
other documents, and look-around and back-references in patterns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import re2

from aiwebengine.errors import Invalid
from aiwebengine.host.declare import nearest, told

_STEPS = 50_000
_MOST_FAULTS = 20
_DEEPEST = 100
_LARGEST_SCHEMA = 64 * 1024
_LONGEST_PATTERN = 500
_UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")

_SCHEMA = frozenset({"additionalProperties", "items", "contains", "not", "if", "then", "else", "propertyNames"})
_SCHEMA_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SCHEMA_MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_COUNTS = frozenset(
    {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"}
)
_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_NOTES = frozenset(
    {"$schema", "$id", "$comment", "$anchor", "title", "description", "default", "examples", "deprecated", "readOnly"}
    | {"writeOnly", "contentEncoding", "contentMediaType", "contentSchema"}
)
_OTHERS = frozenset(
    {"type", "enum", "const", "required", "dependentRequired", "uniqueItems", "pattern", "format", "$ref"}
)
KEYWORDS = _SCHEMA | _SCHEMA_LISTS | _SCHEMA_MAPS | _COUNTS | _NUMBERS | _NOTES | _OTHERS
"""Every keyword that is understood."""

_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

_FORMATS: dict[str, str] = {
    "date": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
    "time": r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([zZ]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    "email": r"[^\s@\x00-\x1f]{1,64}@[^\s@.\x00-\x1f]+(\.[^\s@.\x00-\x1f]+)*",
    "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "uri": r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s\x00-\x1f]+",
    "ipv4": r"((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3})",
    "hostname": r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*",
}
_FORMATS["date-time"] = f"{_FORMATS['date']}[tT ]{_FORMATS['time']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule that a value breaks."""

    path: str
    """JSON Pointer into the value; empty for the value itself."""
    message: str
    """What must be, and what was given."""

    def as_json(self) -> dict[str, str]:
        """Return both, ready for JSON."""
        return {"path": self.path, "message": self.message}


def check_schema(schema: Any, *, where: str) -> None:
    """
    Refuse *schema* unless it is one that `check` can use.

    Args:
        where: Begins the message, such as `registerWebHandler: body`.

    Raises:
        Invalid: It is not; the message names the place in it.
    """
    try:
        size = len(json.dumps(schema))
    except (TypeError, ValueError, RecursionError):
        raise Invalid(f"{where} must be a JSON Schema, an object that JSON can carry.") from None
    if size > _LARGEST_SCHEMA:
        raise Invalid(f"{where} may have at most {_LARGEST_SCHEMA} characters as JSON; it has {size}.")
    _Reader(root=schema, where=where).read(schema, "", 0)


def check(schema: Any, value: Any) -> list[Fault]:
    """
    Return the rules of *schema* that *value* breaks, twenty at most.

    Args:
        schema: One that `check_schema` has let through.
        value: Anything that `json.loads` gives.
    """
    walk = _Walk(root=schema)
    try:
        return walk.first(schema, value)
    except (_Spent, RecursionError):
        return [Fault(path="", message="is too large or too deeply nested to be checked against the schema.")]


def resolve(root: Any, schema: Any) -> Any:
    """Return what *schema* stands for: itself, or what its reference leads to inside of *root*."""
    for _ in range(_DEEPEST):
        if not isinstance(schema, dict) or "$ref" not in schema:
            break
        schema = _resolve(root, schema["$ref"])
    return schema


class _Spent(Exception):
    """The budget of steps is used up."""


class _Reader:
    """Checks a schema itself."""

    def __init__(self, *, root: Any, where: str) -> None:
        self._root = root
        self._where = where

    def read(self, schema: Any, at: str, depth: int) -> None:
        if isinstance(schema, bool):
            return
        if not isinstance(schema, dict):
            self._refuse(at, f"a schema is an object, true or false; {told(schema)} was given.")
        if depth > _DEEPEST:
            self._refuse(at, f"a schema may be at most {_DEEPEST} levels deep.")
        for keyword, value in schema.items():
            place = f"{at}/{keyword}"
            if keyword in _SCHEMA:
                self.read(value, place, depth + 1)
            elif keyword in _SCHEMA_LISTS:
                self._need(isinstance(value, list) and len(value) > 0, place, "a list of schemas", value)
                for index, part in enumerate(value):
                    self.read(part, f"{place}/{index}", depth + 1)
            elif keyword in _SCHEMA_MAPS:
                self._need(isinstance(value, dict), place, "an object of schemas", value)
                for name, part in value.items():
                    if keyword == "patternProperties":
                        self._pattern(name, place)
                    self.read(part, f"{place}/{name}", depth + 1)
            elif keyword not in _NOTES:
                self._plain(keyword, value, place)

    def _plain(self, keyword: str, value: Any, place: str) -> None:
        if keyword in _COUNTS:
            good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            self._need(good, place, "a whole number from 0", value)
        elif keyword in _NUMBERS:
            good = _is_number(value) and (keyword != "multipleOf" or value > 0)
            self._need(good, place, "a number", value)
        elif keyword == "type":
            self._type(value, place)
        elif keyword == "enum":
            self._need(isinstance(value, list), place, "a list of values", value)
        elif keyword == "required":
            self._need(_is_words(value), place, "a list of names", value)
        elif keyword == "dependentRequired":
            good = isinstance(value, dict) and all(_is_words(names) for names in value.values())
            self._need(good, place, "an object of lists of names", value)
        elif keyword == "uniqueItems":
            self._need(isinstance(value, bool), place, "true or false", value)
        elif keyword == "pattern":
            self._pattern(value, place)
        elif keyword == "format":
            self._need(isinstance(value, str), place, "text", value)
        elif keyword == "$ref":
            self._reference(value, place)
        elif keyword != "const" and not keyword.startswith("x-"):
            meant = nearest(keyword, KEYWORDS)
            self._refuse(place, f"there is no keyword {told(keyword)}" + (f"; did you mean {meant}?" if meant else "."))

    def _type(self, value: Any, place: str) -> None:
        for name in value if isinstance(value, list) and value else [value]:
            if not isinstance(name, str) or name not in _TYPES:
                meant = nearest(name, _TYPES) if isinstance(name, str) else None
                advice = f"did you mean {meant}?" if meant else f"use one of {', '.join(_TYPES)}."
                self._refuse(place, f"there is no type {told(name)}; {advice}")

    def _pattern(self, value: Any, place: str) -> None:
        self._need(isinstance(value, str) and len(value) <= _LONGEST_PATTERN, place, "a regular expression", value)
        try:
            _compile(value)
        except re2.error as error:
            told_why = error.args[0] if error.args else ""
            why = told_why.decode(errors="replace") if isinstance(told_why, bytes) else str(told_why)
            self._refuse(
                place,
                f"the pattern {told(value)} cannot be used ({why}); look-around and back-references are not supported.",
            )

    def _reference(self, value: Any, place: str) -> None:
        self._need(isinstance(value, str), place, 'text such as "#/$defs/name"', value)
        seen = {value}
        target = _resolve(self._root, value)
        # A reference that leads to nothing but references never arrives.
        while isinstance(target, dict) and isinstance(target.get("$ref"), str) and len(target) == 1:
            if target["$ref"] in seen:
                self._refuse(place, f"the reference {told(value)} leads back to itself.")
            seen.add(target["$ref"])
            target = _resolve(self._root, target["$ref"])
        if not isinstance(target, dict | bool):
            self._refuse(
                place, f'the reference {told(value)} leads nowhere; use one inside this schema, such as "#/$defs/name".'
            )

    def _need(self, good: bool, place: str, what: str, value: Any) -> None:  # noqa: FBT001  reads as a sentence
        if not good:
            self._refuse(place, f"it must be {what}; {told(value)} was given.")

    def _refuse(self, place: str, message: str) -> None:
        at = f" at {place[:200]}" if place else ""
        raise Invalid(f"{self._where} is not a JSON Schema that can be used{at}: {message}")


class _Walk:
    """One check of one value."""

    def __init__(self, *, root: Any) -> None:
        self._root = root
        self._steps = _STEPS

    def first(self, schema: Any, value: Any) -> list[Fault]:
        faults: list[Fault] = []
        for fault in self.faults(schema, value, "", 0):
            faults.append(fault)
            if len(faults) == _MOST_FAULTS:
                break
        return faults

    def faults(self, schema: Any, value: Any, at: str, depth: int) -> Iterator[Fault]:
        self._steps -= 1
        if self._steps < 0 or depth > 4 * _DEEPEST:
            raise _Spent
        if schema is True:
            return
        if schema is False:
            yield Fault(path=at, message="is not allowed here.")
            return
        if "$ref" in schema:
            yield from self.faults(_resolve(self._root, schema["$ref"]), value, at, depth + 1)
        if "type" in schema and not _has_type(schema["type"], value):
            wanted = schema["type"]
            yield Fault(path=at, message=f"must be {_or(wanted)}; {told(value)} was given.")
            return
        yield from self._values(schema, value, at)
        if isinstance(value, str):
            yield from _text_faults(schema, value, at)
        elif _is_number(value):
            yield from _number_faults(schema, value, at)
        elif isinstance(value, list):
            yield from self._array(schema, value, at, depth)
        elif isinstance(value, dict):
            yield from self._object(schema, value, at, depth)
        yield from self._combined(schema, value, at, depth)

    def _fits(self, schema: Any, value: Any, depth: int) -> bool:
        return next(self.faults(schema, value, "", depth + 1), None) is None

    def _values(self, schema: Mapping[str, Any], value: Any, at: str) -> Iterator[Fault]:
        if "const" in schema and not _same(schema["const"], value):
            yield Fault(path=at, message=f"must be {told(schema['const'])}; {told(value)} was given.")
        if "enum" in schema:
            self._steps -= len(schema["enum"])
            if not any(_same(one, value) for one in schema["enum"]):
                allowed = ", ".join(told(one) for one in schema["enum"][:10])
                yield Fault(path=at, message=f"must be one of {allowed}; {told(value)} was given.")

    def _array(self, schema: Mapping[str, Any], value: list[Any], at: str, depth: int) -> Iterator[Fault]:
        yield from _count_faults(schema, len(value), at, "minItems", "maxItems", "elements")
        prefix = schema.get("prefixItems", [])
        for index, (part, item) in enumerate(zip(prefix, value, strict=False)):
            yield from self.faults(part, item, f"{at}/{index}", depth + 1)
        if "items" in schema:
            for index in range(len(prefix), len(value)):
                yield from self.faults(schema["items"], value[index], f"{at}/{index}", depth + 1)
        if "contains" in schema:
            found = sum(1 for item in value if self._fits(schema["contains"], item, depth))
            if found < schema.get("minContains", 1):
                yield Fault(path=at, message=f"must hold at least {schema.get('minContains', 1)} fitting elements.")
            if found > schema.get("maxContains", found):
                yield Fault(
                    path=at, message=f"may hold at most {schema['maxContains']} such elements; it holds {found}."
                )
        if schema.get("uniqueItems"):
            seen = set()
            for index, item in enumerate(value):
                self._steps -= 1
                text = json.dumps(_plain_numbers(item), sort_keys=True)
                if text in seen:
                    yield Fault(path=f"{at}/{index}", message="must differ from the other elements.")
                seen.add(text)

    def _object(self, schema: Mapping[str, Any], value: dict[str, Any], at: str, depth: int) -> Iterator[Fault]:
        yield from _count_faults(schema, len(value), at, "minProperties", "maxProperties", "properties")
        for name in schema.get("required", ()):
            if name not in value:
                yield Fault(path=_below(at, name), message="is missing.")
        properties = schema.get("properties", {})
        patterns = [(_compile(text), part) for text, part in schema.get("patternProperties", {}).items()]
        for name, item in value.items():
            self._steps -= 1
            covered = False
            if name in properties:
                covered = True
                yield from self.faults(properties[name], item, _below(at, name), depth + 1)
            for pattern, part in patterns:
                if _search(pattern, name):
                    covered = True
                    yield from self.faults(part, item, _below(at, name), depth + 1)
            if not covered and "additionalProperties" in schema:
                yield from self._additional(schema, properties, name, item, at, depth)
            if "propertyNames" in schema:
                yield from self.faults(schema["propertyNames"], name, _below(at, name), depth + 1)
        for name, needed in schema.get("dependentRequired", {}).items():
            if name in value:
                for other in needed:
                    if other not in value:
                        yield Fault(path=_below(at, other), message=f"is missing; {told(name)} needs it.")
        for name, part in schema.get("dependentSchemas", {}).items():
            if name in value:
                yield from self.faults(part, value, at, depth + 1)

    def _additional(
        self, schema: Mapping[str, Any], properties: Mapping[str, Any], name: str, item: Any, at: str, depth: int
    ) -> Iterator[Fault]:
        if schema["additionalProperties"] is False:
            meant = nearest(name, properties)
            advice = f"; did you mean {meant}?" if meant else "."
            yield Fault(path=_below(at, name), message=f"is not a property that is known here{advice}")
        else:
            yield from self.faults(schema["additionalProperties"], item, _below(at, name), depth + 1)

    def _combined(self, schema: Mapping[str, Any], value: Any, at: str, depth: int) -> Iterator[Fault]:
        for part in schema.get("allOf", ()):
            yield from self.faults(part, value, at, depth + 1)
        if "anyOf" in schema and not any(self._fits(part, value, depth) for part in schema["anyOf"]):
            yield Fault(path=at, message=f"fits none of the {len(schema['anyOf'])} shapes that are allowed here.")
        if "oneOf" in schema:
            fitting = sum(1 for part in schema["oneOf"] if self._fits(part, value, depth))
            if fitting != 1:
                yield Fault(
                    path=at, message=f"must fit exactly one of {len(schema['oneOf'])} shapes; it fits {fitting}."
                )
        if "not" in schema and self._fits(schema["not"], value, depth):
            yield Fault(path=at, message="has a shape that is not allowed here.")
        if "if" in schema:
            branch = "then" if self._fits(schema["if"], value, depth) else "else"
            if branch in schema:
                yield from self.faults(schema[branch], value, at, depth + 1)


def _text_faults(schema: Mapping[str, Any], value: str, at: str) -> Iterator[Fault]:
    yield from _count_faults(schema, len(value), at, "minLength", "maxLength", "characters")
    if "pattern" in schema and not _search(_compile(schema["pattern"]), value):
        yield Fault(path=at, message=f"must match {told(schema['pattern'])}; {told(value)} was given.")
    form = _FORMATS.get(schema.get("format", ""))
    if form is not None and not _search(_compile(f"^(?:{form})$"), value):
        yield Fault(path=at, message=f"must be of the format {schema['format']}; {told(value)} was given.")


def _number_faults(schema: Mapping[str, Any], value: float, at: str) -> Iterator[Fault]:
    rules: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
        ("minimum", lambda bound: value >= bound, "at least"),
        ("maximum", lambda bound: value <= bound, "at most"),
        ("exclusiveMinimum", lambda bound: value > bound, "more than"),
        ("exclusiveMaximum", lambda bound: value < bound, "less than"),
        ("multipleOf", lambda bound: _is_multiple(value, bound), "a multiple of"),
    )
    for keyword, holds, words in rules:
        if keyword in schema and not holds(schema[keyword]):
            yield Fault(path=at, message=f"must be {words} {schema[keyword]}; {told(value)} was given.")


def _count_faults(schema: Mapping[str, Any], count: int, at: str, least: str, most: str, unit: str) -> Iterator[Fault]:
    if count < schema.get(least, 0):
        yield Fault(path=at, message=f"must have at least {schema[least]} {unit}; it has {count}.")
    if count > schema.get(most, count):
        yield Fault(path=at, message=f"may have at most {schema[most]} {unit}; it has {count}.")


def _has_type(wanted: Any, value: Any) -> bool:
    return any(_TYPES[name](value) for name in (wanted if isinstance(wanted, list) else [wanted]))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_multiple(value: float, bound: float) -> bool:
    try:
        quotient = value / bound
    except OverflowError:
        return isinstance(value, int) and isinstance(bound, int) and value % bound == 0
    return abs(quotient - round(quotient)) < 1e-9 if abs(quotient) < 1e15 else True


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(value, right[name]) for name, value in left.items())
    return bool(left == right)


def _plain_numbers(value: Any) -> Any:
    """Write equal numbers equally: 1.0 and 1 are the same to JSON Schema."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain_numbers(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain_numbers(one) for name, one in value.items()}
    return value


def _resolve(root: Any, reference: Any) -> Any:
    """Follow a reference inside *root*; None if it leads nowhere."""
    if reference == "#":
        return root
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    at = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(at, dict) and name in at:
            at = at[name]
        elif isinstance(at, list) and name.isascii() and name.isdigit() and int(name) < len(at):
            at = at[int(name)]
        else:
            return None
    return at


def _compile(pattern: str) -> Any:
    """Compile with RE2, which keeps what it compiled in a cache of its own."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    # RE2 writes a code point as \x{....}; JavaScript, and so JSON Schema, as \u....
    return re2.compile(_UNICODE_ESCAPE.sub(r"\\x{\1}", pattern), options)


def _search(pattern: Any, text: str) -> bool:
    try:
        return pattern.search(text) is not None
    except UnicodeEncodeError:
        # Half of a surrogate pair: no pattern of whole characters matches it.
        return False


def _below(at: str, name: str) -> str:
    return f"{at}/{name[:100].replace('~', '~0').replace('/', '~1')}"


def _or(wanted: Any) -> str:
    names = wanted if isinstance(wanted, list) else [wanted]
    article = {"integer": "a whole number", "number": "a number", "string": "text", "array": "a list"}
    article |= {"object": "an object", "boolean": "true or false", "null": "null"}
    return " or ".join(article[name] for name in names)
