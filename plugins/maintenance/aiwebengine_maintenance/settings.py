"""Settings of maintenance mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.settings.allowed import NumberRange


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceSettings:
    """What visitors are told while maintenance is on."""

    message: str = "This service is being maintained; come back in a few minutes."
    """The sentence that they read."""
    retry_seconds: Annotated[float, NumberRange(least=1, most=86_400)] = 120.0
    """When they are told to come back."""
