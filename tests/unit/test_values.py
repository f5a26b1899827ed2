"""What registered entries are called."""

from __future__ import annotations

import pytest

from aiwebengine.values import Entry


@pytest.mark.parametrize(
    ("methods", "label"),
    [
        ((), "/notes"),
        (("GET",), "GET /notes"),
        (("GET", "POST"), "GET|POST /notes"),
        (("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), "ALL /notes"),
        (("OPTIONS", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"), "ALL /notes"),
        (("GET", "POST", "PUT", "PATCH", "DELETE"), "GET|POST|PUT|PATCH|DELETE /notes"),
    ],
)
def test_label(methods: tuple[str, ...], label: str) -> None:
    """An entry that answers every method is called ALL, others by their methods, and one without methods by its key."""
    assert Entry(kind="route", key="/notes", script="a", version="a@1", methods=methods).label == label
