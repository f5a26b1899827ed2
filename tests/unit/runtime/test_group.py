"""The processes of one version, and the runs that wait for one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import EngineError, NotFound
from aiwebengine.runtime.group import ProcessGroup
from aiwebengine.runtime.processes.journal import Journal
from aiwebengine.runtime.processes.terms import RunTerms
from aiwebengine.values import Bundle
from tests.support.fakes.invocations import an_invocation
from tests.support.fakes.processes import Forker, HandReactor, a_group_context

BUNDLE = Bundle(
    script="s", version="v", source="", source_map="", files={}, replay=Journal("", seed="0" * 32, now=1).text()
)


class WaitingRun:
    """A run that has no process yet; see `runs.run.Run`."""

    alone = lost = False

    def __init__(self) -> None:
        self.invocation = an_invocation()
        self.refused: list[EngineError] = []
        self.queued_until = 0.0

    def refuse(self, error: EngineError) -> None:
        """See `Run.refuse`."""
        self.refused.append(error)


class ProcessGroupTests(SynchronousTestCase):
    """Of a version whose template is never there."""

    def setUp(self) -> None:
        """Make a group with a store that answers when the test says so."""
        self.reactor = HandReactor()
        self.reactor.advance(1000)
        self.zygote = Forker(self.reactor)
        self.fetches: list[Deferred[Bundle]] = []
        run_context: Any = None
        context = a_group_context(
            self.reactor,
            source=SimpleNamespace(bundle=self.bundle),
            zygote=lambda: self.zygote.control,
            queue_length=2,
            queue_seconds=1.0,
            idle_seconds=10.0,
        )
        self.group = ProcessGroup(
            version="v",
            terms=RunTerms(isolation="shared", max_running=1, memory_bytes=1 << 26),
            context=context,
            run_context=run_context,
        )
        self.addCleanup(self.close)

    def close(self) -> None:
        """Close every end."""
        self.zygote.control.close()
        self.zygote.close()
        for call in self.reactor.getDelayedCalls():
            call.cancel()

    async def bundle(self, _: str) -> Bundle:
        """See `interfaces.ScriptSource`."""
        self.fetches.append(Deferred())
        return await self.fetches[-1]

    def submit(self) -> Any:
        """Submit a run."""
        run: Any = WaitingRun()
        self.group.submit(run)
        return run

    def codes(self, *runs: Any) -> list[list[str]]:
        """Return with which errors these runs were refused."""
        return [[error.code for error in run.refused] for run in runs]

    def test_expected(self) -> None:
        """A version that is about to serve is read before there is a run for it, and one process is forked, once."""
        self.group.expect()
        self.group.expect()
        self.assertEqual((len(self.fetches), self.group.quiet), (1, True))
        self.fetches[0].callback(BUNDLE)
        self.reactor.turn()
        [template] = self.zygote.requests()
        self.addCleanup(template.close)
        self.assertEqual(template.content["op"], "template")
        self.assertEqual([clone["runs"] for clone in self.group.state()["clones"]], [0])
        self.group.expect()
        self.assertEqual(len(self.group.state()["clones"]), 1)
        self.group.stop()

    def test_expected_in_vain(self) -> None:
        """If such a version cannot be read, nothing is forked, and it is left alone for a moment."""
        self.group.expect()
        self.fetches[0].errback(NotFound("There is no such version."))
        self.group.expect()
        self.assertEqual((len(self.fetches), self.group.idle), (1, True))

    def test_queue(self) -> None:
        """Runs wait while the version is read, which is done once; what is too many is refused at once."""
        runs = [self.submit() for _ in range(3)]
        self.assertEqual(self.codes(*runs), [[], [], ["unavailable"]])
        self.assertIn("pool.queue_length", runs[2].refused[0].public)
        self.assertEqual((self.group.state()["waiting"], len(self.fetches)), (2, 1))
        self.assertFalse(self.group.quiet)

    def test_waited_too_long(self) -> None:
        """A run that has waited as long as it may is refused, one that came later is not."""
        first = self.submit()
        self.reactor.advance(0.6)
        second = self.submit()
        self.reactor.advance(0.6)
        self.group.tend(self.reactor.seconds())
        self.assertEqual(self.codes(first, second), [["unavailable"], []])

    def test_withdrawn(self) -> None:
        """A run that has not begun can be taken out, once."""
        first, second = self.submit(), self.submit()
        self.assertTrue(self.group.withdraw(first))
        self.assertFalse(self.group.withdraw(first))
        self.group.stop()
        self.assertEqual(self.codes(first, second), [[], ["unavailable"]])

    def test_version_that_is_not_there(self) -> None:
        """If the version cannot be read, everything that waits for it fails with the reason."""
        first, second = self.submit(), self.submit()
        self.fetches[0].errback(NotFound("There is no such version."))
        self.assertEqual(self.codes(first, second), [["not_found"], ["not_found"]])
        self.assertTrue(self.group.quiet)

    def test_retired(self) -> None:
        """A version that serves no longer ends when nothing is left to do."""
        run = self.submit()
        self.group.retire()
        self.assertEqual((self.codes(run), self.group.state()["retired"]), ([[]], True))
        self.group.stop()
        self.assertEqual((self.codes(run), self.group.idle), ([["unavailable"]], True))

    def test_forgettable(self) -> None:
        """A group is kept while something waits, and for a while after it was last used."""
        run = self.submit()
        self.fetches[0].errback(NotFound("There is no such version."))
        self.assertEqual(self.codes(run), [["not_found"]])
        self.assertFalse(self.group.forgettable(self.reactor.seconds()))
        self.assertTrue(self.group.forgettable(self.reactor.seconds() + 3600))
