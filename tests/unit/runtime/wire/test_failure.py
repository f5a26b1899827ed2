"""Deaths and errors get their names."""

from __future__ import annotations

import json
import signal
from dataclasses import replace

import pytest
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import (
    Conflict,
    ScriptCrashed,
    ScriptFailed,
    ScriptHung,
    ScriptMemory,
    ScriptTimeout,
    TooMany,
    Unavailable,
)
from aiwebengine.runtime.wire.boxes import BadBox
from aiwebengine.runtime.wire.control import Exit
from aiwebengine.runtime.wire.failure import Bounds, death_error, read_position, script_failure
from aiwebengine.runtime.wire.lines import Lines
from aiwebengine.settings.schema import LimitSettings

MEMORY = 100 * 1024 * 1024
BOUNDS = Bounds(script="notes", phase="handler", wall_seconds=2.0, cpu_seconds=1.0, memory_bytes=MEMORY)


class DeathTests(SynchronousTestCase):
    """How a process died says what went wrong."""

    def test_signals(self) -> None:
        """Timers are time, an abort of a full process is memory, the rest is a crash."""
        for number, rss, kind in (
            (signal.SIGALRM, 0, ScriptTimeout),
            (signal.SIGPROF, 0, ScriptTimeout),
            (signal.SIGXCPU, 0, ScriptTimeout),
            (signal.SIGABRT, MEMORY, ScriptMemory),
            (signal.SIGTRAP, MEMORY, ScriptMemory),
            (signal.SIGSEGV, MEMORY, ScriptMemory),
            (signal.SIGSEGV, 1024, ScriptCrashed),
            (signal.SIGKILL, 0, ScriptCrashed),
        ):
            error = death_error(Exit(status=int(number), max_rss_bytes=rss), cause="", bounds=BOUNDS)
            self.assertIsInstance(error, kind, number)
            self.assertIn("handler", error.public)
            self.assertIn('"notes"', error.public)

    def test_cause(self) -> None:
        """What the server killed it for counts more than the signal."""
        error = death_error(Exit(status=int(signal.SIGKILL)), cause="script_timeout", bounds=BOUNDS)
        self.assertIsInstance(error, ScriptTimeout)

    def test_words(self) -> None:
        """The words about a time-out or a lack of memory name the limit and the setting."""
        for number, words in (
            (signal.SIGALRM, ("2 s", "timeout", "limits.wall_seconds")),
            (signal.SIGPROF, ("1 s of processor time", "cpu", "limits.cpu_seconds")),
            (signal.SIGABRT, ("100 MiB", "limits.memory_bytes")),
        ):
            public = death_error(Exit(status=int(number)), cause="", bounds=BOUNDS).args[0]
            for word in words:
                self.assertIn(word, public)
        loading = replace(BOUNDS, phase="top level")
        late = death_error(Exit(status=int(signal.SIGALRM)), cause="", bounds=loading)
        self.assertIn("limits.load_seconds", str(late))

    def test_what_was_run(self) -> None:
        """A handler that is ended is named by its route, and knows where that was registered."""
        bounds = replace(BOUNDS, label="GET /a", place="main.js:3")
        for number, rss in ((signal.SIGALRM, 0), (signal.SIGABRT, MEMORY)):
            error = death_error(Exit(status=int(number), max_rss_bytes=rss), cause="", bounds=bounds)
            assert isinstance(error, ScriptFailed)
            self.assertIn('The handler of GET /a in the script "notes"', error.public)
            self.assertEqual(error.place, "main.js:3")
        box = {b"_error_code": b"hung", b"v": b'{"message":"The handler waits."}'}
        hung = script_failure(box, label="GET /a", place="main.js:3")
        assert isinstance(hung, ScriptHung)
        self.assertEqual((hung.public, hung.place), ("The handler of GET /a waits.", "main.js:3"))

    def test_place_of_any_failure(self) -> None:
        """Whatever a handler fails with, it is known where the handler was registered."""
        for code, message in (
            (b"invalid_answer", {"message": "no"}),
            (b"thrown", {"name": "thrown value", "message": "5"}),
            (b"thrown", {"name": "HostError", "code": "invalid", "message": "kv.set: no"}),
            (b"thrown", {"name": "HostError", "code": "timeout", "message": "late"}),
            (b"memory", {}),
            (b"internal", {}),
        ):
            box = {b"_error_code": code, b"v": json.dumps(message).encode()}
            error = script_failure(box, label="GET /a", place="main.js:3")
            assert isinstance(error, ScriptFailed)
            self.assertEqual(error.place, "main.js:3", code)

    def test_host_call_is_named(self) -> None:
        """A refused host call is named, once."""
        for message in ("One value has at most 5 bytes.", "kv.set: One value has at most 5 bytes."):
            data = {"name": "HostError", "code": "too_large", "call": "kv.set", "message": message}
            error = script_failure({b"_error_code": b"thrown", b"v": json.dumps(data).encode()})
            self.assertEqual(error.public, "The script threw HostError: kv.set: One value has at most 5 bytes.")

    def test_position(self) -> None:
        """A run that is ended in time's name keeps where it was, as far as that reads like a stack."""
        at = "    at inner (input:12)\n    at outer (input:40)"
        error = death_error(Exit(status=int(signal.SIGALRM)), cause="", bounds=replace(BOUNDS, position=at))
        assert isinstance(error, ScriptTimeout)
        self.assertEqual(error.stack, at)
        self.assertEqual(read_position(b"at inner (input:12)\nat outer (input:40)\n"), at)
        for forged in (b"x" * 5000, b"at \xff (input:1)", b"<b>at</b>", b"at a (input:1) b", b"\n\n"):
            self.assertEqual(read_position(forged), "", forged)
        self.assertIsNone(read_position(b""))

    def test_fault_after_the_deadline(self) -> None:
        """A fault after the deadline is the end of its time, unless the process was full."""
        late = replace(BOUNDS, late=True)
        for rss, kind in ((1024, ScriptTimeout), (MEMORY, ScriptMemory)):
            error = death_error(Exit(status=int(signal.SIGSEGV), max_rss_bytes=rss), cause="", bounds=late)
            self.assertIsInstance(error, kind)

    def test_what_it_did(self) -> None:
        """A run that is ended in native code, or while it waits, says so."""
        for changes, message in (
            (
                {"position": "    at exec (native)\n    at a (input:1)"},
                "It was in exec, which is not written in JavaScript.",
            ),
            ({"position": None, "waits": ["kv.get", "fetch", "kv.get"]}, "It waited for kv.get, fetch."),
            ({"waits": [f"c{n}" for n in range(7)]}, "It waited for c0, c1, c2, c3, c4 and 2 others."),
            ({"position": None}, "It waited for a timer. "),
            (
                {"position": None, "waits": None},
                "It waited for a timer, or had just been sent the answer to a host call.",
            ),
            ({}, "its changes were discarded. Do less at once"),
        ):
            bounds = replace(BOUNDS, **changes)
            self.assertIn(message, death_error(Exit(status=int(signal.SIGALRM)), cause="", bounds=bounds).public)

    def test_never_began(self) -> None:
        """A process that was lost with the sandbox, or could not be made, is no fault of the script."""
        for ended in (Exit(status=None), Exit(status=None, refused="fork: no memory")):
            error = death_error(ended, cause="", bounds=BOUNDS)
            self.assertIsInstance(error, Unavailable)
            self.assertEqual(error.retry_seconds, 1.0)


class RefusedTests(SynchronousTestCase):
    """Registrations that were refused while a version loaded; all of it may be forged."""

    def test_refused(self) -> None:
        """They are read, each with what of the call is wrong, and how many were caught before."""
        refusal = {
            "name": "HostError",
            "message": "use: no.",
            "code": "too_many",
            "call": "use",
            "argument": 1,
            "option": "a",
        }
        data = {**refusal, "refused": [refusal, {"message": "second"}], "more": 3}
        error = script_failure({b"_error_code": b"thrown", b"v": json.dumps(data).encode()})
        assert type(error) is ScriptFailed
        self.assertEqual(
            [(r.thrown.message, r.argument, r.option) for r in error.refused],
            [("use: no.", 1, "a"), ("second", None, "")],
        )
        self.assertEqual(error.caught, 3)

    def test_forged(self) -> None:
        """What is none is left out, and all of it is bounded."""
        for forged in (7, "x", [7, None, "x"], {"a": 1}):
            error = script_failure(
                {b"_error_code": b"thrown", b"v": json.dumps({"refused": forged, "more": -1}).encode()}
            )
            assert isinstance(error, ScriptFailed)
            self.assertEqual((error.refused, error.caught), ((), None))
        many = [{"argument": 1e9, "option": "o" * 9000, "message": "m"}] * 500
        error = script_failure(
            {b"_error_code": b"thrown", b"v": json.dumps({"refused": many[:50] * 1, "more": True}).encode()}
        )
        assert isinstance(error, ScriptFailed)
        self.assertEqual(
            (len(error.refused), error.caught, error.refused[0].argument, len(error.refused[0].option)),
            (50, None, None, 200),
        )


class ErrorBoxTests(SynchronousTestCase):
    """What a script threw, in words."""

    def test_kinds(self) -> None:
        """Codes of the kernel and of host errors become the engine's errors."""
        for code, message, kind in (
            (b"thrown", {"name": "TypeError", "message": "m"}, ScriptFailed),
            (b"hung", {"message": "m"}, ScriptHung),
            (b"memory", {}, ScriptMemory),
            (b"internal", {}, ScriptCrashed),
            (b"thrown", {"message": "m", "code": "unavailable", "retryAfter": 3}, Unavailable),
            (b"thrown", {"message": "m", "code": "conflict"}, Conflict),
            (b"thrown", {"message": "m", "code": "denied", "call": "getScript"}, ScriptFailed),
            (b"thrown", {"message": "m", "code": "too_many", "retryAfter": 5}, TooMany),
        ):
            error = script_failure({b"_error_code": code, b"v": json.dumps(message).encode()})
            self.assertIsInstance(error, kind, message)

    def test_too_much_of_a_handler(self) -> None:
        """That a handler does too much is its author's fault: no client that tries again can change it."""
        data = {"name": "HostError", "message": "At most 1000 things.", "code": "too_many", "call": "kv.set"}
        error = script_failure({b"_error_code": b"thrown", b"v": json.dumps(data).encode()})
        self.assertIs(type(error), ScriptFailed)
        self.assertIn("At most 1000 things.", error.public)

    def test_nonsense(self) -> None:
        """A forged box is an ordinary failure, with bounded texts."""
        for value in (b"", b"[]", b"{", b'{"message": 7, "stack": []}', json.dumps({"message": "x" * 10**6}).encode()):
            error = script_failure({b"v": value})
            self.assertIsInstance(error, ScriptFailed)
            self.assertLess(len(error.public), 10_000)


class LinesTests(SynchronousTestCase):
    """Log lines are bounded and escaped."""

    @pytest.mark.setting("limits.log_line_bytes")
    def test_bounds(self) -> None:
        """Lines over the limit are dropped with one warning, long ones are cut, controls are escaped."""
        limits = LimitSettings(log_lines=2, log_line_bytes=10)
        raw = json.dumps(
            [["info", "a\x1b[2J\r", None], ["warn", "x" * 50, {"a": 1}], ["info", "b", None], ["info", "c", None]]
        )
        reader = Lines(limits)
        lines = reader.read(raw.encode(), at=1.0)
        self.assertEqual((reader.count, reader.size_bytes), (3, len(raw)))
        self.assertEqual(reader.read(raw.encode(), at=1.0), [])
        self.assertEqual(lines[0].message, "a\\x1b[2J\\x0d")
        self.assertTrue(lines[1].message.startswith("x" * 10 + "... (40"))
        self.assertIn("More than 2 log lines", lines[2].message)
        self.assertEqual(len(lines), 3)

    def test_colours(self) -> None:
        """The colours with which packages write for a terminal are left out."""
        (line,) = Lines(LimitSettings()).read(b'[["info","GET / \\u001b[32m200\\u001b[0m 1ms",null]]', at=1.0)
        self.assertEqual(line.message, "GET / 200 1ms")

    def test_lines_of_the_engine(self) -> None:
        """What the engine itself says of a script's run is told apart from what the script logs."""
        own, others = Lines(LimitSettings()).read(b'[["warn","a",null,true],["warn","b",null]]', at=1.0)
        self.assertEqual((own.of_server, others.of_server), (True, False))

    def test_nonsense(self) -> None:
        """What is no list of lines breaks the protocol."""
        for raw in (b"{", b"{}", b"[1]", b'[["x", "y"]]', b'[["loud", "m", null]]', b'[["info", 3, null]]', b"\xff"):
            with self.assertRaises(BadBox):
                Lines(LimitSettings()).read(raw, at=0.0)

    def test_bulk(self) -> None:
        """Fields that are too deep, or that would take many times their size to be read, are not read."""
        for fields, message in (
            (b'{"a":' * 5000, "too deep"),
            (b'{"a":[' + b"{}," * 300_000 + b"{}]}", "arrived at once"),
        ):
            reader = Lines(LimitSettings())
            (line,) = reader.read(b'[["info","m",' + fields + b"]]", at=0.0)
            self.assertIn(message, line.message)
            self.assertEqual(reader.count, 1)
        for depth, kept in ((40, True), (900, False)):
            raw = b'[["info","m",{"a":' + b"[" * depth + b"]" * depth + b"}]]"
            (line,) = Lines(LimitSettings()).read(raw, at=0.0)
            self.assertEqual((line.message, bool(line.fields)), ("m", kept))

    @pytest.mark.setting("limits.log_bytes")
    def test_volume(self) -> None:
        """When an invocation has logged too many bytes, the rest is dropped with one warning."""
        reader = Lines(LimitSettings(log_bytes=100, log_lines=50))
        box = json.dumps([["info", "x" * 20, None]] * 2).encode()
        self.assertEqual(len(reader.read(box, at=0.0)), 2)
        (line,) = reader.read(box, at=0.0)
        self.assertIn("More than 100 bytes logged", line.message)
        self.assertEqual(reader.read(box, at=0.0), [])
        reader = Lines(LimitSettings(log_bytes=100))
        box = json.dumps([["info", "a", None], ["info", "b", {"c": "x" * 200}], ["info", "d", None]]).encode()
        self.assertEqual([line.message[:9] for line in reader.read(box, at=0.0)], ["a", "More than"])
