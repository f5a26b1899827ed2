"""A second run waits in the socket of a process that will soon be free."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.settings.schema import PoolSettings
from tests.unit.host.fakes import probing
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
        assert sink.received == [DONE]
        return scene

    def two(self, **members: Any) -> tuple[FakeSink, FakeSink]:
        """Begin two runs."""
        self.scene(**members)
        (self.first, first_sink), (self.second, second_sink) = self.made.run(), self.made.run()
        return first_sink, second_sink

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
        first_sink, second_sink = self.two()
        self.take_both()
        self.assertEqual(self.following, 1)
        (version,) = self.made.runner.state()["versions"]
        self.assertEqual((version["depth"], version["clones"][0]["following"]), (16, 1))
        self.made.reactor.advance(0.02)
        self.child.answer()
        self.made.reactor.turn()
        self.assertEqual((first_sink.received, second_sink.received, self.following), ([DONE], [], 0))
        # Its time runs from now on, and so do its costs.
        self.made.go(1.9)
        self.assertEqual(second_sink.received, [])
        self.child.ask(b"n")
        self.made.reactor.turn()
        self.assertEqual(self.child.take(), {b"_answer": b"7", b"v": b'{"ok":null}'})
        self.child.answer(tag=b"2")
        self.made.reactor.turn()
        self.assertEqual(second_sink.received, [DONE])
        self.assertEqual([receipt.outcome for receipt in self.made.host.receipts[1:]], ["committed"] * 3)
        first, second = self.made.host.receipts[-2:]
        self.assertAlmostEqual(first.wall_seconds, 0.02, 3)
        self.assertAlmostEqual(second.wall_seconds, 1.9, 3)
        self.assertAlmostEqual(second.queued_seconds, 0.02, 3)
        self.assertEqual([list(receipt.host_calls) for receipt in (first, second)], [[], ["n"]])

    def several(self, count: int, **members: Any) -> list[FakeSink]:
        """Begin so many runs, of which all but the first wait behind it; returns what their clients are told."""
        self.scene(**members)
        sinks = [self.made.run()[1] for _ in range(count)]
        self.assertEqual(self.following, count - 1)
        return sinks

    def test_several_follow(self) -> None:
        """Many runs wait in one socket, each with a tag of its own, and are answered in their order."""
        sinks = self.several(16)
        boxes = [self.child.take() or {} for _ in range(16)]
        self.assertEqual(len({box[b"_ask"] for box in boxes}), 16)
        for number, box in enumerate(boxes):
            self.child.answer(b"%d" % number, tag=box[b"_ask"])
        self.made.reactor.turn()
        self.assertEqual(
            [sink.received for sink in sinks], [[("answered", 200, b"%d" % number)] for number in range(16)]
        )
        self.assertEqual(self.following, 0)

    def test_as_many_as_the_settings_say(self) -> None:
        """What finds no room in the socket waits with the server, and follows when there is room."""
        self.several(3, depth=3)
        sinks = [self.made.run()[1] for _ in range(2)]
        self.assertEqual((self.following, self.made.runner.state()["versions"][0]["waiting"]), (2, 2))
        for _ in range(5):
            self.child.answer(tag=(self.child.take() or {})[b"_ask"])
            self.made.reactor.turn()
        self.assertEqual([sink.received for sink in sinks], [[DONE], [DONE]])

    def test_not_behind_many_that_take_their_time(self) -> None:
        """All that is in front of a run must usually be over soon, not each of it."""
        self.made = scene = Scene(pool=PoolSettings(max_running=1))
        self.addCleanup(scene.close)
        self.template = scene.serving()
        scene.run()
        (self.child,) = self.template.clones()
        scene.reactor.advance(0.002)
        self.child.answer()
        scene.reactor.turn()
        for _ in range(4):
            scene.run()
        self.assertEqual(self.following, 2)

    def test_enough_processes(self) -> None:
        """While as many processes work as there are processors, quick runs wait behind them."""
        self.several(4, max_running=4)
        self.assertEqual(self.template.clones(), [])

    def test_several_recalled(self) -> None:
        """When the one in hand waits all others are taken back, the last first, and run elsewhere in order."""
        sinks = self.several(4, max_parked=3)
        tags = [(self.child.take() or {})[b"_ask"] for _ in range(4)]
        self.made.host.answers["later"] = Deferred()
        self.child.ask(b"later")
        self.made.reactor.turn()
        recalled = [self.child.take() or {} for _ in range(3)]
        self.assertEqual([box[b"_command"] for box in recalled], [b"recall"] * 3)
        self.assertEqual([box[b"t"] for box in recalled], tags[:0:-1])
        for box in recalled:
            self.child.send(command=b"recalled", t=box[b"t"])
        self.made.reactor.turn()
        self.serve()
        self.assertEqual([sink.received for sink in sinks], [[], [DONE], [DONE], [DONE]])
        self.assertEqual(self.following, 0)

    def test_several_and_it_dies(self) -> None:
        """When a process dies the run in hand fails, and those behind it are run elsewhere, whatever it had begun."""
        for answered in range(3):
            sinks = self.several(4)
            for _ in range(answered):
                self.child.answer(tag=(self.child.take() or {})[b"_ask"])
            self.template.exit(0, int(signal.SIGSEGV))
            self.serve()
            received = [[DONE]] * answered + [[("failed", "script_crashed")]] + [[DONE]] * (3 - answered)
            self.assertEqual([sink.received for sink in sinks], received)
            self.assertEqual(self.following, 0)

    def test_one_of_several_gone(self) -> None:
        """If the client of one that waits goes, that one is taken back, and the others stay where they are."""
        self.scene()
        begun = [self.made.run() for _ in range(4)]
        tags = [(self.child.take() or {})[b"_ask"] for _ in range(4)]
        self.made.runner.cancel(begun[2][0])
        self.assertEqual(self.child.take(), {b"_command": b"recall", b"t": tags[2], b"v": b""})
        self.child.send(command=b"recalled", t=tags[2])
        for tag in (tags[0], tags[1], tags[3]):
            self.child.answer(tag=tag)
        self.made.reactor.turn()
        self.assertEqual([sink.received for _, sink in begun], [[DONE], [DONE], [("failed", "cancelled")], [DONE]])
        self.assertEqual(self.following, 0)

    def test_goes_on(self) -> None:
        """Behind the second comes a third, in turn."""
        scene = self.scene()
        sinks = [scene.run()[1] for _ in range(6)]
        for number in range(6):
            box = self.child.take()
            assert box is not None
            self.child.answer(b"%d" % number, tag=box[b"_ask"])
            scene.reactor.turn()
        self.assertEqual(
            [sink.received for sink in sinks], [[("answered", 200, b"%d" % number)] for number in range(6)]
        )
        self.assertEqual(self.template.clones(), [])

    @pytest.mark.setting("pool.depth")
    def test_only_behind_quick_ones(self) -> None:
        """Behind a route that usually takes longer, or is not known, nobody waits; nor where the settings say so."""
        for members in ({"took": 0.5}, {"depth": 1}):
            first_sink, second_sink = self.two(**members)
            self.assertEqual(self.following, 0)
            (version,) = self.made.runner.state()["versions"]
            self.assertEqual(version["depth"], members.get("depth", 16))
            self.child.take()
            self.child.answer()
            self.made.reactor.turn()
            self.child.take()
            self.child.answer()
            self.made.reactor.turn()
            self.assertEqual((first_sink.received, second_sink.received), ([DONE], [DONE]))
        self.made = scene = Scene(pool=PoolSettings(max_running=1))
        self.addCleanup(scene.close)
        scene.serving()
        scene.run(), scene.run()
        self.assertEqual(self.following, 0)

    @pytest.mark.setting("pool.isolation")
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
        self.assertEqual((two.received, self.following), ([DONE], 0))

    def test_not_recalled(self) -> None:
        """A host call whose function waits for nothing takes the second one from nowhere, and parks nothing."""

        async def probe(_session: Any, what: Any) -> Any:
            return what

        scene = self.scene(max_parked=1)
        self.patch(scene.host, "begin", probing(probe).begin)
        scene.run(), scene.run()
        self.take_both()
        self.child.ask(b"probe", 7)
        scene.reactor.turn()
        self.assertEqual(self.child.take(), {b"_answer": b"7", b"v": b'{"ok":7}'})
        self.assertIsNone(self.child.take())
        (version,) = scene.runner.state()["versions"]
        self.assertEqual((self.following, version["parked"]), (1, 0))

    def test_recalled_too_late(self) -> None:
        """If the first is answered before the child reads the recall, the second begins where it is."""
        first_sink, second_sink = self.two(max_parked=1)
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
        self.assertEqual((first_sink.received, second_sink.received, self.following), ([DONE], [DONE], 0))

    def test_answer_goes_on(self) -> None:
        """When the first one's answer goes on, streamed or with waitUntil, the second is taken back."""
        self.two(max_parked=1)
        self.take_both()
        self.child.part(b"send")
        self.made.reactor.turn()
        self.assertIn(b"recall", [(self.child.take() or {}).get(b"_command") for _ in range(2)])

    def test_not_behind_an_answer_that_goes_on(self) -> None:
        """Behind a run that streams, or has waited, nobody is put, even when nothing is left to wait for."""
        for name, argument in ((b"answer.start", b'{"status":200}\0'), (b"later", b"[]")):
            scene = self.scene()
            answer: Deferred[str] = Deferred()
            scene.host.answers["later"] = answer
            scene.run()
            self.child.take()
            self.child.send(argument, ask=b"7", command=b"host", n=name)
            scene.reactor.turn()
            answer.callback('{"ok":1}')
            _, two = scene.run()
            self.assertEqual((self.following, two.received), (0, []))

    def test_not_behind_what_is_late(self) -> None:
        """Behind a run that has taken longer than it should nobody is put; nor behind one with a process of its own."""
        scene = self.scene()
        scene.run()
        scene.reactor.advance(0.021)
        scene.run()
        self.assertEqual(self.following, 0)

    def test_waiting_is_not_quick(self) -> None:
        """A route whose runs usually wait is not quick, however soon they are answered."""
        scene = self.scene()
        scene.host.answers["soon"] = Deferred()
        for _ in range(80):
            soon: Deferred[str] = Deferred()
            scene.host.answers["soon"] = soon
            _, sink = scene.run()
            self.child.take()
            self.child.ask(b"soon")
            scene.reactor.turn()
            soon.callback('{"ok":1}')
            self.child.take()
            self.child.answer()
            scene.reactor.turn()
            self.assertEqual(sink.received, [DONE])
        scene.run(), scene.run()
        self.assertEqual(self.following, 0)

    def test_large(self) -> None:
        """What is long is sent once, to a process that is free."""
        scene = self.scene()
        scene.run()
        large = scene.invocation()._replace(payload='{"body":"' + "x" * 70_000 + '"}')
        scene.runner.run(large, FakeSink())
        self.assertEqual(self.following, 0)

    @pytest.mark.setting("pool.max_running_all")
    def test_others_wait(self) -> None:
        """While another script waits for a place, one that has its places takes no more ahead."""
        scene = self.scene(max_running_all=1)
        scene.bundle("w")
        scene.run()
        _, other = scene.run("w")
        scene.template().load()
        scene.reactor.turn()
        self.assertEqual((scene.runner.state()["slots"]["scriptsWaiting"], other.received), (1, []))
        scene.run()
        self.assertEqual(sum(version["following"] for version in scene.runner.state()["versions"]), 0)

    def test_long(self) -> None:
        """When the first takes long after all, the second is run elsewhere, and never where it was."""
        first_sink, second_sink = self.two(max_running=1)
        self.take_both()
        self.made.go(0.1)
        self.assertEqual((self.child.take() or {})[b"_command"], b"recall")
        self.assertIsNone(self.child.take())
        self.assertEqual(self.following, 0)
        # The process, which has heard nothing, answers both.
        self.child.answer()
        self.child.ask(b"n")
        self.child.answer(b"stale", tag=b"2")
        self.made.reactor.turn()
        self.assertEqual((first_sink.received, second_sink.received, self.child.deserted), ([DONE], [], True))
        self.serve()
        self.assertEqual(second_sink.received, [DONE])
        self.assertEqual([list(receipt.host_calls) for receipt in self.made.host.receipts[1:]], [[], [], []])
        self.template.exit(0, int(signal.SIGKILL))
        (version,) = self.made.runner.state()["versions"]
        self.assertEqual((version["crashes"], version["busy"], version["waiting"]), (0, 0, 0))

    def test_long_and_then_waits(self) -> None:
        """A process that gives the second back after all goes on serving."""
        first_sink, second_sink = self.two(max_running=1, max_parked=1)
        self.take_both()
        self.made.go(0.1)
        self.child.take()
        self.child.send(command=b"recalled", t=b"2")
        self.made.reactor.turn()
        self.assertEqual((self.following, second_sink.received), (0, []))
        self.child.answer()
        self.made.reactor.turn()
        self.assertEqual((first_sink.received, self.child.deserted), ([DONE], False))
        self.assertEqual((self.child.take() or {})[b"_ask"], b"1")
        self.child.answer()
        self.made.reactor.turn()
        self.assertEqual(second_sink.received, [DONE])

    def test_died_with_the_first(self) -> None:
        """If the process dies before the first is answered, the second has not begun and is run elsewhere."""
        for status in (signal.SIGSEGV, signal.SIGALRM):
            first_sink, second_sink = self.two()
            self.take_both()
            self.template.exit(0, int(status))
            self.assertEqual(first_sink.received[0][0], "failed")
            self.serve()
            self.assertEqual((second_sink.received, self.following), ([DONE], 0))

    def test_killed_from_outside(self) -> None:
        """If somebody kills the process both are run again, in their order."""
        first_sink, second_sink = self.two()
        self.take_both()
        self.template.exit(0, int(signal.SIGKILL))
        self.serve()
        self.assertEqual((first_sink.received, second_sink.received, self.following), ([DONE], [DONE], 0))

    def test_died_with_the_second(self) -> None:
        """If the first was answered it was the second that crashed the process."""
        first_sink, second_sink = self.two()
        self.take_both()
        self.child.answer()
        self.child.ask(b"n")
        self.template.exit(0, int(signal.SIGSEGV))
        self.assertEqual(first_sink.received, [DONE])
        self.assertEqual(second_sink.received, [("failed", "script_crashed")])
        self.assertEqual(self.following, 0)

    def test_overdue(self) -> None:
        """A process that is killed at the deadline of the first takes nothing of the second with it."""
        first_sink, second_sink = self.two()
        self.take_both()
        self.made.go(2.1)
        self.template.exit(0, int(signal.SIGKILL))
        self.assertEqual(first_sink.received, [("failed", "script_timeout")])
        self.serve()
        self.assertEqual(second_sink.received, [DONE])

    def test_client_gone(self) -> None:
        """If whoever asked for the second goes, it is taken back, or cancelled when it begins all the same."""
        for recalled in (True, False):
            first_sink, second_sink = self.two()
            self.take_both()
            self.made.runner.cancel(self.second)
            self.assertEqual((self.child.take() or {})[b"_command"], b"recall")
            if recalled:
                self.child.send(command=b"recalled", t=b"2")
                self.made.reactor.turn()
                self.assertEqual(second_sink.received, [("failed", "cancelled")])
            self.child.answer()
            self.made.reactor.turn()
            self.assertEqual(first_sink.received, [DONE])
            if not recalled:
                self.assertEqual(self.child.take(), {b"_command": b"cancel", b"t": b"2", b"v": b""})
                self.child.answer(tag=b"2")
                self.made.reactor.turn()
                self.assertEqual(second_sink.received, [("failed", "cancelled")])
            self.assertEqual(self.following, 0)

    def test_client_gone_and_it_goes_on(self) -> None:
        """A second run that was cancelled before it began is ended soon, as any other is."""
        _, two = self.two()
        self.take_both()
        self.made.runner.cancel(self.second)
        self.child.answer()
        self.made.reactor.turn()
        self.made.go(0.15)
        self.template.reap(int(signal.SIGKILL))
        self.template.exit(0, int(signal.SIGKILL))
        self.assertEqual(two.received, [("failed", "cancelled")])

    def test_client_gone_behind_a_long_one(self) -> None:
        """Nobody is told late that the client has gone because the first takes long."""
        _, two = self.two()
        self.take_both()
        self.made.runner.cancel(self.second)
        self.made.go(0.1)
        self.assertEqual(two.received, [("failed", "cancelled")])

    def test_protocol(self) -> None:
        """A child that answers out of turn, or gives back what nobody asked for, is ended; the second is run again."""
        lies: tuple[dict[str, bytes], ...] = (
            {"answer": b"2", "h": b"", "e": b"a"},
            {"error": b"2", "error_code": b"thrown"},
            {"command": b"recalled", "t": b"2"},
            {"command": b"recalled", "t": b"1"},
            {"command": b"recall", "t": b"2"},
        )
        for lie in lies:
            first_sink, second_sink = self.two()
            self.take_both()
            self.child.send(b"", **lie)
            self.made.reactor.turn()
            self.template.exit(0, int(signal.SIGKILL))
            self.assertEqual(first_sink.received, [("failed", "script_protocol")])
            self.serve()
            self.assertEqual(second_sink.received, [DONE])

    def test_answered_although_given_back(self) -> None:
        """A child that gives the second back and answers it all the same, or gives it back twice, is ended."""
        for lie in ({"answer": b"2", "h": b"", "e": b"a"}, {"command": b"recalled", "t": b"2"}):
            first_sink, second_sink = self.two(max_parked=0)
            self.take_both()
            self.made.host.answers["later"] = Deferred()
            self.child.ask(b"later")
            self.made.reactor.turn()
            self.child.send(command=b"recalled", t=b"2")
            self.child.send(b"", **lie)
            self.made.reactor.turn()
            self.template.exit(0, int(signal.SIGKILL))
            self.assertEqual(first_sink.received, [("failed", "script_protocol")])
            self.serve()
            self.assertEqual(second_sink.received, [DONE])

    def test_second_lost_once(self) -> None:
        """A process that is killed before the second has begun does not count against it; one that ran it does."""
        first_sink, second_sink = self.two()
        self.take_both()
        self.template.exit(0, int(signal.SIGKILL))
        (child,) = [child for child in self.template.clones() if child.take() is not None]
        # It has the second in hand now; the first comes after it.
        self.assertEqual([receipt.outcome for receipt in self.made.host.receipts[2:]], ["lost"])
        self.template.exit(self.template.children.index(child), int(signal.SIGKILL))
        self.serve()
        self.assertEqual((first_sink.received, second_sink.received), ([DONE], [DONE]))
        outcomes = [receipt.outcome for receipt in self.made.host.receipts[2:]]
        self.assertEqual(sorted(outcomes), ["committed", "committed", "lost", "lost"])

    def test_stopped(self) -> None:
        """When the server stops the second is refused, and nobody waits for ever."""
        first_sink, second_sink = self.two()
        self.take_both()
        self.made.runner.stopService()
        self.template.die()
        self.assertEqual((len(first_sink.received), len(second_sink.received)), (1, 1))
        self.made.runner.startService()
