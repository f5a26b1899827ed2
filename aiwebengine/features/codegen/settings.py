"""Settings of code that scripts make while they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange, OneOf


@dataclass(frozen=True, slots=True, kw_only=True)
class CodegenSettings:
    """Code that scripts make while they run: `new Function(...)` and `eval`."""

    allow: Annotated[str, OneOf(("granted", "all"))] = "granted"
    """
    Which scripts may make code: `granted` those with the capability `codegen`, `all` every script.

    The profile `development` sets `all`.
    """
    max_bytes: Annotated[int, NumberRange(least=1024, most=4 * 1024 * 1024)] = 256 * 1024
    """Largest source of one function or program, in bytes of UTF-8."""
    cache_bytes: Annotated[int, NumberRange(least=0, most=1024**3)] = 8 * 1024 * 1024
    """Memory for lowered code, which is not lowered again if a script makes it again."""
    seconds: Annotated[float, NumberRange(least=0.1, most=600)] = 5.0
    """
    Longest time for compiling one function or program.

    After it the script gets a `HostError` with the code `timeout`.
    """
    max_waiting: Annotated[int, NumberRange(least=1, most=10_000)] = 16
    """
    Functions and programs of one script that are compiled or wait for it at the same time.

    One is compiled at a time, and scripts take turns.
    """
    seconds_per_minute: Annotated[float, NumberRange(least=0.1, most=60)] = 20.0
    """Time that compiling the functions and programs of one script may take in a minute."""
