"""
Which addresses scripts may reach: public ones, and those of networks that the configuration allows.

A name is resolved before this is called, and the connection goes to the very address that was checked: a name that
resolves differently the next time gains nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA's registries of special-purpose addresses (RFC 6890), with multicast.  Python's `is_global` differs by release.
_SPECIAL = [
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "64:ff9b:1::/48",
        "100::/64",
        "100:0:0:1::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
]
_MAPPED = [ip_network("::ffff:0:0/96"), ip_network("::ffff:0:0:0/96"), ip_network("::/96"), ip_network("64:ff9b::/96")]
"""IPv6 addresses whose last 32 bits are an IPv4 address: mapped, translated, compatible, and of NAT64."""


class AllowedAddresses:
    """
    See the module.

    Args:
        networks: Those that are allowed although they are not public, such as `10.0.0.0/8`; `fetch.networks`.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: list[Network] = [ip_network(network, strict=False) for network in networks]

    def allows(self, address: str) -> bool:
        """
        Return whether connections may be made to *address*.

        Args:
            address: A literal of IPv4 or IPv6; one with a zone is never allowed.
        """
        try:
            seen = ip_address(address)
        except ValueError:
            return False
        if isinstance(seen, IPv6Address) and seen.scope_id is not None:
            return False
        inner = _inner(seen)
        if _is_in(seen, self._networks) or (inner is not None and _is_in(inner, self._networks)):
            return True
        return not _is_in(seen, _SPECIAL) if inner is None else not _is_in(inner, _SPECIAL)


def _inner(address: Address) -> IPv4Address | None:
    """Return the IPv4 address to which packets for an IPv6 address may go; None if it is no such address."""
    if isinstance(address, IPv6Address) and int(address) > 1 and _is_in(address, _MAPPED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
