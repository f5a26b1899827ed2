"""Where a request goes: an address of http or https, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urljoin

from aiwebengine.errors import Invalid
from aiwebengine.host.host_patterns import DEFAULT_PORTS, normal_name

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\\]+)(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>[/?][^#]*)?(?:#.*)?",
    re.IGNORECASE,
)
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_UNSAFE = re.compile(r"[^\x21-\x7e]")
_LONGEST = 64 * 1024
_LONGEST_KEPT = 500

# The Fetch standard, "port blocking".
BAD_PORTS = frozenset(
    [
        0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
        109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526,
        530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045,
        4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
    ]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetUrl:
    """One address."""

    scheme: str
    host: str
    """Without brackets, in ASCII and lower case."""
    port: int
    path: str
    """With the query, from `/` on."""

    @property
    def authority(self) -> str:
        """Return host and port as an address has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        """Return the value of the header `host`."""
        return self.authority.rpartition(":")[0] if self.port == DEFAULT_PORTS[self.scheme] else self.authority

    @property
    def origin(self) -> tuple[str, str, int]:
        """Return what distinguishes one server from another."""
        return self.scheme, self.host, self.port

    @property
    def url(self) -> str:
        """Return the address, without a fragment."""
        return f"{self.scheme}://{self.host_header}{self.path}"


def read_target(url: str) -> TargetUrl:
    """
    Read an address.

    Raises:
        Invalid: It is neither http nor https, or has a user, or a port that is never used for them.
    """
    return _known_target(url) if len(url) <= _LONGEST_KEPT else _read_target(url)


def _read_target(url: str) -> TargetUrl:
    match = _URL.fullmatch(url) if len(url) <= _LONGEST and _PRINTABLE.fullmatch(url) else None
    if match is None:
        raise Invalid(_why_not(url))
    scheme = match["scheme"].lower()
    port = int(match["port"]) if match["port"] else DEFAULT_PORTS[scheme]
    if port in BAD_PORTS or port > 65535:
        raise Invalid(f"fetch: port {port} is blocked: it belongs to another protocol than HTTP.")
    try:
        host = normal_name(match["host"])
    except Invalid as error:
        raise Invalid(f"fetch: {match['host'][:100]} cannot be a host: {error.public}") from None
    path = match["path"] or "/"
    return TargetUrl(scheme, host, port, path if path.startswith("/") else f"/{path}")


_known_target = lru_cache(maxsize=1000)(_read_target)
"""Scripts call the same addresses again and again."""


def joined(target: TargetUrl, location: str) -> str:
    """Return the address that a `location` header means; it may be relative."""
    text = _UNSAFE.sub(lambda letter: "".join(f"%{byte:02X}" for byte in letter[0].encode()), location.strip())
    return urljoin(target.url, text)


def _why_not(url: str) -> str:
    scheme = url.partition(":")[0].lower()
    if len(url) > _LONGEST:
        return f"fetch: an address may have at most {_LONGEST} characters; this one has {len(url)}."
    if scheme in DEFAULT_PORTS and "@" in url.partition("://")[2].partition("/")[0]:
        return "fetch: an address must not contain a user name or password; send them in the header authorization."
    if scheme not in DEFAULT_PORTS:
        return f'fetch: addresses begin with https:// or http://; "{scheme[:20]}:" is not supported.'
    return "fetch: this is not a valid address."
