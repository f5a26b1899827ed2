"""Folders that end with their test."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any


def temporary_folder(case: Any) -> Path:
    """Make an empty folder that is removed when the test *case* ends."""
    folder = Path(tempfile.mkdtemp(prefix="aiwebengine-test-"))
    case.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    return folder
