"""One secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiwebengine.errors import Invalid
from aiwebengine.host.host_patterns import HostPattern, read_pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret, with its value: not shown by `repr`, so that no log or traceback has it."""

    name: str
    value: bytes = field(repr=False)
    source: str
    """Name of the source that it comes from."""
    hosts: tuple[HostPattern, ...] = ()
    """To which its source binds it; empty: it binds it to none."""


def without_line_end(value: bytes) -> bytes:
    """Return the content of a file without the one line break that editors and `echo` leave at its end."""
    return value.removesuffix(b"\n").removesuffix(b"\r") if value.endswith(b"\n") else value


def read_hosts(texts: Sequence[str]) -> tuple[HostPattern, ...]:
    """
    Return patterns of hosts.

    Raises:
        Invalid: One is none; the message names it.
    """
    patterns = []
    for text in texts:
        try:
            patterns.append(read_pattern(text))
        except Invalid as error:
            raise Invalid(f"{text[:100]!r} is no host: {error.public}") from None
    return tuple(patterns)
