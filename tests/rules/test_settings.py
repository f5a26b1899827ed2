"""Every setting is described and does something."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml

from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings.check import schema_fields
from aiwebengine.settings.describe import meanings
from tests.rules.tree import ROOT, name, parsed, python

SECTIONS = sections_of(FEATURES)


def test_every_setting_is_described() -> None:
    """Each setting has a full sentence under its field, and a rule if it is a number."""
    result = meanings(SECTIONS)
    for item in schema_fields(SECTIONS):
        meaning = result.get((item.section, item.key), "")
        assert meaning.endswith("."), item.name
        assert item.rule is not None or item.kind not in {int, float}, f"{item.name} has no bounds"


def test_every_default_is_allowed() -> None:
    """A default obeys the rule that stands beside it."""
    for item in schema_fields(SECTIONS):
        if item.rule is not None and item.kind is not tuple:
            assert item.rule.allows(item.default), item.name


def marks() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield the file, name and settings of each test that shows what a setting does."""
    for path in python("tests"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                named = tuple(each for decorator in node.decorator_list for each in named_by(decorator))
                if named:
                    yield name(path), node.name, named


def named_by(decorator: ast.expr) -> list[str]:
    """Return the settings that a decorator names, if it is `@pytest.mark.setting(...)`."""
    if not isinstance(decorator, ast.Call) or ast.unparse(decorator.func) != "pytest.mark.setting":
        return []
    return [str(ast.literal_eval(argument)) for argument in decorator.args]


def test_every_setting_has_a_test() -> None:
    """Each setting is named by a test that fails without it; `test_every_setting_has_an_effect` lets it fail."""
    known = {item.name for item in schema_fields(SECTIONS)}
    seen = set()
    for file, test, named in marks():
        for setting in named:
            assert setting in known, f"{file}: {test}: {setting} is no setting"
            seen.add(setting)
    assert not sorted(known - seen), "write a test that shows what it does, and mark it"


@pytest.mark.slow("it runs a hundred tests again, each without one setting")
def test_every_setting_has_an_effect(pytestconfig: pytest.Config) -> None:
    """Each test that is named for a setting fails when the setting keeps its default, whatever is said."""
    if pytestconfig.getoption("--extent") != "full":
        pytest.skip("only in make test-all: it takes minutes")
    found = list(marks())
    for place in range(max(len(named) for _, _, named in found)):
        files = sorted({file for file, _, named in found if place < len(named)})
        command = [sys.executable, "-m", "pytest", "-q", "--extent=quick", "--numprocesses=0", f"--pinned={place}"]
        done = subprocess.run([*command, "--tb=line", *files], cwd=ROOT, capture_output=True, text=True, check=False)
        output = [line for line in done.stdout.splitlines() if line.startswith("passes all the same")]
        assert done.returncode == 0, "\n".join(output) or done.stdout + done.stderr


def test_profiles_set_known_settings() -> None:
    """The profiles' files are small: a value that is the base's own is left out, and each key exists."""
    known = {item.name for item in schema_fields(SECTIONS)}
    for path in sorted((ROOT / "config").glob("*.yaml")):
        for section, keys in (yaml.safe_load(path.read_text("utf-8")) or {}).items():
            for key in keys:
                assert f"{section}.{key}" in known, f"{path.name}: {section}.{key}"
