"""What may be a host of a script."""

from __future__ import annotations

import json

import pytest

from aiwebengine.scripts.capabilities import Capabilities
from aiwebengine.scripts.hosts import normal_host, why_not_host
from aiwebengine.scripts.manifest import read_manifest
from aiwebengine.settings.schema import LimitSettings
from tests.support.reserved import RESERVED


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shop.example.org", None),
        ("*.example.org", None),
        ("SHOP.example.org.", None),
        ("localhost", None),
        ("127.0.0.1", None),
        ("xn--bcher-kva.example", None),
        ("b\u00fccher.example", '"xn--bcher-kva.example"'),
        ("shop.example.org:8080", "without a scheme, a port or a path"),
        ("https://shop.example.org", "without a scheme, a port or a path"),
        ("*", "must be a host"),
        ("a.*.org", "must be a host"),
        ("*.*.org", "must be a host"),
        ("-a.org", "must be a host"),
        ("a..org", "must be a host"),
        ("", "must be a host"),
        ("a b", "must be a host"),
        ("a." * 127 + "a", "must be a host"),
    ],
)
def test_what_may_be_one(name: str, words: str | None) -> None:
    """A host is a name in ASCII, perhaps with a wildcard for its first part; a refusal says what to write."""
    why = why_not_host(normal_host(name))
    assert (why is None) is (words is None)
    assert words is None or words in str(why)


def _read(hosts: object) -> tuple[tuple[str, ...], list[str]]:
    content = json.dumps({"aiwebengine": {"hosts": hosts}}).encode()
    manifest, problems = read_manifest(
        content, limits=LimitSettings(), capabilities=Capabilities({}), reserved=RESERVED
    )
    return manifest.hosts, [problem.message for problem in problems]


def test_manifest() -> None:
    """Hosts of a manifest are kept in their normal form, each once; what is wrong is told with its value."""
    assert _read(["Shop.example.org", "shop.example.org.", "*.example.net"]) == (
        ("shop.example.org", "*.example.net"),
        [],
    )
    assert _read(None) == ((), [])
    for wrong, words in (("a.org", "must be a list"), ([1], "must be a list"), (["a:1"], '"a:1"'), (["a"] * 51, "50")):
        _, [message] = _read(wrong)
        assert words in message
