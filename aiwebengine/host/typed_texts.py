"""
Texts as what a schema takes them for.

A query and the parameters of a path are texts on the wire.  Where the schema of a route asks
for a number, a truth value, null or a list, a text that is written like one becomes it; any
other stays a text, which the schema then refuses in its own words.

    {"page": {"type": "integer"}, "tags": {"type": "array"}}    ?page=2&tags=a&tags=b
    {"page": 2, "tags": ["a", "b"]}
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiwebengine.host.schemas import resolve

_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d{1,40})?([eE][+-]?\d{1,3})?")
_WORDS: Mapping[str, Mapping[str, Any]] = {"boolean": {"true": True, "false": False}, "null": {"null": None}}
_STEPS = 20_000
"""A script writes the schema, a client the texts; what is beyond it stays a text."""


class TypedTexts:
    """
    Reads texts by one schema.

    Args:
        schema: Of an object, as `schemas.check_schema` has let it through.
    """

    def __init__(self, schema: Any) -> None:
        self._root = schema
        self._steps = 0

    def read(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, Any]]:
        """
        Return *pairs* with values in place of texts.

        What the schema takes for a list is one pair, where the first of its name stood.
        """
        self._steps = _STEPS
        lists: dict[str, list[Any]] = {}
        told: list[tuple[str, Any]] = []
        for name, text in pairs:
            schema = self._of(name)
            items = self._items(schema)
            if items is _NO_LIST:
                told.append((name, self._value(schema, text)))
                continue
            if name not in lists:
                lists[name] = []
                told.append((name, lists[name]))
            lists[name].append(self._value(items, text))
        return told

    def _of(self, name: str) -> Any:
        others: Any = True
        for one in self._branches(self._root):
            if name in one.get("properties", ()):
                return one["properties"][name]
            others = one.get("additionalProperties", others)
        return others

    def _branches(self, schema: Any) -> Iterator[Mapping[str, Any]]:
        """Return the schema and those that it is put together from."""
        waiting = deque([schema])
        while waiting and self._steps > 0:
            self._steps -= 1
            one = waiting.popleft()
            if not isinstance(one, Mapping):
                continue
            yield one
            if "$ref" in one:
                waiting.append(resolve(self._root, one))
            for keyword in ("allOf", "anyOf", "oneOf"):
                waiting.extend(one.get(keyword, ()))

    def _items(self, schema: Any) -> Any:
        for one in self._branches(schema):
            if "array" in _types(one):
                return one.get("items", True)
        return _NO_LIST

    def _value(self, schema: Any, text: str) -> Any:
        for one in self._branches(schema):
            self._steps -= len(one.get("enum", ()))
            value = _read(one, text)
            if value is not text:
                return value
        return text


_NO_LIST = object()


def _types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = schema.get("type", ())
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)


def _read(schema: Mapping[str, Any], text: str) -> Any:
    types = _types(schema)
    if "string" in types:
        return text
    if ("integer" in types or "number" in types) and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    for kind, words in _WORDS.items():
        if kind in types and text in words:
            return words[text]
    allowed = [schema["const"]] if "const" in schema else schema.get("enum", ()) if not types else ()
    if text in allowed:
        return text
    return next((one for one in allowed if _written(one) == text), text)


def _written(value: Any) -> str | None:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, int | float) else None
