"""
Which routes answer on which host.

Scripts that name hosts answer on those only; scripts that name none answer on every host.  A request is matched
in tiers, the most specific first:

    shop.example.org    scripts that name it
    *.example.org       scripts that name a wildcard, the longest one first
    (none)              scripts that name no host

The first tier with a route for path and method answers.  Where no script names a host, this is not used: see
`Registry.hosts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aiwebengine.runtime.routes import NO_ROUTE, Match, NoRoute, Routes
from aiwebengine.values import RouteMatch

_MOST_KNOWN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What answers under one name."""

    routes: Routes = field(default_factory=Routes)
    scripts: tuple[str, ...] = ()
    """URIs of the scripts that name it, or of those that name no host."""


class Hosts:
    """
    The tiers of all names.

    Args:
        named: By name: a host such as `shop.example.org`, or a wildcard such as `*.example.org`.
        everywhere: Scripts that name no host.
    """

    def __init__(self, *, named: Mapping[str, Tier], everywhere: Tier) -> None:
        self._named = dict(named)
        self._everywhere = everywhere
        self._known: dict[str, Sequence[Tier]] = {}
        """By `Host` header: clients repeat themselves."""

    def tiers(self, header: str) -> Sequence[Tier]:
        """
        Return what may answer on a host, the most specific first.

        Args:
            header: The `Host` header of a request; empty if it has none.
        """
        known = self._known.get(header)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            scripts = [self._named[name] for name in _names(host_of(header)) if name in self._named]
            known = self._known[header] = (*scripts, self._everywhere)
        return known

    def match(self, header: str, method: str, path: str) -> Match:
        """
        Find what answers; see `Routes.match`.

        Args:
            header: The `Host` header; empty if there is none.
        """
        refusal: Match = NO_ROUTE
        for tier in self.tiers(header):
            match = tier.routes.match(method, path)
            if isinstance(match, RouteMatch):
                return match
            if isinstance(refusal, NoRoute):
                refusal = match
                if method == "OPTIONS" and not isinstance(match, NoRoute):
                    # What may be done with this path is not a question for less specific scripts.
                    break
        return refusal


def host_of(header: str) -> str:
    """Return the name in a `Host` header: lower case, without a port and without a dot at its end."""
    if header.startswith("["):
        return header.partition("]")[0].lower() + "]"
    return header.partition(":")[0].rstrip(".").lower()


def _names(host: str) -> Iterator[str]:
    """Return under which names *host* may be known, the most specific first."""
    yield host
    rest = host
    while "." in rest:
        rest = rest.partition(".")[2]
        yield f"*.{rest}"
