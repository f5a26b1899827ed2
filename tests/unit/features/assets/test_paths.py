"""Where stored assets are served."""

from __future__ import annotations

from typing import Any

import pytest

from aiwebengine.features.assets.paths import StoredPaths, StoredPlace, asked_path, is_served
from aiwebengine.features.assets.store import AssetInfo
from aiwebengine.runtime.registry import ActiveScript, Registry


def serving(*scripts: ActiveScript) -> Registry:
    return Registry().with_scripts(scripts)


def script(uri: str, base: str = "", *hosts: str) -> ActiveScript:
    return ActiveScript(uri=uri, version=uri, number=1, base=base, hosts=hosts)


def stored(*places: tuple[str, str]) -> StoredPaths:
    paths = StoredPaths()
    for owner, path in places:
        paths.add(owner, path)
    return paths


def found(paths: StoredPaths, registry: Registry, path: str, host: str = "") -> Any:
    place = paths.find(registry, host=host, path=path)
    return None if place is None else (place.owner, place.path, place.folder)


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/a.txt", True),
        ("/a/b.txt", True),
        ("a.txt", False),
        ("/", False),
        ("/a/", False),
        ("/.env", False),
        ("/a/../b", False),
        ("/a//b", False),
        ("/a\\b", False),
    ],
)
def test_what_has_an_address(path: str, served: bool) -> None:
    """An asset whose path begins with a slash is served, unless a part of it is empty or begins with a dot."""
    assert is_served(path) is served
    assert (stored(("me", path)).count == 1) is served


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/a%20b", "/a b"),
        ("/caf%C3%A9", "/caf\u00e9"),
        ("/", "/"),
        ("/a/", "/a/"),
        ("/a%2Fb", None),
        ("/a%5Cb", None),
        ("/a%00b", None),
        ("/%2e%2e/b", None),
        ("/../b", None),
        ("/./b", None),
        ("//b", None),
        ("/.env", None),
        ("/%FF", None),
    ],
)
def test_what_is_asked_for(path: str, asked: str | None) -> None:
    """An encoded slash divides no folders, and no path leads up, or to what begins with a dot."""
    assert asked_path(path) == asked


def test_base_paths() -> None:
    """An asset lies below the base path of its script."""
    registry = serving(script("site"), script("shop", "/shop"), script("help", "/shop/help"))
    paths = stored(("site", "/a"), ("shop", "/a"), ("help", "/a"), ("help", "/index.html"), ("gone", "/b"))
    assert found(paths, registry, "/a") == ("site", "/a", False)
    assert found(paths, registry, "/shop/a") == ("shop", "/a", False)
    assert found(paths, registry, "/shop/help/a") == ("help", "/a", False)
    assert found(paths, registry, "/shop/help/") == ("help", "/index.html", False)
    assert found(paths, registry, "/shop/help") == ("help", "/index.html", True)
    assert found(paths, registry, "/shop") is None
    assert found(paths, registry, "/b") is None


def test_folders() -> None:
    """`index.html` is what its folder answers, with a slash at its end."""
    registry = serving(script("site"))
    paths = stored(("site", "/index.html"), ("site", "/docs/index.html"))
    assert found(paths, registry, "/") == ("site", "/index.html", False)
    assert found(paths, registry, "/docs/") == ("site", "/docs/index.html", False)
    assert found(paths, registry, "/docs") == ("site", "/docs/index.html", True)
    assert found(paths, registry, "/docs/other") is None


def test_hosts() -> None:
    """The same path is another asset on another host."""
    registry = serving(script("site"), script("shop", "", "shop.example.org"))
    paths = stored(("site", "/a"), ("site", "/only"), ("shop", "/a"))
    assert found(paths, registry, "/a", "shop.example.org:80") == ("shop", "/a", False)
    assert found(paths, registry, "/a", "example.org") == ("site", "/a", False)
    assert found(paths, registry, "/only", "shop.example.org") == ("site", "/only", False)


def test_owners() -> None:
    """What belongs to nobody is served too, until a script stores something at its path."""
    registry = serving(script("one"), script("two", "/two"))
    paths = stored(("", "/a"), ("two", "/b"))
    assert found(paths, registry, "/a") == ("", "/a", False)
    paths.add("one", "/a")
    assert found(paths, registry, "/a") == ("one", "/a", False)
    paths.remove("one", "/a")
    assert found(paths, registry, "/a") is None
    paths.remove("two", "/b")
    assert paths.count == 0


def test_what_is_known() -> None:
    """What was read of an asset is known until something changes, and not learnt if something changed meanwhile."""
    registry = serving(script("one"))
    paths = stored(("one", "/a"), ("one", "/b"))
    place = paths.find(registry, host="", path="/a")
    assert place is not None
    info = AssetInfo(owner="one", path="/a", type="a/b", digest="d", size_bytes=1, updated_at=1)
    paths.learn(place, info, paths.changes - 1)
    assert paths.info(place) is None
    for change in (
        lambda: paths.add("one", "/a"),
        lambda: paths.remove("one", "/b"),
        lambda: paths.find(registry.with_script(script("two")), host="", path="/a"),
    ):
        paths.learn(place, info, paths.changes)
        assert paths.info(place) is info
        change()
        assert paths.info(place) is None
    for number in range(2000):
        paths.learn(StoredPlace(owner="one", path=f"/{number}"), info, paths.changes)
    assert paths.info(StoredPlace(owner="one", path="/0")) is None
    assert paths.info(StoredPlace(owner="one", path="/1999")) is info


def test_rivals() -> None:
    """Two scripts may not serve something at the same address; on other hosts and below other paths they may."""
    registry = serving(script("site"), script("other"), script("shop", "/shop"), script("far", "", "far.example.org"))
    paths = stored(("other", "/a"), ("site", "/shop/b"), ("far", "/c"))
    for uri, path, other in (
        ("site", "/a", "other"),
        ("shop", "/b", "site"),
        ("site", "/c", None),
        ("far", "/a", None),
        ("shop", "/a", None),
        ("other", "/a", None),
        ("site", "a", None),
        ("unknown", "/a", None),
    ):
        assert paths.taken_by(paths.rivals(registry, uri, path)) == other
