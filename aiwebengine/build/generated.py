"""
Lowering code that scripts make while they run, in a worker of its own.

What scripts make code of may come from their visitors.  So no deployment waits behind it: its worker is another
process than the one that builds, has less of the processor, and is started only when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from aiwebengine.build.worker import BuildFailed, Worker, WorkerTerms
from aiwebengine.errors import CallTimeout, Unavailable
from aiwebengine.services.breaker import Rules
from aiwebengine.services.guarded import GuardedDependency, GuardTerms
from aiwebengine.services.retry import Attempts, Backoff

_NICENESS = 10
"""Deployments have precedence over it, and requests over both."""
_LONGEST_START = 20.0
"""Starting the worker, and ending one that has run out of time, may take so long together."""
_MOST_MESSAGE = 2000


class CodeLowering(Service):
    """
    Lowers one function or program at a time.

    Args:
        new_worker: See `builder.Builder.new_worker`.
        seconds: Longest time for one.
        setting: What an administrator sets to change that.
        clock: Times the calls.
        random: Returns a number from 0 to 1, for the waits between attempts.
    """

    def __init__(
        self,
        *,
        new_worker: Callable[[WorkerTerms], Worker],
        seconds: float,
        setting: str,
        clock: Any,
        random: Callable[[], float],
    ) -> None:
        self._new_worker = new_worker
        self._terms = WorkerTerms(seconds=seconds, setting=setting, niceness=_NICENESS)
        self.working = GuardedDependency(
            name="worker for generated code", terms=_working(seconds), clock=clock, random=random
        )
        """The way to the worker."""
        self._worker: Worker | None = None
        self._stopped = False

    def stopService(self) -> Deferred[None] | None:
        """End the worker; what it lowers fails."""
        super().stopService()
        self._stopped = True
        worker, self._worker = self._worker, None
        return worker.stop() if worker is not None else None

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return self._worker.state() if self._worker is not None else {"pid": None}

    async def lower(self, *, parameters: str | None, body: str) -> str:
        """
        Lower code that a script makes while it runs.

        Args:
            parameters: Of a function, as they stand between its parentheses; None for a program.
            body: Of the function, or the program.

        Returns:
            ES5 in ASCII: the body of a function that returns the function, or one that runs the program.

        Raises:
            SyntaxError: It cannot be parsed.  The message has no line; `lineno` has it, if it is known.
            CallTimeout: It took too long.
            Unavailable: The worker cannot be used.
        """
        if self._stopped:
            raise Unavailable("The server is stopping.")
        if self._worker is None:
            self._worker = self._new_worker(self._terms)
        request = {"op": "generated", "parameters": parameters, "body": body}
        try:
            answer = await self.working.run(partial(self._worker.ask, request, None), repeatable=True)
        except BuildFailed as failed:
            raise self._failure(failed) from failed
        if "syntax" in answer:
            error = SyntaxError(str(answer["syntax"]["message"])[:_MOST_MESSAGE])
            error.lineno = answer["syntax"]["line"]
            raise error
        return str(answer["source"], "ascii")

    def _failure(self, failed: BuildFailed) -> CallTimeout | Unavailable:
        if failed.late:
            return CallTimeout(
                f"Code that is made at run time must be compiled within {self._terms.seconds:g} s "
                f"({self._terms.setting}); make less code at a time, or write it into the script."
            )
        return Unavailable(f"The build worker (node) cannot compile code that is made at run time: {failed}.")


def _working(seconds: float) -> GuardTerms:
    """How requests to the worker are made; it takes one request at a time and bounds each itself."""
    return GuardTerms(
        seconds=seconds + _LONGEST_START,
        places=1,
        attempts=Attempts(
            most=2, total_seconds=_LONGEST_START, backoff=Backoff(first_seconds=0.1, longest_seconds=1.0)
        ),
        rules=Rules(failures=4, open_for=Backoff(first_seconds=2.0, longest_seconds=60.0)),
        faulty=lambda error: isinstance(error, BuildFailed) and error.crashed,
    )
