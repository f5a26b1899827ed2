"""
Budgets: how much a script may use in a stretch of time.

    1000/1m      a thousand in each minute
    30s/1h       half a minute of processor time in each hour
    1GB/1d       a gigabyte in each day

The stretches follow each other without a gap and begin at whole minutes, hours, days of UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiwebengine.settings.amounts import duration_ms, size_bytes

_LEAST_SECONDS = 60
_MOST_SECONDS = 31 * 86_400
_MOST = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something of which a script uses more and more."""

    name: str
    """The name of its setting, under which it is stored."""
    noun: str
    example: str
    unit: str = ""
    """`us` if it is shown as a duration, `bytes` as a size; empty for a count."""


RESOURCES: Mapping[str, Resource] = {
    "invocations": Resource(name="invocations", noun="invocations", example="1000/1m"),
    "cpu": Resource(name="cpu_time", noun="of processor time", example="30s/1h", unit="us"),
    "hostCalls": Resource(name="host_calls", noun="host calls", example="10000/1m"),
    "rows": Resource(name="rows", noun="rows", example="100000/1h"),
    "logLines": Resource(name="log_lines", noun="log lines", example="1000/1m"),
    "bytesOut": Resource(name="bytes_out", noun="of answers", example="1GB/1d", unit="bytes"),
    "fetches": Resource(name="fetches", noun="requests to other servers", example="1000/1h"),
    "fetchBytes": Resource(name="fetch_bytes", noun="to and from other servers", example="1GB/1d", unit="bytes"),
}
"""By the word with which a manifest names it."""

BY_NAME: Mapping[str, Resource] = {resource.name: resource for resource in RESOURCES.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """So much in a stretch of time."""

    resource: str
    """Its name."""
    most: int
    """In the smallest unit: microseconds, bytes, or a count."""
    seconds: int
    """Length of the stretch."""

    def __str__(self) -> str:
        """Return it in words: `1000 host calls a minute`."""
        resource = BY_NAME[self.resource]
        return f"{amount_of(self.most, resource)} {resource.noun} {_stretch(self.seconds)}"


def read_budget(text: Any, resource: Resource) -> Budget | None:
    """Read `1000/1m`; None if it is not a budget of *resource*."""
    if not isinstance(text, str) or len(text) > 50:
        return None
    amount, slash, stretch = text.replace(" ", "").partition("/")
    milliseconds = duration_ms(stretch) if slash else None
    if milliseconds is None or not amount:
        return None
    if resource.unit == "us":
        amount_ms = duration_ms(amount)
        most = None if amount_ms is None else amount_ms * 1000
    elif resource.unit == "bytes":
        most = float(amount) if amount.isascii() and amount.isdigit() else size_bytes(amount)
    else:
        most = float(amount) if amount.isascii() and amount.isdigit() else None
    seconds = milliseconds / 1000
    if most is None or not 1 <= most <= _MOST or not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:
        return None
    return Budget(resource=resource.name, most=int(most), seconds=int(seconds))


def is_budget_of(name: str) -> Any:
    """Return a check for the strings of the setting *name*."""
    return lambda text: read_budget(text, BY_NAME[name]) is not None


def amount_of(amount: int, resource: Resource) -> str:
    """Return an amount with its unit."""
    if resource.unit == "us":
        return f"{amount / 1e6:g} s"
    if resource.unit == "bytes":
        return f"{amount} bytes"
    return str(amount)


def _stretch(seconds: int) -> str:
    for name, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds % length == 0:
            count = seconds // length
            return f"a{'n' if name == 'hour' else ''} {name}" if count == 1 else f"in {count} {name}s"
    return f"in {seconds} s"
