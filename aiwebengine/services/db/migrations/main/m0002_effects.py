"""Make the tables of units of work, of messages to deliver, and of what scripts store."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "m0002"
down_revision = "m0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT, "mysql", "mariadb")
EXACT_TEXT = (
    sa.String(255)
    .with_variant(mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
    .with_variant(sa.String(255, collation="C"), "postgresql")
)


def upgrade() -> None:
    """Make everything."""
    op.create_table(
        "units",
        sa.Column("id", sa.String(96), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "outbox",
        sa.Column("id", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("unit", sa.String(96), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("payload", LONG_TEXT, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False, index=True),
        sa.UniqueConstraint("unit", "ordinal", name="outbox_unit_ordinal"),
    )
    op.create_table(
        "spaces",
        sa.Column("script", sa.String(64), primary_key=True),
        sa.Column("entries", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column("script", sa.String(64), primary_key=True),
        sa.Column("area", sa.String(80), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("name", EXACT_TEXT, nullable=False),
        sa.Column("value", LONG_TEXT, nullable=False),
        sa.Column("version", sa.String(96), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=True, index=True),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Index("entries_by_name", "script", "area", "name"),
    )
