"""Imports point down, and the sandbox is a world of its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.rules.tree import ROOT, name, parsed, python


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Return the line and the first part of everything a module imports."""
    for node in ast.walk(parsed(path)):
        yield from imported_by(node)


def imported_by(node: ast.AST) -> Iterator[tuple[int, str]]:
    """See `imported`; of one statement."""
    if isinstance(node, ast.Import):
        yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.lineno, node.module.split(".")[0]


def test_imports_point_down() -> None:
    """No floor imports one above it, and neither server nor sandbox imports the other."""
    # A process of its own: it imports what it looks at.
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sandbox_is_closed() -> None:
    """The sandbox imports the standard library and itself, and one module of it the Duktape binding."""
    wrong = []
    for path in python("sandbox"):
        allowed = {"sandbox", "__future__", *sys.stdlib_module_names}
        if name(path) == "sandbox/duktape.py":
            allowed.add("pyduktape2")
        wrong += [f"{name(path)}:{line}: {module}" for line, module in imported(path) if module not in allowed]
    assert not wrong


def test_server_does_not_know_the_sandbox() -> None:
    """No module of the server imports the sandbox or the Duktape binding, whose licences differ."""
    wrong = [
        f"{name(path)}:{line}: {module}"
        for path in python("aiwebengine", "plugins")
        for line, module in imported(path)
        if module in {"sandbox", "pyduktape2"}
    ]
    assert not wrong


def test_sql_stands_in_its_places() -> None:
    """
    SQL is written in services and in modules named store, tables or migrations; others may name a type.

    The feature `database` is about nothing else.
    """
    wrong = [
        f"{name(path)}:{node.lineno}"
        for path in python("aiwebengine")
        if not name(path).startswith(("aiwebengine/services/", "aiwebengine/features/database/"))
        and path.stem.rpartition("_")[2] not in {"store", "tables", "migrations"}
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and any(module in {"sqlalchemy", "alembic"} for _, module in imported_by(node))
        and [alias.name for alias in node.names] != ["Connection"]
    ]
    assert not wrong
