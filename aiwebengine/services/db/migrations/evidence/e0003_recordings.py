"""Make the tables of recordings."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "e0003"
down_revision = "e0002"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LONG_BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB, "mysql", "mariadb")


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "recordings",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("invocation", sa.String(64), nullable=False, unique=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("version", sa.String(320), nullable=False),
        sa.Column("label", sa.String(500), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("document", LONG_BYTES, nullable=False),
        sa.Index("recordings_key_id", "key", "id"),
    )
    op.create_table(
        "recording_rules",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("path", sa.String(1024), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("every", sa.Integer, nullable=False),
    )
