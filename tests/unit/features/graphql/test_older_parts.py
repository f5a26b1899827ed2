"""MultipartAnswer of incremental results in the format of 2022."""

# ruff: noqa: E501 - a part is one line

from __future__ import annotations

from aiwebengine.features.graphql.transports.accept import accepted_types
from aiwebengine.features.graphql.transports.older_parts import IncrementalPartsOf2022


def test_fragments() -> None:
    """A fragment that comes later is told with its whole path, its label and its errors."""
    parts = IncrementalPartsOf2022()
    pending = [{"id": "0", "path": []}, {"id": "1", "path": ["a"], "label": "slow"}]
    first = {"data": {"a": {"x": 1}}, "pending": pending, "hasNext": True}
    assert parts.first(first) == {"data": {"a": {"x": 1}}, "hasNext": True}
    assert parts.next({"pending": [{"id": "2", "path": ["b"]}], "hasNext": True}) is None
    part = {
        "incremental": [{"id": "0", "data": {"b": {"y": 2}}}, {"id": "1", "subPath": ["z"], "data": {"k": None}, "errors": [{"message": "no"}]}],
        "completed": [{"id": "0"}],
        "hasNext": True,
    }  # fmt: skip
    assert parts.next(part) == {
        "incremental": [
            {"data": {"b": {"y": 2}}, "path": []},
            {"data": {"k": None}, "path": ["a", "z"], "label": "slow", "errors": [{"message": "no"}]},
        ],
        "hasNext": True,
    }
    end = {"completed": [{"id": "1", "errors": [{"message": "all is lost"}]}, {"id": "2"}], "hasNext": False}
    assert parts.next(end) == {
        "incremental": [{"data": None, "path": ["a"], "label": "slow", "errors": [{"message": "all is lost"}]}],
        "hasNext": False,
    }


def test_items() -> None:
    """Items of a list have the index of the first at the end of their path, also below a fragment."""
    parts = IncrementalPartsOf2022()
    parts.first(
        {"data": {"list": [1]}, "pending": [{"id": "0", "path": ["list"]}, {"id": "1", "path": []}], "hasNext": True}
    )
    received = [
        {"incremental": [{"id": "0", "items": [2, 3]}], "hasNext": True},
        {"pending": [{"id": "2", "path": ["deep", "list"]}], "incremental": [{"id": "1", "data": {"deep": {"list": []}}}], "hasNext": True},
        {"incremental": [{"id": "0", "items": [4]}, {"id": "2", "items": ["a"]}], "completed": [{"id": "0"}], "hasNext": True},
        {"completed": [{"id": "2", "errors": [{"message": "no"}]}], "hasNext": False},
    ]  # fmt: skip
    paths = [[increment["path"] for increment in (parts.next(part) or {})["incremental"]] for part in received]
    assert paths == [[["list", 1]], [[]], [["list", 3], ["deep", "list", 0]], [["deep", "list", 1]]]


def test_formats_that_clients_name() -> None:
    """A client names the format of the parts that it reads, and whether it reads subscriptions so."""
    assert accepted_types("multipart/mixed; deferSpec=20220824, application/json").older
    assert not accepted_types("multipart/mixed;incrementalSpec=v0.2,application/json").older
    assert not accepted_types("multipart/mixed;deferSpec=20220824;q=0").incremental
    subscribed = accepted_types('multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json')
    assert (subscribed.subscribed, subscribed.incremental) == (True, False)
    assert not accepted_types("multipart/mixed").subscribed
