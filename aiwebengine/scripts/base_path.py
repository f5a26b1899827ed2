"""
A script's base path: `"basePath": "/shop"` in its manifest puts whatever it registers below `/shop`.

    "/"            /shop, /shop/
    "/cart/:id"    /shop/cart/:id
    "/*"           /shop, /shop/, /shop/*
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.runtime.routes import shape_of
from aiwebengine.values import Entry

_BASE = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}){1,8}")
_EVERYTHING = re.compile(r"/\*[^/]*")


def why_not(base: str, reserved: ReservedPaths) -> str | None:
    """Return what is wrong with a base path; None if nothing is."""
    if not _BASE.fullmatch(base):
        return (
            'must be a path such as "/shop": segments of letters, digits, ".", "_", "~" and "-", with no "/" at its end'
        )
    first = base.split("/")[1]
    if reserved.takes_segment(first):
        return f'must not begin with "/{first}", which the engine reserves for itself'
    return None


def below(base: str, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """
    Return *entries* at their places below *base*.

    Args:
        base: The base path; empty for none.
        entries: As they were registered.
    """
    if not base:
        return tuple(entries)
    taken = {(method, shape_of(base + entry.key)) for entry in entries for method in entry.methods}
    taken |= {(method, base) for entry in entries if entry.key == "/" for method in entry.methods}
    return tuple(placed for entry in entries for placed in _placed(base, entry, taken))


def unless_registered(entries: Sequence[Entry], registered: Sequence[Entry]) -> list[Entry]:
    """Return *entries* without what a script has registered itself for the same paths; who answers GET answers HEAD."""
    own = {(method, shape_of(entry.key)) for entry in registered for method in entry.methods}
    own |= {("HEAD", shape) for method, shape in own if method == "GET"}
    left: list[Entry] = []
    for entry in entries:
        shape = shape_of(entry.key)
        methods = tuple(method for method in entry.methods if (method, shape) not in own)
        if methods:
            left.append(replace(entry, methods=methods))
    return left


def _placed(base: str, entry: Entry, taken: set[tuple[str, str]]) -> Iterator[Entry]:
    if not entry.methods:
        yield entry
        return
    options = {**entry.options, "base": base}
    yield replace(entry, key=base + entry.key, options=options)
    if entry.key == "/":
        yield replace(entry, key=base, options=options)
    elif _EVERYTHING.fullmatch(entry.key):
        for key in (base, base + "/"):
            methods = tuple(method for method in entry.methods if (method, key) not in taken)
            if methods:
                yield replace(entry, key=key, methods=methods, options={**options, "wildcard": True})
