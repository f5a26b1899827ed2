"""
Hosts as they are granted: `api.example.com`, `*.example.org:8443`, `[2001:db8::1]`, `*`.

Without a port the ports of http and https are meant, 80 and 443.  `*.example.org` is every host below `example.org`,
and not `example.org` itself.  `*` is every host, on every port.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

import idna

from aiwebengine.errors import Invalid
from aiwebengine.values import CapabilityScope

ANY = "*"
DEFAULT_PORTS = {"http": 80, "https": 443}

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PORT = re.compile(r"[0-9]{1,5}")
_LONGEST = 253


@dataclass(frozen=True, slots=True)
class HostPattern:
    """One granted host."""

    name: str
    """Without `*.`; an address of IPv6 without brackets; empty for every host."""
    below: bool
    """Whether all hosts below the name are meant instead of the name."""
    port: int
    """0 for those of http and https; with the empty name for all."""

    def covers(self, host: str, port: int) -> bool:
        """
        Return whether a host is meant.

        Args:
            host: As `normal_name` returns it.
        """
        if not self.name:
            return self.port in {0, port}
        if port != self.port and (self.port or port not in DEFAULT_PORTS.values()):
            return False
        return host.endswith(f".{self.name}") if self.below else host == self.name


def normal_pattern(text: str) -> str:
    """
    Return the normal form of what is granted.

    Raises:
        Invalid: It is no host.
    """
    return shown_pattern(read_pattern(text))


def shown_pattern(pattern: HostPattern) -> str:
    """Return how a pattern is written."""
    host = f"[{pattern.name}]" if ":" in pattern.name else pattern.name
    shown = ANY if not host else f"*.{host}" if pattern.below else host
    return f"{shown}:{pattern.port}" if pattern.port else shown


def read_pattern(text: str) -> HostPattern:
    """
    Read what is granted.

    Raises:
        Invalid: It is no host.
    """
    if "/" in text or "@" in text:
        raise Invalid('write the host alone, such as "api.example.com", without a scheme, a user or a path.')
    host, port = _split(text.strip())
    if host == ANY:
        return HostPattern("", below=False, port=port)
    below = host.startswith("*.")
    name = normal_name(host.removeprefix("*."))
    if below and _is_address(name):
        raise Invalid("an IP address has no subdomains; write the address itself.")
    return HostPattern(name, below=below, port=port)


def normal_name(host: str) -> str:
    """
    Return the name or address of a host as it is compared: in ASCII and lower case, without brackets and last dot.

    Raises:
        Invalid: It is not valid.
    """
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if ":" not in host or not _is_address(host):
            raise Invalid("only an IPv6 address is written in brackets.")
    if _is_address(host):
        return ip_address(host).compressed
    name = host.lower().removesuffix(".")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise Invalid("it is not the name of a host.") from None
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise Invalid('write a host such as "api.example.com", or "*.example.com" for all below it.')
    return name


def covers(granted: str, asked: str) -> bool:
    """Return whether the grant of a pattern allows all that another one asks for; both in their normal form."""
    grant, wish = read_pattern(granted), read_pattern(asked)
    if not wish.name:
        return not grant.name and grant.port in {0, wish.port}
    if wish.below and grant.name:
        inside = wish.name == grant.name or wish.name.endswith(f".{grant.name}")
        return grant.below and inside and grant.port == wish.port
    ports = (wish.port,) if wish.port else tuple(DEFAULT_PORTS.values())
    return all(grant.covers(f"any.{wish.name}" if wish.below else wish.name, port) for port in ports)


SCOPE = CapabilityScope(noun="host", example="api.example.com", normal=normal_pattern, covers=covers)


@lru_cache(maxsize=1024)
def granted_hosts(capabilities: frozenset[str], capability: str) -> tuple[HostPattern, ...]:
    """Return the hosts that a script has been granted."""
    own = f"{capability}:"
    return tuple(_readable(name.removeprefix(own) for name in sorted(capabilities) if name.startswith(own)))


def _readable(texts: Iterable[str]) -> Iterable[HostPattern]:
    for text in texts:
        try:
            yield read_pattern(text)
        except Invalid:
            # Granted under other rules than today's: it allows nothing.
            continue


def _split(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port or _is_address(text):
        return text, 0
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:
        raise Invalid("the port must be a number from 1 to 65535.")
    return host, int(port)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
