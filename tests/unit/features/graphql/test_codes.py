"""Codes of GraphQL errors."""

from __future__ import annotations

from aiwebengine.errors import TABLE, Denied
from aiwebengine.features.graphql.codes import CODES, code_of


def test_every_error_has_a_code():
    """Each error of the engine can be shown to clients of GraphQL."""
    assert list(CODES) == list(TABLE)
    assert all(code.isupper() for code in CODES.values())


def test_code_of_an_error():
    """An error is looked up by its own code."""
    assert code_of(Denied("No.")) == "FORBIDDEN"
