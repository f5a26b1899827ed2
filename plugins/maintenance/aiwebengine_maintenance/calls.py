"""What scripts see of maintenance mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Global, HostCall
from aiwebengine.host.session import CallSession, Function

_GROUP = "Maintenance"

IS_ON = HostCall(
    name="maintenance.isOn",
    group=_GROUP,
    arguments=(),
    returns="boolean",
    effect="none",
    doc="Returns whether visitors are being told to come back later.",
    example=('registerWebHandler("/status", () => ({ maintenance: maintenance.isOn() }), { tags: ["always"] });'),
)

DECLARATIONS = Declarations(
    calls=(IS_ON,),
    globals=(
        Global(
            name="maintenance",
            group=_GROUP,
            kind="object",
            doc="Maintenance mode of the server.",
            example='registerWebHandler("/is-on", () => String(maintenance.isOn()));',
            importable=True,
        ),
    ),
)


class MaintenanceCalls:
    """
    The call.

    Args:
        is_on: Returns whether maintenance is on.
    """

    def __init__(self, *, is_on: Callable[[], bool]) -> None:
        self._is_on = is_on

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return DECLARATIONS.calls

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {IS_ON.name: self._ask}

    def _ask(self, _session: CallSession) -> bool:
        return self._is_on()
