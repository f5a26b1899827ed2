"""Make the table of answers that are given again to a repeated request."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "m0003"
down_revision = "m0002"
branch_labels = None
depends_on = None

LONG_BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB, "mysql", "mariadb")


def upgrade() -> None:
    """Make it."""
    op.create_table(
        "answers",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", LONG_BYTES, nullable=True),
    )
