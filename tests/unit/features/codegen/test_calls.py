"""Calls that lower code which a script makes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Denied, TooLarge, TooMany
from aiwebengine.features.codegen.calls import CodegenCalls, LoweredCode
from aiwebengine.features.codegen.settings import CodegenSettings


class Lowering:
    """Lowers nothing, and says what it was asked for."""

    def __init__(self):
        self.asked = []
        self.until = None
        """When it answers; None: at once."""

    def state(self):
        return {"pid": None}

    async def lower(self, *, parameters, body):
        self.asked.append((parameters, body))
        if self.until is not None:
            await self.until
        if body == "(":
            error = SyntaxError("Unexpected token")
            error.lineno = 2
            raise error
        return f"lowered {body}"


def session_of(script, capabilities=()):
    """Return the session of an invocation."""
    ends = []
    return SimpleNamespace(
        capabilities=frozenset(capabilities),
        invocation=SimpleNamespace(script=script),
        at_end=ends.append,
        at_its_end=ends,
    )


class CodegenCallTests(SynchronousTestCase):
    def setUp(self):
        self.lowering = Lowering()
        self.clock = Clock()

    def calls(self, allow="all", **settings):
        """Return the calls of a server."""
        return CodegenCalls(
            lowering=self.lowering,
            settings=CodegenSettings(allow=allow, **settings),
            seconds=self.clock.seconds,
        )

    def make(self, calls, script, body):
        """Have a script make a program; return its result, or a Deferred of it."""
        session = session_of(script) if isinstance(script, str) else script
        made = calls.functions["codegen.program"](session, body)
        return made if isinstance(made, dict) else Deferred.fromCoroutine(made)

    def call(self, name, *arguments, allow="all", capabilities=(), **settings):
        """Make a call; return its result."""
        calls = self.calls(allow=allow, **settings)
        session = session_of("script", capabilities)
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
        """The setting bounds what is stored."""
        calls = self.calls(cache_bytes=20)
        session = session_of("script")
        for body in ("aaaa", "bbbb", "aaaa"):
            self.successResultOf(Deferred.fromCoroutine(calls.functions["codegen.program"](session, body)))
        self.assertEqual([body for _, body in self.lowering.asked], ["aaaa", "bbbb", "aaaa"])

    def test_kept(self):
        """What was lowered is not lowered again; the parts of a function cannot be mistaken for each other."""
        calls = self.calls()
        session = session_of("script")
        make = calls.functions["codegen.function"]
        for parameters, body in (("a", "b"), ("", "ab"), ("ab", "")):
            self.successResultOf(Deferred.fromCoroutine(make(session, parameters, body)))
        self.assertEqual(make(session, "a", "b"), {"source": "lowered b"})
        self.assertEqual(len(self.lowering.asked), 3)
        state = {name: calls.state()[name] for name in ("kept", "bytes", "waiting", "worker")}
        wanted = {"kept": 3, "bytes": len("lowered blowered ablowered "), "waiting": 0, "worker": {"pid": None}}
        self.assertEqual(state, wanted)

    @pytest.mark.setting("codegen.max_waiting")
    def test_most_waiting(self):
        """A script may have as many waiting as the setting says, whoever of its visitors asks; others are not kept."""
        calls = self.calls(max_waiting=2)
        self.lowering.until = Deferred()
        waiting = [self.make(calls, "a", body) for body in ("1", "2", "3")]
        self.failureResultOf(waiting[2], TooMany)
        other = self.make(calls, "b", "4")
        self.lowering.until.callback(None)
        self.assertEqual([self.successResultOf(one)["source"] for one in waiting[:2]], ["lowered 1", "lowered 2"])
        self.assertEqual(self.successResultOf(other), {"source": "lowered 4"})

    @pytest.mark.setting("codegen.seconds_per_minute")
    def test_part_of_a_minute(self):
        """A script whose code took longer than the setting says is refused until the minute is over."""
        calls = self.calls(seconds_per_minute=2.0)
        self.lowering.until = Deferred()
        first = self.make(calls, "a", "1")
        self.clock.advance(2.5)
        self.lowering.until.callback(None)
        self.successResultOf(first)
        self.assertIn("2 s of each minute", self.failureResultOf(self.make(calls, "a", "2"), TooMany).value.public)
        self.assertEqual(self.make(calls, "a", "1"), {"source": "lowered 1"})
        self.clock.advance(57.5)
        self.successResultOf(self.make(calls, "a", "2"))

    def test_end_of_the_invocation(self):
        """What an invocation waits for leaves the queue when the invocation is over."""
        calls = self.calls()
        self.lowering.until = Deferred()
        self.make(calls, "a", "1")
        session = session_of("a")
        waiting = self.make(calls, session, "2")
        for call in session.at_its_end:
            call()
        self.failureResultOf(waiting, CancelledError)
        self.lowering.until.callback(None)
        self.assertEqual([body for _, body in self.lowering.asked], ["1"])

    def test_same_code(self):
        """Code that two visitors make at the same time is lowered once."""
        calls = self.calls()
        self.lowering.until = Deferred()
        waiting = [self.make(calls, "a", "1") for _ in range(2)]
        self.lowering.until.callback(None)
        self.assertEqual([self.successResultOf(one) for one in waiting], [{"source": "lowered 1"}] * 2)
        self.assertEqual(len(self.lowering.asked), 1)


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
