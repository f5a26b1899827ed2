"""Reading logs from scripts: `listLogs` and `listLogsForUri`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiwebengine.errors import Denied
from aiwebengine.features.management.declarations import LOG_CALLS, LOGS, MOST_CHARACTERS, MOST_LINES
from aiwebengine.host.declare import HostCall
from aiwebengine.host.session import CallSession, Function


class LogCalls:
    """
    The calls that read logs.

    Args:
        messages: The last messages of a script, oldest first, those not yet stored among them.
    """

    def __init__(self, *, messages: Callable[[str, int], Awaitable[Sequence[str]]]) -> None:
        self._messages = messages

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return LOG_CALLS

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {"listLogs": self._own, "listLogsForUri": self._lines_of}

    async def _own(self, session: CallSession) -> list[str]:
        return _newest(await self._messages(session.invocation.script, MOST_LINES))

    async def _lines_of(self, session: CallSession, uri: str) -> list[str]:
        if uri != session.invocation.script and LOGS not in session.capabilities:
            raise Denied(
                f'listLogsForUri needs the capability "{LOGS}" for the log of another script; '
                f"deploy this one with --grant {LOGS}."
            )
        return _newest(await self._messages(uri, MOST_LINES))


def _newest(messages: Sequence[str]) -> list[str]:
    """Return as many of the last messages as have no more than `MOST_CHARACTERS` together."""
    left = MOST_CHARACTERS
    for number, message in enumerate(reversed(messages)):
        left -= len(message)
        if left < 0:
            return list(messages[len(messages) - number :])
    return list(messages)
