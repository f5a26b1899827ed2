"""Column types of the steps, as they were when the steps were written."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT, "mysql", "mariadb")
LONG_BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB, "mysql", "mariadb")
EXACT_TEXT = (
    sa.String(255)
    .with_variant(mysql.VARCHAR(255, charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
    .with_variant(sa.String(255, collation="C"), "postgresql")
)
