"""
Calls that lower code which a script makes while it runs.

    codegen.function    for `new Function(...)`
    codegen.program     for `eval`
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

from aiwebengine.errors import Denied, TooLarge
from aiwebengine.features.codegen.declarations import CAPABILITY, FUNCTION, PROGRAM
from aiwebengine.features.codegen.settings import CodegenSettings
from aiwebengine.host.declare import HostCall, limited
from aiwebengine.host.session import CallSession, Function
from aiwebengine.services.fair_queue import FairQueue, FairTerms


class Lowers(Protocol):
    """Lowers code."""

    async def lower(self, *, parameters: str | None, body: str) -> str:
        """See `build.generated.CodeLowering.lower`."""

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""


class CodegenCalls:
    """
    The calls that lower code.

    Args:
        lowering: Lowers it.
        settings: Who may make code, how much at a time, and how much is kept.
        seconds: A clock.
    """

    def __init__(self, *, lowering: Lowers, settings: CodegenSettings, seconds: Callable[[], float]) -> None:
        self._lowering = lowering
        self._settings = settings
        self._queue = FairQueue(terms=_terms(settings), seconds=seconds)
        self._kept = LoweredCode(most_bytes=settings.cache_bytes)

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        most = self._settings.max_bytes
        return limited((FUNCTION, PROGRAM), parameters=most, body=most)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {FUNCTION.name: self._function, PROGRAM.name: self._program}

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {**self._kept.state(), **self._queue.state(), "worker": self._lowering.state()}

    def _function(self, session: CallSession, parameters: str, body: str) -> Any:
        self._require(session, "new Function", parameters, body)
        return self._lowered(session, parameters, body)

    def _program(self, session: CallSession, body: str) -> Any:
        self._require(session, "eval", body)
        return self._lowered(session, None, body)

    def _require(self, session: CallSession, what: str, *sources: str) -> None:
        if self._settings.allow == "granted" and CAPABILITY not in session.capabilities:
            raise Denied(
                f'{what} needs the capability "{CAPABILITY}", which this script has not been granted; deploy it with '
                f"--grant {CAPABILITY}."
            )
        size = sum(len(source.encode()) for source in sources)
        if size > self._settings.max_bytes:
            raise TooLarge(
                f"{what}: a function or program may have at most {self._settings.max_bytes} bytes; it has {size}."
            )

    def _lowered(self, session: CallSession, parameters: str | None, body: str) -> Any:
        """Return what is kept at once, and otherwise a coroutine."""
        key = _key(parameters, body)
        kept = self._kept.get(key)
        return {"source": kept} if kept is not None else self._wait(session, key, parameters, body)

    async def _wait(self, session: CallSession, key: bytes, parameters: str | None, body: str) -> dict[str, Any]:
        waiting = self._queue.run(session.invocation.script, partial(self._lower, key, parameters, body))
        session.at_end(waiting.cancel)
        try:
            return {"source": await waiting}
        except SyntaxError as error:
            return {"syntax": error.msg, "line": error.lineno}

    async def _lower(self, key: bytes, parameters: str | None, body: str) -> str:
        source = self._kept.get(key)  # Another may have made the same in the meantime.
        if source is None:
            source = await self._lowering.lower(parameters=parameters, body=body)
            self._kept.put(key, source)
        return source


class LoweredCode:
    """
    Lowered code by what it was lowered from; what was not used for longest is dropped.

    Args:
        most_bytes: Size of all of it.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._sources: OrderedDict[bytes, str] = OrderedDict()

    def get(self, key: bytes) -> str | None:
        """Return the code, or None if it is not here."""
        source = self._sources.get(key)
        if source is not None:
            self._sources.move_to_end(key)
        return source

    def put(self, key: bytes, source: str) -> None:
        """Keep code, unless it is larger than the limit for all of it."""
        if key in self._sources or len(source) > self._most_bytes:
            return
        self._sources[key] = source
        self._bytes += len(source)
        while self._bytes > self._most_bytes:
            _, dropped = self._sources.popitem(last=False)
            self._bytes -= len(dropped)

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return {"kept": len(self._sources), "bytes": self._bytes}


def _terms(settings: CodegenSettings) -> FairTerms:
    """Say how much is lowered at a time."""
    return FairTerms(
        places=1,
        places_each=1,
        most=settings.max_waiting,
        seconds_per_minute=settings.seconds_per_minute,
        full=(
            f"A script may make at most {settings.max_waiting} functions and programs from strings at the same time "
            "(codegen.max_waiting); make them once, at the top level, and keep them"
        ),
        spent=(
            f"The code that a script makes at run time may take {settings.seconds_per_minute:g} s of each minute to "
            "compile (codegen.seconds_per_minute), which this script has used; make functions once and keep them"
        ),
    )


def _key(parameters: str | None, body: str) -> bytes:
    # The first part says how long the second is, so that no two pairs have the same bytes.
    length = "-" if parameters is None else str(len(parameters))
    return sha256(f"{length} {parameters or ''}{body}".encode("utf-8", "surrogatepass")).digest()
