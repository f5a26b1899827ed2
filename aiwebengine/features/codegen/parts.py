"""What an engine gets of code that scripts make."""

from __future__ import annotations

from aiwebengine.features.codegen.calls import CodegenCalls
from aiwebengine.features.codegen.settings import CodegenSettings
from aiwebengine.machinery import Machinery, Parts


def build(machinery: Machinery) -> Parts:
    """Build them."""
    calls = CodegenCalls(builder=machinery.builder, settings=machinery.base.settings.of(CodegenSettings))
    return Parts(groups=[calls], state={"codegen": calls.state})
