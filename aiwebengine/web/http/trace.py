"""`traceparent`: which trace a request belongs to, as the W3C's Trace Context says it."""

from __future__ import annotations

import re

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_PARENT = "0" * 32, "0" * 16
_LONGEST = 512


def trace_parent(value: str) -> str:
    """
    Return a `traceparent` header in the form of version 00, which is the one that can be passed on.

    Of a later version its first four fields are taken, and of its flags the one that is known, as the standard says.

    Returns:
        Empty if the value is not valid; so is one of several headers, which come joined.
    """
    match = _FORM.fullmatch(value) if len(value) <= _LONGEST else None
    if match is None:
        return ""
    version, trace, parent, flags, more = match.groups()
    if version == "ff" or trace == _NO_TRACE or parent == _NO_PARENT or (version == "00" and more is not None):
        return ""
    if version != "00":
        flags = f"{int(flags, 16) & 1:02x}"
    return f"00-{trace}-{parent}-{flags}"


def trace_id(parent: str) -> str:
    """Return the id of the trace in what `trace_parent` gave; empty if that is empty."""
    return parent[3:35]
