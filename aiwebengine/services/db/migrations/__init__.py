"""Steps that bring a database of an older engine to this one; Alembic reads them as files."""
