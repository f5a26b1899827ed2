"""
What the engine offers: one frozen value for each feature.

A feature is one folder, `aiwebengine/features/NAME/`, or a separate package that names its
`Feature` in the entry-point group `aiwebengine.features`.  It has two halves:

- what it *is*, known without starting anything: its name, its section of the settings, the JavaScript
  functions that it declares, its tables, its commands.  Settings, types, reference pages and the command line are
  made from this half, so a module with a `Feature` imports nothing heavy when it is imported;
- what it *does* in a server: the function that `parts` names is called once for each engine with the
  machinery below it and returns its `Parts`.

A feature knows the floors and no other feature.  Where two must meet, one offers a port and the
other asks for it (`ports.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiwebengine.host.declarations import NOTHING, Declarations
from aiwebengine.services.db.chain import DatabaseName

API_VERSION = 1
"""Version of this interface (`docs/reference/feature-interface.md`); a feature made for another one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What a feature brings: what is known about it without starting anything."""

    name: str
    """Unique: lower-case letters, digits, `-` and `_`; the name of its folder."""
    parts: str
    """`module:function` that makes its `machinery.Parts`; called once for each engine, and starts nothing."""
    declares: Declarations = NOTHING
    """What scripts see: functions, objects, types, capabilities."""
    summary: str = ""
    """One sentence for people."""
    settings: Mapping[str, type[Any]] = field(default_factory=dict)
    """Sections of the settings, by their name in the files: frozen classes as in `settings/schema.py`."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """Commands of the command line: name to `module:command`, a Click command."""
    migrations: Mapping[DatabaseName, Sequence[str]] = field(default_factory=dict)
    """By database, `module:chain` of each `MigrationChain` whose tables it keeps there; see `services/db/chain.py`."""
    prelude: Sequence[Path] = ()
    """
    JavaScript that the sandbox evaluates after its own prelude: only what declarations cannot say.

    It is ASCII and ES5; `sandbox/prelude/kernel/kernel.js` says what it finds there.
    """
    guide: str = ""
    """Path of its how-to page in the documents, such as `docs/howto/store-data.md`."""
    api_version: int | None = None
    """Version of this interface that it was made for; a package must say it, the engine's own features need not."""
