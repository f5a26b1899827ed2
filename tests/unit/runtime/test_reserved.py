"""`runtime.reserved`: which paths scripts may not register."""

from __future__ import annotations

import re

import pytest

from aiwebengine.runtime.reserved import ReservedPaths

PATHS = ReservedPaths(
    [("/own/*", re.compile(r"/own(/.*)?")), ("/ql*", re.compile(r"/ql.*")), ("/health/*", re.compile(r"/health/.*"))]
)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/own", "/own/*"),
        ("/own/x/y", "/own/*"),
        ("/owner", None),
        ("/ql", "/ql*"),
        ("/qlx", "/ql*"),
        ("/health/live", "/health/*"),
        ("/health", None),
        ("/", None),
    ],
)
def test_forms(path, form):
    """A reserved path is named as it is written in documents."""
    assert PATHS.form(path) == form
    assert PATHS.holds(path) is (form is not None)


def test_encoded_path():
    """The path of a request is compared decoded."""
    assert PATHS.holds("/%6fwn/x")
    assert PATHS.form("/%6fwn/x") is None


@pytest.mark.parametrize(("segment", "taken"), [("own", True), ("qlx", True), ("health", True), ("owner", False)])
def test_segments(segment, taken):
    """A segment is taken if anything below it is reserved."""
    assert PATHS.takes_segment(segment) is taken


def test_nothing_reserved():
    """Without features and machinery every path is free."""
    assert not ReservedPaths().holds("/own/x")
