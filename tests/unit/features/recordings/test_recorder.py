"""What is recorded, and what is hidden in it."""

from __future__ import annotations

import json

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid
from aiwebengine.features.recordings.recorder import Recorder, Rule
from aiwebengine.features.recordings.settings import RecordingSettings
from aiwebengine.features.recordings.store import DatabaseRecordingRows
from aiwebengine.observe.background import Background
from aiwebengine.runtime.runs.run_recording import RunRecording
from aiwebengine.values import Answer, HandlerRef
from tests.support.fakes.database import open_database
from tests.support.fakes.invocations import an_invocation
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder


def invocation(identity="i1", recording="always", request=None, body=b""):
    return an_invocation(
        id=identity,
        script="shop",
        version="shop@1-a",
        handler=HandlerRef(id=0, name=""),
        payload=json.dumps(request or {"method": "GET"}),
        label="GET /",
        recording=recording,
        body=body,
    )


class RecorderTests(SynchronousTestCase):
    def setUp(self):
        self.database = open_database(temporary_folder(self), "evidence")
        self.addCleanup(self.database.stopService)
        self.clock = Clock()
        self.make()

    def make(self, **settings):
        self.background = Background(clock=self.clock)
        self.background.startService()
        self.addCleanup(self.background.stopService)
        self.recorder = Recorder(
            rows=DatabaseRecordingRows(database=self.database),
            settings=RecordingSettings(**settings),
            background=self.background,
            threads=ThreadsInTurn(),
            milliseconds=lambda: int(self.clock.seconds() * 1000),
        )
        self.successResultOf(self.recorder.startService())

    def result(self, coroutine):
        return self.successResultOf(Deferred.fromCoroutine(coroutine))

    def keep(self, outcome="committed", *, finished=None, error="", **given):
        finished = finished or RunRecording(most_bytes=1000)
        if not finished.seed:
            finished.begin(seed="00" * 16, now=int(self.clock.seconds() * 1000), exact=True)
        self.recorder.keep(invocation(**given), finished, outcome, error=error)

    def kept(self):
        return [recording.id for recording in self.result(self.recorder.find("shop", limit=10))]

    def rule(self, **given):
        self.result(self.recorder.put_rule(Rule(**{"uri": "shop", "mode": "always", **given})))

    def test_rules(self):
        """A route's rule comes before its script's, and rules last over a restart."""
        self.assertEqual(self.recorder.wanted("shop", "/a"), "")
        self.rule(mode="errors")
        self.rule(path="/a")
        self.make()
        self.assertEqual([self.recorder.wanted("shop", path) for path in ("/a", "/b")], ["always", "errors"])
        self.assertEqual(self.recorder.wanted("other", "/a"), "")
        self.assertTrue(self.result(self.recorder.remove_rule("shop", "/a")))
        self.assertFalse(self.result(self.recorder.remove_rule("shop", "/a")))
        self.assertEqual(self.recorder.wanted("shop", "/a"), "errors")

    def test_samples(self):
        """A sample of three is the first, the fourth and so on."""
        self.rule(mode="sample", every=3)
        self.assertEqual([bool(self.recorder.wanted("shop", "/")) for _ in range(5)], [True, False, False, True, False])

    def test_request_line(self):
        """A recording of a wildcard route is listed with its own path."""
        asked = invocation()._replace(label="GET /*", request_line="GET /cart")
        recording = RunRecording(most_bytes=1000)
        recording.begin(seed="00" * 16, now=0, exact=True)
        self.recorder.keep(asked, recording, "committed", error="")
        self.assertEqual(
            [recording.label for recording in self.result(self.recorder.find("shop", limit=10))], ["GET /cart"]
        )

    def test_wrong_rules(self):
        """A mode that is none is refused."""
        for rule in (Rule(uri="shop", mode="often"), Rule(uri="shop", mode="sample", every=0)):
            self.failureResultOf(Deferred.fromCoroutine(self.recorder.put_rule(rule)), Invalid)

    def test_errors_only(self):
        """With `errors` what succeeded is not kept, and an attempt that is made again never is."""
        self.keep(identity="good", recording="errors")
        self.keep("script_failed", identity="bad", recording="errors", error="It threw.")
        self.keep("rerun", identity="again")
        self.assertEqual(self.kept(), ["bad"])
        self.assertEqual(self.result(self.recorder.get("bad")).document["error"], "It threw.")
        self.assertIsNone(self.result(self.recorder.get("good")))

    def test_masks(self):
        """Secrets are hidden wherever they stand: in headers, cookies, members, pairs and texts that are JSON."""
        recording = RunRecording(most_bytes=10_000)
        recording.begin(seed="1", now=1, exact=True)
        recording.add_call(b"1", "login", '[{"Pass-Word":"s3cret","name":"ada"}]')
        recording.add_result(b"1", '{"ok":{"access_token":"s3cret"}}')
        recording.set_answer(
            Answer(status=200, headers=((b"set-cookie", b"s3cret"),), body=b'{"token":"s3cret","a":[1]}')
        )
        request = {
            "headers": {"Authorization": "s3cret", "accept": "text/html"},
            "cookies": {"session": "s3cret"},
            "query": [["token", "s3cret"], ["page", "2"]],
            "body": '{"nested":[{"secret":"s3cret"}]}',
        }
        self.keep(finished=recording, request=request)
        document = self.result(self.recorder.get("i1")).document
        self.assertNotIn("s3cret", json.dumps(document))
        self.assertEqual(document["request"]["query"], [["token", "***"], ["page", "2"]])
        self.assertEqual(
            document["calls"], [["login", '[{"Pass-Word": "***", "name": "ada"}]', '{"ok": {"access_token": "***"}}']]
        )
        self.assertEqual(document["request"]["headers"]["accept"], "text/html")

    def test_too_many_at_once(self):
        """Recordings that wait are bounded; those beyond are counted as lost, the others are kept in their order."""
        self.make()
        self.recorder._threads = threads = ThreadsInTurn(at_once=False)
        for number in range(103):
            self.keep(identity=f"i{number}")
        while threads.step():
            pass
        self.assertEqual(self.recorder.state(), {"rules": 0, "kept": 100, "lost": 3})
        self.assertEqual(self.kept()[:2], ["i99", "i98"])

    def test_long_body(self):
        """A body that is longer than what is written down is left out, and the recording is not whole."""
        self.make(max_bytes=1024)
        for identity, body in (("short", b"x" * 1024), ("long", b"x" * 1025)):
            self.recorder.keep(invocation(identity=identity, body=body), self.recording(), "committed", error="")
        kept = [self.result(self.recorder.get(identity)).document for identity in ("short", "long")]
        self.assertEqual(
            [(document["whole"], len(document["request"].get("body", ""))) for document in kept],
            [(True, 1024), (False, 0)],
        )

    def recording(self):
        recording = RunRecording(most_bytes=1000)
        recording.begin(seed="1", now=1, exact=True)
        return recording

    @pytest.mark.setting("recordings.mask")
    def test_masks_what_was_set(self):
        """Those members are hidden that the settings name, and no others."""
        self.make(mask=("size",))
        self.keep(request={"headers": {}, "cookies": {}, "query": [["Size", "2"], ["token", "3"]], "body": ""})
        document = self.result(self.recorder.get("i1")).document
        self.assertEqual(document["request"]["query"], [["Size", "***"], ["token", "3"]])

    @pytest.mark.setting("recordings.max_recordings", "recordings.retention_days")
    def test_no_more_than_there_is_room_for(self):
        """The oldest recordings go first, and all after their time."""
        self.make(max_recordings=2, retention_days=1)
        for number in range(4):
            self.clock.advance(1)
            self.keep(identity=f"i{number}")
        self.clock.advance(60)
        self.assertEqual(self.kept(), ["i3", "i2"])
        self.assertTrue(self.result(self.recorder.remove("i3")))
        self.clock.advance(86_400)
        self.assertEqual(self.kept(), [])

    def test_recording_is_bounded(self):
        """A recording that would be too large is marked as not whole, and holds what fitted."""
        recording = RunRecording(most_bytes=30)
        recording.begin(seed="1", now=1, exact=True)
        recording.add_call(b"1", "kv.get", '["a"]')
        recording.add_result(b"1", '{"ok":"' + "x" * 100 + '"}')
        recording.add_step(b"A1 1")
        recording.add_step(b"x" * 65)
        self.assertEqual(
            (recording.calls, recording.steps, recording.whole), ([["kv.get", '["a"]', None]], ["A1 1"], False)
        )

    def test_a_recording_ends_where_it_is_full(self):
        """Behind what had no room nothing is written down: it could not be done over again."""
        recording = RunRecording(most_bytes=100)
        recording.begin(seed="1", now=1, exact=True)
        recording.add_call(b"1", "kv.get", '["a"]')
        recording.add_call(b"2", "kv.set", "x" * 100)
        recording.add_call(b"3", "kv.get", '["b"]')
        recording.add_result(b"1", "1")
        self.assertEqual((recording.calls, recording.whole), ([["kv.get", '["a"]', None]], False))
        recording.begin(seed="1", now=1, exact=True)
        recording.add_call(b"1", "kv.get", '["a"]')
        recording.add_call(b"2", "kv.get", '["b"]')
        recording.add_result(b"1", "x" * 100)
        recording.add_result(b"2", "1")
        recording.set_answer(Answer(status=200, headers=(), body=b"x"))
        self.assertEqual(
            (recording.calls, recording.answer, recording.whole), ([["kv.get", '["a"]', None]], None, False)
        )
