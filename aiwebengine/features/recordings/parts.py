"""What an engine gets of recordings."""

from __future__ import annotations

from aiwebengine.machinery import Machinery, Parts
from aiwebengine.observe.recordings import Recorder
from aiwebengine.runtime.run import Run
from aiwebengine.scripts.replay import Replayer
from aiwebengine.services.db.recording_rows import DatabaseRecordingRows
from aiwebengine.web.api.recordings import Recordings


class _Recording:
    """See `machinery.Recording`."""

    def __init__(self, recorder: Recorder, *, most_bytes: int) -> None:
        self._recorder = recorder
        self.wanted = recorder.wanted
        self.most_bytes = most_bytes

    def keep(self, run: Run, outcome: str) -> None:
        if run.tape is not None and run.invocation.again is None:
            error = run.error.public if run.error is not None else ""
            self._recorder.keep(run.invocation, run.tape, outcome, error=error)


def build(machinery: Machinery) -> Parts:
    """Build them."""
    base = machinery.base
    recorder = Recorder(
        rows=DatabaseRecordingRows(database=base.evidence),
        settings=base.settings.recordings,
        background=base.background,
        milliseconds=base.milliseconds,
    )
    machinery.hooks.recording = _Recording(recorder, most_bytes=base.settings.recordings.max_bytes)
    replayer = Replayer(
        invoker=machinery.invoker,
        store=base.store,
        deployer=machinery.deployer,
        masks=recorder,
    )
    return Parts(
        services=[("recordings", recorder)],
        api=[
            Recordings(
                recorder=recorder,
                replayer=replayer,
                threads=base.unpacking_threads,
                settings=base.settings.deploy,
            )
        ],
        state={"recordings": recorder.state},
    )
