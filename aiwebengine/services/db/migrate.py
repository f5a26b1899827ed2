"""
Bringing a database to the form that this version of the engine knows.

A database is opened with the chains of all that lies in it (see `chain.py`).  What each chain
lacks is run in one transaction, chain by chain in the order in which they are given, so that
a chain may refer to tables of those before it.  A SQLite file is copied first, beside itself,
as `<file>.before-<chain>-<revision>`, after the first chain that lacks something.  A database
that was written by a newer engine is refused before anything in it is touched.  The tables of
chains that are not given are left alone.

Before there were chains, Alembic kept one revision for a whole database in `alembic_version`.
A chain that has no revision of its own there takes over from it (`Step.formerly`); the table
stays, for chains that come later, and is marked so that an engine of that time refuses it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from twisted.logger import Logger

from aiwebengine.errors import CannotStart
from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.services.folder import make_private

if TYPE_CHECKING:
    # Loading it takes 100 ms, which a start with nothing to do need not spend.
    from alembic.operations import Operations

_log = Logger()

FORMER = (("m0001", "m0002", "m0003"), ("e0001", "e0002", "e0003", "e0004"))
"""Alembic's revisions of the two databases that there were, each in its order."""

_CONVERTED_SUFFIX = "+chains"
_ALEMBIC = sa.table("alembic_version", sa.column("version_num", sa.String(32)))


def upgrade(engine: Engine, chains: Sequence[MigrationChain], *, allowed: bool = True) -> None:
    """
    Run the steps that *engine*'s database has not seen.

    Args:
        chains: Of all that the engine uses in it.
        allowed: False while another process uses the database; a new one is made in any case.

    Raises:
        CannotStart: The database cannot be opened, a newer engine wrote it, or there are steps and none is allowed.
    """
    names = [chain.name for chain in chains]
    if len(set(names)) != len(names):
        raise ValueError(f"Two migration chains of one database have the same name: {', '.join(names)}.")
    try:
        revisions = _find_current(engine, chains)
        if revisions is None:
            with engine.connect() as connection:
                revisions = _find_any(connection, chains)
    except (DBAPIError, sqlite3.Error) as error:
        raise CannotStart(
            f"The database {_name_of(engine)} cannot be opened: {_cause(error)}. "
            "Make it readable and writable for this user, or restore a copy."
        ) from error
    _refuse_newer(engine, chains, revisions)
    lacking = [chain for chain in chains if revisions.steps(chain)]
    if not lacking and not revisions.taken_over:
        return
    # An empty database holds nothing that the other process could miss.
    if not allowed and not revisions.empty:
        if lacking:
            raise CannotStart(
                f"The database {_name_of(engine)} must be migrated ({_described(lacking, revisions)}), which "
                "cannot be done while another process serves from it. Stop the server and start it again."
            )
        return
    if lacking and not revisions.empty:
        _copy(engine, before=f"{lacking[0].name}-{lacking[0].head}")
    _run(engine, chains, lacking, revisions)


@dataclass(slots=True, kw_only=True)
class _Revisions:
    """What a database says of itself."""

    revisions: dict[str, str] = field(default_factory=dict)
    """By chain; a chain of which nothing is there is missing."""
    taken_over: set[str] = field(default_factory=set)
    """Chains whose revision follows from Alembic's."""
    former: str = ""
    """Alembic's revision, without the mark."""
    empty: bool = False
    """There is no table at all."""

    def steps(self, chain: MigrationChain) -> tuple[Step, ...]:
        """Return what is still to be done."""
        return chain.after(self.revisions.get(chain.name, ""))


def _find_current(engine: Engine, chains: Sequence[MigrationChain]) -> _Revisions | None:
    """Read all revisions at once; None if the database does not have them all, or cannot be read."""
    if not chains:
        return _Revisions()
    # Straight to the driver: this is most of what is done when a file is opened.  The names are plain words.
    queries = [f"SELECT '{chain.name}', revision FROM {chain.table}" for chain in chains]  # noqa: S608  the same
    try:
        with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(" UNION ALL ".join(queries))
            rows = cursor.fetchall()
    except engine.dialect.loaded_dbapi.Error:
        return None
    return _Revisions(revisions={row[0]: row[1] for row in rows}) if len(rows) == len(chains) else None


def _find_any(connection: Connection, chains: Sequence[MigrationChain]) -> _Revisions:
    tables = set(sa.inspect(connection).get_table_names())
    revisions = _Revisions(empty=not tables)
    if _ALEMBIC.name in tables:
        former = connection.execute(sa.select(_ALEMBIC.c.version_num)).scalar()
        revisions.former = (former or "").removesuffix(_CONVERTED_SUFFIX)
    done = _done_formerly(revisions.former)
    for chain in chains:
        own = chain.table in tables and connection.execute(sa.select(_version(chain).c.revision)).scalar()
        if own:
            revisions.revisions[chain.name] = own
            continue
        taken = [step.revision for step in chain.steps if step.formerly in done]
        if taken:
            revisions.revisions[chain.name] = taken[-1]
            revisions.taken_over.add(chain.name)
    return revisions


def _done_formerly(former: str) -> Sequence[str]:
    """Return Alembic's revisions up to this one."""
    for revisions in FORMER:
        if former in revisions:
            return revisions[: revisions.index(former) + 1]
    return ()


def _refuse_newer(engine: Engine, chains: Sequence[MigrationChain], revisions: _Revisions) -> None:
    newer = [
        f"{chain.name} is at revision {revision}; this one knows up to {chain.head}"
        for chain in chains
        if (revision := revisions.revisions.get(chain.name)) is not None and not chain.knows(revision)
    ]
    if revisions.former and not _done_formerly(revisions.former):
        newer.append(f"revision {revisions.former}, which this one does not know")
    if newer:
        raise CannotStart(
            f"The database {_name_of(engine)} was written by a newer version of aiwebengine ({'; '.join(newer)}). "
            "Nothing was changed. Start the newer version, or restore the copy that it kept beside the file."
        )


def _run(
    engine: Engine, chains: Sequence[MigrationChain], lacking: Sequence[MigrationChain], revisions: _Revisions
) -> None:
    from alembic.migration import MigrationContext  # noqa: PLC0415 - 100 ms that most starts need not spend
    from alembic.operations import Operations  # noqa: PLC0415

    try:
        # Done once: what is compiled for it is not worth keeping.
        options = {"write": True, "compiled_cache": None}
        with engine.connect().execution_options(**options) as connection, connection.begin():
            # Another process may have been here meanwhile; on SQLite nobody can be from now on.
            now = _find_any(connection, chains)
            operations = Operations(MigrationContext.configure(connection))
            for chain in chains:
                for step in now.steps(chain):
                    _apply(engine, chain, step, operations)
                _remember(connection, chain)
            if now.taken_over:
                connection.execute(sa.update(_ALEMBIC).values(version_num=f"{now.former}{_CONVERTED_SUFFIX}"))
    except DBAPIError as error:
        raise CannotStart(
            f"The database {_name_of(engine)} cannot be migrated ({_described(lacking, revisions)}): "
            f"{_cause(error)}. Nothing was changed.",
            private=str(error),
        ) from error
    if lacking:
        _log.info("database {where}: migrated {what}", where=_name_of(engine), what=_described(lacking, revisions))


def _apply(engine: Engine, chain: MigrationChain, step: Step, operations: Operations) -> None:
    try:
        step.upgrade(operations)
    except DBAPIError:
        raise
    except (Exception, SystemExit) as error:
        _log.failure("step {step} of the migrations {chain} failed", step=step.revision, chain=chain.name)
        raise CannotStart(
            f"The database {_name_of(engine)} cannot be migrated: step {step.revision} of {chain.name} failed: "
            f"{type(error).__name__}: {error}. Nothing was changed; the server log has the traceback."
        ) from error


def _remember(connection: Connection, chain: MigrationChain) -> None:
    table = _version(chain)
    table.create(connection, checkfirst=True)
    connection.execute(sa.delete(table))
    connection.execute(sa.insert(table).values(revision=chain.head))


def _version(chain: MigrationChain) -> sa.Table:
    return sa.Table(chain.table, sa.MetaData(), sa.Column("revision", sa.String(32), primary_key=True))


def _copy(engine: Engine, *, before: str) -> None:
    path = engine.url.database
    if engine.url.get_backend_name() != "sqlite" or not path:
        return
    # SQLite's own backup reads through the write-ahead log; copying the file would not.
    make_private(f"{path}.before-{before}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(f"{path}.before-{before}")) as target:
        source.backup(target)


def _described(lacking: Sequence[MigrationChain], revisions: _Revisions) -> str:
    """Return the revisions of each chain, such as `scripts 0003 to 0004`; of a new one only the second."""
    steps = [(chain.name, revisions.revisions.get(chain.name), chain.head) for chain in lacking]
    return ", ".join(f"{name} {before} to {head}" if before else f"{name} to {head}" for name, before, head in steps)


def _name_of(engine: Engine) -> str:
    return engine.url.database or engine.url.render_as_string(hide_password=True)


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)
