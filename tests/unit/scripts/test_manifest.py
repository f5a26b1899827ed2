"""The manifest in package.json."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.scripts.capabilities import Capabilities
from aiwebengine.scripts.manifest import Manifest, read_manifest
from aiwebengine.settings.amounts import duration_ms, size_bytes
from aiwebengine.settings.schema import LimitSettings
from tests.support.reserved import RESERVED
from tests.unit.scripts.test_capabilities import SCOPE

CAPABILITIES = Capabilities({"scripts": None, "assets": None, "streams": None, "logs": None, "call": SCOPE})
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read(text):
    content = text if isinstance(text, bytes) else json.dumps(text).encode()
    return read_manifest(content, limits=LimitSettings(), capabilities=CAPABILITIES, reserved=RESERVED)


class ManifestTests(SynchronousTestCase):
    def wrong(self, text):
        _, problems = read(text)
        return [(problem.message, problem.hint, problem.line) for problem in problems]

    def test_none(self):
        """A script needs no manifest, and package.json needs no key for us."""
        self.assertEqual(
            read_manifest(None, limits=LimitSettings(), capabilities=CAPABILITIES, reserved=RESERVED), (Manifest(), [])
        )
        self.assertEqual(read({"name": "x"}), (Manifest(), []))
        self.assertEqual(Manifest().as_json(), {})

    def test_whole(self):
        """All keys are read into one normal form."""
        manifest, problems = read(
            {
                "aiwebengine": {
                    "entry": "./a.ts",
                    "capabilities": ["scripts", "assets", "scripts"],
                    "isolation": "request",
                    "limits": {"timeout": "2s", "cpu": 500, "memory": "64MiB"},
                }
            }
        )
        self.assertEqual(problems, [])
        self.assertEqual(
            manifest.as_json(),
            {
                "entry": "a.ts",
                "capabilities": ["assets", "scripts"],
                "isolation": "request",
                "limits": {"timeout_ms": 2000.0, "cpu_ms": 500.0, "memory_bytes": 64.0 * 2**20},
            },
        )

    def test_large(self):
        """A package.json that is far too large is not even parsed."""
        [(message, _, _)] = self.wrong(b"[" * 300_000)
        self.assertIn("at most 262,144 bytes", message)

    def test_unknown_key(self):
        """A misspelt key is refused with the nearest one and its line."""
        [(message, hint, line)] = self.wrong(b'{\n "aiwebengine": {\n  "isolaton": "shared"}}')
        self.assertIn('"isolaton"', message)
        self.assertEqual((hint, line), ('Did you mean "isolation"?', 3))
        [(_, hint, _)] = self.wrong({"aiwebengine": {"limits": {"timout": 5}}})
        self.assertEqual(hint, 'Did you mean "timeout"?')

    def test_unknown_capability(self):
        """A capability that does not exist is named with those that do."""
        [(message, hint, _)] = self.wrong({"aiwebengine": {"capabilities": ["scrpts"]}})
        self.assertIn("scripts, assets, streams, logs, call:NAME", message)
        self.assertEqual(hint, 'Did you mean "scripts"?')

    def test_scoped_capabilities(self):
        """What a capability is granted for is a list under its name, or stands behind it."""
        manifest, problems = read({"aiwebengine": {"call": ["Ann", "bo"], "capabilities": ["call:bo", "assets"]}})
        self.assertEqual((manifest.capabilities, problems), (("assets", "call:ann", "call:bo"), []))

    def test_wrong_scopes(self):
        """A value that cannot be granted is refused at its place, and so is a capability without one."""
        [(message, _, line)] = self.wrong(b'{"aiwebengine": {\n"call": ["a b"]}}')
        self.assertEqual(line, 2)
        self.assertIn('"call:a b" cannot be granted: No name has spaces.', message)
        [(message, _, _)] = self.wrong({"aiwebengine": {"call": "ann"}})
        self.assertIn('"call" must be a list, such as ["ann"]', message)
        [(message, _, _)] = self.wrong({"aiwebengine": {"capabilities": ["call"]}})
        self.assertIn('write "call:ann" here, or "call": ["ann"] in the manifest', message)
        [(message, _, _)] = self.wrong({"aiwebengine": {"call": [f"n{number}" for number in range(101)]}})
        self.assertIn("at most 100 capabilities", message)

    def test_limits_are_bounded(self):
        """A script may ask for less than the server allows, not for more."""
        [(message, _, _)] = self.wrong({"aiwebengine": {"limits": {"timeout": "1h"}}})
        self.assertIn("between 1 and 10000 ms, the server", message)

    def test_every_limit(self):
        """Every limit of the server's has a word, and is kept under the setting's name."""
        asked = {"load": "1s", "answer": "1 KiB", "stream": 5000, "logLines": 5, "logSize": "2KB"}
        manifest, problems = read(
            json.dumps({"aiwebengine": {"limits": {**asked, "hostCalls": 9, "openHostCalls": 2}}}).encode()
        )
        self.assertEqual(problems, [])
        self.assertEqual(
            manifest.limits,
            {
                "load_ms": 1000, "answer_bytes": 1024, "stream_bytes": 5000, "log_lines": 5, "log_bytes": 2000,
                "host_calls": 9, "open_host_calls": 2,
            },
        )  # fmt: skip
        [(message, _, _)] = self.wrong({"aiwebengine": {"limits": {"hostCalls": "many"}}})
        self.assertIn("must be a whole number", message)

    def test_budgets(self):
        """A script says what it may use over time, as one text or several."""
        asked = {"hostCalls": "1000/1m", "cpu": ["30s/1m", "5m/1h"], "bytesOut": "1GB/1d"}
        manifest, problems = read(json.dumps({"aiwebengine": {"budgets": asked}}).encode())
        self.assertEqual(problems, [])
        self.assertEqual(
            manifest.as_json()["budgets"],
            {"cpu_time": ["30s/1m", "5m/1h"], "host_calls": ["1000/1m"], "bytes_out": ["1GB/1d"]},
        )
        for budgets, words in (
            ({"hostCalls": "many"}, 'such as "10000/1m"'),
            ({"cpu": 5}, 'such as "30s/1h"'),
            ({"logLines": ["1/1m"] * 6}, "at most 5"),
            ({"mails": "1/1m"}, "known are invocations, cpu, hostCalls, rows, logLines, bytesOut"),
            (5, "must be an object"),
        ):
            [(message, _, _)] = self.wrong({"aiwebengine": {"budgets": budgets}})
            self.assertIn(words, message)

    def test_wrong_types(self):
        """Each value of the wrong kind is told, all of them at once."""
        output = self.wrong(
            {"aiwebengine": {"entry": 5, "capabilities": "scripts", "isolation": "none", "limits": {"memory": "lots"}}}
        )
        self.assertEqual(len(output), 4)
        for whole in ([], "text", 5, None):
            self.assertEqual(len(self.wrong(whole)), 1)
            self.assertEqual(len(self.wrong({"aiwebengine": whole})), 1)
        self.assertEqual(len(self.wrong({"aiwebengine": {"limits": 5}})), 1)

    def test_not_json(self):
        """Broken JSON is told with line and column; other bytes as no text."""
        _, [problem] = read(b'{\n "a": }')
        self.assertEqual((problem.line, problem.column), (2, 7))
        for content in (b"\xff", b"[" * 100_000, b""):
            self.assertEqual(len(self.wrong(content)), 1)

    def test_durations_and_sizes(self):
        """Durations and sizes are text with a unit, or plain numbers."""
        for value, milliseconds in (("30s", 30_000), ("1.5m", 90_000), ("250ms", 250), (40, 40), ("2d", 172_800_000)):
            self.assertEqual(duration_ms(value), milliseconds)
        for value, size in (("64MB", 64_000_000), ("1 KiB", 1024), ("5B", 5), (40, 40)):
            self.assertEqual(size_bytes(value), size)
        wrong: tuple[Any, ...] = (
            "", "5", "s", "-5s", True, None, [], {}, -1, float("nan"), float("inf"), "9" * 50 + "s",
        )  # fmt: skip
        for value in wrong:
            self.assertIsNone(duration_ms(value), value)
            self.assertIsNone(size_bytes(value), value)

    @given(ANYTHING)
    def test_any_manifest(self, value):
        """Whatever stands there, the answer is a manifest or problems, never a fault."""
        manifest, problems = read({"aiwebengine": value})
        json.dumps([manifest.as_json(), *(problem.as_json() for problem in problems)])

    @given(st.binary())
    def test_any_bytes(self, content):
        """Whatever the file holds, reading it never faults."""
        read(content)
