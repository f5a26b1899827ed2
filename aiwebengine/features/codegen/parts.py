"""What an engine gets of code that scripts make."""

from __future__ import annotations

from aiwebengine.build.generated import CodeLowering
from aiwebengine.features.codegen.calls import CodegenCalls
from aiwebengine.features.codegen.settings import CodegenSettings
from aiwebengine.machinery import Machinery, Parts


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    settings = base.settings.of(CodegenSettings)
    lowering = CodeLowering(
        new_worker=machinery.builder.new_worker,
        seconds=settings.seconds,
        setting="codegen.seconds",
        clock=base.reactor,
        random=base.random.random,
    )
    calls = CodegenCalls(lowering=lowering, settings=settings, seconds=base.reactor.seconds)
    return Parts(
        groups=[calls],
        services=[("code lowering", lowering)],
        state={"codegen": calls.state},
        breakers=[lowering.working],
    )
