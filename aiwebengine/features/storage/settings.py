"""Settings of storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_KIB = 1024
_MIB = 1024 * _KIB
_GIB = 1024 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSettings:
    """What scripts store with `kv`, `sharedStorage` and `personalStorage`."""

    max_value_bytes: Annotated[int, NumberRange(least=_KIB, most=64 * _MIB)] = 1024 * 1024
    """Maximum size of a value including its key."""
    max_bytes: Annotated[int, NumberRange(least=_KIB, most=1024 * _GIB)] = 256 * 1024 * 1024
    """Maximum size of everything that one script stores."""
    max_entries: Annotated[int, NumberRange(least=1, most=1_000_000_000)] = 100_000
    """Maximum number of entries of one script."""
