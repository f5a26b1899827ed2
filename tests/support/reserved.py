"""The paths that an engine with every feature reserves."""

from __future__ import annotations

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.runtime.reserved import ReservedPaths

RESERVED = ReservedPaths(DECLARED.reserved)
