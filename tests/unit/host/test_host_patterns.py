"""Hosts as they are granted."""

from __future__ import annotations

import pytest

from aiwebengine.errors import Invalid
from aiwebengine.host.host_patterns import (
    HostPattern,
    covers,
    granted_hosts,
    normal_name,
    normal_pattern,
    read_pattern,
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("API.Example.COM", "api.example.com"),
        ("api.example.com.", "api.example.com"),
        (" api.example.com ", "api.example.com"),
        ("api.example.com:8443", "api.example.com:8443"),
        ("api.example.com:443", "api.example.com:443"),
        ("*.example.org", "*.example.org"),
        ("*.example.org:8443", "*.example.org:8443"),
        ("*", "*"),
        ("*:8080", "*:8080"),
        ("10.0.0.1:81", "10.0.0.1:81"),
        ("2001:DB8:0:0::1", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("[2001:db8::1]:8080", "[2001:db8::1]:8080"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("localhost", "localhost"),
    ],
)
def test_normal_pattern(text, normal):
    """What is granted has one form, however it is written, and that form stays as it is."""
    assert normal_pattern(text) == normal
    assert normal_pattern(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*.",
        "https://example.com",
        "example.com/path",
        "user@example.com",
        "exa mple.com",
        "-example.com",
        "example..com",
        "*.*.example.com",
        "a.*.example.com",
        "*example.com",
        "example.com:0",
        "example.com:65536",
        "example.com:http",
        "example.com:",
        "*.10.0.0.1",
        "[example.com]",
        "[10.0.0.1]",
        "a" * 64 + ".com",
        ".".join(["abcdefgh"] * 30),
        "\u2044.example",
        "xn--\u00fc.example",
    ],
)
def test_no_host(text):
    """What is no host is refused in words."""
    with pytest.raises(Invalid) as refused:
        normal_pattern(text)
    assert refused.value.public.endswith(".")


def test_scheme_is_explained():
    """Whoever writes an address instead of a host is told to write the host alone."""
    with pytest.raises(Invalid, match="the host alone"):
        normal_pattern("https://api.example.com/v1")


@pytest.mark.parametrize(
    ("pattern", "host", "port", "covered"),
    [
        ("api.example.com", "api.example.com", 443, True),
        ("api.example.com", "api.example.com", 80, True),
        ("api.example.com", "api.example.com", 8443, False),
        ("api.example.com", "api.example.com.evil.com", 443, False),
        ("api.example.com", "xapi.example.com", 443, False),
        ("api.example.com:8443", "api.example.com", 8443, True),
        ("api.example.com:8443", "api.example.com", 443, False),
        ("*.example.org", "a.example.org", 443, True),
        ("*.example.org", "a.b.example.org", 80, True),
        ("*.example.org", "example.org", 443, False),
        ("*.example.org", "evilexample.org", 443, False),
        ("*.example.org:8443", "a.example.org", 8443, True),
        ("*.example.org:8443", "a.example.org", 443, False),
        ("*", "anything.example", 9999, True),
        ("*:8080", "anything.example", 8080, True),
        ("*:8080", "anything.example", 443, False),
        ("[2001:db8::1]", "2001:db8::1", 443, True),
    ],
)
def test_covers_a_host(pattern, host, port, covered):
    """A pattern means its host, those below it after `*.`, and the ports of http and https unless it names one."""
    assert read_pattern(pattern).covers(host, port) is covered


@pytest.mark.parametrize(
    ("granted", "asked", "covered"),
    [
        ("*", "*", True),
        ("*", "*:8080", True),
        ("*", "*.example.com:1", True),
        ("*:8080", "*", False),
        ("*:8080", "*:8080", True),
        ("*:443", "*.example.com:443", True),
        ("*:443", "api.example.com", False),
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "*.api.example.com", True),
        ("*.api.example.com", "*.example.com", False),
        ("*.example.com", "*.evilexample.com", False),
        ("*.example.com", "*", False),
        ("*.example.com", "*.example.com:8443", False),
        ("api.example.com", "*.api.example.com", False),
        ("api.example.com", "api.example.com:443", True),
        ("api.example.com", "api.example.com:8443", False),
        ("api.example.com:443", "api.example.com", False),
        ("api.example.com:443", "api.example.com:443", True),
    ],
)
def test_covers_a_pattern(granted, asked, covered):
    """A grant covers what is asked for only if it allows all of it."""
    assert covers(granted, asked) is covered


def test_names():
    """A name is compared in ASCII and lower case, an address in its shortest form."""
    assert normal_name("EXAMPLE.com.") == "example.com"
    assert normal_name("[2001:0DB8::0001]") == "2001:db8::1"
    assert normal_name("\uff25xample.com") == "example.com"
    assert normal_name("例え.テスト") == "xn--r8jz45g.xn--zckzah"


def test_granted_hosts():
    """The grants of the capability are read; others, and what cannot be read today, allow nothing."""
    names = frozenset(["fetch:api.example.com", "fetch:*.example.org:81", "fetch:http://x/", "fetched:a.com", "assets"])
    assert set(granted_hosts(names, "fetch")) == {
        HostPattern("api.example.com", below=False, port=0),
        HostPattern("example.org", below=True, port=81),
    }
    assert granted_hosts(frozenset(["fetch"]), "fetch") == ()
