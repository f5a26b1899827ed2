"""
A chain of migrations: how the tables of one feature came to be what they are.

A feature owns tables, and brings the chain that makes them.  A database file is opened with
the chains of all that lies in it; each is remembered by itself, in a table `<chain>_version`
with one row, so that features come and go without knowing of each other.

    NOTES = MigrationChain(
        name="notes",
        steps=(
            Step(revision="0001", upgrade=_make_entries),
            Step(revision="0002", upgrade=_count_bytes),
        ),
    )

A chain names no tables of another, with one exception: it may refer to those of the machinery
(scripts, blobs), whose chains are run first.

In the database of a script the names of all tables and indexes begin with `_`: no script can
make or reach such a table.

A step that was released is never changed: it must go on making what it made on its day.  So
it writes out its columns and takes nothing from `tables.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # Loading it takes 100 ms, which a start with nothing to do need not spend.
    from alembic.operations import Operations

DatabaseName = Literal["main", "evidence", "script"]
"""What must survive; what happened; what one script has written, in a file of its own."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_REVISION = re.compile(r"[0-9a-z_]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a chain."""

    revision: str
    """What the tables are called after it; sorts behind those of the steps before it, such as `0002`."""
    upgrade: Callable[[Operations], None]
    """Takes it; `get_bind()` of what it is given is the connection, in a transaction that is not its own."""
    formerly: str = ""
    """Alembic's revision that did the same, before there were chains; see `migrate.FORMER`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationChain:
    """
    All steps of one feature, the oldest first.

    Raises:
        ValueError: Name or revisions break a rule.
    """

    name: str
    """Unique in each database: lower case, digits and `_`."""
    steps: tuple[Step, ...]
    reserved: bool = False
    """Its tables lie beside those that a script makes, which cannot begin with `_`; so they do."""

    def __post_init__(self) -> None:
        """Check what would otherwise break a database."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} cannot be the name of a migration chain; {_NAME.pattern} can.")
        revisions = [step.revision for step in self.steps]
        if not revisions or revisions != sorted(set(revisions)):
            raise ValueError(f"The chain {self.name} needs steps whose revisions rise; it has {revisions}.")
        wrong = [revision for revision in revisions if not _REVISION.fullmatch(revision)]
        if wrong:
            raise ValueError(f"The chain {self.name} has invalid revisions: {wrong}.")

    @property
    def head(self) -> str:
        """Return the newest revision."""
        return self.steps[-1].revision

    @property
    def table(self) -> str:
        """Return the name of the table that remembers the revision."""
        return f"_{self.name}_version" if self.reserved else f"{self.name}_version"

    def knows(self, revision: str) -> bool:
        """Return whether a step has this revision."""
        return any(step.revision == revision for step in self.steps)

    def after(self, revision: str) -> tuple[Step, ...]:
        """Return the steps that follow *revision*; all of them after an empty one."""
        return tuple(step for step in self.steps if step.revision > revision)
