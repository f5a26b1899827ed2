"""The list of features: what an engine offers unless it is told otherwise."""

from __future__ import annotations

from aiwebengine.feature import Feature
from aiwebengine.features.assets.feature import FEATURE as ASSETS
from aiwebengine.features.graphql.feature import FEATURE as GRAPHQL
from aiwebengine.features.idempotency.feature import FEATURE as IDEMPOTENCY
from aiwebengine.features.management.feature import FEATURE as MANAGEMENT
from aiwebengine.features.receipts.feature import FEATURE as RECEIPTS
from aiwebengine.features.recordings.feature import FEATURE as RECORDINGS
from aiwebengine.features.sockets.feature import FEATURE as SOCKETS
from aiwebengine.features.storage.feature import FEATURE as STORAGE
from aiwebengine.features.streams.feature import FEATURE as STREAMS

FEATURES: tuple[Feature, ...] = (
    RECEIPTS,
    RECORDINGS,
    IDEMPOTENCY,
    STORAGE,
    ASSETS,
    MANAGEMENT,
    STREAMS,
    SOCKETS,
    GRAPHQL,
)
"""In the order in which they are built and started."""
