"""How many examples a generated test tries."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 100


def examples(count: int) -> settings:
    """Return settings for *count* examples in an ordinary run; a quick one tries fewer, a full one more."""
    default = settings.default
    assert default is not None
    return settings(max_examples=max(1, count * default.max_examples // _USUAL))
