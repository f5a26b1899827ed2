"""What a group of processes is handed, what it hands to them, and what they say first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiwebengine.errors import ScriptFailed
from aiwebengine.interfaces import ScriptSource
from aiwebengine.runtime.processes.child import times_of
from aiwebengine.runtime.processes.slots import Slots
from aiwebengine.runtime.wire.control import Control
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from aiwebengine.values import Allowance, Invocation

_MOST_TIMES = 1000


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
    pool: PoolSettings
    cores: int
    """Of the machine."""
    limits: LimitSettings
    seconds: Callable[[], float]
    wall: Callable[[], float]
    entropy: Callable[[int], bytes]


class Payloads:
    """
    Makes what one version's processes are sent; all but the ends of it is the same each time.

    Args:
        limits: What an invocation may use of which nothing else is said.
        wall: The time, seconds since 1970.
        entropy: Random bytes for the seeds.
    """

    def __init__(self, *, limits: LimitSettings, wall: Callable[[], float], entropy: Callable[[int], bytes]) -> None:
        self._limits = limits
        self._wall = wall
        self._entropy = entropy
        self._prefixes: dict[tuple[str, int], tuple[Allowance | None, str]] = {}
        self._times: dict[tuple[float, float], bytes] = {}

    def of(self, invocation: Invocation) -> tuple[bytes, str, int]:
        """Return the value of the box that begins *invocation*, with the seed and the time that are in it."""
        handler = invocation.handler.id if invocation.handler is not None else 0
        key = (invocation.kind, handler)
        allowed, prefix = self._prefixes.get(key) or (None, "")
        if not prefix or allowed is not invocation.allowance:
            prefix = (
                f'{{"k":{json.dumps(invocation.kind)},"h":{handler},"script":{json.dumps(invocation.script)},'
                f'"version":{json.dumps(invocation.version)},"b":{_budget(invocation.allowance or self._limits)},"i":"'
            )
            self._prefixes[key] = (invocation.allowance, prefix)
        replay = invocation.replay
        seed, now = (self._entropy(16).hex(), int(self._wall() * 1000)) if replay is None else (replay.seed, replay.now)
        user = "null" if not invocation.principal.id else json.dumps({"id": invocation.principal.id})
        text = (
            f'{prefix}{invocation.id}","seed":"{seed}","now":{now},'
            f'"deadline":{now + int(invocation.wall_seconds * 1000)},"user":{user},"q":{invocation.payload}}}'
        )
        value = text.encode("ascii")
        return b"%b\0%b" % (value, invocation.body) if invocation.body else value, seed, now

    def times(self, invocation: Invocation) -> bytes:
        """Return the part of that box which says how long *invocation* may take."""
        key = (invocation.wall_seconds, invocation.cpu_seconds)
        times = self._times.get(key)
        if times is None:
            if len(self._times) >= _MOST_TIMES:
                self._times.clear()
            times = self._times[key] = times_of(wall_seconds=key[0], cpu_seconds=key[1])
        return times


def _budget(allowed: Allowance | LimitSettings) -> str:
    """Return `ctx.invocation.budget` as JSON in a string, since few ask for it; in the words of a manifest."""
    told = {
        "timeout": round(allowed.wall_seconds * 1000),
        "cpu": round(allowed.cpu_seconds * 1000),
        "answer": allowed.answer_bytes,
        "stream": allowed.stream_bytes,
        "hostCalls": allowed.host_calls,
        "openHostCalls": allowed.open_host_calls,
        "logLines": allowed.log_lines,
        "logSize": allowed.log_bytes,
    }
    return json.dumps(json.dumps(told, separators=(",", ":")))


def check_loaded(told: Mapping[str, Any]) -> tuple[int, tuple[str, ...], tuple[Mapping[str, Any], ...]]:
    """
    Check what a kernel told after loading; all of it may be forged.

    Returns:
        The number of handlers, the top-level names, the warnings.

    Raises:
        ScriptFailed: It is not what a kernel tells.
    """
    handlers, names, warnings = told.get("handlers"), told.get("names"), told.get("warnings")
    if (
        not isinstance(handlers, int)
        or not isinstance(names, list)
        or not isinstance(warnings, list)
        or not all(isinstance(name, str) for name in names)
        or not all(isinstance(one, dict) for one in warnings)
    ):
        raise ScriptFailed("The script's process sent an invalid answer to the load.")
    return handlers, tuple(names[:1000]), tuple(warnings[:100])
