"""Tests of `features.database.statements`."""

from __future__ import annotations

import pytest

from aiwebengine.features.database.statements import writes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", False),
        ("  -- a comment\n/* another */ select 1", False),
        ("VALUES (1)", False),
        ("EXPLAIN QUERY PLAN SELECT 1", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a", False),
        ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", True),
        ("INSERT INTO t VALUES (1)", True),
        ("update t set a = 1", True),
        ("CREATE INDEX i ON t (a)", True),
        ("", True),
    ],
)
def test_writes(text: str, expected: bool) -> None:
    """What begins with a word for reading reads; the database holds it to that."""
    assert writes(text) is expected
