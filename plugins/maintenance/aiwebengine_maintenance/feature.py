"""The feature `maintenance`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine_maintenance.calls import DECLARATIONS
from aiwebengine_maintenance.settings import MaintenanceSettings

FEATURE = Feature(
    name="maintenance",
    parts="aiwebengine_maintenance.parts:build",
    declares=DECLARATIONS,
    summary="Maintenance mode: visitors are told to come back later.",
    settings={"maintenance": MaintenanceSettings},
    api_version=1,
)
