"""Whatever a child answers is checked before it becomes HTTP."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import ScriptFailed
from aiwebengine.runtime.wire.answer import read_answer, read_head


def head(**members: Any) -> bytes:
    """Make a head."""
    return json.dumps({"status": 200, "type": "text/plain", "headers": [], **members}).encode()


class HeadTests(SynchronousTestCase):
    """Status and headers."""

    def test_empty_is_json(self) -> None:
        """An empty head means 200 and JSON."""
        result = read_head(b"")
        self.assertEqual((result.status, result.headers), (200, ((b"content-type", b"application/json"),)))

    def test_framing_is_the_servers(self) -> None:
        """Headers that frame the answer are left out."""
        pairs = [["Content-Length", "5"], ["transfer-encoding", "chunked"], ["connection", "close"], ["X-A", "1"]]
        self.assertEqual(read_head(head(headers=pairs)).headers, ((b"content-type", b"text/plain"), (b"x-a", b"1")))

    def test_refused(self) -> None:
        """A wrong status, a line break in a header and what is no head at all fail with a word about it."""
        for given_head, words in (
            (head(status=99), "status"),
            (head(status="200"), "status"),
            (head(status=True), "status"),
            (head(headers=[["a", "b\r\nset-cookie: c"]]), "line breaks"),
            (head(headers=[["a b", "c"]]), "name of a header"),
            (head(headers=[["a"]]), "a name and a value"),
            (head(headers=[["a", "b"]] * 300), "at most"),
            (head(type="text/plain\r\nx: y"), "content-type"),
            (b"[]", "not an object"),
            (b"{", "not JSON"),
        ):
            with self.assertRaises(ScriptFailed) as raised:
                read_head(given_head)
            self.assertIn(words, raised.exception.public)

    @given(st.binary(max_size=100))
    def test_noise(self, data: bytes) -> None:
        """Noise is a head or a ScriptFailed, never another error."""
        with contextlib.suppress(ScriptFailed):
            read_head(data)


class BodyTests(SynchronousTestCase):
    """What belongs to a head."""

    def test_size(self) -> None:
        """A body over the limit is refused with both numbers."""
        with self.assertRaises(ScriptFailed) as raised:
            read_answer(b"", b"x" * 11, max_bytes=10)
        self.assertIn("11 bytes", raised.exception.public)

    def test_no_content(self) -> None:
        """204 has no body, whatever the child says."""
        _, answer = read_answer(head(status=204), b"x", max_bytes=10)
        self.assertEqual(answer.body, b"")
