"""What a server loads when it starts."""

from __future__ import annotations

import subprocess
import sys

LATER = ("alembic", "email.headerregistry", "graphql", "sqlalchemy.dialects.mysql", "txredisapi")
"""Libraries of which each takes up to a tenth of a second and several megabytes."""

LOOK = f"""
import sys
from importlib import import_module
import aiwebengine.app
import aiwebengine.cli.running
from aiwebengine.features.all import FEATURES
for feature in FEATURES:
    import_module(feature.parts.partition(":")[0])
print(*sorted(sys.modules.keys() & {set(LATER)!r}))
"""


def test_libraries_are_loaded_when_they_are_used() -> None:
    """A server that uses no GraphQL, mail or Redis, and has nothing to migrate, does not load the libraries for it."""
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
