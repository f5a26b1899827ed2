"""`/engine/api/recordings`, `recording`, `recording-rule` and `replay`: what is recorded, and doing it over again."""

from __future__ import annotations

from functools import partial
from typing import Any

from aiwebengine.errors import Invalid, NotFound
from aiwebengine.features.recordings.recorder import MODES, MaskedRecording, Recorder, Rule
from aiwebengine.features.recordings.replayer import RecordedInvocation, Replayer
from aiwebengine.scripts.package import check_uri
from aiwebengine.scripts.prepare import DeployRequest
from aiwebengine.services.threads import Runs
from aiwebengine.settings.schema import DeploySettings
from aiwebengine.values import Answer
from aiwebengine.web.api.bodies import body_bytes, read_files
from aiwebengine.web.api.call import ApiCall, LongAnswer, as_json, nothing
from aiwebengine.web.api.route import ApiRoute

_MOST = 1000
_DEFAULT_LIMIT = 20
_LONGEST_PATH = 1024
_REPLAY_KEYS = {"recording": 16 * 1024 * 1024, "entry": 4096}
"""What a replay may be sent beside files, and how many bytes."""


class Recordings:
    """
    Recordings, their rules, and replays.

    Args:
        recorder: Keeps them.
        replayer: Does them over again.
        threads: Where bodies are read.
        settings: What files may be tried.
    """

    def __init__(self, *, recorder: Recorder, replayer: Replayer, threads: Runs, settings: DeploySettings) -> None:
        self._recorder = recorder
        self._replayer = replayer
        self._threads = threads
        self._settings = settings

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [
            ApiRoute("GET", "/engine/api/recordings", self.find),
            ApiRoute("GET", "/engine/api/recording", self.read),
            ApiRoute("DELETE", "/engine/api/recording", self.remove),
            ApiRoute("GET", "/engine/api/recording-rules", self.rules),
            ApiRoute("PUT", "/engine/api/recording-rule", self.put_rule),
            ApiRoute("DELETE", "/engine/api/recording-rule", self.remove_rule),
            ApiRoute("POST", "/engine/api/replay", self.replay, body_bytes(self._settings)),
        ]

    async def find(self, call: ApiCall) -> LongAnswer:
        """List the newest recordings."""
        call.only("uri", "limit")
        uri = call.text("uri")
        limit = call.integer("limit", least=1, most=_MOST) or _DEFAULT_LIMIT
        recordings = await self._recorder.find(check_uri(uri) if uri else None, limit=limit)
        return LongAnswer(lambda: {"recordings": [recording.as_json() for recording in recordings]})

    async def read(self, call: ApiCall) -> LongAnswer:
        """Return one recording, whole."""
        call.only("id")
        return LongAnswer(partial(_as_json, await self._get(call.required("id"))))

    async def remove(self, call: ApiCall) -> Answer:
        """Remove one recording."""
        call.only("id")
        if not await self._recorder.remove(call.required("id")):
            raise NotFound("There is no such recording.")
        return nothing()

    async def rules(self, call: ApiCall) -> Answer:
        """List what is recorded."""
        call.only()
        return as_json({"rules": [rule.as_json() for rule in self._recorder.rules]})

    async def put_rule(self, call: ApiCall) -> Answer:
        """Begin to record a script, or one of its routes."""
        call.only("uri", "path", "mode", "every")
        rule = Rule(
            uri=check_uri(call.required("uri")),
            path=(call.text("path") or "")[:_LONGEST_PATH],
            mode=call.text("mode") or MODES[0],
            every=call.integer("every", least=1) or 1,
        )
        await self._recorder.put_rule(rule)
        return as_json(rule.as_json())

    async def remove_rule(self, call: ApiCall) -> Answer:
        """Record a script, or one of its routes, no longer."""
        call.only("uri", "path")
        if not await self._recorder.remove_rule(check_uri(call.required("uri")), call.text("path") or ""):
            raise NotFound("There is no such rule.")
        return nothing()

    async def replay(self, call: ApiCall) -> LongAnswer:
        """
        Do one over again.

        The body, if any, is JSON: `recording` (a whole one, instead of `id`), `files` and `entry` to try.
        """
        call.only("id", "version")
        files_given, values = await self._threads.run(
            read_files, call.body() or b"{}", settings=self._settings, others=_REPLAY_KEYS
        )
        if "recording" in values:
            recorded = _recorded(values["recording"])
        else:
            stored = await self._get(call.required("id"))
            recorded = RecordedInvocation(
                uri=stored.uri, version=stored.version, outcome=stored.outcome, document=stored.document
            )
        files = None
        if files_given is not None:
            entry = values.get("entry")
            files = DeployRequest(
                uri=recorded.uri,
                files=files_given,
                entry=entry if isinstance(entry, str) else None,
                author=call.principal.id,
            )
        replayed = await self._replayer.replay(recorded, number=call.integer("version", least=1), files=files)
        return LongAnswer(lambda: replayed)

    async def _get(self, identity: str) -> MaskedRecording:
        recording = await self._recorder.get(identity[:64])
        if recording is None:
            raise NotFound(f'There is no recording "{identity[:64]}"; it may have been removed for its age.')
        return recording


def _as_json(recording: MaskedRecording) -> dict[str, Any]:
    return {**recording.as_json(), **recording.document}


def _recorded(recorded_document: Any) -> RecordedInvocation:
    if not isinstance(recorded_document, dict) or not all(
        isinstance(recorded_document.get(key), str) for key in ("uri", "version", "outcome")
    ):
        raise Invalid('"recording" must be complete, as GET /engine/api/recording returns it.')
    return RecordedInvocation(
        uri=check_uri(recorded_document["uri"]),
        version=recorded_document["version"],
        outcome=recorded_document["outcome"],
        document=recorded_document,
    )
