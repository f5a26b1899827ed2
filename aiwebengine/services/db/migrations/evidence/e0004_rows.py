"""Keep in receipts how many rows were read and written."""

import sqlalchemy as sa
from alembic import op

revision = "e0004"
down_revision = "e0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("receipts", sa.Column("row_count", sa.BigInteger, nullable=False, server_default="0"))
