"""Addresses that requests go to."""

from __future__ import annotations

import pytest

from aiwebengine.errors import Invalid
from aiwebengine.features.fetch.network.targets import BAD_PORTS, joined, read_target


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path"),
    [
        ("https://api.example.com", "https", "api.example.com", 443, "/"),
        ("HTTP://API.Example.com/A?b=C", "http", "api.example.com", 80, "/A?b=C"),
        ("http://example.com:8080/a/../b", "http", "example.com", 8080, "/a/../b"),
        ("http://example.com:/x", "http", "example.com", 80, "/x"),
        ("http://example.com?q=1", "http", "example.com", 80, "/?q=1"),
        ("http://example.com/a#part?x", "http", "example.com", 80, "/a"),
        ("http://[2001:DB8::1]:81/", "http", "2001:db8::1", 81, "/"),
        ("http://example.com/@:[]", "http", "example.com", 80, "/@:[]"),
    ],
)
def test_read(url, scheme, host, port, path):
    """An address of http or https is read into its parts, with the host in its normal form."""
    target = read_target(url)
    assert (target.scheme, target.host, target.port, target.path) == (scheme, host, port, path)
    assert target.origin == (scheme, host, port)


def test_written():
    """The header `host` and the address name the port only where it is not that of the scheme."""
    target = read_target("http://[2001:db8::1]:81/a")
    assert (target.authority, target.host_header, target.url) == (
        "[2001:db8::1]:81",
        "[2001:db8::1]:81",
        "http://[2001:db8::1]:81/a",
    )
    usual = read_target("https://example.com:443/a")
    assert (usual.authority, usual.host_header, usual.url) == (
        "example.com:443",
        "example.com",
        "https://example.com/a",
    )


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0"])
def test_odd_addresses(host):
    """A number that some resolvers take for an address is a name here: what it resolves to is checked then."""
    assert read_target(f"http://{host}/").host == host


@pytest.mark.parametrize("port", sorted(BAD_PORTS))
def test_bad_ports(port):
    """Ports of other protocols are blocked, as the Fetch standard says."""
    with pytest.raises(Invalid, match=f"port {port} is blocked"):
        read_target(f"http://example.com:{port}/")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/", '"ftp:" is not supported'),
        ("file:///etc/passwd", '"file:" is not supported'),
        ("/relative", "not supported"),
        ("", "not supported"),
        ("http://user@example.com/", "user name or password"),
        ("http://user:pass@example.com/", "user name or password"),
        ("http://", "not a valid address"),
        ("http:///path", "not a valid address"),
        ("http:example.com", "not a valid address"),
        ("http://example.com\\@evil.com/", "not a valid address|user name"),
        ("http://exa mple.com/", "not a valid address"),
        ("http://example.com/a b", "not a valid address"),
        ("http://example.com/\r\nhost: x", "not a valid address"),
        ("http://example.com/\u00e9", "not a valid address"),
        ("http://[::1/", "not a valid address"),
        ("http://[fe80::1%25eth0]/", "not a valid address"),
        ("http://[10.0.0.1]/", "cannot be a host"),
        ("http://[abc]/", "cannot be a host"),
        ("http://example.com:99999/", "port 99999"),
        ("http://example.com:1e3/", "not a valid address"),
        ("http://a..b/", "cannot be a host"),
        ("http://*.example.com/", "cannot be a host"),
        ("http://example.com/" + "a" * 70_000, "at most 65536 characters"),
    ],
)
def test_refused(url, why):
    """What is no such address is refused, and the message says why."""
    with pytest.raises(Invalid, match=why):
        read_target(url)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c", "http://example.com:81/b?c"),
        ("b", "http://example.com:81/x/b"),
        ("?q", "http://example.com:81/x/a?q"),
        ("//other.example/c", "http://other.example/c"),
        ("https://other.example/", "https://other.example/"),
        ("  /b ", "http://example.com:81/b"),
        ("/\u00e9 \n", "http://example.com:81/%C3%A9"),
        ("/a b", "http://example.com:81/a%20b"),
    ],
)
def test_joined(location, url):
    """The address of a redirect may be relative; what cannot stand in an address is encoded."""
    assert joined(read_target("http://example.com:81/x/a"), location) == url
