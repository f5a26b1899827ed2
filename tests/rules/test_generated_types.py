"""Generated files are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.host.describe import generated

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(generated(DECLARED)))
def test_generated_file_is_current(name: str) -> None:
    """What is generated from the declarations is what stands in the repository; `aiwebengine types` writes it."""
    assert (ROOT / name).read_text(encoding="utf-8") == generated(DECLARED)[name]
