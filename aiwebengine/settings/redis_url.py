"""
Addresses of Redis and Valkey.

    redis://host:6379/0                      TCP; port and number of the database may be left out
    redis://:password@host, redis://name:password@host
    rediss://host                            the same with TLS
    unix:///run/redis/redis.sock?db=0        a socket of this machine

Names and passwords are percent-encoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

_PORT = 6379
_MOST_DATABASES = 1_000_000
_PREFIX = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """Address of a server, and the user to sign in as."""

    host: str = ""
    """Empty for a socket of this machine."""
    port: int = _PORT
    path: str = ""
    """Of that socket."""
    tls: bool = False
    username: str = ""
    """Empty: the default user."""
    password: str = field(default="", repr=False)
    """Empty: none."""
    database: int = 0

    def __str__(self) -> str:
        """Return the address for people: without name and password."""
        if self.path:
            return f"unix://{self.path}?db={self.database}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{host}:{self.port}/{self.database}"


def parse(url: str) -> RedisAddress:
    """
    Read an address.

    Raises:
        ValueError: It is not valid; the text does not show it.
    """
    wrong = "This is not an address of a Redis server."
    try:
        parts = urlsplit(url)
        port = parts.port
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError(wrong) from None
    local = parts.scheme == "unix"
    number = query.pop("db", "0") if local else parts.path.strip("/") or "0"
    plain = not (parts.fragment or query) and (local or not parts.query)
    placed = bool(not parts.hostname and parts.path.startswith("/")) if local else bool(parts.hostname and port != 0)
    known = parts.scheme in {"redis", "rediss", "unix"} and len(number) <= 7 and number.isascii() and number.isdigit()
    if not (known and placed and plain) or int(number) > _MOST_DATABASES or (parts.username and not parts.password):
        raise ValueError(wrong)
    return RedisAddress(
        host="" if local else parts.hostname or "",
        port=port or _PORT,
        path=unquote(parts.path) if local else "",
        tls=parts.scheme == "rediss",
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=int(number),
    )


def is_redis_url(text: str) -> bool:
    """Return whether it is empty, or an address."""
    try:
        parse(text)
    except ValueError:
        return not text
    return True


def is_prefix(text: str) -> bool:
    """Return whether keys may begin with it."""
    return bool(_PREFIX.fullmatch(text))
