"""What is large is tested by tests that work with it, not only through what lies above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.rules.graph import imported_names, modules
from tests.rules.tree import parsed

LARGE = 100
"""Lines of functions; what only declares something is tested by what is generated from it."""


def test_large_modules_are_tested() -> None:
    """A module with more than 100 lines of functions is imported by a test, or by what tests import for support."""
    missing = untested(modules("aiwebengine", "sandbox"), worked_with(modules("tests")))
    assert sorted(missing) == [], "write a test that imports it"


def untested(sources: Mapping[str, Path], tested: set[str]) -> set[str]:
    """Return the large ones of *sources* that are not among *tested*."""
    return {module for module, path in sources.items() if module not in tested and lines_of_functions(path) > LARGE}


def worked_with(tests: Mapping[str, Path]) -> set[str]:
    """Return all that test modules import, and what the modules of *tests* that they import do."""
    waiting = [module for module, path in tests.items() if path.name.startswith("test_")]
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += imported_names(parsed(tests[module])) if module in tests else ()
    return seen


def lines_of_functions(path: Path) -> int:
    """Return how many lines of a module stand in functions."""
    return sum(len(range(node.lineno, (node.end_lineno or node.lineno) + 1)) for node in outermost(parsed(path)))


def outermost(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the functions and methods of a module, without those inside others."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        else:
            yield from outermost(node)
