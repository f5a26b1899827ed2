"""What an engine gets of `database`."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from aiwebengine.features.database.calls import DatabaseCalls
from aiwebengine.features.database.deployed import DeclaredTables, bring_to, declared_by, plan_for, schema_kind, serving
from aiwebengine.features.database.fetching import Fetcher
from aiwebengine.features.database.schema.declared import Table, read_schema
from aiwebengine.features.database.schema.planning import SchemaPlan
from aiwebengine.features.database.schemas import Schemas
from aiwebengine.features.database.settings import DatabaseSettings
from aiwebengine.features.database.transactions import GROUP, ScriptTransactions
from aiwebengine.host.session import CallSession
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.services.db.open_transactions import OpenTransaction, TransactionTerms


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    settings = base.settings.of(DatabaseSettings)
    databases = machinery.script_databases
    terms = TransactionTerms(wait_seconds=settings.max_wait_seconds, seconds=settings.max_transaction_seconds)
    declared = DeclaredTables(belongs=_belongs)

    def make(script: str) -> OpenTransaction:
        return databases.of(script).transaction(terms)

    def prepare(session: CallSession, connection: Connection) -> None:
        tables = declared.declared_in(session)
        if tables is not None:
            bring_to(connection, tables, _belongs)

    def declared_for(session: CallSession) -> Any:
        if session.registrations is not None:
            return declared_by(session.registrations.entries)
        return serving(session.invocation, machinery.current.registry.scripts)

    def plan(script: str, given: Mapping[str, Any]) -> Awaitable[tuple[Sequence[Table], SchemaPlan]]:
        def work(connection: Connection) -> tuple[Sequence[Table], SchemaPlan]:
            tables = read_schema(given)
            return tables, plan_for(connection, tables, _belongs)

        return databases.of(script).read(work)

    return Parts(
        groups=[
            DatabaseCalls(
                transactions=ScriptTransactions(snapshots=databases.of, make=make, prepare=prepare),
                plan=plan,
                declared=declared,
                schemas=Schemas(declared=declared_for, belongs=_belongs),
                fetcher=Fetcher(settings),
                seconds=settings.statement_seconds,
                milliseconds=base.milliseconds,
                entropy=base.entropy,
            )
        ],
        effects={GROUP: declared},
        kinds=[schema_kind()],
    )


def _belongs(table: str) -> bool:
    """Return whether a table is the script's, and not the engine's."""
    return not table.startswith("_")
