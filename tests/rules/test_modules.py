"""What holds for every module."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.rules.tree import files, name, parsed, python

VAGUE = {"utils", "util", "helpers", "common", "manager", "handler", "base", "core", "misc"}
TEXT_SUFFIXES = {
    ".cfg", ".css", ".html", ".ini", ".js", ".json", ".jsx", ".md", ".mjs", ".py", ".sh", ".toml", ".ts", ".tsx",
    ".txt", ".yaml", ".yml", "",
}  # fmt: skip
# Written in two parts, so that this file does not break its own rule.
FORBIDDEN = re.compile(
    "|".join(
        (
            r"(?<![\w.])/" + r"(work|root|home)/\w",
            r"/opt/" + r"(wheels|pypi)",
            r"registry\.npm" + r"js|registry\.yarn" + r"pkg",
            r"pypi\." + r"org|python" + r"hosted\.org",
            r"\b(DESIGN|STYLE|MISSION|CONTRACTS|JS_API)" + r"\.md\b",
        )
    )
)


def test_init_holds_a_docstring_only() -> None:
    """Names are imported from the module that defines them: an __init__ has a docstring and nothing else."""
    wrong = []
    for path in python("aiwebengine", "sandbox", "tests"):
        if path.name == "__init__.py":
            body = parsed(path).body
            if len(body) != 1 or ast.get_docstring(parsed(path)) is None:
                wrong.append(name(path))
    assert not wrong


def test_modules_are_named_for_what_they_hold() -> None:
    """No module is called utils, helpers or the like."""
    assert not [name(path) for path in python("aiwebengine", "sandbox") if path.stem in VAGUE]


def test_only_the_command_line_prints() -> None:
    """Nothing but the command line calls print: the server has a log, the sandbox a socket."""
    wrong = [
        f"{name(path)}:{node.lineno}"
        for path in python("aiwebengine", "sandbox")
        if not name(path).startswith("aiwebengine/cli/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong


def _made(call: ast.Call) -> str:
    """Return the name of the class that is called, whose `_make` is, or that `values.tuple_of` makes a tuple of."""
    made: ast.expr = call.func
    if isinstance(made, ast.Name) and made.id == "tuple_of":
        made = call.args[0]
    if isinstance(made, ast.Attribute) and made.attr == "_make":
        made = made.value
    if isinstance(made, ast.Attribute):
        return made.attr
    return made.id if isinstance(made, ast.Name) else ""


def _renamed(path: Path) -> set[str]:
    """Return what a module imports under another name."""
    nodes = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in nodes for alias in node.names if alias.asname is not None}


def test_one_module_starts_scripts() -> None:
    """Invocations are made by the invoker: nothing else may start a script, past limits and admission."""
    makers = {
        name(path)
        for path in python("aiwebengine")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and _made(node) == "Invocation"
    }
    assert makers == {"aiwebengine/runtime/invoker.py"}
    assert [name(path) for path in python("aiwebengine") if "Invocation" in _renamed(path)] == []


def test_every_test_says_what_it_shows() -> None:
    """Each test has a sentence of behaviour as its docstring."""
    wrong = [
        f"{name(path)}:{node.lineno}: {node.name}"
        for path in python("tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test")
        and path.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not wrong


def test_nothing_belongs_to_one_machine() -> None:
    """No file names a folder of somebody's machine, a registry's address or a paper that is not here."""
    wrong = []
    for path in files():
        if path.suffix not in TEXT_SUFFIXES:
            continue
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
            if found := FORBIDDEN.search(line):
                wrong.append(f"{name(path)}:{number}: {found[0]}")
    assert not wrong


def test_unknown_errors_are_caught_with_a_reason() -> None:
    """Whoever catches every exception says why on that line or the next."""
    wrong = []
    for path in python("aiwebengine", "sandbox"):
        lines = path.read_text("utf-8").splitlines()
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
            )
            near = " ".join(lines[node.lineno - 2 : node.lineno + 1])
            if broad and "#" not in near and not isinstance(node.body[-1], ast.Raise):
                wrong.append(f"{name(path)}:{node.lineno}")
    assert not wrong
