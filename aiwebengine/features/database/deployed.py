"""
Schemas that scripts declare: checked while a script loads, and made real with its deployment.

    database.schema({...})   checked, compared with the tables that there are; a plan for the log
    deployment               planned again, for others may have deployed meanwhile, and carried out in its transaction
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy.engine import Connection

from aiwebengine.errors import Invalid
from aiwebengine.features.database.schema.changes import carry_out_all
from aiwebengine.features.database.schema.declared import Table, read_schema
from aiwebengine.features.database.schema.inspection import live_tables
from aiwebengine.features.database.schema.planning import SchemaPlan, plan
from aiwebengine.features.database.transactions import GROUP, LOADED
from aiwebengine.host.effects import HeldEffect, Unit
from aiwebengine.host.registration.kinds import Registration, RegistrationKind
from aiwebengine.host.session import CallSession
from aiwebengine.services.db.changes import ChangeRecorder, repeat
from aiwebengine.services.db.units import Transaction, Write
from aiwebengine.values import Entry, Invocation

KIND = "schema"
CALL = "database.schema"
_QUICK_COLUMNS = 100
_MOST_NAMED = 8
_DECLARED = "declared"
"""Key of the effect with the declared tables, and of the one entry."""


def schema_kind() -> RegistrationKind:
    """Return the kind of registration of `database.schema`."""
    return RegistrationKind(
        name=KIND,
        functions=(CALL,),
        noun="schema",
        nouns="schemas",
        check=_check,
        takes_long=_takes_long,
        most=1,
        describe=_described,
    )


def declared_by(entries: Sequence[Entry]) -> Mapping[str, Any] | None:
    """Return what a version declares, as `database.schema` was given it; None: nothing."""
    for entry in entries:
        if entry.kind == KIND:
            tables: Mapping[str, Any] = entry.options["tables"]
            return tables
    return None


def bring_to(connection: Connection, tables: Sequence[Table], belongs: Callable[[str], bool]) -> SchemaPlan:
    """Bring the tables of a script to what it declares, in a transaction of the caller; return what was done."""
    made = plan_for(connection, tables, belongs)
    carry_out_all(made.steps, connection)
    return made


def plan_for(connection: Connection, tables: Sequence[Table], belongs: Callable[[str], bool]) -> SchemaPlan:
    """Return how the tables of a script become what it declares."""
    try:
        return plan(live_tables(connection, belongs=belongs), tables, dialect=connection.dialect)
    except Invalid as error:
        raise Invalid(f"{CALL}: {error.public}") from None


class DeclaredTables:
    """
    See `effects.Effects`: what a load has declared and changed.

    Args:
        belongs: Whether a table of this name is the script's, and not the engine's.
    """

    database: Literal["script"] = "script"
    """See `effects.Effects.database`."""

    def __init__(self, *, belongs: Callable[[str], bool]) -> None:
        self._belongs = belongs

    def hold(self, session: CallSession, tables: Sequence[Table]) -> None:
        """Have the tables of a script made what it declares, with its deployment."""
        session.hold(HeldEffect(group=GROUP, key=_DECLARED, value=tuple(tables)))

    def declared_in(self, session: CallSession) -> Sequence[Table] | None:
        """Return what a load has declared so far."""
        found: Sequence[Table] | None = session.pending(GROUP).get(_DECLARED)
        return found

    def write(self, unit: Unit, effects: Sequence[HeldEffect]) -> Write:  # noqa: ARG002  the protocol's
        """See `effects.Effects.write`."""
        by_key = {effect.key: effect.value for effect in effects}
        recorded = by_key.get(LOADED)

        def write(transaction: Transaction) -> None:
            if isinstance(recorded, ChangeRecorder):
                repeat(transaction.connection, recorded.as_json())
            if _DECLARED in by_key:
                bring_to(transaction.connection, by_key[_DECLARED], self._belongs)

        return write

    def happen(self, unit: Unit, effects: Sequence[HeldEffect]) -> None:
        """See `effects.Effects.happen`: nothing follows."""


def _described(entry: Entry) -> str:
    tables = list(entry.options["tables"])
    more = f" and {len(tables) - _MOST_NAMED} more" if len(tables) > _MOST_NAMED else ""
    return f"tables {', '.join(tables[:_MOST_NAMED])}{more}"


def _takes_long(sent: Mapping[str, Any]) -> bool:
    """Return whether a schema has so many columns that it is read in a thread."""
    options = sent.get("options")
    tables = options.get("tables") if isinstance(options, dict) else None
    if not isinstance(tables, dict):
        return False
    columns = sum(len(table) + _count(table.get("columns")) for table in tables.values() if isinstance(table, dict))
    return columns > _QUICK_COLUMNS


def _count(columns: Any) -> int:
    return len(columns) if isinstance(columns, dict) else 0


def _check(registration: Registration) -> Entry:
    tables = registration.options.get("tables")
    read_schema(tables)
    return registration.entry(options={"tables": tables}, key=_DECLARED)


def serving(invocation: Invocation, scripts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what the version that serves declares, which is the invocation's unless it was replaced just now."""
    active = scripts.get(invocation.script)
    return None if active is None else declared_by(active.entries)
