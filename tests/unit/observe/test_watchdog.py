"""How long the reactor was held, and by whom."""

from __future__ import annotations

import threading
import traceback
from types import SimpleNamespace

from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.observe.watchdog import (
    HELD_SECONDS,
    Watchdog,
    WatchedPoller,
    describe,
    phase_of,
    stack_of,
    unwatched_pulse,
)

BEGAN = 100.0


class WatchdogTests(SynchronousTestCase):
    def setUp(self):
        self.now = BEGAN
        self.watchdog = Watchdog(reactor=SimpleNamespace(), wall=lambda: 1000.0, monotonic=lambda: self.now)
        self.lines = []
        globalLogPublisher.addObserver(self.lines.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.lines.append)

    def step(self, seconds, *, look=False, subject=None):
        """Have the reactor work for so long."""
        pulse = self.watchdog.pulse
        pulse.wakes()
        pulse.subject = subject
        self.now += seconds
        if look:
            self.watchdog.look(threading.get_ident())
        pulse.sleeps()

    def held(self):
        return [line for line in self.lines if "was held" in (line.get("log_format") or "")]

    def test_short_steps(self):
        """Steps that are short are in no figure and no line."""
        self.step(0.005)
        self.now += 10  # it waits
        self.step(0.009)
        state = self.watchdog.state()
        self.assertEqual((state["over10ms"], state["over50ms"], state["longestMs"], state["last"]), (0, 0, 0, []))
        self.assertEqual(self.held(), [])

    def test_long_step(self):
        """A long one is counted and kept with whom it was for, and the log has one line with the stack."""
        self.step(0.02)
        self.step(0.3, look=True, subject=SimpleNamespace(script="shop", key="/orders"))
        state = self.watchdog.state()
        self.assertEqual(
            (state["over10ms"], state["over50ms"], state["over250ms"], state["longestMs"]), (2, 1, 1, 300.0)
        )
        [last] = state["last"]
        self.assertEqual((last["at"], last["ms"], last["subject"]), (999_700, 300.0, '/orders of "shop"'))
        [line] = self.held()
        self.assertEqual(line["ms"], 300)
        self.assertIn("test_watchdog.py", line["stack"])

    def test_not_seen_in_time(self):
        """Without a stack the step is told all the same; one of a step before is not taken for it."""
        self.step(0.3, look=True)
        self.step(0.3)
        self.assertEqual([bool(line["stack"]) for line in self.held()], [True, False])

    def test_look_at_a_short_step(self):
        """Nobody takes the stack of a step that has only begun, or of a reactor that waits."""
        self.watchdog.pulse.wakes()
        self.now += HELD_SECONDS / 2
        self.watchdog.look(threading.get_ident())
        self.watchdog.pulse.sleeps()
        self.now += 5
        self.watchdog.look(threading.get_ident())
        self.step(0.3)
        self.assertEqual(self.held()[0]["stack"], "")

    def test_subject_changes(self):
        """The step is told as of whom it worked for when it was seen, not of who came after that."""
        pulse = self.watchdog.pulse
        pulse.wakes()
        pulse.subject = SimpleNamespace(script="shop", key="/orders", methods=("POST",))
        self.now += 0.2
        self.watchdog.look(threading.get_ident())
        pulse.subject = SimpleNamespace(script="other", key="/")
        pulse.sleeps()
        self.assertEqual(self.watchdog.state()["last"][0]["subject"], 'POST /orders of "shop"')

    def test_many(self):
        """The log has ten lines a minute at most, the state the last twenty."""
        for _ in range(50):
            self.step(0.1)
        self.assertEqual(len(self.held()), 10)
        self.assertEqual((len(self.watchdog.state()["last"]), self.watchdog.state()["over50ms"]), (20, 50))
        self.now += 60
        self.step(0.1)
        self.assertEqual(len(self.held()), 11)

    def test_another_reactor(self):
        """A reactor that does not poll is not watched, and the state says so."""
        self.watchdog.startService()
        self.assertIs(self.watchdog.state()["watched"], False)
        self.watchdog.stopService()

    def test_subject_of_the_step_before(self):
        """What the step before was for is not told of the next one."""
        self.step(0.001, subject=SimpleNamespace(script="shop", key="/orders"))
        self.step(0.1)
        self.assertEqual(self.watchdog.state()["last"][0]["subject"], "")


class PollerTests(SynchronousTestCase):
    def test_delegates(self):
        """All that a reactor asks of a poller is answered by the one that it had, a failure too."""

        class Poller:
            def poll(self, timeout, maxevents):
                if timeout < 0:
                    raise OSError(4, "interrupted")
                return [(timeout, maxevents)]

            register = modify = unregister = close = fileno = poll

        pulse = unwatched_pulse()
        inner = Poller()
        poller = WatchedPoller(inner, pulse)
        self.assertEqual(poller.poll(1, 2), [(1, 2)])
        self.assertNotEqual(pulse.busy_since, 0)
        self.assertRaises(OSError, poller.poll, -1, 2)
        self.assertNotEqual(pulse.busy_since, 0)
        self.assertIs(poller.inner, inner)


class NameTests(SynchronousTestCase):
    def test_phase(self):
        """The phase is the innermost function of the engine, whatever it called."""
        stack = [
            traceback.FrameSummary("/srv/site-packages/aiwebengine/web/site.py", 3, "_checked", lookup_line=False),
            traceback.FrameSummary("/usr/lib/python3.11/json/decoder.py", 3, "decode", lookup_line=False),
        ]
        self.assertEqual(phase_of(stack), "web.site._checked")
        self.assertEqual(phase_of(stack[1:]), "")

    def test_subject(self):
        """An invocation is told by its label, a registered entry by its key, anything else by nothing."""
        self.assertEqual(describe(SimpleNamespace(script="s", label="GET /a", key="/a")), 'GET /a of "s"')
        self.assertEqual(describe(SimpleNamespace(script="s", key="/a")), '/a of "s"')
        self.assertEqual(describe(None), "")

    def test_stack_of_another_thread(self):
        """The stack of a thread is read while it waits; a thread that does not exist has none."""
        begun, end = threading.Event(), threading.Event()

        def waits_for_the_end():
            begun.set()
            end.wait()

        thread = threading.Thread(target=waits_for_the_end)
        thread.start()
        begun.wait()
        stack = stack_of(thread.ident)
        end.set()
        thread.join()
        self.assertIn("waits_for_the_end", [frame.name for frame in stack])
        self.assertNotIn("test_stack_of_another_thread", [frame.name for frame in stack])
        self.assertEqual(stack_of(0), [])
