"""`traceparent`, as the W3C's Trace Context says it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.web.http.trace import trace_id, trace_parent

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{PARENT}-01"


class TraceTests(SynchronousTestCase):
    """What is one, and what is not."""

    def test_kept(self) -> None:
        """A valid one is kept as it is, and names its trace."""
        self.assertEqual(trace_parent(GIVEN), GIVEN)
        self.assertEqual(trace_parent(f"00-{TRACE}-{PARENT}-ff"), f"00-{TRACE}-{PARENT}-ff")
        self.assertEqual((trace_id(GIVEN), trace_id("")), (TRACE, ""))

    def test_later_versions(self) -> None:
        """Of a later version the fields that are known are taken, with the one flag that is known."""
        for given in (f"01-{TRACE}-{PARENT}-03", f"cc-{TRACE}-{PARENT}-09-what-will-be"):
            self.assertEqual(trace_parent(given), GIVEN)
        self.assertEqual(trace_parent(f"cc-{TRACE}-{PARENT}-09x"), "")

    def test_refused(self) -> None:
        """Whatever is none is ignored."""
        for given in (
            "",
            "x",
            GIVEN.upper(),
            GIVEN + "-more",
            GIVEN + " ",
            f"{GIVEN}, {GIVEN}",
            f"ff-{TRACE}-{PARENT}-01",
            f"00-{'0' * 32}-{PARENT}-01",
            f"00-{TRACE}-{'0' * 16}-01",
            f"00-{TRACE[1:]}-{PARENT}-01",
            f"00-{TRACE}-{PARENT}-1",
            f"00-{TRACE[1:]}g-{PARENT}-01",
            f"0-{TRACE}-{PARENT}-01",
            f"cc-{TRACE}-{PARENT}-01-" + "x" * 1000,
        ):
            self.assertEqual(trace_parent(given), "", given)
