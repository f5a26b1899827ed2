"""No module needs itself."""

from __future__ import annotations

import ast

from tests.rules.graph import circles, import_graph, imported_names

# Each is being taken apart.  The list may only shrink.
KNOWN: set[frozenset[str]] = set()


def test_no_import_circle() -> None:
    """Modules do not import each other in a circle, neither inside a function nor for types only."""
    found = circles(import_graph("aiwebengine", "sandbox"))
    assert not [sorted(members) for members in found - KNOWN]
    mended = [sorted(members) for members in KNOWN - found]
    assert not mended, f"no circle any more: take it from KNOWN: {mended}"


def test_circles_are_found() -> None:
    """A circle is found, and nothing that only leads to it or from it."""
    tree = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"f"}, "f": {"e"}}
    assert circles(tree) == {frozenset("bc"), frozenset("ef")}


def test_imports_for_types_count() -> None:
    """An import that only type checkers see is an import."""
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.b import C\ndef f():\n    import d.e\n"
    assert list(imported_names(ast.parse(source))) == ["typing", "typing.TYPE_CHECKING", "a.b", "a.b.C", "d.e"]
