"""Tests of what the wire says about a failure."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from sandbox.failures import engine_failure, read_failure


class Failures(SynchronousTestCase):
    """From the engine's text to a code and JSON."""

    def test_thrown(self) -> None:
        """A thrown error keeps its code and its JSON, and the process goes on."""
        failure = read_failure('Fthrown {"name":"Error","message":"no","stack":""}')
        self.assertEqual((failure.code, json.loads(failure.report)["message"]), ("thrown", "no"))
        self.assertFalse(failure.unfit)

    def test_memory(self) -> None:
        """A process that ran out of memory is not used again."""
        self.assertTrue(read_failure('Fmemory {"name":"Error","message":"alloc failed","stack":""}').unfit)
        self.assertEqual(engine_failure("alloc failed").code, "memory")
        self.assertEqual(engine_failure("").code, "memory")

    def test_unknown(self) -> None:
        """A failure in a form nobody knows is the sandbox's own fault."""
        failure = read_failure("Fstrange {}")
        self.assertEqual(failure.code, "internal")
        self.assertTrue(failure.unfit)
        self.assertIn("Fstrange", json.loads(failure.report)["message"])
        self.assertEqual(read_failure('Fthrown {"message":"\xe9"}').code, "internal")
