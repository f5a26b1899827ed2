"""What scripts see of an engine that offers every feature: what types, pages and help are made from."""

from __future__ import annotations

from aiwebengine.features.all import FEATURES
from aiwebengine.host.names import declarations

DECLARED = declarations(feature.declares for feature in FEATURES)
"""All declarations, in the order of the list of features."""
