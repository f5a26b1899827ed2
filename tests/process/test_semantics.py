"""What the language says: programs that come to the same in node and in a deployed script."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_twisted

from tests.support.javascript.beside import by_node, cases, different, here


@pytest.mark.parametrize("file", ["objects.js"])
@pytest_twisted.ensureDeferred
async def test_the_same_as_in_node(file: str, tmp_path: Path) -> None:
    """Every case of a file tells here what it tells in node."""
    programs = cases(file)
    expected = by_node(programs, ending="js", folder=tmp_path)
    assert not {name: told for name, told in expected.items() if isinstance(told, str)}
    assert not different(expected, await here(programs, entry="main.js", cache=tmp_path / "cache"))
