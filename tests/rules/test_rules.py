"""The rules bite: each fails in a copy of the repository in which something breaks it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rules.tree import ROOT, files, name, parsed, python

FUNCTION = "\n\ndef planted() -> None:\n    pass\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What is done to one file."""

    file: str
    old: str = ""
    """What is replaced, at its first place; empty: *new* is added at the end, or makes the file."""
    new: str = ""
    times: int = 1
    """To so many files, whose number stands in the name."""

    def plant(self, folder: Path) -> None:
        """Do it."""
        for path in self._paths(folder):
            before = path.read_text("utf-8") if path.exists() else ""
            assert self.old in before, f"{self.file} has no {self.old!r} any more"
            path.write_text(before.replace(self.old, self.new, 1) if self.old else before + self.new, "utf-8")

    def mend(self, folder: Path) -> None:
        """Undo it."""
        for path in self._paths(folder):
            original = ROOT / path.relative_to(folder)
            if original.exists():
                shutil.copy(original, path)
            else:
                path.unlink()

    def _paths(self, folder: Path) -> list[Path]:
        return [folder / self.file.format(number) for number in range(self.times)]


VALUES, SITE, BOXES = "aiwebengine/values.py", "aiwebengine/web/site.py", "sandbox/boxes.py"
PAGE = "docs/howto/websockets.md"
MANAGEMENT = "aiwebengine/features/management/declarations.py"
BROKEN = {
    "test_circles.py": {
        "test_no_import_circle": Violation(file=VALUES, new="\nimport aiwebengine.interfaces\n"),
    },
    "test_class_names.py": {
        "test_class_names_are_unique": Violation(file=SITE, new="\n\nclass Request:\n    pass\n"),
    },
    "test_declarations.py": {
        "test_declarations_are_sound": Violation(file=MANAGEMENT, old='returns="', new='returns="" and "'),
        "test_every_declared_call_is_answered": Violation(
            file="aiwebengine/features/assets/parts.py", old="groups=[", new="groups=[] and ["
        ),
        "test_documented_effects_are_those_of_the_wire": Violation(
            file="aiwebengine/host/registration_calls.py", old='effect="', new='effect="immediate" or "'
        ),
        "test_help_names_every_capability": Violation(
            file="aiwebengine/cli/deploy.py", old="{', '.join(known)}", new="none"
        ),
        "test_pages_list_every_capability": Violation(
            file="docs/howto/deploy.md", old="| `streams` |", new="| streams |"
        ),
        "test_a_feature_can_be_left_out": Violation(
            file="aiwebengine/features/assets/declarations.py", old="capability=CAPABILITY", new='capability="scripts"'
        ),
    },
    "test_documents.py": {
        "test_limits_are_the_defaults": Violation(
            file="docs/explain/limits.md", old="| time for a handler | 10 s |", new="| time for a handler | 11 s |"
        ),
        "test_links_lead_somewhere": Violation(file=PAGE, new="\n[There](nowhere.md)\n"),
        "test_command_exists": Violation(
            file=PAGE, new="\n```console\n$ aiwebengine deploy . --no-such-option\n```\n"
        ),
        "test_one_sentence_a_line": Violation(file=PAGE, new="\nThis is one. And this is another.\n"),
        "test_settings_exist": Violation(file=PAGE, new="\nSee `websocket.nothing_seconds`.\n"),
    },
    "test_feature_names.py": {
        "test_machinery_names_no_feature": Violation(file=SITE, new='\n_PATH = "/graphql"\n'),
        "test_lists_are_needed": Violation(
            file="tests/rules/test_feature_names.py",
            old="EXCEPTIONS: Mapping[str, str] = {",
            new='EXCEPTIONS: Mapping[str, str] = {\n    "aiwebengine/engine.py": "it names none",',
        ),
    },
    "test_floors.py": {
        "test_imports_point_down": Violation(file=VALUES, new="\nimport aiwebengine.web.site\n"),
        "test_sandbox_is_closed": Violation(file=BOXES, new="\nimport yaml\n"),
        "test_server_does_not_know_the_sandbox": Violation(file=SITE, new="\nimport sandbox\n"),
        "test_sql_stands_in_its_places": Violation(file=SITE, new="\nimport sqlalchemy\n"),
    },
    "test_generated_pages.py": {
        "test_page_is_current": Violation(file="docs/reference/config.md", new="more\n"),
    },
    "test_generated_types.py": {
        "test_generated_file_is_current": Violation(file="sandbox/types/aiwebengine.d.ts", new="more\n"),
    },
    "test_packages_page.py": {
        "test_page_is_current": Violation(file="docs/reference/packages.md", new="more\n"),
        "test_versions_are_pinned": Violation(file="bench/packages/cases/web.js", new="\n//// zod\n"),
    },
    "test_leftovers.py": {
        "test_quiet_test_leaves_a_process": Violation(
            file="tests/conftest.py", old="@pytest.fixture(autouse=True)", new="@pytest.fixture"
        ),
        "test_worker_leaves_a_process": Violation(
            file="tests/conftest.py", old="commands = [*_LEFT, ", new="commands = ["
        ),
    },
    "test_limits_table.py": {
        "test_each_row_has_its_test": Violation(
            file="docs/explain/limits.md", old="| `test_floods` |", new="| `test_nothing` |"
        ),
    },
    "test_modules.py": {
        "test_init_holds_a_docstring_only": Violation(file="aiwebengine/web/__init__.py", new="\nimport json\n"),
        "test_modules_are_named_for_what_they_hold": Violation(file="aiwebengine/web/utils.py", new='"""Things."""\n'),
        "test_only_the_command_line_prints": Violation(file=SITE, new='\nprint("here")\n'),
        "test_one_module_starts_scripts": Violation(file=SITE, new="\nInvocation()\n"),
        "test_every_test_says_what_it_shows": Violation(
            file="tests/unit/web/test_site.py", new="\n\ndef test_planted() -> None:\n    pass\n"
        ),
        "test_nothing_belongs_to_one_machine": Violation(file=PAGE, new="\nLook into /" + "home/ann.\n"),
        "test_unknown_errors_are_caught_with_a_reason": Violation(
            file=SITE, new="\ntry:\n    pass\nexcept Exception:\n    pass\n"
        ),
    },
    "test_packaging.py": {
        "test_every_dependency_has_bounds": Violation(
            file="setup.cfg", old="install_requires =", new="install_requires =\n    left-pad>=1"
        ),
        "test_every_import_is_a_dependency": Violation(file=SITE, new="\nimport leftpad\n"),
        "test_both_licences_are_stated": Violation(file="setup.cfg", old="MIT AND GPL-2.0-only", new="MIT"),
    },
    "test_quoted_names.py": {
        "test_quoted_names_exist": Violation(file=SITE, new='\n"""See `values.Nothing`."""\n'),
        "test_exceptions_name_files": Violation(
            file="pyproject.toml", old="[tool.ruff.lint.per-file-ignores]",
            new='[tool.ruff.lint.per-file-ignores]\n"aiwebengine/nothing.py" = [\n]',
        ),
    },
    "test_settings.py": {
        "test_every_setting_is_described": Violation(
            file="aiwebengine/settings/schema.py", old='"""TCP port; 0 chooses a free port and prints it."""', new=""
        ),
        "test_every_default_is_allowed": Violation(
            file="aiwebengine/settings/schema.py", old="most=65535)] = 8080", new="most=65535)] = 80800"
        ),
        "test_every_setting_has_a_test": Violation(
            file="tests/unit/build/test_packages.py", old='@pytest.mark.setting("build.npm_offline")', new=""
        ),
        "test_profiles_set_known_settings": Violation(file="config/production.yaml", new="nothing:\n  at_all: 1\n"),
    },
    "test_sizes.py": {
        "test_no_module_is_too_long": Violation(file=SITE, new="\n" * 600),
        "test_no_function_is_too_long": Violation(file=SITE, new=FUNCTION + "    pass\n" * 60),
        "test_no_folder_is_crowded": Violation(file="docs/reference/planted-{}.md", new="Planted.\n", times=20),
    },
    "test_tested.py": {
        "test_large_modules_are_tested": Violation(
            file="aiwebengine/web/planted.py", new='"""Planted."""' + FUNCTION + "    pass\n" * 200
        ),
    },
}  # fmt: skip
"""By file and rule, what the rule must find."""

PARTS = {
    "test_circles_are_found",
    "test_imports_for_types_count",
    "test_a_dependency_without_a_lower_bound",
    "test_names_are_looked_up",
    "test_names_of_features_are_found",
}
"""Tests of parts of rules, which break nothing by themselves."""
LATER = {"test_every_setting_has_an_effect"}
"""Rules that run other tests again; `tests/support/pinned.py` breaks each of those."""


def rules() -> Iterator[tuple[str, str]]:
    """Yield the file and the name of each rule."""
    for path in python("tests"):
        if name(path).startswith("tests/rules/test_") and path.name != Path(__file__).name:
            for node in parsed(path).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    yield path.name, node.name


def test_every_rule_is_broken_once() -> None:
    """For each rule there is something that breaks it."""
    known = {(file, rule) for file, broken in BROKEN.items() for rule in broken}
    assert {(file, rule) for file, rule in rules() if rule not in PARTS | LATER} == known
    for violation in (each for broken in BROKEN.values() for each in broken.values()):
        source = ROOT / violation.file
        assert not violation.old or violation.old in source.read_text("utf-8"), f"{violation.file}: {violation.old}"


@pytest.fixture(name="copy", scope="module")
def _copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's files in a repository of their own."""
    folder = tmp_path_factory.mktemp("copy")
    for path in files():
        target = folder / name(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


@pytest.mark.slow("it runs all rules again, in a copy of the repository")
@pytest.mark.parametrize("file", BROKEN)
def test_rules_bite(copy: Path, file: str, pytestconfig: pytest.Config) -> None:
    """Each rule fails where it is broken; those of one file are broken together."""
    if pytestconfig.getoption("--extent") != "full":
        pytest.skip("only in make test-all: it takes minutes")
    for violation in BROKEN[file].values():
        violation.plant(copy)
    try:
        command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rf", "--numprocesses=0", f"tests/rules/{file}"]
        environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    finally:
        for violation in BROKEN[file].values():
            violation.mend(copy)
    failed = {line.split("::")[1].split()[0].partition("[")[0] for line in done.stdout.splitlines() if "FAILED" in line}
    assert sorted(BROKEN[file].keys() - failed) == [], done.stdout + done.stderr
