"""A class can be found by its name."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.rules.tree import name, parsed, python


def test_class_names_are_unique() -> None:
    """No two classes of the server have the same name."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in python("aiwebengine"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{name(path)}:{node.lineno}")
    assert not {each: found for each, found in places.items() if len(found) > 1}
