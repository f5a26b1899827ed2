"""
Scripts that manage scripts: `listScripts`, `getScript`, `upsertScript`, `deleteScript`.

They keep the shapes that scripts have always seen: a missing source is `""`, and
`upsertScript` returns nothing and throws nothing.  What it refuses is in the log of the
script that called it.  A new source is built and tried at the call and swapped in when
the invocation is committed; until then only the invocation itself sees it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiwebengine.errors import Conflict, DeploymentRefused, EngineError, Problem
from aiwebengine.features.management.declarations import SCRIPT_CALLS, SCRIPTS
from aiwebengine.host.declare import HostCall, limited, printable
from aiwebengine.host.effects import HeldEffect, Unit, UnitWork
from aiwebengine.host.session import CallSession, Function
from aiwebengine.values import Invocation

GROUP = SCRIPTS
"""Name of the group of effects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedSource:
    """A source that was built and checked, and does not serve yet."""

    source: str
    prepared: Any
    """The result of `prepare`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptChange:
    """One change that a commit makes."""

    uri: str
    prepared: Any
    """What `prepare` made; None: the script is deleted."""


class ScriptCalls:
    """
    The calls and effects on scripts.

    Args:
        list_scripts: URIs of all scripts that are deployed.
        read_entry: Source of the entry file of a script, None if there is no such script.
        prepare: Builds and tries a source; raises DeploymentRefused with every problem.
        commit: Makes all changes and the work beside them at once, or none; raises DeploymentRefused, Conflict
            or Unavailable.
            Deleting a script that no longer exists is not an error.
        max_source_bytes: Largest source.
    """

    def __init__(
        self,
        *,
        list_scripts: Callable[[], Awaitable[Sequence[str]]],
        read_entry: Callable[[str], Awaitable[str | None]],
        prepare: Callable[[Invocation, str, str], Awaitable[Any]],
        commit: Callable[[Invocation, Sequence[ScriptChange], UnitWork], Awaitable[None]],
        max_source_bytes: int,
    ) -> None:
        self._list_scripts = list_scripts
        self._read_entry = read_entry
        self._prepare = prepare
        self._commit = commit
        self._max_source_bytes = max_source_bytes

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return limited(SCRIPT_CALLS, content=self._max_source_bytes)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {
            "listScripts": self._all,
            "getScript": self._get,
            "upsertScript": self._upsert,
            "deleteScript": self._remove,
        }

    database: Literal["main"] = "main"
    """See `effects.Effects.database`."""

    def write(self, _unit: Unit, _effects: Sequence[HeldEffect]) -> None:
        """See `effects.Effects.write`: what deploys is committed by `deploy`."""

    def happen(self, unit: Unit, effects: Sequence[HeldEffect]) -> None:
        """See `effects.Effects.happen`: nothing follows."""

    async def deploy(self, invocation: Invocation, effects: Sequence[HeldEffect], work: UnitWork) -> None:
        """See `effects.DeploymentCommitter`."""
        changes = [
            ScriptChange(uri=effect.key, prepared=effect.value.prepared if effect.value else None) for effect in effects
        ]
        try:
            await self._commit(invocation, changes, work)
        except DeploymentRefused as refused:
            # They were good when they were prepared: something else was deployed in between.
            raise Conflict(
                f"What this invocation deploys can no longer be deployed: {_first_error(refused.problems)} Try again.",
                details=refused.details,
            ) from refused

    async def _all(self, session: CallSession) -> list[str]:
        names = set(await self._list_scripts())
        for uri, written in session.pending(GROUP).items():
            if written is None:
                names.discard(uri)
            else:
                names.add(uri)
        return sorted(names)

    async def _get(self, session: CallSession, uri: str) -> str:
        return await self._source(session, uri) or ""

    async def _upsert(self, session: CallSession, uri: str, content: str) -> None:
        try:
            prepared = await self._prepare(session.invocation, uri, content)
            pending = CheckedSource(source=content, prepared=prepared)
            session.hold(HeldEffect(group=GROUP, key=uri, value=pending, size_bytes=len(content)))
        except DeploymentRefused as error:
            refused = [problem for problem in error.problems if problem.severity == "error"]
        except EngineError as error:
            refused = [Problem(code=error.code, message=error.public)]
        else:
            return
        for problem in refused[:20]:
            place = f" ({problem.file}:{problem.line})" if problem.file and problem.line else ""
            session.note("error", f'upsertScript: "{printable(uri)}" is not deployed: {problem.message}{place}')

    async def _remove(self, session: CallSession, uri: str) -> bool:
        existed = await self._source(session, uri) is not None
        if existed:
            session.hold(HeldEffect(group=GROUP, key=uri, value=None))
        return existed

    async def _source(self, session: CallSession, uri: str) -> str | None:
        pending: Mapping[str, CheckedSource | None] = session.pending(GROUP)
        if uri in pending:
            written = pending[uri]
            return written.source if written else None
        return await self._read_entry(uri)


def _first_error(problems: Sequence[Problem]) -> str:
    return next((problem.message for problem in problems if problem.severity == "error"), "it was refused.")
