"""What a docstring, a comment or a document names between back-quotes is there."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings.check import schema_fields
from tests.rules.graph import modules
from tests.rules.tree import ROOT, files, name, parsed, python
from tests.support.reading.rendered import blocks_of

PACKAGES = ("aiwebengine", "sandbox", "plugins", "tests", "bench", "examples")
QUOTED = re.compile(r"`([^`\n]+)`")
COMMENTED = re.compile(r"#[^\n]*`")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+")
# A file of ours is a Python file, or stands in one of our folders; `package.json` and `main.ts` are those of scripts.
PATH = re.compile(r"[\w./-]+\.py|(?:aiwebengine|sandbox|plugins|tests|bench|config|docs|\.ci)/[\w./-]+")
FOREIGN = (".js", ".mjs", ".ts", ".json", ".html", ".yaml", ".toml")
SETTINGS = {field.name for field in schema_fields(sections_of(FEATURES))}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what a file tells people, with its lines: docstrings and comments of a program, all of a document."""
    source = path.read_text("utf-8")
    if path.suffix != ".py":
        yield from enumerate(source.splitlines(), start=1)
        return
    if "`" not in source:
        return
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
    # To find the comments of a file takes longer than all the rest.
    if not COMMENTED.search(source):
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def wrong_name(quoted: str, folder: str) -> bool:
    """Return whether a name is that of something in this repository which is not there."""
    quoted = quoted.removesuffix("()").removeprefix("./").rstrip("/")
    if PATH.fullmatch(quoted):
        placeholder = any(part.isupper() for part in quoted.split("/"))
        return not placeholder and not any((ROOT / home / quoted).exists() for home in homes(folder))
    if not DOTTED.fullmatch(quoted) or quoted in SETTINGS or quoted.endswith(FOREIGN):
        return False
    head, second, *_ = quoted.split(".")
    prefixes = {"", "aiwebengine"}
    if second[0].isupper():
        # A class, of a module that is named as it is imported.
        prefixes |= {module.rpartition(".")[0] for module in modules(*PACKAGES) if module.endswith(f".{head}")}
    answers = [is_there(prefix, quoted) for prefix in prefixes]
    return False in answers and True not in answers


def homes(folder: str) -> Iterator[str]:
    """Yield where a path may begin: the repository, the packages, the file's own folder and those above it."""
    yield from ("", "aiwebengine", "sandbox")
    yield from (str(above) for above in (PurePosixPath(folder), *PurePosixPath(folder).parents))


def is_there(prefix: str, quoted: str) -> bool | None:
    """Return whether a name inside of *prefix* leads to something; None if its first part is no module there."""
    known = modules(*PACKAGES)
    before = prefix.split(".") if prefix else []
    parts = [*before, *quoted.split(".")]
    length = next((count for count in range(len(parts), len(before), -1) if ".".join(parts[:count]) in known), 0)
    if length == 0:
        return None
    node: ast.AST = parsed(known[".".join(parts[:length])])
    for part in parts[length:]:
        found = members(node).get(part)
        if found is None:
            return False
        node = found
    return True


def members(node: ast.AST) -> Mapping[str, ast.AST]:
    """Return what a module or a class defines, and the attributes that the methods of a class set."""
    found: dict[str, ast.AST] = {}
    for child in ast.walk(node) if isinstance(node, ast.ClassDef) else ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[child.name] = child
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            for target in child.targets if isinstance(child, ast.Assign) else [child.target]:
                if isinstance(target, ast.Name):
                    found[target.id] = child
                elif isinstance(target, ast.Attribute):
                    found[target.attr] = child
    return found


@cache
def checked() -> tuple[Path, ...]:
    """Return the files in which names are looked at; the list of changes tells of what was."""
    documents = [path for path in files() if path.suffix in {".md", ".toml", ".cfg", ".ini", ".yaml"}]
    return (*python(*PACKAGES), *(path for path in documents if "changes.d" not in path.parts))


@cache
def made(path: Path) -> frozenset[str | None]:
    """Return the files that a document tells its reader to make."""
    return frozenset(block.file for block in blocks_of(path)) if path.suffix == ".md" else frozenset()


def test_quoted_names_exist() -> None:
    """A dotted name or a path that a docstring, a comment or a document quotes is there."""
    wrong = [
        f"{name(path)}:{line}: {quoted}"
        for path in checked()
        for line, text in texts(path)
        for quoted in QUOTED.findall(text)
        if quoted not in made(path) and wrong_name(quoted, str(PurePosixPath(name(path)).parent))
    ]
    assert not wrong


def test_exceptions_name_files() -> None:
    """Each file or folder for which pyproject.toml makes an exception is there."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    named = re.findall(r'^"([\w./]+?)(?:/?[{*][^"]*)?" = \[', text, re.MULTILINE)
    assert len(named) > 5
    assert not [path for path in named if not (ROOT / path).exists()]


@pytest.mark.parametrize(
    ("quoted", "expected"),
    [
        ("aiwebengine.values.Request", False),
        ("values.Request.method", False),
        ("values.Request.methods", True),
        ("runtime.run.Nothing", True),
        ("runtime.nothing.Run", True),
        ("aiwebengine/values.py", False),
        ("values.py", False),
        ("valeus.py", True),
        ("tests/support/nothing.json", True),
        ("package.json", False),
        ("server.port", False),
        ("kv.get", False),
        ("boxes.Parser", False),
        ("boxes.Sparser", True),
        ("application/json", False),
    ],
)
def test_names_are_looked_up(quoted: str, expected: object) -> None:
    """What is ours is looked up; names of scripts, settings and types are let alone."""
    assert wrong_name(quoted, "aiwebengine") is expected
