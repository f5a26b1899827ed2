"""The real invoker, over whatever plays the runner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from aiwebengine.runtime.invoker import Admission, Invoker
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.runs.run import Run
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Invocation


def an_invoker(
    runner: Any,
    *,
    current: Current | None = None,
    limits: LimitSettings | None = None,
    prefix: str = "id",
    admission: Sequence[Admission] = (),
    recording: Callable[[str, str], str] = lambda _script, _name: "",
) -> Invoker:
    """
    Make an invoker.

    Args:
        runner: Has the methods of `Runner` that the test needs.
        prefix: Of the ids that it makes, before a number that begins at 1.
    """
    numbers = count(1)
    return Invoker(
        runner=runner,
        current=current or Current(),
        limits=limits or LimitSettings(),
        new_id=lambda: f"{prefix}-{next(numbers)}",
        admission=admission,
        recording=recording,
    )


class RunsWith:
    """
    A runner that hands each invocation on.

    Args:
        run: Takes the invocation and its sink.
    """

    def __init__(self, run: Callable[[Invocation, Sink], Any]) -> None:
        self._run = run

    def run(self, invocation: Invocation, sink: Sink) -> Run:
        """See `Runner.run`."""
        run: Run = self._run(invocation, sink)
        return run
