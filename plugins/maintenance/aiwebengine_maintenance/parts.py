"""What an engine gets of maintenance mode."""

from __future__ import annotations

from aiwebengine.errors import Unavailable
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.values import ConsolePage, Entry, Invocation, Request
from aiwebengine.web.admission import AdmissionStep, Place, RequestRunner
from aiwebengine.web.http.exchange import Exchange
from aiwebengine_maintenance.api import MaintenanceApi
from aiwebengine_maintenance.calls import MaintenanceCalls
from aiwebengine_maintenance.settings import MaintenanceSettings
from aiwebengine_maintenance.switch import Switch

_ALWAYS = "always"
"""Tag of routes that are answered all the same."""


def build(machinery: Machinery) -> Parts:
    """Build them."""
    settings = machinery.base.settings.of(MaintenanceSettings)
    switch = Switch(machinery.base.folder / "maintenance")

    def admit(
        _exchange: Exchange, _request: Request, _route: Entry, _invocation: Invocation, _way: RequestRunner
    ) -> bool:
        if switch.is_on:
            raise Unavailable(settings.message, retry_seconds=settings.retry_seconds)
        return False

    return Parts(
        groups=[MaintenanceCalls(is_on=lambda: switch.is_on)],
        admission=[
            AdmissionStep(
                name="maintenance",
                place=Place.SHIELD,
                applies=lambda route: _ALWAYS not in route.options.get("tags", ()),
                enter=admit,
            )
        ],
        api=[MaintenanceApi(switch=switch)],
        pages=[
            ConsolePage(
                name="maintenance",
                title="Maintenance",
                summary="Whether visitors are told to come back later.",
                path="/engine/api/maintenance",
            )
        ],
        state={"maintenance": lambda: {"on": switch.is_on}},
    )
