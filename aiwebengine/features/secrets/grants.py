"""
Which secrets a script may use, and for which hosts, as it is asked for and granted.

    secret:STRIPE_KEY                    for keys, and for the hosts to which the secret's source binds it
    secret:STRIPE_KEY@api.stripe.com     for keys, and for requests to this host

    "secrets": ["STRIPE_KEY@api.stripe.com", "SIGNING_KEY"]
    "secrets": {"STRIPE_KEY": {"hosts": ["api.stripe.com"]}, "SIGNING_KEY": {}}

A host counts only if somebody has named it whom the script cannot speak for: whoever granted it, or the source.
If both name hosts, both must cover it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from aiwebengine.errors import Invalid
from aiwebengine.features.secrets.names import check_name
from aiwebengine.features.secrets.values import Secret
from aiwebengine.host import host_patterns
from aiwebengine.host.host_patterns import HostPattern, normal_pattern, read_pattern
from aiwebengine.values import CapabilityScope

CAPABILITY = "secret"
"""The capability to use a secret."""
MANIFEST_KEY = "secrets"

_PREFIX = f"{CAPABILITY}:"


def _normal(text: str) -> str:
    name, at, host = text.partition("@")
    check_name(name)
    return f"{name}@{normal_pattern(host)}" if at else name


def _covers(granted: str, asked: str) -> bool:
    """A grant without a host leaves hosts to the source, which may well bind the one that is asked for."""
    name, _, host = granted.partition("@")
    asked_name, _, asked_host = asked.partition("@")
    return name == asked_name and (not host or not asked_host or host_patterns.covers(host, asked_host))


def _asked(value: Any) -> Sequence[str] | None:
    if isinstance(value, list):
        return value if all(isinstance(item, str) for item in value) else None
    if not isinstance(value, dict):
        return None
    asked: list[str] = []
    for name, options in value.items():
        hosts = options.get("hosts", []) if isinstance(options, dict) and set(options) <= {"hosts"} else None
        if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
            return None
        asked += [f"{name}@{host}" for host in hosts] or [name]
    return asked


SCOPE = CapabilityScope(
    noun="name",
    example="STRIPE_KEY@api.stripe.com",
    normal=_normal,
    covers=_covers,
    key=MANIFEST_KEY,
    asked=_asked,
    form=(
        'an object such as {"STRIPE_KEY": {"hosts": ["api.stripe.com"]}}, or a list such as '
        '["STRIPE_KEY@api.stripe.com"]'
    ),
)


@lru_cache(maxsize=1024)
def granted_secrets(capabilities: frozenset[str]) -> Mapping[str, tuple[HostPattern, ...]]:
    """Return the secrets that a script may use, each with the hosts that were granted for it."""
    granted: dict[str, tuple[HostPattern, ...]] = {}
    for capability in sorted(capabilities):
        if not capability.startswith(_PREFIX):
            continue
        name, _, host = capability.removeprefix(_PREFIX).partition("@")
        try:
            hosts = (read_pattern(host),) if host else ()
        except Invalid:
            # Granted under other rules than today's: it allows nothing.
            continue
        granted[name] = (*granted.get(name, ()), *hosts)
    return granted


def why_not_for(secret: Secret, granted: Collection[HostPattern], *, host: str, port: int) -> str:
    """Return why a secret may not be sent to a host, with the remedy; empty if it may."""
    shown = f"{host}:{port}" if port not in host_patterns.DEFAULT_PORTS.values() else host
    covered = any(pattern.covers(host, port) for pattern in granted)
    if secret.hosts and not any(pattern.covers(host, port) for pattern in secret.hosts):
        return f"{secret.source} binds it to other hosts; an administrator may add {shown} there."
    if covered or (secret.hosts and not granted):
        return ""
    return f"it is not granted for this host; deploy the script with --grant {_PREFIX}{secret.name}@{shown}."
