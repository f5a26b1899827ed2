"""Who imports whom, of the repository's own modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.rules.tree import name, parsed, python


@cache
def modules(*folders: str) -> Mapping[str, Path]:
    """Return the Python modules of some folders by their dotted names; a package stands for its `__init__`."""
    found = {}
    for path in python(*folders):
        dotted = name(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        found[dotted] = path
    return found


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield all that a module imports, wherever in it: `a.b` for `import a.b`, `a` and `a.b` for `from a import b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(*folders: str) -> dict[str, set[str]]:
    """Return for each module the modules that it imports; a package counts only where nothing in it is imported."""
    known = modules(*folders)
    return {
        module: {target for target in imported_names(parsed(path)) if target in known and target != module}
        for module, path in known.items()
    }


def circles(graph: Mapping[str, set[str]]) -> set[frozenset[str]]:
    """Return the sets of modules of which each reaches all others."""
    reached = {module: _reached(graph, module) for module in graph}
    mutual = {module: frozenset(other for other in reached[module] if module in reached[other]) for module in graph}
    return {members for members in mutual.values() if members}


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += graph[module]
    return seen
