"""Limits of what scripts ask of their databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Tables of scripts: `database`."""

    max_rows: Annotated[int, NumberRange(least=1, most=1_000_000)] = 10_000
    """Maximum number of rows that one call returns; longer results are read in pages."""
    max_answer_bytes: Annotated[int, NumberRange(least=1024, most=16 * _MIB)] = _MIB
    """Maximum size of the rows that one call returns, as JSON."""
    statement_seconds: Annotated[float, NumberRange(least=0.01, most=14)] = 5.0
    """Maximum processor time of one statement."""
    max_wait_seconds: Annotated[float, NumberRange(least=0.05, most=10)] = 1.0
    """
    Maximum time for which a script may hold its database's one writer while it waits for anything but its database.

    Its transaction is undone then, and the invocation fails.
    """
    max_transaction_seconds: Annotated[float, NumberRange(least=0.1, most=14)] = 10.0
    """Maximum time from the first write of an invocation to its commit."""
