"""Base paths of scripts."""

from __future__ import annotations

import pytest

from aiwebengine.scripts.base_path import below, why_not
from aiwebengine.values import Entry
from tests.support.reserved import RESERVED


def _entry(key: str, *methods: str) -> Entry:
    return Entry(kind="route", key=key, script="a", version="a@1-0", methods=methods)


def _placed(*entries: Entry) -> list[tuple[str, ...]]:
    return [(entry.key, *entry.methods) for entry in below("/shop", entries)]


def test_places() -> None:
    """Everything lies below the base path, which is itself what was the root."""
    assert _placed(_entry("/cart/:id", "GET")) == [("/shop/cart/:id", "GET")]
    assert _placed(_entry("/", "GET")) == [("/shop/", "GET"), ("/shop", "GET")]
    assert _placed(_entry("/*rest", "GET")) == [("/shop/*rest", "GET"), ("/shop", "GET"), ("/shop/", "GET")]
    assert [entry.options for entry in below("/shop", [_entry("/a", "GET")])] == [{"base": "/shop"}]


def test_a_root_of_its_own() -> None:
    """What answers everything leaves the root to who answers that, method by method."""
    both = _placed(_entry("/", "GET"), _entry("/*", "GET", "POST"))
    assert both == [
        ("/shop/", "GET"),
        ("/shop", "GET"),
        ("/shop/*", "GET", "POST"),
        ("/shop", "POST"),
        ("/shop/", "POST"),
    ]


def test_what_takes_no_path() -> None:
    """Without a base path, and for what takes no path, nothing changes."""
    entries = (_entry("query notes"), _entry("/a", "GET"))
    assert below("", entries) == entries
    assert _placed(entries[0]) == [("query notes",)]


@pytest.mark.parametrize(
    ("base", "wrong"),
    [
        ("/shop", False), ("/a/b-1.0/c_d", False), ("shop", True), ("/shop/", True), ("/", True), ("/a b", True),
        ("/:id", True), ("/../x", True), ("/engine/x", True), ("/graphql2", True), ("/.well-known", True),
    ],
)  # fmt: skip
def test_what_may_be_one(base: str, wrong: bool) -> None:
    """A base path is made of plain segments that the engine does not keep for itself."""
    assert (why_not(base, RESERVED) is not None) is wrong
