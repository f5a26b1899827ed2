"""Calls that lower code which a script makes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Denied, TooLarge
from aiwebengine.features.codegen.calls import CodegenCalls, LoweredCode
from aiwebengine.features.codegen.settings import CodegenSettings


class Lowering:
    """Lowers nothing, and says what it was asked for."""

    def __init__(self):
        self.asked = []

    async def generated(self, *, parameters, body):
        self.asked.append((parameters, body))
        if body == "(":
            error = SyntaxError("Unexpected token")
            error.lineno = 2
            raise error
        return f"lowered {body}"


class CodegenCallTests(SynchronousTestCase):
    def setUp(self):
        self.lowering = Lowering()

    def call(self, name, *arguments, allow="all", capabilities=(), **settings):
        """Make a call; return its result."""
        calls = CodegenCalls(builder=self.lowering, settings=CodegenSettings(allow=allow, **settings))
        session = SimpleNamespace(capabilities=frozenset(capabilities))
        made = calls.functions[name](session, *arguments)
        return made if isinstance(made, dict) else self.successResultOf(Deferred.fromCoroutine(made))

    def test_lowered(self):
        """A function is lowered with its parameters, a program without."""
        self.assertEqual(self.call("codegen.function", "a, b", "return a"), {"source": "lowered return a"})
        self.assertEqual(self.call("codegen.program", "1 + 1"), {"source": "lowered 1 + 1"})
        self.assertEqual(self.lowering.asked, [("a, b", "return a"), (None, "1 + 1")])

    def test_syntax(self):
        """What cannot be parsed is returned with its line, and tried again when it is made again."""
        for _ in range(2):
            self.assertEqual(self.call("codegen.program", "("), {"syntax": "Unexpected token", "line": 2})
        self.assertEqual(len(self.lowering.asked), 2)

    def test_capability(self):
        """Unless all scripts may make code, a script needs the capability; without it nothing is lowered."""
        with self.assertRaises(Denied) as refused:
            self.call("codegen.function", "", "return 1", allow="granted")
        self.assertIn('needs the capability "codegen"', str(refused.exception))
        self.assertEqual(self.lowering.asked, [])
        self.call("codegen.function", "", "return 1", allow="granted", capabilities=["codegen"])
        self.assertEqual(len(self.lowering.asked), 1)

    def test_too_large(self):
        """What is larger than the setting allows is refused with both sizes."""
        with self.assertRaises(TooLarge) as refused:
            self.call("codegen.function", "é" * 600, "b" * 200, max_bytes=1024)
        self.assertIn("at most 1024 bytes; it has 1400", str(refused.exception))

    @pytest.mark.setting("codegen.cache_bytes")
    def test_kept_no_longer(self):
        """The setting bounds what is kept."""
        calls = CodegenCalls(builder=self.lowering, settings=CodegenSettings(allow="all", cache_bytes=20))
        session = SimpleNamespace(capabilities=frozenset())
        for body in ("aaaa", "bbbb", "aaaa"):
            self.successResultOf(Deferred.fromCoroutine(calls.functions["codegen.program"](session, body)))
        self.assertEqual([body for _, body in self.lowering.asked], ["aaaa", "bbbb", "aaaa"])

    def test_kept(self):
        """What was lowered is not lowered again; the parts of a function cannot be mistaken for each other."""
        calls = CodegenCalls(builder=self.lowering, settings=CodegenSettings(allow="all"))
        session = SimpleNamespace(capabilities=frozenset())
        make = calls.functions["codegen.function"]
        for parameters, body in (("a", "b"), ("", "ab"), ("ab", "")):
            self.successResultOf(Deferred.fromCoroutine(make(session, parameters, body)))
        self.assertEqual(make(session, "a", "b"), {"source": "lowered b"})
        self.assertEqual(len(self.lowering.asked), 3)
        self.assertEqual(calls.state(), {"kept": 3, "bytes": len("lowered blowered ablowered ")})


class LoweredCodeTests(SynchronousTestCase):
    def test_dropped(self):
        """What was not used for longest makes room; what is larger than everything is not kept."""
        code = LoweredCode(most_bytes=10)
        code.put(b"1", "aaaa")
        code.put(b"2", "bbbb")
        self.assertEqual(code.get(b"1"), "aaaa")
        code.put(b"3", "cccc")
        code.put(b"4", "d" * 11)
        self.assertEqual([code.get(key) for key in (b"1", b"2", b"3", b"4")], ["aaaa", None, "cccc", None])
        self.assertEqual(code.state(), {"kept": 2, "bytes": 8})
