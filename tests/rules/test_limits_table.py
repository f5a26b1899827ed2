"""The table of what can hold up other requests names tests that exist."""

from __future__ import annotations

import re

from tests.rules.tree import ROOT

_ROW = re.compile(r"^\|.*\| `(test_\w+)` \|$", re.MULTILINE)


def test_each_row_has_its_test() -> None:
    """Each input in the table has a test in tests/e2e/hostile."""
    text = (ROOT / "docs/explain/limits.md").read_text("utf-8")
    table = text[text.index("| input | chosen by |") : text.index("Steps above 20 ms in this table")]
    named = [found[1] for found in _ROW.finditer(table)]
    assert len(named) == len(table.strip().splitlines()) - 2
    written = "".join(path.read_text("utf-8") for path in (ROOT / "tests/e2e/hostile").glob("test_reactor_*.py"))
    assert [name for name in named if f"def {name}(" not in written] == []
