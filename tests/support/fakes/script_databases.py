"""One database that stands for those of all scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed


class SameForAll:
    """
    See `per_script.ScriptDatabases`, as far as features use it.

    Args:
        database: Has `read` and `run`.
    """

    def __init__(self, database: Any) -> None:
        self._database = database
        self.uris: dict[str, int] = {}
        """What `holding` returns."""

    def of(self, _uri: str) -> Any:
        """Return the one."""
        return self._database

    def holding(self) -> Deferred[dict[str, int]]:
        """Return what the test says."""
        return succeed(dict(self.uris))


class UnitsAlone:
    """
    See `effects.UnitCommits`; everything is committed by one function.

    Args:
        commit: Takes a unit's id and what writes it.
        withdraw: Takes a unit's id.
    """

    def __init__(self, commit: Callable[[str, Any], Any], withdraw: Callable[[str], object]) -> None:
        self._commit = commit
        self._withdraw = withdraw

    def own(self, _script: str, unit: str, write: Any) -> Any:
        """Commit."""
        return self._commit(unit, write)

    def main(self, unit: str, write: Any) -> Any:
        """Commit."""
        return self._commit(unit, write)

    def both(self, own: Any, write: Any) -> Any:
        """Commit both as one."""

        def together(transaction: Any) -> None:
            own.write(transaction)
            write(transaction)

        return self._commit(own.unit, together)

    def withdraw(self, _script: str, unit: str) -> None:
        """Withdraw."""
        self._withdraw(unit)
