"""Which secrets a script may use, and for which hosts."""

from __future__ import annotations

import pytest

from aiwebengine.errors import Invalid
from aiwebengine.features.secrets.grants import SCOPE, granted_secrets, why_not_for
from aiwebengine.features.secrets.values import Secret, read_hosts


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("STRIPE_KEY", "STRIPE_KEY"),
        ("STRIPE_KEY@API.Stripe.com", "STRIPE_KEY@api.stripe.com"),
        ("tls.key@*.example.org:8443", "tls.key@*.example.org:8443"),
        ("K@*", "K@*"),
    ],
)
def test_normal(text, normal):
    """A grant has a name and perhaps a host, in their normal form."""
    assert SCOPE.normal(text) == normal


@pytest.mark.parametrize("text", ["", "a b", "1a", "K@", "K@a b", "K@https://a.example", "a" * 101])
def test_no_grants(text):
    """Anything else is refused with the reason."""
    with pytest.raises(Invalid):
        SCOPE.normal(text)


@pytest.mark.parametrize(
    ("granted", "asked", "covered"),
    [
        ("K", "K", True),
        ("K", "K@a.example", True),
        ("K@a.example", "K", True),
        ("K@a.example", "K@a.example", True),
        ("K@a.example", "K@b.example", False),
        ("K@*.example", "K@a.example", True),
        ("K@a.example", "K@*.example", False),
        ("K", "L", False),
    ],
)
def test_covers(granted, asked, covered):
    """A grant allows its secret, and of its hosts those that it names; without one that is left to the source."""
    assert SCOPE.covers(granted, asked) is covered


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ({"K": {"hosts": ["a.example", "b.example"]}, "L": {}}, ["K@a.example", "K@b.example", "L"]),
        (["K@a.example", "L"], ["K@a.example", "L"]),
        ({}, []),
        ("K", None),
        ([1], None),
        ({"K": ["a.example"]}, None),
        ({"K": {"host": "a.example"}}, None),
        ({"K": {"hosts": "a.example"}}, None),
    ],
)
def test_manifest(value, asked):
    """The manifest has an object or a list."""
    assert SCOPE.asked is not None
    assert SCOPE.asked(value) == asked


def test_granted():
    """Capabilities are read; what other rules granted allows nothing."""
    granted = granted_secrets(
        frozenset({"secret:K@a.example", "secret:K@b.example", "secret:L", "fetch:c", "secret:M@?"})
    )
    assert {name: [pattern.name for pattern in hosts] for name, hosts in granted.items()} == {
        "K": ["a.example", "b.example"],
        "L": [],
    }
    assert granted_secrets(frozenset({"fetch:a.example"})) == {}


@pytest.mark.parametrize(
    ("source", "grant", "why"),
    [
        ([], ["a.example"], ""),
        (["a.example"], [], ""),
        (["a.example"], ["*.example"], ""),
        (["*"], ["a.example"], ""),
        ([], [], "not granted"),
        ([], ["b.example"], "--grant secret:K@a.example."),
        (["a.example"], ["b.example"], "not granted"),
        (["b.example"], ["a.example"], "binds it to other hosts"),
        (["b.example"], ["*"], "binds it to other hosts"),
    ],
)
def test_hosts(source, grant, why):
    """Somebody must have named the host, and nobody others instead."""
    secret = Secret(name="K", value=b"v", source="The file x", hosts=read_hosts(source))
    said = why_not_for(secret, read_hosts(grant), host="a.example", port=443)
    assert why in said
    assert bool(said) is bool(why)
