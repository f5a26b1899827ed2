"""
The hosts of a script: `"hosts": ["shop.example.org", "*.example.org"]` in its manifest.

A name is written as it comes in a `Host` header: without a port, and an international one in its ASCII form.
`*.example.org` is every host below `example.org`, and not `example.org` itself.
"""

from __future__ import annotations

import re

MOST_HOSTS = 50

_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_LONGEST = 253


def normal_host(name: str) -> str:
    """Return *name* as it is compared: lower case, without a dot at its end."""
    return name.lower().removesuffix(".")


def why_not_host(name: str) -> str | None:
    """
    Return what is wrong with a host; None if nothing is.

    Args:
        name: In its normal form.
    """
    if not name.isascii():
        return f"must be in ASCII form{_ascii_form(name)}"
    if ":" in name or "/" in name:
        return "must be a name without a scheme, a port or a path; requests on every port are answered"
    if len(name) > _LONGEST or not _HOST.fullmatch(name):
        return 'must be a host such as "shop.example.org", or "*.example.org" for all below it'
    return None


def _ascii_form(name: str) -> str:
    try:
        return f': "{name.encode("idna").decode("ascii")}"'
    except UnicodeError:
        return ', which begins with "xn--"'
