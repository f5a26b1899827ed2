"""The server's own log."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.observe.server_log import escape, observer


class ServerLogTests(SynchronousTestCase):
    def write(self, form="text", level="info"):
        self.stream = io.StringIO()
        return Logger(
            namespace="aiwebengine.scripts.deploy", observer=observer(stream=self.stream, level=level, form=form)
        )

    def test_text(self):
        """A line for people has a time, a level, a place and the message."""
        self.write().info("deployed {uri}", uri="notes")
        line = self.stream.getvalue()
        self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z info  scripts\.deploy: deployed notes\n$")

    def test_json(self):
        """A line for machines is one JSON object with the event's own fields."""
        self.write("json").warn("deployed {uri}", uri="notes", size=3, other=object())
        answer = json.loads(self.stream.getvalue())
        self.assertEqual(
            (answer["level"], answer["logger"], answer["message"], answer["uri"], answer["size"]),
            ("warn", "scripts.deploy", "deployed notes", "notes", 3),
        )
        self.assertIn("object", answer["other"])

    def test_level(self):
        """Nothing below the chosen level is written."""
        log = self.write(level="warn")
        log.info("quiet")
        log.error("loud")
        self.assertEqual(self.stream.getvalue().count("\n"), 1)

    def test_end_of_the_reactor(self):
        """What the reactor says of its own end is left out; everything else that Twisted says is there."""
        stream = io.StringIO()
        log = Logger(namespace="twisted.internet.base", observer=observer(stream=stream, level="debug", form="text"))
        log.info("Main loop terminated.")
        self.assertEqual(stream.getvalue(), "")
        log.info("Received {signal}", signal="SIGTERM")
        self.assertIn("Received SIGTERM", stream.getvalue())

    def test_ports(self):
        """What Twisted says of ports that open and close is left out, and nothing that only looks like it."""
        stream = io.StringIO()
        writer = observer(stream=stream, level="info", form="text")
        legacy = Logger(namespace="log_legacy", observer=writer)
        legacy.info("{text}", text="Factory starting on 36987")
        legacy.info("{text}", text="(TCP Port 36987 Closed)")
        self.assertEqual(stream.getvalue(), "")
        legacy.info("{text}", text="Factory starting on 36987 failed")
        Logger(namespace="aiwebengine.x", observer=writer).info("{text}", text="Factory starting on 1")
        self.assertEqual(stream.getvalue().count("Factory starting"), 2)
        self.assertIn(" twisted: Factory starting on 36987 failed", stream.getvalue())

    def test_failure(self):
        """A failure brings its traceback, which cannot pass for another event."""
        for form in ("text", "json"):
            log = self.write(form)
            failure = Failure(ValueError("line\n2026-01-01T00:00:00.000Z info  forged: event"))
            log.failure("it failed", failure)
            text = self.stream.getvalue()
            self.assertIn("ValueError", text)
            self.assertEqual([line for line in text.splitlines() if line.startswith("2026-01-01")], [])

    def test_forgery(self):
        """What an event carries cannot start a new line or move the cursor."""
        self.write().info("{name}", name="a\nb\x1b[2Jc\u2028d")
        line = self.stream.getvalue()
        self.assertEqual(line.count("\n"), 1)
        self.assertIn("a\\nb\\x1b[2Jc\\u2028d", line)

    def test_closed_stream(self):
        """A log that cannot be written does not bring the server down."""
        log = self.write()
        self.stream.close()
        log.info("nobody reads this")

    @given(st.text())
    def test_escape_leaves_no_control(self, text):
        """Whatever the text, no control character is left in a line."""
        shown = escape(text)
        self.assertEqual([c for c in shown if ord(c) < 32 and c != "\t"], [])
        self.assertEqual(len(shown.splitlines()) or 1, 1)
