"""Which scripts answer on which host."""

from __future__ import annotations

from typing import Any

import pytest

from aiwebengine.errors import DeploymentRefused
from aiwebengine.runtime.hosts import host_of
from aiwebengine.runtime.registry import ActiveScript, Registry
from aiwebengine.runtime.routes import AutoOptions, MethodNotAllowed, NoRoute
from aiwebengine.values import ROUTE, Entry, HandlerRef, RouteMatch


def script(uri: str, *paths: str, hosts: tuple[str, ...] = (), methods: tuple[str, ...] = ("GET",)) -> ActiveScript:
    entries = tuple(
        Entry(kind=ROUTE, key=path, script=uri, version=uri, handler=HandlerRef(id=1, name=""), methods=methods)
        for path in paths
    )
    return ActiveScript(uri=uri, version=uri, number=1, entries=entries, hosts=hosts)


def serving(*scripts: ActiveScript) -> Registry:
    return Registry().with_scripts(scripts)


def owner(registry: Registry, host: str, path: str = "/", method: str = "GET") -> Any:
    assert registry.hosts is not None
    match = registry.hosts.match(host, method, path)
    return match.route.script if isinstance(match, RouteMatch) else type(match)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("shop.example.org", "exact"),
        ("SHOP.Example.ORG:8443", "exact"),
        ("shop.example.org.", "exact"),
        ("other.example.org", "wild"),
        ("a.b.example.org", "wild"),
        ("x.deep.example.org", "deeper"),
        ("example.org", "none"),
        ("notexample.org", "none"),
        ("127.0.0.1:8080", "none"),
        ("[::1]:8080", "none"),
        ("", "none"),
    ],
)
def test_order(header: str, expected: str) -> None:
    """An exact host comes before a wildcard, a longer wildcard before a shorter one, and no host at all comes last."""
    registry = serving(
        script("none", "/*"),
        script("wild", "/*", hosts=("*.example.org",)),
        script("deeper", "/*", hosts=("*.deep.example.org",)),
        script("exact", "/*", hosts=("shop.example.org",)),
    )
    assert owner(registry, header) == expected


def test_what_a_host_does_not_answer() -> None:
    """A path that the scripts of a host do not answer is left to less specific ones."""
    registry = serving(
        script("everywhere", "/api"),
        script("posts", "/form", methods=("POST",)),
        script("shop", "/cart", "/api", hosts=("shop.example.org",), methods=("POST",)),
    )
    host = "shop.example.org"
    assert owner(registry, host, "/cart", "POST") == "shop"
    assert owner(registry, host, "/api", "POST") == "shop"
    assert owner(registry, host, "/api") == "everywhere"
    assert owner(registry, host, "/api", "OPTIONS") is AutoOptions
    assert owner(registry, host, "/cart") is MethodNotAllowed
    assert owner(registry, host, "/form") is MethodNotAllowed
    assert owner(registry, host, "/nowhere") is NoRoute
    assert owner(registry, "example.org", "/cart", "POST") is NoRoute


def test_conflicts() -> None:
    """Two scripts may have the same path on different hosts, and not on the same one; the problem names both."""
    wildcard = script("one", "/*", hosts=("a.example.org", "*.example.net"))
    registry = serving(wildcard, script("two", "/*", hosts=("b.example.org",)), script("three", "/*"))
    with pytest.raises(DeploymentRefused) as raised:
        registry.with_script(script("four", "/*", hosts=("c.example.org", "*.example.net")))
    [problem] = raised.value.problems
    assert '"four"' in problem.message
    assert '"one" on *.example.net' in problem.message


def test_no_hosts() -> None:
    """Where no script names a host, nothing is looked up by host."""
    registry = serving(script("one", "/*"))
    assert registry.hosts is None
    assert [tier.scripts for tier in registry.tiers("any.example.org")] == [("one",)]
    named = registry.with_script(script("two", "/b", hosts=("b.example.org",)))
    assert named.hosts is not None
    assert [tier.scripts for tier in named.tiers("b.example.org")] == [("two",), ("one",)]
    assert named.without("two").hosts is None


def test_many_hosts() -> None:
    """Clients that send ever new hosts are answered, and are not remembered for ever."""
    registry = serving(script("one", "/*", hosts=("*.example.org",)))
    assert {owner(registry, f"h{number}.example.org") for number in range(3000)} == {"one"}


def test_names() -> None:
    """A `Host` header is compared without case and port."""
    assert host_of("[FE80::1]:80") == "[fe80::1]"
    assert host_of("A.b:1") == "a.b"
