"""Tests of sandbox.requests."""

from __future__ import annotations

import base64
import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from sandbox.requests import run_text

RUN = b'{"k":"http","q":{"method":"POST"}}'


class RunTextTests(SynchronousTestCase):
    """`run_text`."""

    def parsed(self, body: bytes) -> dict[str, Any]:
        """Return the request with *body* behind the run."""
        request: dict[str, Any] = json.loads(run_text(RUN + b"\0" + body))["q"]
        return request

    def test_without_body(self) -> None:
        """What has no body behind it is the JSON that it is."""
        self.assertEqual(run_text(RUN), RUN.decode())

    def test_text(self) -> None:
        """A body in UTF-8 is a string, a NUL in it a character."""
        for text in ("a\0b", '\U0001f600\u00e9"\\', ""):
            self.assertEqual(self.parsed(text.encode()), {"method": "POST", "body": text})

    def test_bytes(self) -> None:
        """What is not UTF-8, or would be six times as long as JSON, is base64."""
        for body in (b"\xff\0", b"\1" * 400_000):
            self.assertEqual(base64.b64decode(self.parsed(body)["bodyBase64"]), body)
        self.assertIn("body", self.parsed("\u00e9".encode() * 100_000))

    def test_nonsense(self) -> None:
        """A run that has no request cannot have a body, and JSON is ASCII."""
        for value in (b"{}\0body", b"\0", b'{"k":"\xc3\xa9"}'):
            self.assertRaises(UnicodeError, run_text, value)
