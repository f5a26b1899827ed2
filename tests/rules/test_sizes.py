"""Nothing is too large to be seen at once."""

from __future__ import annotations

import ast
from collections import Counter

from tests.rules.tree import ROOT, files, name, parsed, python

LONGEST_MODULE = 600
LONGEST_FUNCTION = 60
MOST_FILES = 20
CHANGES = "docs/changes.d"
"""One file for each change since the last release."""


def test_no_module_is_too_long() -> None:
    """A module of more than 600 lines is split."""
    assert not [
        name(path)
        for path in python("aiwebengine", "sandbox")
        if len(path.read_text("utf-8").splitlines()) > LONGEST_MODULE
    ]


def test_no_function_is_too_long() -> None:
    """A function of more than 60 lines is split, or a comment on its first line or above it says why it is not."""
    wrong = []
    for path in python("aiwebengine", "sandbox", "plugins", "tests"):
        lines = path.read_text("utf-8").splitlines()
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            assert node.end_lineno is not None
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            reason = "#" in lines[node.lineno - 1] or lines[first - 2].lstrip().startswith("#")
            if node.end_lineno - node.lineno >= LONGEST_FUNCTION and not reason:
                wrong.append(f"{name(path)}:{node.lineno}: {node.name}")
    assert not wrong


def test_no_folder_is_crowded() -> None:
    """A folder with more than 20 files has rooms."""
    counts = Counter(
        name(path.parent)
        for path in files()
        if path.name not in {"__init__.py", "py.typed", "LICENSE"} and path.parent != ROOT / CHANGES
    )
    assert not {folder: count for folder, count in counts.items() if count > MOST_FILES}
