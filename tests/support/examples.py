"""How many examples a generated test tries."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 100


def examples(count: int) -> settings:
    """Return settings for *count* examples in an ordinary run; a quick one tries fewer, a full one more."""
    return settings(max_examples=scaled(count))


def scaled(count: int) -> int:
    """Return how many of something a test tries that tries *count* in an ordinary run."""
    default = settings.default
    assert default is not None
    return max(1, count * default.max_examples // _USUAL)
