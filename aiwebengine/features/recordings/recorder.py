"""
Recordings: what is stored of invocations so that they can be replayed.

Rules say which: of a script or of one of its routes, always, one in a given number, or only those that fail. A
recording is masked before it is written anywhere: headers that carry secrets, and every member whose name the settings
mark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import Invalid, TooMany
from aiwebengine.features.recordings.masks import Masks
from aiwebengine.features.recordings.packed import pack
from aiwebengine.features.recordings.settings import RecordingSettings
from aiwebengine.observe.background import Background
from aiwebengine.observe.interpreter import no_collections
from aiwebengine.services.threads import Runs
from aiwebengine.values import Answer, Invocation

_log = Logger()

MODES = ("always", "errors", "sample")
_MOST_RULES = 1000
_TRIM_SECONDS = 60.0
_MOST_WAITING = 100
"""Recordings that wait to be written; further ones are lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is recorded of one script, or of one of its routes."""

    uri: str
    path: str = ""
    """The route as it was registered, such as `/notes/:id`; empty for all of the script's."""
    mode: str
    """`always`, `errors` or `sample`."""
    every: int = 1
    """With `sample`: one in a given number."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the management API shows it."""
        return {"uri": self.uri, "path": self.path, "mode": self.mode, "every": self.every}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedRecording:
    """One recorded invocation, masked."""

    id: str
    """The invocation's."""
    at: int
    """When it began, in milliseconds since 1970."""
    uri: str
    version: str
    label: str
    outcome: str
    document: Mapping[str, Any]
    """Everything, ready for JSON; see `Recorder.keep`."""

    def as_json(self) -> dict[str, Any]:
        """Return it without the document."""
        return {
            "id": self.id,
            "at": self.at,
            "uri": self.uri,
            "version": self.version,
            "label": self.label,
            "outcome": self.outcome,
        }


class FinishedRecording(Protocol):
    """What was written down; see `runtime.runs.run_recording.RunRecording`."""

    seed: str
    now: int
    exact: bool
    whole: bool
    calls: list[list[str | None]]
    steps: list[str]
    answer: Answer | None


class RecordingRows(Protocol):
    """Where recordings and rules are stored."""

    def write(self, recording: MaskedRecording, packed: bytes) -> Deferred[None]:
        """Add one, with its document as `packed.pack` gives it."""

    def find(self, uri: str | None, *, limit: int) -> Deferred[list[MaskedRecording]]:
        """Return the newest ones, newest first, with empty documents."""

    def get(self, identity: str) -> Deferred[MaskedRecording | None]:
        """Return one."""

    def remove(self, identity: str) -> Deferred[bool]:
        """Remove one; false if there was none."""

    def trim(self, *, before: int, keep: int) -> Deferred[int]:
        """Remove those from before *before* (milliseconds since 1970) and all but the newest *keep*."""

    def rules(self) -> Deferred[list[Rule]]:
        """Return all rules."""

    def put_rule(self, rule: Rule) -> Deferred[None]:
        """Keep a rule in place of the one for the same script and route."""

    def remove_rule(self, uri: str, path: str) -> Deferred[bool]:
        """Remove a rule; false if there was none."""


class Recorder(Service):
    """
    Decides what is recorded, and keeps it.

    Args:
        rows: Where.
        settings: How much, how long, and what is masked.
        background: Writes.
        threads: Where recordings are masked and packed.
        milliseconds: The server's clock, since 1970.
    """

    def __init__(
        self,
        *,
        rows: RecordingRows,
        settings: RecordingSettings,
        background: Background,
        threads: Runs,
        milliseconds: Callable[[], int],
    ) -> None:
        self._rows = rows
        self._threads = threads
        self._turn = DeferredLock()
        self._waiting = 0
        self._settings = settings
        self._background = background
        self._milliseconds = milliseconds
        self._rules: dict[tuple[str, str], Rule] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self.masks = Masks(settings.mask)
        self._kept = 0
        self._lost = 0

    def startService(self) -> Deferred[None]:
        """Read the rules."""
        super().startService()
        self._background.every("trim recordings", _TRIM_SECONDS, self._trim)
        return self._rows.rules().addCallback(self._set_rules)

    @property
    def rules(self) -> list[Rule]:
        """Return all rules, by script and route."""
        return [self._rules[key] for key in sorted(self._rules)]

    def wanted(self, uri: str, path: str) -> str:
        """Return how an invocation is recorded: `always`, `errors`, or empty; a route's own rule comes first."""
        if not self._rules:
            return ""
        rule = self._rules.get((uri, path)) or self._rules.get((uri, ""))
        if rule is None:
            return ""
        if rule.mode != "sample":
            return rule.mode
        key = (rule.uri, rule.path)
        seen = self._seen[key] = self._seen.get(key, -1) + 1
        return "always" if seen % rule.every == 0 else ""

    async def put_rule(self, rule: Rule) -> None:
        """
        Begin to record.

        Raises:
            Invalid: The mode is not valid.
            TooMany: There are too many rules.
            Unavailable: The database does not answer.
        """
        if rule.mode not in MODES:
            raise Invalid(f'The mode must be one of {", ".join(MODES)}; it is "{rule.mode[:80]}".')
        if rule.every < 1:
            raise Invalid(f"A sample is one of at least 1; it is one of {rule.every}.")
        if len(self._rules) >= _MOST_RULES and (rule.uri, rule.path) not in self._rules:
            raise TooMany(f"There may be at most {_MOST_RULES} rules; remove one.")
        await self._rows.put_rule(rule)
        self._rules[rule.uri, rule.path] = rule

    async def remove_rule(self, uri: str, path: str) -> bool:
        """Record no longer; false if there was no such rule."""
        self._rules.pop((uri, path), None)
        return await self._rows.remove_rule(uri, path)

    def keep(self, invocation: Invocation, finished: FinishedRecording, outcome: str, *, error: str) -> None:
        """
        Keep what was written down of an invocation that is over.

        The document has `format`, the request as the handler received it, seed and time, the
        host calls as `[name, arguments, answer]`, the steps, and the outcome.
        """
        failed = outcome not in {"committed", "rolled_back"}
        if outcome in {"lost", "rerun"} or (invocation.recording == "errors" and not failed):
            return
        if self._waiting >= _MOST_WAITING:
            self._lost += 1
            return
        recording = MaskedRecording(
            id=invocation.id,
            at=finished.now,
            uri=invocation.script,
            version=invocation.version,
            label=invocation.shown,
            outcome=outcome,
            document={},
        )
        self._waiting += 1
        pack = partial(self._pack, invocation, finished, error=error)
        self._background.start("keep a recording", self._write(recording, pack))

    async def find(self, uri: str | None, *, limit: int) -> list[MaskedRecording]:
        """Return the newest recordings, newest first."""
        return await self._rows.find(uri, limit=limit)

    async def get(self, identity: str) -> MaskedRecording | None:
        """Return one recording."""
        return await self._rows.get(identity)

    async def remove(self, identity: str) -> bool:
        """Remove one recording; false if there was none."""
        return await self._rows.remove(identity)

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"rules": len(self._rules), "kept": self._kept, "lost": self._lost}

    def _set_rules(self, rules: Sequence[Rule]) -> None:
        self._rules = {(rule.uri, rule.path): rule for rule in rules}

    async def _write(self, recording: MaskedRecording, pack: Callable[[], bytes]) -> None:
        # One after the other: they are listed in the order in which the invocations ended.
        await self._turn.acquire()
        try:
            await self._rows.write(recording, await self._threads.run(pack))
        except Exception:  # noqa: BLE001  evidence: a failure to store it must not disturb the request
            self._lost += 1
            _log.error("a recording could not be stored: {why}", why=Failure().getErrorMessage())
        else:
            self._kept += 1
        finally:
            self._waiting -= 1
            self._turn.release()

    def _pack(self, invocation: Invocation, finished: FinishedRecording, *, error: str) -> bytes:
        """Mask and pack what was written down; in a thread, for it may be long."""
        with no_collections():
            return pack(self._document(invocation, finished, error=error))

    def _document(self, invocation: Invocation, finished: FinishedRecording, *, error: str) -> dict[str, Any]:
        fits = len(invocation.body) <= self._settings.max_bytes
        return {
            "format": 1,
            "kind": invocation.kind,
            "handler": invocation.handler.id if invocation.handler else None,
            "user": invocation.principal.id,
            "request": self.masks.request(invocation, body=invocation.body if fits else b""),
            "seed": finished.seed,
            "now": finished.now,
            "wallSeconds": invocation.wall_seconds,
            "cpuSeconds": invocation.cpu_seconds,
            "calls": [self.masks.call(call) for call in finished.calls],
            "steps": list(finished.steps),
            "answer": self.masks.answer(finished.answer),
            "error": error or None,
            "exact": finished.exact,
            "whole": finished.whole and fits,
        }

    async def _trim(self) -> None:
        before = self._milliseconds() - int(self._settings.retention_days * 86_400_000)
        await self._rows.trim(before=before, keep=self._settings.max_recordings)

    # -- masks --------------------------------------------------------------------------------
