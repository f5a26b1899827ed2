"""Make the tables of kept receipts and of what scripts have used of their budgets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "e0002"
down_revision = "e0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT, "mysql", "mariadb")


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "receipts",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("version", sa.String(320), nullable=False),
        sa.Column("invocation", sa.String(64), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("label", sa.String(500), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("why", sa.String(8), nullable=False),
        sa.Column("wall_us", sa.BigInteger, nullable=False),
        sa.Column("queued_us", sa.BigInteger, nullable=False),
        sa.Column("cpu_us", sa.BigInteger, nullable=False),
        sa.Column("peak", sa.BigInteger, nullable=False),
        sa.Column("bytes_out", sa.BigInteger, nullable=False),
        sa.Column("log_lines", sa.BigInteger, nullable=False),
        sa.Column("log_bytes", sa.BigInteger, nullable=False),
        sa.Column("host_calls", LONG_TEXT, nullable=False),
        sa.Index("receipts_key_id", "key", "id"),
    )
    op.create_table(
        "budget_use",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("resource", sa.String(16), primary_key=True),
        sa.Column("seconds", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("uri", sa.String(255), nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False, index=True),
        sa.Column("used", sa.BigInteger, nullable=False),
    )
