"""The feature `idempotency`; see the package."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.idempotency.declarations import DECLARATIONS
from aiwebengine.features.idempotency.settings import IdempotencySettings

FEATURE = Feature(
    name="idempotency",
    parts="aiwebengine.features.idempotency.parts:build",
    declares=DECLARATIONS,
    summary="Requests that take effect once, however often they are sent.",
    settings={"idempotency": IdempotencySettings},
    migrations={
        "main": ["aiwebengine.features.idempotency.migrations:IDEMPOTENCY"],
        "script": ["aiwebengine.features.idempotency.migrations:OWN_IDEMPOTENCY"],
    },
    guide="docs/howto/repeat-requests.md",
)
