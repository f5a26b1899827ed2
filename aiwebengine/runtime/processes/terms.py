"""What a group of processes is handed, what it hands to them, and what they say first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiwebengine.errors import ScriptFailed
from aiwebengine.interfaces import ScriptSource
from aiwebengine.runtime.processes.child import times_of
from aiwebengine.runtime.processes.slots import Slots
from aiwebengine.runtime.processes.stock import StockLimit
from aiwebengine.runtime.wire.control import Control
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from aiwebengine.settings.script_env import ScriptEnv
from aiwebengine.values import Allowance, Invocation


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTerms:
    """Under which a version runs."""

    isolation: str
    max_running: int
    memory_bytes: int
    weight: float = 1.0
    """See `slots.Share`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupContext:
    """What every group is handed."""

    reactor: Any
    zygote: Callable[[], Control | None]
    next_number: Callable[[], int]
    source: ScriptSource
    slots: Slots
    stock_limit: StockLimit
    pool: PoolSettings
    cores: int
    """Of the machine."""
    limits: LimitSettings
    seconds: Callable[[], float]
    wall: Callable[[], float]
    entropy: Callable[[int], bytes]
    env: ScriptEnv = field(default_factory=ScriptEnv)
    """The plain settings of scripts."""


class Payloads:
    """
    Makes what one version's processes are sent; all but its ends is the same each time.

    Args:
        limits: The default limits of an invocation.
        wall: The time, seconds since 1970.
        entropy: Random bytes for the seeds.
    """

    def __init__(self, *, limits: LimitSettings, wall: Callable[[], float], entropy: Callable[[int], bytes]) -> None:
        self._limits = limits
        self._wall = wall
        self._entropy = entropy
        self._prepared: dict[tuple[str, int], _PreparedRun] = {}

    def of(self, invocation: Invocation) -> tuple[bytes, bytes, str, int]:
        """
        Return what begins *invocation*.

        Returns:
            The value of its box, which a long body (`Invocation.body`) follows; the part of the box which says how long
            it may take; and the seed and the time that are in the value.
        """
        handler = invocation.handler.id if invocation.handler is not None else 0
        prepared = self._prepared.get((invocation.kind, handler))
        if prepared is None or not prepared.fits(invocation):
            prepared = self._prepared[invocation.kind, handler] = self._prepare(invocation, handler)
        replay = invocation.replay
        seed, now = (self._entropy(16).hex(), int(self._wall() * 1000)) if replay is None else (replay.seed, replay.now)
        user = "null" if not invocation.principal.id else json.dumps({"id": invocation.principal.id})
        text = (
            f'{prepared.prefix}{invocation.id}","seed":"{seed}",'
            f'"t":[{now // 1_000_000},{now % 1_000_000},{prepared.wall_milliseconds}],'
            f'"user":{user},"q":{invocation.payload}}}'
        )
        value = text.encode("ascii")
        if invocation.body:
            value += b"\0"
        return value, prepared.times, seed, now

    def _prepare(self, invocation: Invocation, handler: int) -> _PreparedRun:
        return _PreparedRun(
            allowance=invocation.allowance,
            wall_seconds=invocation.wall_seconds,
            cpu_seconds=invocation.cpu_seconds,
            prefix=(
                f'{{"k":{json.dumps(invocation.kind)},"h":{handler},"script":{json.dumps(invocation.script)},'
                f'"version":{json.dumps(invocation.version)},"b":{_budget(invocation.allowance or self._limits)},"i":"'
            ),
            times=times_of(wall_seconds=invocation.wall_seconds, cpu_seconds=invocation.cpu_seconds),
            wall_milliseconds=int(invocation.wall_seconds * 1000),
        )


class _PreparedRun(NamedTuple):
    """What is the same for all invocations of one handler that may use the same."""

    allowance: Allowance | None
    wall_seconds: float
    cpu_seconds: float
    prefix: str
    times: bytes
    wall_milliseconds: int

    def fits(self, invocation: Invocation) -> bool:
        """Return whether *invocation* may use the same."""
        return (
            self.allowance is invocation.allowance
            and self.wall_seconds == invocation.wall_seconds
            and self.cpu_seconds == invocation.cpu_seconds
        )


def _budget(allowed: Allowance | LimitSettings) -> str:
    """Return `ctx.invocation.budget` as JSON in a string, since few ask for it; in the words of a manifest."""
    report = {
        "timeout": round(allowed.wall_seconds * 1000),
        "cpu": round(allowed.cpu_seconds * 1000),
        "answer": allowed.answer_bytes,
        "stream": allowed.stream_bytes,
        "hostCalls": allowed.host_calls,
        "openHostCalls": allowed.open_host_calls,
        "logLines": allowed.log_lines,
        "logSize": allowed.log_bytes,
    }
    return json.dumps(json.dumps(report, separators=(",", ":")))


def check_loaded(report: Mapping[str, Any]) -> tuple[int, tuple[str, ...], tuple[Mapping[str, Any], ...]]:
    """
    Check what a kernel reported after loading; it may be forged.

    Returns:
        The number of handlers, the top-level names, the warnings.

    Raises:
        ScriptFailed: It is not what a kernel reports.
    """
    handlers, names, warnings = report.get("handlers"), report.get("names"), report.get("warnings")
    if (
        not isinstance(handlers, int)
        or not isinstance(names, list)
        or not isinstance(warnings, list)
        or not all(isinstance(name, str) for name in names)
        or not all(isinstance(warning, dict) for warning in warnings)
    ):
        raise ScriptFailed("The script's process sent an invalid answer to the load.")
    return handlers, tuple(names[:1000]), tuple(warnings[:100])
