"""The listening socket: when it opens, and how long a stop waits."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CannotStart
from aiwebengine.settings.schema import ServerSettings
from aiwebengine.web.listener import Listener, Ready


class FakeSite:
    """A site whose requests finish when the test says so."""

    connections = 0

    def __init__(self) -> None:
        self.did: list[str] = []
        self.drained: Deferred[None] = Deferred()

    def build_factory(self) -> Factory:
        return Factory()

    def drain(self, *, idle_seconds: float) -> Deferred[None]:
        self.did.append(f"drain {idle_seconds:g}")
        return self.drained

    def end(self) -> Deferred[None]:
        self.did.append("end")
        return succeed(None)


class FakeRunner:
    """A runner with nothing in hand."""

    def drained(self) -> Deferred[None]:
        return succeed(None)


class ListenerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.site = FakeSite()
        self.ready: Deferred[Ready] = Deferred()

    def make(self, *, stop_seconds: float = 10.0, **given: Any) -> Listener:
        """Make a listener."""
        site: Any = self.site
        runner: Any = FakeRunner()
        settings = ServerSettings(listen=given.pop("listen", "127.0.0.1"), port=8080, stop_seconds=stop_seconds)
        made = {"notices": (), "folder": Path("/data"), **given}
        self.listener = Listener(
            reactor=self.reactor, site=site, runner=runner, settings=settings, ready=self.ready, **made
        )
        return self.listener

    def start(self, **given: Any) -> Ready:
        """Start a listener; return what is told then."""
        self.successResultOf(self.make(**given).startService())
        return self.successResultOf(self.ready)

    def test_listens(self) -> None:
        """It listens where the settings say, and tells the address."""
        self.assertEqual(self.start().token_notice, None)
        ((port, _, backlog, interface),) = self.reactor.tcpServers
        self.assertEqual((port, interface, backlog), (8080, "127.0.0.1", 1024))

    def test_not_before_its_time(self) -> None:
        """Nothing is accepted before what is waited for has come."""
        first: Deferred[None] = Deferred()
        started = self.make(first=lambda: first).startService()
        self.assertEqual(self.reactor.tcpServers, [])
        first.callback(None)
        self.successResultOf(started)
        self.assertEqual(len(self.reactor.tcpServers), 1)

    def test_a_new_token(self) -> None:
        """A token that was made at this start is shown with where it is stored."""
        notice = self.start(notices=["older", "t0ken"]).token_notice
        assert notice is not None
        self.assertIn("/data/administrator-token", notice)
        self.assertIn("t0ken", notice)
        self.assertNotIn("older", notice)

    @pytest.mark.setting("server.stop_seconds")
    def test_a_stop_waits(self) -> None:
        """What is in hand may finish for as long as the settings say; then it is ended."""
        ending: list[str] = []
        self.start(stop_seconds=3.0, ending=lambda: ending.append("ending"))
        stopped = self.listener.stopService()
        self.assertEqual((self.site.did, ending), (["drain 0.5"], ["ending"]))
        self.reactor.advance(2.9)
        self.assertNoResult(stopped)
        self.reactor.advance(0.2)
        self.successResultOf(stopped)
        self.assertEqual(self.site.did, ["drain 0.5", "end"])

    def test_a_stop_that_need_not_wait(self) -> None:
        """A stop is over as soon as nothing is in hand."""
        self.start()
        stopped = self.listener.stopService()
        self.site.drained.callback(None)
        self.successResultOf(stopped)
        self.assertEqual((self.site.did[-1], self.reactor.getDelayedCalls()), ("end", []))

    def test_a_stop_after_a_handover(self) -> None:
        """When a successor serves, idle clients have more time to notice."""
        self.start(stop_seconds=60.0)
        self.listener.handed_over = True
        self.site.drained.callback(None)
        self.successResultOf(self.listener.stopService())
        self.assertEqual(self.site.did, ["drain 5", "end"])

    def test_a_socket_that_is_none(self) -> None:
        """A socket that was passed to the server must be one for TCP."""
        with socket.socket(socket.AF_UNIX) as unix:
            started = self.make(descriptor=unix.detach()).startService()
        error = self.failureResultOf(started, CannotStart).value
        self.assertIn("not one for TCP over IPv4 or IPv6", error.public)

    def test_another_address_than_the_predecessor(self) -> None:
        """A successor cannot listen elsewhere than the server that it replaces, and says what to do."""
        with socket.socket(socket.AF_INET) as inherited:
            inherited.bind(("127.0.0.1", 0))
            started = self.make(descriptor=inherited.detach(), same=True).startService()
        error = self.failureResultOf(started, CannotStart).value
        self.assertIn("To listen elsewhere, stop the server and start it again", error.public)
