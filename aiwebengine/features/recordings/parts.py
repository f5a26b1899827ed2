"""What an engine gets of recordings."""

from __future__ import annotations

from aiwebengine.features.recordings.api import Recordings
from aiwebengine.features.recordings.recorder import Recorder
from aiwebengine.features.recordings.replayer import Replayer
from aiwebengine.features.recordings.settings import RecordingSettings
from aiwebengine.features.recordings.store import DatabaseRecordingRows
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.runtime.runs.run import Run
from aiwebengine.values import ConsolePage


class _Recording:
    """See `machinery.Recording`."""

    def __init__(self, recorder: Recorder, *, most_bytes: int) -> None:
        self._recorder = recorder
        self.wanted = recorder.wanted
        self.most_bytes = most_bytes

    def keep(self, run: Run, outcome: str) -> None:
        if run.recording is not None and run.invocation.replay is None:
            error = run.error.public if run.error is not None else ""
            self._recorder.keep(run.invocation, run.recording, outcome, error=error)


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    settings = base.settings.of(RecordingSettings)
    recorder = Recorder(
        rows=DatabaseRecordingRows(database=base.evidence),
        settings=settings,
        background=base.background,
        threads=base.unpacking_threads,
        milliseconds=base.milliseconds,
    )
    machinery.hooks.recording = _Recording(recorder, most_bytes=settings.max_bytes)
    replayer = Replayer(
        invoker=machinery.invoker,
        store=base.store,
        deployer=machinery.deployer,
        masks=recorder.masks,
        threads=base.unpacking_threads,
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
        pages=[
            ConsolePage(
                name="recordings",
                title="Recordings",
                summary="The newest recorded invocations.",
                path="/engine/api/recordings",
                command="recordings",
            ),
            ConsolePage(
                name="recording-rules",
                title="What is recorded",
                summary="The scripts and routes whose invocations are recorded.",
                path="/engine/api/recording-rules",
                command="record",
            ),
        ],
        state={"recordings": recorder.state},
    )
