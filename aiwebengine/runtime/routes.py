"""
Which route answers a method and a path: a radix tree over path segments, as plain values.

A pattern is made of segments: literal text, a parameter (`:id`, matches one segment), and
at the end a wildcard (`*` or `*rest`, matches one or more characters of what is left).  Where
several patterns match, the decision falls at the first segment in which they differ:
literal before parameter before wildcard. If a pattern matches the path but not the method, the next one that does is
used.

    GET /notes/:id, GET /notes/new, GET /notes/*        /notes/new -> literal
                                                        /notes/7   -> parameter
                                                        /notes/7/x -> wildcard
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from aiwebengine.errors import Problem
from aiwebengine.values import Entry, RouteMatch, tuple_of

_MOST_SEGMENTS = 64
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACES = re.compile(r"\{([^{}/]*)\}")
_SPECIAL = re.compile(r"[%:*]")
"""What is in no pattern that is matched as it stands."""
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f?#\\]")


@dataclass(frozen=True, slots=True)
class NoRoute:
    """No pattern matches the path."""


@dataclass(frozen=True, slots=True)
class MethodNotAllowed:
    """A pattern matches the path, but none answers the method."""

    allow: tuple[str, ...]
    script: str = field(default="", compare=False)
    """Whose pattern matches best."""


@dataclass(frozen=True, slots=True)
class AutoOptions:
    """OPTIONS on a path whose scripts do not answer it themselves."""

    allow: tuple[str, ...]
    script: str = field(default="", compare=False)
    """Whose pattern matches best."""


Match = RouteMatch | NoRoute | MethodNotAllowed | AutoOptions

NO_ROUTE = NoRoute()


def parse_pattern(text: str) -> str:
    """
    Bring a pattern to its normal form: `{id}` becomes `:id`.

    Raises:
        ValueError: It is not a pattern; the message says why and what to write.
    """
    if not text.startswith("/"):
        raise ValueError(f'the path "{text}" must begin with "/": write "/{text}"')
    pattern = _BRACES.sub(lambda match: ":" + match[1], text)
    if match := _FORBIDDEN.search(pattern):
        raise ValueError(f'the path "{text}" must not contain {match[0]!r}; only the part before the query is matched')
    names: set[str] = set()
    segments = pattern[1:].split("/")
    if len(segments) > _MOST_SEGMENTS:
        raise ValueError(f'the path "{text}" has {len(segments)} segments; {_MOST_SEGMENTS} are the most')
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if not segment and not last:
            raise ValueError(f'the path "{text}" has an empty segment ("//"); remove one slash')
        if segment.startswith("*") and not last:
            raise ValueError(f'the path "{text}" has a wildcard before its end; "*" may only be the last segment')
        name = segment[1:] if segment[:1] in {":", "*"} else None
        if name is None:
            if "*" in segment or ":" in segment or "{" in segment or "}" in segment:
                raise ValueError(
                    f'the segment "{segment}" of the path "{text}" mixes text with a parameter; '
                    'a parameter is a whole segment, such as "/files/:name"'
                )
            continue
        if segment != "*" and not _NAME.fullmatch(name):
            raise ValueError(
                f'the parameter "{segment}" of the path "{text}" needs a name of letters, digits and _, such as ":id"'
            )
        if name in names:
            raise ValueError(f'the path "{text}" has two parameters of the name "{name}"; give each its own')
        names.add(name)
    return pattern


def shape_of(pattern: str) -> str:
    """Return *pattern* without the names of its parameters: equal shapes match equal paths."""
    if _SPECIAL.search(pattern) is None:
        # Of files there are thousands.
        return pattern
    return "/".join(
        ":" if segment.startswith(":") else "*" if segment.startswith("*") else unquote(segment)
        for segment in pattern.split("/")
    )


class _Node:
    __slots__ = ("any", "literal", "parameter", "routes")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.any: dict[str, Entry] = {}
        self.routes: dict[str, Entry] = {}

    def below(self, segment: str) -> _Node:
        """Return the node of a literal segment; made if there is none."""
        child = self.literal.get(segment)
        if child is None:
            child = self.literal[segment] = _Node()
        return child


class Routes:
    """The tree.  Build it with `Routes.build`; it does not change afterwards."""

    def __init__(self) -> None:
        self._root = _Node()
        self._plain: dict[str, dict[str, Entry]] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self.all: tuple[Entry, ...] = ()
        """Every entry that takes a path, in their original order."""

    @classmethod
    def build(cls, entries: Iterable[Entry]) -> Routes:
        """Make a tree of the entries that take a path; of two with one shape and method the later wins."""
        tree = cls()
        tree.all = tuple(entry for entry in entries if entry.methods)
        for route in tree.all:
            tree._add(route)
        return tree

    def match(self, method: str, path: str) -> Match:
        """
        Find what answers.

        Args:
            method: Upper case.
            path: Raw path, percent-encoded.
        """
        plain = self._plain.get(path)
        if plain is not None:
            route = plain.get(method)
            if route is not None:
                return tuple_of(RouteMatch, (route, {}))
        segments = path[1:].split("/")
        if "%" in path:
            segments = [unquote(segment) for segment in segments]
        return self._without_backtracking(method, segments) or self._first(method, segments)

    def _without_backtracking(self, method: str, segments: list[str]) -> RouteMatch | None:
        """Return the first match of `_walk` if it answers and no way leads back; None if one must look further."""
        node = self._root
        values: list[str] = []
        for segment in segments:
            child = node.literal.get(segment)
            if child is None:
                child = node.parameter
                if child is None or not segment:
                    return None
                values.append(segment)
            node = child
        route = node.routes.get(method)
        if route is None:
            return None
        return tuple_of(RouteMatch, (route, dict(zip(self._names[route.key], values, strict=True))))

    def _first(self, method: str, segments: list[str]) -> Match:
        """Return the first match of `_walk` that answers; if none does, what can be said of the path."""
        allowed: set[str] = set()
        owner = ""
        for routes, values in _walk(self._root, segments, 0, ()):
            route = routes.get(method) or (routes.get("GET") if method == "HEAD" else None)
            # Another script's wildcard does not decide what may be done with this path.
            if route is not None and (method != "OPTIONS" or owner in {"", route.script}):
                return RouteMatch(route=route, params=dict(zip(self._names[route.key], values, strict=True)))
            owner = owner or next(iter(routes.values())).script
            allowed.update(routes)
        if not allowed:
            return NO_ROUTE
        if "GET" in allowed:
            allowed.add("HEAD")
        allowed.add("OPTIONS")
        allow = tuple(sorted(allowed))
        return AutoOptions(allow, owner) if method == "OPTIONS" else MethodNotAllowed(allow, owner)

    def _add(self, route: Entry) -> None:
        node = self._root
        segments = route.key[1:].split("/")
        if _SPECIAL.search(route.key) is None:
            self._names[route.key] = ()
            for segment in segments:
                node = node.below(segment)
            for method in route.methods:
                node.routes[method] = route
            self._plain[route.key] = node.routes
            return
        self._names[route.key] = _names(route.key)
        for segment in segments:
            if segment.startswith("*"):
                for method in route.methods:
                    node.any[method] = route
                return
            if segment.startswith(":"):
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.below(unquote(segment))
        for method in route.methods:
            node.routes[method] = route


def _walk(
    node: _Node, segments: list[str], at: int, values: tuple[str, ...]
) -> Iterator[tuple[dict[str, Entry], tuple[str, ...]]]:
    """Return every set of routes that matches, best first, with what its parameters matched."""
    if at == len(segments):
        if node.routes:
            yield node.routes, values
        return
    segment = segments[at]
    child = node.literal.get(segment)
    if child is not None:
        yield from _walk(child, segments, at + 1, values)
    if node.parameter is not None and segment:
        yield from _walk(node.parameter, segments, at + 1, (*values, segment))
    if node.any:
        rest = "/".join(segments[at:])
        if rest or at == 0:
            yield node.any, (*values, rest)


def names_wildcard(route: Entry) -> bool:
    """Return whether a route takes what no other does: its path ends with a wildcard, or did before its base."""
    return route.key.rpartition("/")[2].startswith("*") or bool(route.options.get("wildcard"))


def _names(pattern: str) -> tuple[str, ...]:
    return tuple(segment[1:] or "*" for segment in pattern.split("/") if segment[:1] in {":", "*"})


def conflicts(entries: Iterable[Entry], *, host: str = "") -> list[Problem]:
    """
    Find entries of different scripts that match the same paths; each problem names both scripts.

    Args:
        host: On which they all answer; empty: on every host.
    """
    on = f" on {host}" if host else ""
    seen: dict[tuple[str, str], Entry] = {}
    reported: set[tuple[int, int]] = set()
    """Entries of which a problem says already that they do not go together, with another method."""
    problems: list[Problem] = []
    for route in entries:
        shape = shape_of(route.key)
        for method in route.methods:
            other = seen.setdefault((method, shape), route)
            if other.script == route.script:
                seen[method, shape] = route
                continue
            if (id(route), id(other)) in reported:
                continue
            reported.add((id(route), id(other)))
            place = f" ({other.place})" if other.place else ""
            file, _, line = route.place.partition(":")
            problems.append(
                Problem(
                    code="route_conflict",
                    message=(
                        f'{method} {route.key} of "{route.script}" matches the same paths as '
                        f'{method} {other.key} of "{other.script}"{place}{on}.'
                    ),
                    file=file or None,
                    line=int(line) if line.isdigit() else None,
                    hint='Give one of them another path, or one script a "basePath" or "hosts" in its package.json.',
                )
            )
    return problems
