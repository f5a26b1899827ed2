"""
The composition root: the machinery first, then the features of one list.

Nothing here holds a process, a thread, a socket or a file before its service is started, and nothing
here decides anything: what an engine offers is the list of its features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiwebengine.assembly.foundation import build_foundation
from aiwebengine.assembly.listening import build_engine, connect
from aiwebengine.assembly.running import build_machinery
from aiwebengine.engine import Engine
from aiwebengine.feature import Feature
from aiwebengine.features.all import FEATURES
from aiwebengine.host.names import declarations
from aiwebengine.machinery import chains_of, parts_of
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.services.inherited import NOTHING, InheritedDescriptors
from aiwebengine.settings.schema import Settings


def build(
    settings: Settings,
    *,
    reactor: Any,
    features: Sequence[Feature] = FEATURES,
    passed: Passed = unwatched,
    inherited: InheritedDescriptors = NOTHING,
) -> Engine:
    """
    Build an engine.

    Args:
        settings: All of them, checked.
        reactor: Everything runs on it.
        features: What it offers, in the order in which they are built and started.
        passed: Is notified of the points that an invocation passes; see `observe/points.py`.
        inherited: What the process inherited; with a predecessor, `Handover.inherit` is due at its end.

    Returns:
        An engine that holds nothing yet.
    """
    base = build_foundation(
        settings, reactor=reactor, passed=passed, alone=not inherited.succeeds, chains=chains_of(features)
    )
    machinery = build_machinery(
        base,
        declared=declarations(feature.declares for feature in features),
        prelude={path: feature.name for feature in features for path in feature.prelude},
    )
    parts = [parts_of(feature, machinery) for feature in features]
    # The reference page is generated from the engine's own features; those of other packages have a page of their own.
    others = [feature for feature in features if feature.api_version is not None]
    guides = [None if feature.api_version is None else feature.guide for feature in features]
    connect(machinery, parts, guides=guides)
    # The engine's own JavaScript is tested; that of another package may keep a sandbox from starting.
    brought = any(feature.prelude for feature in others)
    return build_engine(machinery, parts, features=features, inherited=inherited, sandbox_first=brought)
