"""`aiwebengine record`, `recordings` and `replay`."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.recordings.commands import record, recordings, replay
from aiwebengine.terminal import exits
from tests.support.fakes.commands import run_command
from tests.support.folders import temporary_folder

SAME = {
    "same": True,
    "difference": None,
    "version": "shop@2",
    "error": None,
    "whole": True,
    "exact": True,
    "until": None,
}
OTHER = {**SAME, "same": False, "difference": {"what": "call", "at": 2, "recorded": "kv.get", "now": {"a": 1}}}


class RecordingCommandTests(SynchronousTestCase):
    def test_record(self) -> None:
        """A rule says what is recorded: everything, what fails, or one of so many."""
        answers: dict[tuple[str, str], Any] = {
            ("PUT", "/recording-rule"): {},
            ("GET", "/script"): {"registered": [{"entries": [{"name": "GET /a", "path": "/a"}, {"name": "query a"}]}]},
            ("GET", "/scripts"): {"scripts": [{"uri": "shop"}]},
        }
        for words, rule, said in (
            ((), {"mode": "always"}, "every invocation is recorded"),
            (("--errors",), {"mode": "errors"}, "what fails is recorded"),
            (("--sample", "5", "--path", "/a"), {"mode": "sample", "every": "5", "path": "/a"}, "one of 5 is recorded"),
        ):
            client, code, out = run_command(self, record, "shop", *words, answers=answers)
            self.assertEqual((client.calls[-1][2], code), ({"uri": "shop", **rule}, 0))
            self.assertIn(said, out)

    def test_record_a_route_that_is_not_there(self) -> None:
        """A route that the script does not have is refused with the nearest one, and nothing is recorded."""
        answers: dict[tuple[str, str], Any] = {
            ("GET", "/script"): {"registered": [{"entries": [{"name": "GET /notes", "path": "/notes"}]}]},
            ("GET", "/scripts"): {"scripts": [{"uri": "shop"}]},
        }
        client, code, out = run_command(self, record, "shop", "--path", "/note", answers=answers)
        self.assertNotIn("PUT", [method for method, *_ in client.calls])
        self.assertEqual(code, exits.NOT_FOUND)
        self.assertIn('"shop" has no route "/note"; did you mean "/notes"?', out)

    def test_a_file_that_is_not_there(self) -> None:
        """What is written as a file is not looked for among the recordings."""
        client, code, out = run_command(self, replay, "one.replay.json", answers={})
        self.assertEqual((client.calls, code), ([], exits.USAGE))
        self.assertIn("There is no file one.replay.json.", out)

    def test_record_no_longer(self) -> None:
        """A rule is removed; what excludes each other is refused before anything is asked."""
        rules = [{"uri": "other", "path": "/b"}]
        answers: dict[tuple[str, str], Any] = {
            ("DELETE", "/recording-rule"): None,
            ("GET", "/recording-rules"): {"rules": rules},
        }
        _, _, out = run_command(self, record, "shop", "--off", answers=answers)
        self.assertEqual(out, "shop: recording stopped\n")
        rules.append({"uri": "shop", "path": "/a"})
        _, _, out = run_command(self, record, "shop", "--off", answers=answers)
        self.assertEqual(out, "shop: recording stopped; still recorded: /a, until --path ROUTE --off\n")
        client, _, out = run_command(self, record, "shop", "--off", "--path", "/a", answers=answers)
        self.assertEqual((len(client.calls), out), (1, "shop /a: recording stopped\n"))
        client, code, _ = run_command(self, record, "shop", "--off", "--errors", answers={})
        self.assertEqual((client.calls, code), ([], 2))

    def test_a_recording_becomes_a_test(self) -> None:
        """A recording is written to a file that replay takes."""
        file = temporary_folder(self) / "one.json"
        found = {"uri": "shop", "seed": "1"}
        answers = {("GET", "/recording"): found, ("POST", "/replay"): SAME}
        _, _, out = run_command(self, record, "r1", "--as-test", "--output", str(file), answers=answers)
        self.assertIn(f"wrote {file}", out)
        client, code, _ = run_command(self, replay, str(file), answers=answers)
        self.assertEqual((client.calls[0][3]["recording"], code), (found, 0))

    def test_recordings(self) -> None:
        """The newest recordings are listed, and the rules."""
        recording = {"id": "r1", "at": 0, "version": "shop@2", "label": "GET /a", "outcome": "committed"}
        rule = {"uri": "shop", "path": "", "mode": "sample", "every": 5}
        other = {"uri": "other", "path": "", "mode": "always", "every": 1}
        answers = {
            ("GET", "/recordings"): {"recordings": [recording]},
            ("GET", "/recording-rules"): {"rules": [rule, other]},
        }
        client, _, out = run_command(self, recordings, "shop", answers=answers)
        self.assertEqual(client.calls[0][2], {"limit": "20", "uri": "shop"})
        self.assertRegex(out, r"shop +\(all routes\) +sample +5")
        self.assertNotIn("other", out)
        self.assertRegex(out, r"r1 .*GET /a +committed")

    def test_replay(self) -> None:
        """The first difference is shown with both sides, and the exit code says that there is one."""
        _, code, out = run_command(self, replay, "r1", answers={("POST", "/replay"): SAME})
        self.assertEqual(code, 0)
        self.assertIn("r1: the same in shop@2", out)
        _, code, out = run_command(self, replay, "r1", "--version", "1", answers={("POST", "/replay"): OTHER})
        self.assertEqual(code, exits.REFUSED)
        self.assertIn("the first difference is in call 2", out)
        self.assertIn('{"a": 1}', out)

    def test_what_is_no_recording(self) -> None:
        """A file that is not JSON is refused with its name."""
        file = temporary_folder(self) / "one.json"
        file.write_text("{")
        _, code, out = run_command(self, replay, str(file), answers={})
        self.assertEqual(code, exits.USAGE)
        self.assertIn("is not a recording", out)

    def test_a_recording_that_is_not_whole(self) -> None:
        """A replay of less than everything says what was missing."""
        data = {**SAME, "whole": False, "until": 7}
        _, _, out = run_command(self, replay, "r1", answers={("POST", "/replay"): json.loads(json.dumps(data))})
        self.assertIn("up to call 7", out)
