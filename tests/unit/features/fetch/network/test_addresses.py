"""Which addresses scripts may reach."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from aiwebengine.features.fetch.network.addresses import AllowedAddresses

SPECIAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)
"""As the registries of IANA have them; written here once more, so that none is lost."""
PUBLIC = ("8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "2606:4700::1111", "2a00:1450::1")


@pytest.mark.parametrize("network", SPECIAL)
def test_special(network):
    """The first and the last address of every special network are refused."""
    special = ip_network(network)
    for address in (special[0], special[-1]):
        assert not AllowedAddresses().allows(str(address)), address


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    """Public addresses are allowed, also those just beside a private network."""
    assert AllowedAddresses().allows(address)


@pytest.mark.parametrize("form", ["::ffff:{}", "::ffff:0:{}", "::{}", "64:ff9b::{}"])
def test_inside(form):
    """An address of IPv6 that means one of IPv4 (mapped, translated, compatible, NAT64) is judged by that one."""
    assert AllowedAddresses().allows(form.format("8.8.8.8"))
    for inner in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0"):
        if form.format(inner) != "::0.0.0.0":
            assert not AllowedAddresses().allows(form.format(inner)), inner
    assert AllowedAddresses(["10.0.0.0/8"]).allows(form.format("10.1.2.3"))
    assert not AllowedAddresses(["10.0.0.0/8"]).allows(form.format("127.0.0.1"))


def test_six_to_four_and_teredo():
    """Addresses of 6to4 and Teredo are refused whatever is inside."""
    assert not AllowedAddresses().allows("2002:808:808::1")
    assert not AllowedAddresses().allows("2001:0:808:808::1")


def test_named_networks():
    """A named network is allowed, and no other with it; a host part in it makes no difference."""
    allowed = AllowedAddresses(["10.1.2.3/16", "fd00::/8"])
    assert allowed.allows("10.1.255.255")
    assert allowed.allows("fd12::1")
    assert not allowed.allows("10.2.0.0")
    assert not allowed.allows("fc00::1")
    assert allowed.allows("8.8.8.8")


def test_no_address():
    """What is no address in its usual form, or has a zone, is refused: the resolver returns no such thing."""
    everything = AllowedAddresses(["0.0.0.0/0", "::/0"])
    for text in ("", "example.com", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "fe80::1%eth0", "1.2.3.4/32"):
        assert not everything.allows(text), text
    assert everything.allows("127.0.0.1")
    assert everything.allows("::1")
