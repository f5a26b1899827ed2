"""What a client can read: which of the forms of an answer its `accept` header prefers."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
MULTIPART = "multipart/mixed"

_MOST = 50
_DEFER = "deferspec"
_DEFER_OF_2022 = "20220824"
_SUBSCRIPTION = "subscriptionspec"


class AcceptedTypes(NamedTuple):
    """What a client can read of the answers at `/graphql`."""

    kind: str | None
    """`JSON` or `RESPONSE`; None for neither."""
    incremental: bool
    """Several parts, if the operation asks for that."""
    events: bool
    """A stream of events."""
    streamed: bool
    """A stream of events, rather than one answer."""
    older: bool = False
    """The parts in the format of 2022."""
    subscribed: bool = False
    """A subscription as several parts."""


@lru_cache(maxsize=512)
def accepted_types(accept: str) -> AcceptedTypes:
    """Read an `accept` header; clients repeat theirs."""
    kind = preferred(accept, (JSON, RESPONSE))
    events = named(accept, EVENTS)
    streamed = events and (kind is None or preferred(accept, (kind, EVENTS)) == EVENTS)
    several = [
        parameters
        for parameters in map(_parameters, accept.lower().split(",")[:_MOST])
        if parameters.get("") == MULTIPART
    ]
    several = [parameters for parameters in several if _number(parameters.get("q", "1")) > 0]
    parted = [parameters for parameters in several if _SUBSCRIPTION not in parameters]
    older = bool(parted) and parted[0].get(_DEFER) == _DEFER_OF_2022
    subscribed = any(parameters.get(_SUBSCRIPTION) == "1.0" for parameters in several)
    return AcceptedTypes(kind, bool(parted), events, streamed, older, subscribed)


def preferred(accept: str, offered: tuple[str, ...]) -> str | None:
    """
    Return the best of what is *offered* for an `accept` header (RFC 9110, 12.5.1); None if nothing will do.

    Args:
        accept: The header; empty if there is none, which means that anything will do.
        offered: Best first: of two that the client prefers equally, the first is chosen.
    """
    if not accept.strip():
        return offered[0]
    best: tuple[float, int, str] | None = None
    accepted = [_accepted_type(item) for item in accept.lower().split(",")[:_MOST]]
    for place, kind in enumerate(offered):
        quality = _quality(kind, accepted)
        if quality > 0 and (best is None or (quality, -place) > best[:2]):
            best = (quality, -place, kind)
    return best[2] if best is not None else None


def named(accept: str, kind: str) -> bool:
    """Return whether an `accept` header names *kind* itself."""
    return any(
        media_type == kind and quality > 0
        for media_type, quality in map(_accepted_type, accept.lower().split(",")[:_MOST])
    )


def _quality(kind: str, accepted: list[tuple[str, float]]) -> float:
    group = kind.partition("/")[0]
    # What names it most exactly decides.
    for pattern in (kind, f"{group}/*", "*/*"):
        qualities = [quality for media_type, quality in accepted if media_type == pattern]
        if qualities:
            return max(qualities)
    return 0.0


def _accepted_type(text: str) -> tuple[str, float]:
    parameters = _parameters(text)
    return parameters[""], _number(parameters.get("q", "1"))


def _parameters(text: str) -> dict[str, str]:
    """Split one item of the header; its type is the value of the empty name."""
    kind, *parameters = (part.strip() for part in text.split(";"))
    types = {"": kind}
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        types.setdefault(name.strip(), value.strip().strip('"'))
    return types


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
