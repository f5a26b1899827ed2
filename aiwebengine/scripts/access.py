"""
What scripts themselves may do to scripts, once they were granted the capability.

The host's calls end here: a script deploys under its own name, grants no more than it has, and its changes become
visible together when its invocation commits. What it changes while it is itself being deployed becomes visible with it,
or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from aiwebengine.errors import NotFound
from aiwebengine.runtime.registry import Current
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.loads import Loads
from aiwebengine.scripts.package import file_name_for
from aiwebengine.scripts.prepare import DeployRequest, PreparedVersion
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.scripts.versions import RemoveScript, StoredWith
from aiwebengine.values import Invocation


class Change(Protocol):
    """One change that a script made."""

    @property
    def uri(self) -> str:
        """Return the script that is changed."""

    @property
    def prepared(self) -> PreparedVersion | None:
        """Return its new version; None: it is deleted."""


class ScriptAccess:
    """
    Deploys on behalf of scripts.

    Args:
        deployer: Does it.
        store: Reads sources.
        current: What serves.
        loads: Knows the loads that are under way, and what scripts may do.
    """

    def __init__(
        self,
        *,
        deployer: Deployer,
        store: ScriptStore,
        current: Current,
        loads: Loads[Any],
    ) -> None:
        self._deployer = deployer
        self._store = store
        self._current = current
        self._loads = loads

    async def list_scripts(self) -> list[str]:
        """Return the URIs of all scripts that serve, in order."""
        return sorted(self._current.registry.scripts)

    async def read_entry(self, uri: str) -> str | None:
        """Return the source of a script's entry file; None if it does not serve."""
        serving = self._current.registry.scripts.get(uri)
        if serving is None:
            return None
        try:
            version = await self._store.version(uri, serving.number)
            bundle = await self._store.bundle(version.id)
        except NotFound:
            # Deleted since: the registry was read before the database.
            return None
        return bundle.files.get(version.entry, "")

    async def prepare(self, invocation: Invocation, uri: str, source: str) -> PreparedVersion:
        """
        Build and try a script of one file.

        Raises:
            DeploymentRefused: With every problem.
            Invalid, TooMany, Unavailable: As `Deployer.prepare`.
        """
        name = file_name_for(uri)
        return await self._deployer.prepare(
            DeployRequest(
                uri=uri,
                files={name: source.encode("utf-8", "replace")},
                entry=name,
                ceiling=self._loads.capabilities(invocation),
                author=_author(invocation),
                cause=invocation.causing(),
                inside_load=invocation.kind == "load",
            )
        )

    async def commit_work(self, invocation: Invocation, effects: Sequence[Any], work: StoredWith) -> None:  # noqa: ARG002  the interface's
        """Commit what a load does beside deploying scripts; see `host.effects.DeploymentCommitter`."""
        await self.commit(invocation, (), work)

    async def commit(self, invocation: Invocation, changes: Sequence[Change], work: StoredWith) -> None:
        """
        Make all *changes* visible at once, and do *work*, or none of it; deleting what no longer exists is not an
        error.

        Raises:
            DeploymentRefused, Conflict, Unavailable: Nothing was changed.
        """
        prepared: list[PreparedVersion | RemoveScript | StoredWith] = [work]
        for change in changes:
            if change.prepared is not None:
                prepared.append(change.prepared)
            elif change.uri in self._current.registry.scripts:
                prepared.append(RemoveScript(uri=change.uri, author=_author(invocation)))
        if not self._loads.hold(invocation, prepared):
            await self._deployer.commit(prepared)


def _author(invocation: Invocation) -> str:
    """Name who did it: the script, and for whom."""
    behalf = f" for {invocation.principal.id}" if invocation.principal.id else ""
    return f"script {invocation.script}{behalf}"[:255]
