"""Tests of what ends a child, and of what a child may not do."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.support.sandbox import ROOT, Clone, HostRefusal, Seen, Template, Zygote, is_alive
from tests.support.waiting import wait_until

SLOW_MS = 150
LATE_SECONDS = 3.0
"""How much later than its limit a child may die on a busy machine, before another limit ends it."""


class Case(SynchronousTestCase):
    """One zygote for the tests of a class."""

    zygote: ClassVar[Zygote]

    @classmethod
    def setUpClass(cls) -> None:
        """Start a zygote."""
        cls.zygote = Zygote()

    @classmethod
    def tearDownClass(cls) -> None:
        """End it, and with it every child."""
        cls.zygote.__exit__()

    def clone(self, body: str, *, before: str = "", memory_mib: int = 256) -> Clone:
        """Load a script with one handler and give a clone of it."""
        template = self.zygote.template(
            f"{before}registerWebHandler('/', function (req, ctx) {{ {body}\n}});", memory_mib=memory_mib
        )
        self.assertEqual(template.loaded.code, "", template.loaded.box)
        clone = template.clone()
        self.addCleanup(clone.close)
        return clone

    def death(self, clone: Clone) -> int:
        """Return the signal that ended the clone."""
        return os.WTERMSIG(clone.end()["status"])


class Deadlines(Case):
    """A run ends at its deadline, wherever it is."""

    def assert_killed_in_time(self, body: str, number: int = signal.SIGALRM) -> Seen:
        """Run a handler that never ends; it must die of the signal at its limit."""
        clone = self.clone(body)
        begun = time.monotonic()
        seen = clone.run(wall_ms=SLOW_MS if number == signal.SIGALRM else 5000, cpu_ms=SLOW_MS)
        took = time.monotonic() - begun
        self.assertEqual(seen.box, {})
        self.assertIn(self.death(clone), {number, signal.SIGPROF})
        self.assertLess(took, SLOW_MS / 1000 + LATE_SECONDS)
        return seen

    def test_endless_loop(self) -> None:
        """An endless loop dies at the limit of its time."""
        self.assert_killed_in_time("while (true) {}")

    def test_processor_time(self) -> None:
        """Processor time has a limit of its own."""
        self.assert_killed_in_time("while (true) {}", signal.SIGPROF)

    def test_regular_expression(self) -> None:
        """A catastrophic pattern, which never comes back from native code, dies too."""
        self.assert_killed_in_time("return /(a+)+$/.test('" + "a" * 40 + "b');")

    def test_native_loop(self) -> None:
        """So does a native loop over a huge array."""
        self.assert_killed_in_time("return new Array(3e8).join('').length;")

    def test_microtasks_for_ever(self) -> None:
        """Microtasks that always add one more die at the limit, without eating memory meanwhile."""
        seen = self.assert_killed_in_time("function again() { queueMicrotask(again); } again(); return 1;")
        self.assertEqual(seen.logs, [])

    def test_waiting(self) -> None:
        """A handler that waits for the host dies at its limit as well."""
        clone = self.clone("return getScript('a');")
        clone.start(wall_ms=SLOW_MS)
        box = clone.take()
        assert box is not None
        self.assertEqual(box[b"n"], b"getScript")
        self.assertEqual(clone.take(), {b"_command": b"position", b"v": b""})
        self.assertIsNone(clone.take())
        self.assertEqual(self.death(clone), signal.SIGALRM)

    def test_logs_of_the_killed(self) -> None:
        """What a script logged before it was killed is not lost with it."""
        seen = self.assert_killed_in_time("console.log('before'); var s = 0; while (true) s++;")
        self.assertEqual(seen.messages, ["before"])

    def reported(self, body: str, *, before: str = "", wall_ms: int = SLOW_MS, cpu_ms: int = SLOW_MS) -> list[str]:
        """Run a handler that never ends; return where it was when it was killed, innermost first."""
        for _ in range(20):
            clone = self.clone(body, before=before)
            seen = clone.run(wall_ms=wall_ms, cpu_ms=cpu_ms)
            self.assertEqual(seen.box, {})
            self.assertIn(self.death(clone), {signal.SIGALRM, signal.SIGPROF})
            # What is read in the middle of a change may end before the first frame.
            if seen.position:
                break
        return seen.position

    def test_report(self) -> None:
        """An endless loop reports where it is before it is killed: functions, and lines of the bundle."""
        before = "function inner() {\n  for (;;) {}\n}\nfunction outer() {\n  return 1 + inner();\n}\n"
        for wall_ms, cpu_ms in ((SLOW_MS, 5000), (5000, SLOW_MS)):
            frames = self.reported("outer();", before=before, wall_ms=wall_ms, cpu_ms=cpu_ms)
            self.assertRegex(frames[0], r"^at inner \(input:[12]\)$")
            self.assertEqual(frames[1], "at outer (input:5)")
            self.assertEqual(frames[2], "at [anon] (input:7)")

    def test_report_of_native_code(self) -> None:
        """A regular expression that never comes back is named, and the line that began it."""
        frames = self.reported("\nvar found = /(a+)+$/.test('" + "a" * 40 + "b');\nreturn found;")
        self.assertIn("(native)", frames[0])
        self.assertIn("at [anon] (input:2)", frames)

    def test_report_with_a_forged_name(self) -> None:
        """A function whose name looks like frames of a stack cannot add any."""
        name = "x (input:1)\\n    at y"
        before = f"var f = function () {{ for (;;) {{}} }}; Object.defineProperty(f, 'name', {{ value: '{name}' }});\n"
        frames = self.reported("f();", before=before)
        self.assertEqual(frames[0], "at x ?input:1??    at y (input:1)")

    def test_idle_child(self) -> None:
        """A child that has answered is not killed by the deadline of its last run."""
        clone = self.clone("return 1;")
        clone.run(wall_ms=500, cpu_ms=500)
        time.sleep(0.6)
        self.assertEqual(clone.run().value, 1)

    def test_client_that_takes_its_time(self) -> None:
        """While the client takes its time over a part of a streamed answer, no deadline runs."""
        before = (
            "function stream() { var n = 0, it = { next: function () {"
            " return Promise.resolve(n++ < 2 ? { value: 'x', done: false } : { done: true }); } };"
            " it[Symbol.asyncIterator] = function () { return it; }; return it; }"
        )

        def slow(name: str, arguments: list[object]) -> None:
            time.sleep(0.75)

        seen = self.clone("return stream();", before=before).run(wall_ms=500, host=slow)
        self.assertEqual(seen.head, {"streamed": True})

    def test_load(self) -> None:
        """A top level that never ends dies at the limit of the load, and nearly always tells where it was."""
        # The position is read while the engine may be in any state, so that it may be missing.
        positions = [self._position_of_endless_load() for _ in range(2)]
        while not any(positions) and len(positions) < 10:
            positions.append(self._position_of_endless_load())
        self.assertIn(["at [anon] (input:1)"], [position[:1] for position in positions])

    def _position_of_endless_load(self) -> Sequence[str]:
        begun = time.monotonic()
        template = self.zygote.template("while (true) {}", load_seconds=SLOW_MS / 1000)
        self.assertEqual(template.loaded.box, {})
        self.assertLess(time.monotonic() - begun, SLOW_MS / 1000 + LATE_SECONDS)
        status = self.zygote.event("exit", template.number)["status"]
        self.assertIn(os.WTERMSIG(status), {signal.SIGALRM, signal.SIGPROF})
        return template.loaded.position


class Memory(Case):
    """Memory has a limit."""

    def assert_out_of_memory(self, body: str) -> None:
        """The run fails for want of memory, by an error or by death; either way the process is gone."""
        clone = self.clone(body, memory_mib=48)
        seen = clone.run(wall_ms=10_000, cpu_ms=10_000)
        if seen.box:
            self.assertIn(seen.code, {"memory", "thrown"}, seen.failure)
            self.assertRegex(seen.failure["message"], "memory|string too long|too long")
        else:
            self.assertIn(self.death(clone), {signal.SIGABRT, signal.SIGSEGV, signal.SIGALRM, signal.SIGPROF})

    def test_growing_text(self) -> None:
        """A text that doubles for ever ends."""
        self.assert_out_of_memory("var s = 'x'; while (true) s += s;")

    def test_growing_list(self) -> None:
        """So does a list of strings."""
        self.assert_out_of_memory(
            "var a = []; while (true) a.push('x' + a.length + 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy');"
        )

    def test_buffers(self) -> None:
        """So do buffers."""
        self.assert_out_of_memory("var a = []; while (true) a.push(new Uint8Array(1000000));")

    def test_caught(self) -> None:
        """A script that catches the error and lets go may answer."""
        body = (
            "try { var a = []; while (true) a.push(new Uint8Array(1000000)); } catch (e) { a = null; return 'lived'; }"
        )
        self.assertEqual(self.clone(body, memory_mib=48).run(wall_ms=10_000).body, "lived")

    def test_answer_that_does_not_fit(self) -> None:
        """An answer too large to be put together is a matter of memory, too, and not of a crash."""
        clone = self.clone("return '\\u00e9'.repeat(7000000);", memory_mib=64)
        seen = clone.run(wall_ms=10_000)
        self.assertEqual(seen.code, "memory", seen.box)

    def test_unfit_afterwards(self) -> None:
        """A child that has run out of memory and said so is not used again."""
        clone = self.clone("var a = []; while (true) a.push(new Uint8Array(1000000));", memory_mib=48)
        self.assertEqual(clone.run(wall_ms=10_000).code, "memory")
        self.assertEqual(clone.end()["status"], 0)

    def test_deep_recursion(self) -> None:
        """Deep recursion is an error like any other, in functions, JSON and patterns."""
        for body in (
            "function f() { return f() + 1; } return f();",
            "var a = []; for (var i = 0; i < 1e5; i++) a = [a]; return JSON.stringify(a);",
            "return JSON.parse(new Array(1e5).join('['));",
            "var s = ''; for (var i = 0; i < 1e4; i++) s += '('; return new RegExp(s);",
        ):
            clone = self.clone(f"try {{ {body} }} catch (e) {{ return 'caught'; }}")
            self.assertEqual(clone.run(wall_ms=10_000).body, "caught", body)
            self.assertEqual(clone.run(wall_ms=10_000).body, "caught", body)


class Footprint(Case):
    """What a child costs."""

    def own_mib(self, clone: Clone) -> float:
        """Memory that the clone shares with nobody."""
        lines = Path(f"/proc/{clone.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024

    def test_first_run(self) -> None:
        """After its first run a small script's child has less than 4 MiB of its own."""
        clone = self.clone("return { hello: 1 };")
        clone.run()
        self.assertLess(self.own_mib(clone), 4)

    def test_many_runs(self) -> None:
        """After a thousand runs that leave cycles behind it has less than 10 MiB."""
        body = "return new Promise(function (done) { queueMicrotask(function () { done(function () {}.name); }); });"
        clone = self.clone(body)
        for _ in range(1000):
            clone.run()
        self.assertLess(self.own_mib(clone), 10)


class Rights(Case):
    """What the process itself may do."""

    def test_report(self) -> None:
        """The start message tells what was tried, and has a note for what does not hold."""
        report = self.zygote.report
        for right in ("files", "sockets", "processes", "memory", "no_new_privileges", "parent_death", "stack"):
            self.assertIs(report[right], True, right)
        self.assertEqual(len(report["notes"]), (not report["user"]) + (not report["network"]))

    def test_user_and_descriptors(self) -> None:
        """A clone runs as nobody if root started the zygote, with its data socket alone beside the standard three."""
        clone = self.clone("return 1;")
        clone.run()
        place = Path(f"/proc/{clone.pid}")
        result = dict(line.split(":\t", 1) for line in (place / "status").read_text().splitlines() if ":\t" in line)
        if os.geteuid() == 0:
            self.assertNotIn("0", result["Uid"].split())
            self.assertEqual(int(result["CapEff"], 16), 0)
            self.assertEqual(len(list((place / "fd").iterdir())), 4)
        self.assertEqual(result["NoNewPrivs"], "1")
        text = (place / "limits").read_text()
        for line in (
            "Max open files +1 +1 ",
            "Max processes +0 +0 ",
            "Max file size +0 +0 ",
            "Max core file size +0 +0 ",
        ):
            self.assertRegex(text, line)

    def test_session(self) -> None:
        """No child is in the terminal's process group, so Ctrl-C reaches the server alone."""
        clone = self.clone("return 1;")
        for pid in (self.zygote.process.pid, clone.template.pid, clone.pid):
            self.assertEqual(os.getsid(pid), self.zygote.process.pid)


class StartTests(SynchronousTestCase):
    """Starting the program."""

    def start(self, folder: Path) -> tuple[int, str]:
        """Start it from a folder that holds the package; give its status and what it says."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "sandbox", "--control-fd", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
                cwd="/",
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
        return done.returncode, done.stderr

    def copied(self) -> Path:
        """Return a folder with a copy of the package."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        shutil.copytree(ROOT / "sandbox", folder / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
        return folder

    def test_unbuilt(self) -> None:
        """Without the file that the build makes it ends, and says what to do."""
        folder = self.copied()
        (folder / "sandbox/prelude/core.js").unlink()
        status, output = self.start(folder)
        self.assertEqual(status, 3)
        self.assertRegex(output, r"core\.js is missing; install aiwebengine again")

    def test_broken_prelude(self) -> None:
        """A prelude file that throws is named with its error."""
        folder = self.copied()
        (folder / "sandbox/prelude/web/console.js").write_text("\nnowhere();\n")
        status, output = self.start(folder)
        self.assertEqual(status, 3)
        self.assertRegex(output, r"console\.js: ReferenceError: nowhere is not defined")


class ProcessLifeTests(SynchronousTestCase):
    """Birth and death of the processes themselves; each test has its own zygote."""

    def start(self) -> tuple[Zygote, Template, Clone]:
        """Start one of each."""
        zygote = Zygote()
        self.addCleanup(zygote.__exit__)
        template = zygote.template("registerWebHandler('/', function () { return 1; });")
        clone = template.clone()
        self.addCleanup(clone.close)
        self.assertEqual(clone.run().value, 1)
        return zygote, template, clone

    def assert_all_gone(self, *pids: int) -> None:
        """Wait until none of the processes runs."""
        wait_until(lambda: not any(map(is_alive, pids)), state=lambda: [pid for pid in pids if is_alive(pid)])

    def test_killed_zygote(self) -> None:
        """When the zygote is killed, everything that it forked dies."""
        zygote, template, clone = self.start()
        zygote.process.kill()
        self.assert_all_gone(zygote.process.pid, template.pid, clone.pid)
        self.assertIsNone(clone.take())

    def test_killed_template(self) -> None:
        """When a template dies its clones die, the zygote tells, and forks the next."""
        zygote, template, clone = self.start()
        zygote.ask({"op": "kill", "id": template.number})
        number = zygote._number
        self.assertLess(template.number, number)
        event = zygote.event("exit", template.number)
        self.assertEqual((event["pid"], os.WTERMSIG(event["status"])), (template.pid, signal.SIGKILL))
        self.assertGreater(event["maxrss"], 1000)
        self.assert_all_gone(template.pid, clone.pid)
        again = zygote.template("registerWebHandler('/', function () { return 2; });")
        self.assertEqual(again.clone().run().value, 2)

    def test_killed_clone(self) -> None:
        """A clone is killed, as the server does, and the next one is there at once."""
        _, template, clone = self.start()
        os.kill(clone.pid, signal.SIGKILL)
        self.assertEqual(os.WTERMSIG(clone.end()["status"]), signal.SIGKILL)
        self.assertEqual(template.clone().run().value, 1)

    def test_asked_to_kill(self) -> None:
        """A template may signal nobody: asked to, it ends, and its clones with it."""
        zygote, template, clone = self.start()
        template.control.send(b'{"op": "kill", "id": %d}' % clone.number)
        self.assert_all_gone(template.pid, clone.pid)
        self.assertTrue(is_alive(zygote.process.pid))

    def test_control_sockets_end(self) -> None:
        """A template ends with its control socket, and its clones with it; the zygote goes on."""
        zygote, template, clone = self.start()
        template.control.close()
        self.assert_all_gone(template.pid, clone.pid)
        self.assertTrue(is_alive(zygote.process.pid))
        zygote.control.close()
        self.assertEqual(zygote.process.wait(5), 0)

    def test_data_socket_ends(self) -> None:
        """A clone ends when the server closes its socket, also while it waits for the host."""
        _, template, clone = self.start()
        clone.close()
        self.assertEqual(clone.end()["status"], 0)
        waiting = self.zygote_clone(template, "return 1;")
        waiting.close()
        self.assertEqual(waiting.end()["status"], 0)

    def zygote_clone(self, template: Template, body: str) -> Clone:
        """Return another clone."""
        clone = template.clone()
        self.assertEqual(clone.run().value, 1)
        return clone

    def test_nonsense(self) -> None:
        """A request that makes no sense is answered and forks nothing."""
        zygote, _, _ = self.start()
        number = zygote.ask({"op": "dance"})
        self.assertIn("dance", zygote.event("failed", number)["message"])
        zygote.control.send(b"[1, 2")
        zygote.control.send(b'{"op": "kill", "id": 999}')
        self.assertEqual(zygote.template("1;").loaded.code, "")

    def test_bytes_that_are_no_boxes(self) -> None:
        """A child that is sent what is no box ends instead of guessing."""
        zygote, _, clone = self.start()
        clone.sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(os.waitstatus_to_exitcode(clone.end()["status"]), 70)
        self.assertTrue(is_alive(zygote.process.pid))

    def test_refusal_is_only_an_answer(self) -> None:
        """A host that refuses everything ends no process."""
        zygote, _, _ = self.start()

        def refuse(name: str, arguments: list[object]) -> None:
            raise HostRefusal(code="denied", message="no")

        template = zygote.template("registerWebHandler('/', function () { return 1; });", host=refuse)
        self.assertEqual((template.loaded.code, template.loaded.failure["code"]), ("thrown", "denied"))
