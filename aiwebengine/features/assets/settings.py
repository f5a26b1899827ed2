"""Settings of assets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_MIB = 1024 * 1024
_GIB = 1024 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetSettings:
    """Files that are served: those of `public/`, and those that scripts store with `upsertAsset`."""

    max_count: Annotated[int, NumberRange(least=1, most=10_000_000)] = 100_000
    """Most assets that one script stores."""
    max_total_bytes: Annotated[int, NumberRange(least=1024, most=1024 * _GIB)] = _GIB
    """Most bytes of assets that one script stores in all."""
    memory_bytes: Annotated[int, NumberRange(least=0, most=64 * _GIB)] = 32 * _MIB
    """Small files that are asked for often are kept in memory, up to so many bytes of all."""
    cache_bytes: Annotated[int, NumberRange(least=0, most=1024 * _GIB)] = 256 * _MIB
    """Large files are served from copies in the folder `asset-cache` of the data folder, up to so many bytes."""
