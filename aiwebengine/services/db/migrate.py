"""
Bringing a database to the form that this version of the engine knows.

The steps are Alembic's, packaged in `migrations/<name>/`, and run in one transaction.
A SQLite file is copied first, beside itself, as `<file>.before-<revision>`.  A database
that was written by a newer engine is refused before anything in it is touched.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from twisted.logger import Logger

from aiwebengine.errors import CannotStart
from aiwebengine.services.folder import make_private

_log = Logger()

FOLDER = Path(__file__).parent / "migrations"

HEADS = {"main": "m0003", "evidence": "e0004"}
"""The newest revision of each database; looked at first, so that a start with nothing to do loads no Alembic."""


def upgrade(engine: Engine, name: str, *, allowed: bool = True) -> None:
    """
    Run the steps that *engine*'s database has not seen.

    Args:
        name: The folder of `migrations/`.
        allowed: False while another process uses the database.

    Raises:
        CannotStart: The database cannot be opened, a newer engine wrote it, or there are steps and none is allowed.
    """
    try:
        current = _current(engine)
    except (DBAPIError, sqlite3.Error) as error:
        raise CannotStart(
            f"The database {_where(engine)} cannot be opened: {_cause(error)}. "
            "Make it readable and writable for this user, or restore a copy."
        ) from error
    if current == {HEADS[name]}:
        return
    if not allowed:
        raise CannotStart(
            f"The database {_where(engine)} must be brought from revision {', '.join(sorted(current)) or 'none'} to "
            f"{HEADS[name]}, which cannot be done while another process serves from it. "
            "Stop the server and start it again."
        )
    _run(engine, name, current)


def _run(engine: Engine, name: str, current: set[str]) -> None:
    from alembic.config import Config  # noqa: PLC0415 - 100 ms that most starts need not spend
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory(FOLDER, version_locations=[FOLDER / name])
    known = {script.revision for script in scripts.walk_revisions()}
    if not current <= known:
        raise CannotStart(
            f"The database {_where(engine)} was written by a newer version of aiwebengine "
            f"(revision {', '.join(sorted(current - known))}; this one knows up to {HEADS[name]}). "
            "Nothing was changed. Start the newer version, or restore the copy that it kept beside the file."
        )
    if current:
        _copy(engine, before=HEADS[name])
    context = EnvironmentContext(
        Config(),
        scripts,
        fn=lambda revision, _: scripts._upgrade_revs(HEADS[name], revision),  # noqa: SLF001 - Alembic's commands do so
    )
    try:
        with engine.connect().execution_options(write=True) as connection, connection.begin(), context:
            context.configure(connection=connection)
            context.run_migrations()
    except DBAPIError as error:
        raise CannotStart(
            f"The database {_where(engine)} cannot be brought to revision {HEADS[name]}: {_cause(error)}. "
            "Nothing was changed.",
            private=str(error),
        ) from error
    _log.info(
        "database {where} brought from {old} to {new}",
        where=_where(engine),
        old=", ".join(sorted(current)) or "nothing",
        new=HEADS[name],
    )


def _current(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return set()
        return set(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars())


def _copy(engine: Engine, *, before: str) -> None:
    path = engine.url.database
    if engine.url.get_backend_name() != "sqlite" or not path:
        return
    # SQLite's own backup reads through the write-ahead log; copying the file would not.
    make_private(f"{path}.before-{before}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(f"{path}.before-{before}")) as target:
        source.backup(target)


def _where(engine: Engine) -> str:
    return engine.url.database or engine.url.render_as_string(hide_password=True)


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)
