"""How tables of the main database are set aside that lie in the databases of scripts from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations


def aside_name(table: str) -> str:
    """Return the name of a table that was set aside."""
    return f"moved_{table}"


def set_aside(op: Operations, *tables: str) -> None:
    """Give tables that hold something another name, from which `moving.Moving` takes it; drop those that do not."""
    connection = op.get_bind()
    for name in tables:
        table = sa.table(name)
        if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is None:
            op.drop_table(name)
        else:
            op.rename_table(name, aside_name(name))
