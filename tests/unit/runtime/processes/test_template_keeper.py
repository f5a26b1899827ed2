"""When a version's template is made, made again, and left alone."""

from __future__ import annotations

import json
import signal
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, EngineError, NotFound
from aiwebengine.runtime.processes.journal import Journal
from aiwebengine.runtime.processes.template_keeper import TemplateKeeper, TemplateState
from aiwebengine.runtime.processes.terms import RunTerms
from aiwebengine.values import Bundle
from tests.support.fakes.processes import FakeChild, Forker, HandReactor, Request, a_group_context

BUNDLE = Bundle(
    script="s", version="v", source="", source_map="", files={}, replay=Journal("", seed="0" * 32, now=1).text()
)
KILLED = int(signal.SIGKILL)


class Source:
    """A store that answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[Deferred[Bundle]] = []

    async def bundle(self, _: str) -> Bundle:
        self.asked.append(Deferred())
        return await self.asked[-1]


class KeeperTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a keeper with a zygote that the test plays."""
        self.reactor = HandReactor()
        self.reactor.advance(1000)
        self.make()
        self.requests: list[Request] = []
        self.addCleanup(self.close)

    def make(self, isolation: str = "shared") -> None:
        """Make a keeper of a version with this isolation."""
        self.zygote = Forker(self.reactor)
        self.source = Source()
        self.wanted, self.changes = True, 0
        self.failures: list[EngineError] = []
        context = a_group_context(
            self.reactor,
            source=self.source,
            zygote=lambda: self.zygote.control if self.zygote.control.is_open else None,
        )
        self.keeper = TemplateKeeper(
            version="v",
            terms=RunTerms(isolation=isolation, max_running=1, memory_bytes=1 << 26),
            context=context,
            wanted=lambda: self.wanted,
            changed=self.changed,
            failed=self.failures.append,
        )

    def close(self) -> None:
        """Close every end."""
        self.look()
        self.zygote.control.close()
        self.zygote.close()
        for request in self.requests:
            request.close()
        for call in self.reactor.getDelayedCalls():
            call.cancel()

    def changed(self) -> None:
        """See `TemplateKeeper`."""
        self.changes += 1

    def look(self) -> list[str]:
        """Take what the zygote was asked for, and give what that was."""
        new = self.zygote.requests()
        self.requests += [request for request in new if request.content["op"] == "template"]
        return [str(request.content["op"]) for request in new]

    def present(self) -> None:
        """Have a template made."""
        self.keeper.ensure()
        self.source.asked[-1].callback(BUNDLE)
        self.assertEqual((self.look(), self.keeper.keeping), (["template"], TemplateState.PRESENT))

    def exit(self, status: int = KILLED) -> None:
        """Tell that the newest template has ended."""
        self.zygote.exit(int(self.requests[-1].content["id"]), status)
        self.reactor.turn()
        self.look()

    def load(self) -> None:
        """Answer the load of the newest template."""
        self.report = {"handlers": 1, "names": [], "warnings": []}
        FakeChild(self.requests[-1].sockets[0]).send(json.dumps(self.report).encode(), answer=b"1")
        self.reactor.turn()

    def test_made_once(self) -> None:
        """A template is made when it is needed, and not twice, however often it is asked for."""
        for _ in range(3):
            self.keeper.ensure()
        self.assertEqual(
            (len(self.source.asked), self.keeper.keeping, self.keeper.idle), (1, TemplateState.FETCHING, False)
        )
        self.source.asked[0].callback(BUNDLE)
        self.keeper.ensure()
        self.assertEqual((len(self.source.asked), self.look()), (1, ["template"]))
        self.load()
        self.exit()
        self.assertEqual((self.keeper.keeping, self.keeper.idle, self.failures), (TemplateState.ABSENT, True, []))
        self.keeper.ensure()
        self.assertEqual(len(self.source.asked), 2)

    def rehearsals(self) -> list[str]:
        """Let a second pass, and return what the newest template was asked for."""
        self.keeper.tend(self.reactor.seconds(), overdue=False, unused=False)
        requests = Forker(self.reactor, self.requests[-1].sockets[1]).requests()
        for request in requests:
            (sock,) = request.sockets
            output = sock.recv(65536)
            self.assertIn(b"run", output)
            # Nobody waits for the answer.
            self.assertEqual(sock.recv(1), b"")
            request.close()
        return [request.content["op"] for request in requests]

    def test_rehearsal(self) -> None:
        """With a process for each request, a template that has loaded rehearses a run, once, after its first second."""
        self.zygote.control.close()
        self.zygote.close()
        self.make("request")
        self.present()
        self.assertTrue(self.requests[-1].content["once"])
        self.assertEqual(self.rehearsals(), [])
        self.load()
        self.assertEqual(self.rehearsals(), ["rehearse"])
        self.assertEqual(self.rehearsals(), [])

    def test_no_rehearsal(self) -> None:
        """With processes that serve many requests there is none."""
        self.present()
        self.load()
        self.assertFalse(self.requests[-1].content["once"])
        self.assertEqual(self.rehearsals(), [])

    def test_not_wanted_any_more(self) -> None:
        """A version that nobody waits for when it has been read is not loaded."""
        self.keeper.ensure()
        self.wanted = False
        self.source.asked[0].callback(BUNDLE)
        self.assertEqual((self.keeper.keeping, self.look()), (TemplateState.ABSENT, []))

    def test_cannot_be_read(self) -> None:
        """A version that cannot be read fails who waits, and is asked for again after a while only."""
        for error in (NotFound("gone"), ValueError("disk")):
            self.keeper.ensure()
            self.source.asked[-1].errback(error)
            self.assertEqual(
                (self.keeper.keeping, self.keeper.refusal(self.reactor.seconds())),
                (TemplateState.ABSENT, self.keeper.failure),
            )
            asked = len(self.source.asked)
            self.keeper.ensure()
            self.assertEqual(len(self.source.asked), asked)
            self.reactor.advance(5.0)
            self.assertIsNone(self.keeper.refusal(self.reactor.seconds()))
        self.assertEqual([error.code for error in self.failures], ["not_found", "unavailable"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_dies_young_again_and_again(self) -> None:
        """The first early death may be an accident; after the second the version waits."""
        for waits in (False, True):
            self.present()
            self.load()
            self.exit()
            self.keeper.ensure()
            self.assertEqual(self.keeper.keeping, TemplateState.ABSENT if waits else TemplateState.FETCHING)
            if not waits:
                self.source.asked[-1].errback(Conflict("not this time"))
                self.reactor.advance(5.0)

    def test_lost_while_it_loads(self) -> None:
        """A template that somebody kills while it loads is made again a few times, and then it has failed."""
        for attempt in range(4):
            self.present()
            self.exit()
            self.assertEqual(len(self.failures), attempt == 3)
            self.reactor.advance(5.0)

    def test_deployment(self) -> None:
        """While a deployment loads a template none is fetched; what it has loaded serves."""
        self.keeper.begin_deployment()
        self.keeper.ensure()
        self.assertEqual((self.source.asked, self.keeper.idle), ([], False))
        template = self.deployed()
        self.keeper.end_deployment(template)
        self.assertEqual(
            (self.keeper.keeping, self.keeper.template, self.keeper.idle), (TemplateState.PRESENT, template, False)
        )

    def test_deployment_in_vain(self) -> None:
        """After a deployment of which nothing came a template is fetched again."""
        self.keeper.begin_deployment()
        self.keeper.end_deployment(None)
        self.assertEqual((self.keeper.keeping, self.keeper.idle, self.changes), (TemplateState.ABSENT, True, 1))
        self.keeper.ensure()
        self.assertIs(self.keeper.keeping, TemplateState.FETCHING)

    def test_deployment_is_quicker(self) -> None:
        """What was being fetched meanwhile is not loaded beside what a deployment has loaded."""
        self.keeper.ensure()
        self.keeper.begin_deployment()
        template = self.deployed()
        self.keeper.end_deployment(template)
        self.source.asked[0].callback(BUNDLE)
        self.assertEqual((self.keeper.template, self.look()), (template, []))

    def test_deployed_again(self) -> None:
        """A template that a deployment replaces is ended."""
        self.present()
        first = self.keeper.template
        self.keeper.begin_deployment()
        self.keeper.end_deployment(self.deployed())
        self.assertEqual(self.look(), ["kill"])
        self.assertIsNot(self.keeper.template, first)

    def deployed(self) -> Any:
        """Load a template as a deployment does."""
        session: Any = object()
        invocation: Any = type("Load", (), {"wall_seconds": 5.0, "allowance": None, "payload": "null"})
        template, _ = self.keeper.first_load(bundle=BUNDLE, session=session, invocation=invocation)
        self.assertEqual(self.look(), ["template"])
        self.load()
        self.assertEqual(self.successResultOf(template.loaded), self.report)
        return template

    def test_stopped(self) -> None:
        """After the end nothing is made any more, and what comes late is ended."""
        self.keeper.ensure()
        self.keeper.begin_deployment()
        late = self.deployed()
        self.keeper.stop()
        self.source.asked[0].callback(BUNDLE)
        self.keeper.ensure()
        self.keeper.end_deployment(late)
        self.assertEqual(
            (self.keeper.keeping, self.keeper.template, self.look()), (TemplateState.STOPPED, None, ["kill"])
        )

    def test_tended(self) -> None:
        """A template that nothing has needed for long is ended; so is one whose clones do not end."""
        for members in ({"overdue": False, "unused": True}, {"overdue": True, "unused": False}):
            self.present()
            self.keeper.tend(self.reactor.seconds(), overdue=False, unused=False)
            self.assertIs(self.keeper.keeping, TemplateState.PRESENT)
            self.keeper.tend(self.reactor.seconds(), **members)
            self.assertEqual((self.keeper.keeping, self.look()), (TemplateState.ABSENT, ["kill"]))
