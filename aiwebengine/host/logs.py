"""Reading logs from scripts: `listLogs` and `listLogsForUri`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiwebengine.errors import Denied
from aiwebengine.host.declare import Argument, HostCall
from aiwebengine.host.session import Function, Session

CAPABILITY = "logs"
"""What it takes to read the logs of other scripts."""

_MOST_LINES = 1000

CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="listLogs",
        group="Logs",
        arguments=(),
        returns="string[]",
        effect="none",
        cost=2,
        doc=f"Gives the last {_MOST_LINES} messages that this script has logged, oldest first.",
        example=(
            'registerWebHandler("/log", () => {\n  console.log("somebody looks at the log");\n  return listLogs();\n});'
        ),
        errors=("unavailable",),
    ),
    HostCall(
        name="listLogsForUri",
        group="Logs",
        arguments=(Argument(name="uri", kind="text", doc="The name of the script.", max_length=255),),
        returns="string[]",
        effect="none",
        cost=2,
        doc=(
            f"Gives the last {_MOST_LINES} messages of a script, oldest first. "
            f"For another script than the calling one it takes the capability `{CAPABILITY}`."
        ),
        example='registerWebHandler("/log-of", (req) => listLogsForUri(req.query.uri));',
        errors=("denied", "unavailable"),
    ),
)


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
        """See `dispatch.Group.calls`."""
        return CALLS

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.Group.functions`."""
        return {"listLogs": self._own, "listLogsForUri": self._of}

    async def _own(self, session: Session) -> list[str]:
        return list(await self._messages(session.invocation.script, _MOST_LINES))

    async def _of(self, session: Session, uri: str) -> list[str]:
        if uri != session.invocation.script and CAPABILITY not in session.capabilities:
            raise Denied(
                f'listLogsForUri needs the capability "{CAPABILITY}" for the log of another script; '
                f"deploy this one with --grant {CAPABILITY}."
            )
        return list(await self._messages(uri, _MOST_LINES))
