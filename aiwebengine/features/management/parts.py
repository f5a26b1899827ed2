"""What an engine gets of scripts that manage scripts."""

from __future__ import annotations

import json

from aiwebengine.features.management.logs import LogCalls
from aiwebengine.features.management.scripts import GROUP, ScriptCalls
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.observe.logs import LogFilter, ScriptLogs


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    access = machinery.access
    calls = ScriptCalls(
        list_scripts=access.list_scripts,
        read_entry=access.read_entry,
        prepare=access.prepare,
        commit=access.commit,
        max_source_bytes=machinery.base.settings.deploy.max_source_bytes,
    )
    machinery.commits.deploys(calls.deploy, group=GROUP)
    reading = _Messages(machinery.base.logs)
    return Parts(groups=[calls, LogCalls(messages=reading.of)], effects={GROUP: calls})


class _Messages:
    """The last messages of a script's log, as scripts see them."""

    def __init__(self, logs: ScriptLogs) -> None:
        self._logs = logs

    async def of(self, uri: str, limit: int) -> list[str]:
        lines = [record.line for record in await self._logs.query(LogFilter(uri=uri, limit=limit, of_script=True))]
        return [f"{line.message} {json.dumps(dict(line.fields))}" if line.fields else line.message for line in lines]
