"""Column types of the steps, as they were when the steps were written."""

from __future__ import annotations

import sqlalchemy as sa

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LONG_TEXT = sa.Text().with_variant(sa.Text(2**30 - 1), "mysql", "mariadb")
LONG_BYTES = sa.LargeBinary().with_variant(sa.LargeBinary(2**30 - 1), "mysql", "mariadb")
EXACT_TEXT = (
    sa.String(255)
    .with_variant(sa.String(255, collation="utf8mb4_bin"), "mysql", "mariadb")
    .with_variant(sa.String(255, collation="C"), "postgresql")
)
