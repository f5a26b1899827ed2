"""Settings of assets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_MIB = 1024 * 1024
_GIB = 1024 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetSettings:
    """The files of `public/`, and assets that scripts store with `upsertAsset`."""

    max_count: Annotated[int, NumberRange(least=1, most=10_000_000)] = 100_000
    """Maximum number of assets that one script stores."""
    max_total_bytes: Annotated[int, NumberRange(least=1024, most=1024 * _GIB)] = _GIB
    """Maximum size of all assets that one script stores."""
    memory_bytes: Annotated[int, NumberRange(least=0, most=64 * _GIB)] = 32 * _MIB
    """Size of the cache in memory for small files."""
    cache_bytes: Annotated[int, NumberRange(least=0, most=1024 * _GIB)] = 256 * _MIB
    """Size of the cache on disk for large files, in the folder `asset-cache` of the data folder."""
