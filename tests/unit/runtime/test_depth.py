"""A second run waits in the socket of a process that will soon be free."""

from __future__ import annotations

import signal
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.settings.schema import PoolSettings
from tests.unit.runtime.fakes import FakeSink, FakeTemplate, Scene

DONE = ("answered", 200, b'{"done":true}')


class DepthTests(SynchronousTestCase):
    """One process, which has answered quickly before, and two runs."""

    def scene(self, *, took: float = 0.0, **members: Any) -> Scene:
        """Make a scene with one process that has answered one run, which took so long."""
        self.made = scene = Scene(pool=PoolSettings(**{"max_running": 1, **members}))
        self.addCleanup(scene.close)
        self.template: FakeTemplate = scene.serving()
        _, sink = scene.run()
        (self.child,) = self.template.clones()
        self.child.take()
        scene.go(took) if took else None
        self.child.answer()
        scene.reactor.turn()
        assert sink.told == [DONE]
        return scene

    def two(self, **members: Any) -> tuple[FakeSink, FakeSink]:
        """Begin two runs."""
        self.scene(**members)
        (self.first, one), (self.second, two) = self.made.run(), self.made.run()
        return one, two

    @property
    def following(self) -> int:
        """How many runs lie in sockets behind others."""
        (version,) = self.made.runner.state()["versions"]
        count: int = version["following"]
        return count

    def take_both(self) -> None:
        """Take both run boxes."""
        boxes = [self.child.take(), self.child.take()]
        self.assertEqual([box and (box[b"_command"], box[b"_ask"]) for box in boxes], [(b"run", b"1"), (b"run", b"2")])

    def serve(self) -> None:
        """Have the processes that were asked for since answer what they are sent."""
        children = self.template.clones()
        answered = True
        while answered:
            answered = False
            for child in children:
                while (box := child.take()) is not None:
                    if box[b"_command"] == b"run":
                        child.answer(tag=box[b"_ask"])
                        answered = True
            self.made.reactor.turn()
            children += self.template.clones()

    def test_follows(self) -> None:
        """The second run is sent while the first is in hand, and begins when that one is answered."""
        one, two = self.two()
        self.take_both()
        self.assertEqual(self.following, 1)
        self.made.go(1.5)
        self.assertEqual((self.child.take() or {})[b"_command"], b"recall")
        self.child.answer()
        self.made.reactor.turn()
        self.assertEqual((one.told, two.told, self.following), ([DONE], [], 0))
        # Its time runs from now on.
        self.made.go(1.5)
        self.assertEqual(two.told, [])
        self.child.ask(b"n")
        self.made.reactor.turn()
        self.assertEqual(self.child.take(), {b"_answer": b"7", b"v": b'{"ok":null}'})
        self.child.answer(tag=b"2")
        self.made.reactor.turn()
        self.assertEqual(two.told, [DONE])
        self.assertEqual([receipt.outcome for receipt in self.made.host.receipts[1:]], ["committed"] * 3)
        self.assertAlmostEqual(self.made.host.receipts[-1].wall_seconds, 1.5, 1)

    def test_goes_on(self) -> None:
        """Behind the second comes a third, in turn."""
        scene = self.scene()
        sinks = [scene.run()[1] for _ in range(6)]
        for number in range(6):
            box = self.child.take()
            assert box is not None
            self.child.answer(b"%d" % number, tag=box[b"_ask"])
            scene.reactor.turn()
        self.assertEqual([sink.told for sink in sinks], [[("answered", 200, b"%d" % number)] for number in range(6)])
        self.assertEqual(self.template.clones(), [])

    def test_only_behind_quick_ones(self) -> None:
        """Behind a route that usually takes longer, or is not known, nobody waits; nor where the settings say so."""
        for members in ({"took": 0.5}, {"depth": 1}):
            one, two = self.two(**members)
            self.assertEqual(self.following, 0)
            self.child.take()
            self.child.answer()
            self.made.reactor.turn()
            self.child.take()
            self.child.answer()
            self.made.reactor.turn()
            self.assertEqual((one.told, two.told), ([DONE], [DONE]))
        self.made = scene = Scene(pool=PoolSettings(max_running=1))
        self.addCleanup(scene.close)
        scene.serving()
        scene.run(), scene.run()
        self.assertEqual(self.following, 0)

    def test_never_where_each_has_its_own(self) -> None:
        """With a fresh process for each run no second one is sent."""
        self.made = scene = Scene(pool=PoolSettings(max_running=1, isolation="request"))
        self.addCleanup(scene.close)
        template = scene.serving()
        scene.run()
        for child in template.clones():
            if child.take() is not None:
                child.answer()
        scene.reactor.turn()
        scene.run(), scene.run()
        self.assertEqual(self.following, 0)

    def test_recalled(self) -> None:
        """When the first begins to wait for the host the second is taken back, and another process runs it."""
        _, two = self.two(max_parked=1)
        self.take_both()
        self.made.host.answers["later"] = Deferred()
        self.child.ask(b"later")
        self.made.reactor.turn()
        self.assertEqual(self.child.take(), {b"_command": b"recall", b"t": b"2", b"v": b""})
        self.child.send(command=b"recalled", t=b"2")
        self.made.reactor.turn()
        self.serve()
        self.assertEqual((two.told, self.following), ([DONE], 0))

    def test_recalled_too_late(self) -> None:
        """If the first is answered before the child reads the recall, the second begins where it is."""
        one, two = self.two(max_parked=1)
        self.take_both()
        answer: Deferred[str] = Deferred()
        self.made.host.answers["later"] = answer
        self.child.ask(b"later")
        self.made.reactor.turn()
        self.assertEqual((self.child.take() or {})[b"_command"], b"recall")
        answer.callback('{"ok":1}')
        self.child.answer()
        self.child.answer(tag=b"2")
        self.made.reactor.turn()
        self.assertEqual((one.told, two.told, self.following), ([DONE], [DONE], 0))

    def test_answer_goes_on(self) -> None:
        """When the first one's answer goes on, streamed or with waitUntil, the second is taken back."""
        self.two(max_parked=1)
        self.take_both()
        self.child.ask(b"answer.send", "", "n", "")
        self.made.reactor.turn()
        self.assertIn(b"recall", [(self.child.take() or {}).get(b"_command") for _ in range(2)])

    def test_long(self) -> None:
        """When the first takes long after all, the second is asked back."""
        self.two()
        self.take_both()
        self.made.go(0.1)
        self.assertEqual((self.child.take() or {})[b"_command"], b"recall")
        self.assertIsNone(self.child.take())

    def test_died_with_the_first(self) -> None:
        """If the process dies before the first is answered, the second has not begun and is run elsewhere."""
        for status in (signal.SIGSEGV, signal.SIGALRM):
            one, two = self.two()
            self.take_both()
            self.template.exit(0, int(status))
            self.assertEqual(one.told[0][0], "failed")
            self.serve()
            self.assertEqual((two.told, self.following), ([DONE], 0))

    def test_killed_from_outside(self) -> None:
        """If somebody kills the process both are run again, in their order."""
        one, two = self.two()
        self.take_both()
        self.template.exit(0, int(signal.SIGKILL))
        self.serve()
        self.assertEqual((one.told, two.told, self.following), ([DONE], [DONE], 0))

    def test_died_with_the_second(self) -> None:
        """If the first was answered it was the second that crashed the process."""
        one, two = self.two()
        self.take_both()
        self.child.answer()
        self.child.ask(b"n")
        self.template.exit(0, int(signal.SIGSEGV))
        self.assertEqual(one.told, [DONE])
        self.assertEqual(two.told, [("failed", "script_crashed")])
        self.assertEqual(self.following, 0)

    def test_overdue(self) -> None:
        """A process that is killed at the deadline of the first takes nothing of the second with it."""
        one, two = self.two()
        self.take_both()
        self.made.go(2.1)
        self.template.exit(0, int(signal.SIGKILL))
        self.assertEqual(one.told, [("failed", "script_timeout")])
        self.serve()
        self.assertEqual(two.told, [DONE])

    def test_client_gone(self) -> None:
        """If whoever asked for the second goes, it is taken back, or cancelled when it begins all the same."""
        for recalled in (True, False):
            one, two = self.two()
            self.take_both()
            self.made.runner.cancel(self.second)
            self.assertEqual((self.child.take() or {})[b"_command"], b"recall")
            if recalled:
                self.child.send(command=b"recalled", t=b"2")
                self.made.reactor.turn()
                self.assertEqual(two.told, [("failed", "cancelled")])
            self.child.answer()
            self.made.reactor.turn()
            self.assertEqual(one.told, [DONE])
            if not recalled:
                self.assertEqual(self.child.take(), {b"_command": b"cancel", b"t": b"2", b"v": b""})
                self.child.answer(tag=b"2")
                self.made.reactor.turn()
                self.assertEqual(two.told, [("failed", "cancelled")])
            self.assertEqual(self.following, 0)

    def test_protocol(self) -> None:
        """A child that answers out of turn, or gives back what nobody asked for, is ended; the second is run again."""
        for lie in ({"answer": b"2", "h": b"", "e": b"a"}, {"command": b"recalled", "t": b"2"}):
            one, two = self.two()
            self.take_both()
            self.child.send(b"", **lie)
            self.made.reactor.turn()
            self.template.exit(0, int(signal.SIGKILL))
            self.assertEqual(one.told, [("failed", "script_protocol")])
            self.serve()
            self.assertEqual(two.told, [DONE])

    def test_stopped(self) -> None:
        """When the server stops the second is refused, and nobody waits for ever."""
        one, two = self.two()
        self.take_both()
        self.made.runner.stopService()
        self.template.die()
        self.assertEqual((len(one.told), len(two.told)), (1, 1))
        self.made.runner.startService()
