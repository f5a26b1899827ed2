"""Places in the author's source."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.sourcemap import SourceMap
from aiwebengine.errors import (
    Conflict,
    RefusedRegistration,
    ScriptFailed,
    ScriptMemory,
    ScriptTimeout,
    ThrownError,
)
from aiwebengine.scripts.places import Sources, failure_problem, failure_problems, warning_problems

STACK = "TypeError: x\n    at kernel (eval:5) strict\n    at boom (input:2) strict\n    at [anon] (input:3)"
SOURCE = "var a;\nfunction boom() { return a.b; }\nboom();"

# Lines 1 to 3 of the bundle are lines 11 to 13 of src/a.ts.
MAP = '{"version":3,"sources":["src/a.ts"],"names":[],"mappings":"AAUA;AACA;AACA"}'


def sources(source_map="", files=None):
    return Sources(
        files=files or {"main.js": SOURCE},
        entry="main.js",
        source_map=SourceMap.parse(source_map) if source_map else None,
    )


class PlacesTests(SynchronousTestCase):
    def test_without_a_map(self):
        """A script that runs as it was written is told by its own lines."""
        self.assertEqual(sources().place(STACK), "main.js:2")
        self.assertEqual(sources().place(""), "")
        files = {"main.js": SOURCE, "package.json": "{}"}
        self.assertEqual(sources(files=files).place(STACK), "main.js:2")

    def test_with_a_map(self):
        """A script that was built is told by the author's file and line."""
        files = {"src/a.ts": "\n" * 11 + "the line"}
        [frame, _] = sources(MAP, files).frames(STACK)
        self.assertEqual((frame.file, frame.line, frame.source_line), ("src/a.ts", 12, "the line"))

    def test_failure(self):
        """What a script threw while it loaded becomes a problem with place and source line."""
        error = ScriptFailed("It threw.", thrown=ThrownError(name="TypeError", message="x", stack=STACK))
        problem = failure_problem(error, sources=sources())
        self.assertEqual(
            (problem.code, problem.message, problem.file, problem.line, problem.snippet),
            ("script_failed", "TypeError: x", "main.js", 2, "function boom() { return a.b; }"),
        )

    def test_snippet(self):
        """The line is shown as it stands in its file, for columns count in that; one that is too long is left out."""
        indented = sources(files={"main.js": "a;\n    boom();\n"})
        error = ScriptFailed("It threw.", thrown=ThrownError(name="TypeError", message="x", stack=STACK))
        self.assertEqual(failure_problem(error, sources=indented).snippet, "    boom();")
        self.assertIsNone(failure_problem(error, sources=sources(files={"main.js": "a\n" + "b" * 5000})).snippet)

    def test_refused_registrations(self):
        """Each registration that was refused is a problem of its own, marked where it is wrong."""
        text = "var a;\n  use(f, { time: 1 });\n"
        thrown = ThrownError(name="HostError", message="use: no.", stack=STACK, code="invalid", call="use")
        refused = [RefusedRegistration(thrown=thrown, option="time"), RefusedRegistration(thrown=thrown, argument=0)]
        other = RefusedRegistration(thrown=ThrownError(name="TypeError", message="x", stack=STACK))
        error = ScriptFailed("It threw.", thrown=thrown, refused=[*refused, refused[0], other])
        problems = failure_problems(error, sources(files={"main.js": text}))
        self.assertEqual(
            [(problem.code, problem.message, problem.line, problem.column) for problem in problems],
            [
                ("host_invalid", "use: no.", 2, 12),
                ("host_invalid", "use: no.", 2, 7),
                ("script_failed", "TypeError: x", 2, None),
            ],
        )
        self.assertEqual(problems[0].snippet, "  use(f, { time: 1 });")

    def test_host_call(self):
        """A refused host call speaks for itself."""
        thrown = ThrownError(name="HostError", message="f: wrong.", stack=STACK, code="invalid", call="f")
        problem = failure_problem(ScriptFailed("It threw.", thrown=thrown), sources=sources())
        self.assertEqual((problem.code, problem.message, problem.line), ("host_invalid", "f: wrong.", 2))

    def test_death(self):
        """A load that was ended tells why, and names the entry."""
        for error, word in ((ScriptTimeout("10 s."), "did not end in time"), (ScriptMemory("256 MB."), "memory")):
            problem = failure_problem(error, sources=sources())
            self.assertIn(word, problem.message)
            self.assertEqual((problem.code, problem.file, problem.line), (error.code, "main.js", None))
        problem = failure_problem(Conflict("Somebody else."), sources=sources())
        self.assertEqual((problem.code, problem.message), ("conflict", "Somebody else."))

    def test_warnings(self):
        """What the child warned about has a place if the child told its stack."""
        received = [{"code": "deprecated", "message": "m", "stack": STACK}, {"code": "late", "message": "n"}]
        problems = warning_problems(received, sources=sources())
        self.assertEqual(
            [(p.severity, p.code, p.file, p.line) for p in problems],
            [("warning", "deprecated", "main.js", 2), ("warning", "late", None, None)],
        )
