"""Settings of receipts and budgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange, StringPattern
from aiwebengine.settings.budgets import is_budget_of

_KIB = 1024
_MIB = 1024 * _KIB
_GIB = 1024 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSettings:
    """Which receipts of invocations are kept; the figures of routes count all invocations."""

    slow_seconds: Annotated[float, NumberRange(least=0, most=3600)] = 1.0
    """Receipts of invocations that took this long or longer are kept."""
    sample_every: Annotated[int, NumberRange(least=0, most=1_000_000_000)] = 1000
    """One in this number of other receipts is kept; 0 keeps none."""
    retention_days: Annotated[float, NumberRange(least=0.01, most=3650)] = 7.0
    """Kept receipts are removed after this number of days."""
    max_receipts: Annotated[int, NumberRange(least=0, most=100_000_000)] = 100_000
    """Maximum number of receipts that are kept; the oldest are removed first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSettings:
    """
    What one script may use over time; see `docs/explain/limits.md`.

    A budget is an amount and a period of at least a minute, such as `1000/1m` or `5000000/1d`.
    """

    invocations: Annotated[
        tuple[str, ...], StringPattern("a budget such as 1000/1m or 100000/1d", is_budget_of("invocations"))
    ] = ()
    """Invocations of one script."""
    cpu_time: Annotated[
        tuple[str, ...], StringPattern("a budget such as 30s/1m or 10m/1h", is_budget_of("cpu_time"))
    ] = ()
    """Processor time of one script's processes."""
    host_calls: Annotated[tuple[str, ...], StringPattern("a budget such as 1000000/1m", is_budget_of("host_calls"))] = (
        "3000000/1m",
    )
    """Host calls of one script."""
    rows: Annotated[tuple[str, ...], StringPattern("a budget such as 100000/1h", is_budget_of("rows"))] = ()
    """Rows of the database that one script reads and writes."""
    log_lines: Annotated[tuple[str, ...], StringPattern("a budget such as 100000/1m", is_budget_of("log_lines"))] = (
        "300000/1m",
    )
    """Log lines of one script, including dropped ones."""
    bytes_out: Annotated[
        tuple[str, ...], StringPattern("a budget such as 1GB/1h or 20GB/1d", is_budget_of("bytes_out"))
    ] = ()
    """Bytes of the answers of one script."""
    fetches: Annotated[tuple[str, ...], StringPattern("a budget such as 1000/1h", is_budget_of("fetches"))] = ()
    """Requests of one script to other servers; beyond it `fetch` fails, and the script goes on."""
    fetch_bytes: Annotated[
        tuple[str, ...], StringPattern("a budget such as 1GB/1h or 20GB/1d", is_budget_of("fetch_bytes"))
    ] = ()
    """Bytes of the bodies of these requests and of their answers, decompressed."""
