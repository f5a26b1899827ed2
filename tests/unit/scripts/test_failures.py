"""Failures in the log of a script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import ScriptFailed, ScriptTimeout, ThrownError
from aiwebengine.scripts.failures import Failures, Trace
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.values import Bundle, Invocation, LogLine, Principal
from tests.support.fakes.invocations import an_invocation

FILES = {"main.js": "registerWebHandler('/', (req, res) => {\n  res.json(1);\n});\n"}
BUNDLE = Bundle(script="a", version="a@1", source="", source_map="", files=FILES)
INVOCATION = an_invocation(id="1", script="a", version="a@1", principal=Principal(id="", kind="anonymous"), payload="")


class Source:
    """Has one version."""

    async def bundle(self, version: str) -> Bundle:
        """Return it."""
        return BUNDLE


class Log:
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def append(self, invocation: Invocation, lines: Sequence[LogLine], *, outcome: str) -> None:
        """Keep them."""
        self.lines += lines


class FailuresTests(SynchronousTestCase):
    """`Failures.keep`."""

    def kept(self, error: ScriptFailed, *, label: str = "") -> LogLine:
        """Keep a failure; the line."""
        log = Log()
        invocation = INVOCATION._replace(label=label)
        self.successResultOf(Deferred.fromCoroutine(self.failures(log).keep(invocation, error)))
        [line] = log.lines
        return line

    def trace(self, error: ScriptFailed) -> Trace:
        """Return the trace of a failure."""
        return self.successResultOf(Deferred.fromCoroutine(self.failures(Log()).trace(error, "a@1")))

    def failures(self, log: Log) -> Failures:
        """Return failures of one script, written to *log*."""
        source = cast(Any, Source())
        stacks = Stacks(source=source, threads=cast(Any, None))
        return Failures(source=source, stacks=stacks, logs=cast(Any, log), seconds=lambda: 7.0)

    def test_thrown(self) -> None:
        """What was thrown is told with its frames, and with the name of what is not a function."""
        thrown = ThrownError(
            name="TypeError", message="json is not a function (of an object)", stack="x\n    at [anon] (input:2)"
        )
        line = self.kept(ScriptFailed("The script threw json is not a function (of an object)", thrown=thrown))
        self.assertEqual(line.message, "The script threw res.json is not a function\n    at (anonymous) (main.js:2)")
        self.assertEqual(line.fields, {"code": "script_failed", "place": "main.js:2"})

    def test_what_caused_it(self) -> None:
        """What an author put on an error and what caused it stand below its frames; of native frames none is shown."""
        stack = (
            "Error: outer\n    at [anon] (input:2)\n    at call (native) strict\n    { code: 5 }\n"
            "caused by: Error: inner\n    at [anon] (input:1)"
        )
        line = self.kept(ScriptFailed("No.", thrown=ThrownError(name="Error", message="outer", stack=stack)))
        self.assertEqual(
            line.message.split("\n"),
            [
                "No.",
                "    at (anonymous) (main.js:2)",
                "    { code: 5 }",
                "caused by: Error: inner",
                "    at (anonymous) (main.js:1)",
            ],
        )
        native = self.kept(ScriptTimeout("It was ended.", place="main.js:1", stack="    at test (native)"))
        self.assertEqual(native.message, "It was ended.\n    at (anonymous) (main.js:1)")

    def test_frames_of_the_error_itself(self) -> None:
        """Frames of what caused an error are in the lines only, unless the error itself has none of the author's."""
        own = "Error: outer\n    at [anon] (input:2)\ncaused by: Error: inner\n    at [anon] (input:1)"
        library = "Error: outer\n    at f (native)\ncaused by: Error: inner\n    at [anon] (input:1)"
        for stack, expected in ((own, [2]), (library, [1])):
            trace = self.trace(ScriptFailed("No.", thrown=ThrownError(name="Error", message="outer", stack=stack)))
            self.assertEqual([frame.line for frame in trace.frames], expected)
            self.assertIn("caused by: Error: inner", trace.lines)

    def test_errors_without_frames(self) -> None:
        """The first gathered error, the cause and the members of an error that has no frames of its own are shown."""
        gathered = "AggregateError: all\nerrors[0]: Error: one\n    at f (input:2)\nerrors[1]: Error: two"
        members = 'Error: refused\n    { code: "E1" }\ncaused by: "why"'
        for stack, expected in (
            (gathered, ["No.", "errors[0]: Error: one", "    at f (main.js:2)", "errors[1]: Error: two"]),
            (members, ["No.", "    at (anonymous) (main.js:1)", '    { code: "E1" }', 'caused by: "why"']),
        ):
            thrown = ThrownError(name="Error", message="x", stack=stack)
            line = self.kept(ScriptFailed("No.", thrown=thrown, place="main.js:1"))
            self.assertEqual(line.message.split("\n"), expected)

    def test_ended(self) -> None:
        """What left no stack is told with the place of its registration."""
        line = self.kept(ScriptTimeout("It was ended.", place="main.js:1"))
        self.assertEqual(line.message, "It was ended.\n    at (anonymous) (main.js:1)")
        self.assertEqual(self.kept(ScriptTimeout("It was ended.")).message, "It was ended.")

    def test_route(self) -> None:
        """A failure names the route, so that the log alone tells what failed."""
        line = self.kept(ScriptFailed("No.", place="main.js:1"), label="GET /a")
        self.assertEqual(line.fields, {"code": "script_failed", "place": "main.js:1", "route": "GET /a"})
