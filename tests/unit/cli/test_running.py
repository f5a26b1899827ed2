"""The engine as a service that is built when it starts."""

from __future__ import annotations

import errno
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.cli import running
from aiwebengine.cli.running import RunningEngine
from aiwebengine.cli.successor import NotReady
from aiwebengine.errors import CannotStart
from aiwebengine.settings.schema import ServerSettings, Settings
from tests.support.folders import temporary_folder


class RunningEngineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = temporary_folder(self)
        self.messages: list[str] = []
        self.ready: Deferred[Any] = Deferred()
        self.inner = MultiService()
        self.built = self.settled = 0
        self.error: Exception | None = None

    def build(self, settings: Settings, *, reactor: Any, inherited: Any) -> Any:
        self.built += 1
        if self.error is not None:
            raise self.error
        return SimpleNamespace(service=self.inner, ready=self.ready)

    def make(self, failed: Callable[[str], None] | None = None) -> RunningEngine:
        return RunningEngine(
            settings=Settings(server=ServerSettings(data_folder=str(self.folder))),
            build=self.build,
            reactor=object(),
            started=lambda ready: self.messages.append(f"answers at {ready.address}"),
            failed=failed or self.messages.append,
            settled=self.settle,
        )

    def settle(self) -> None:
        self.settled += 1

    def start(self) -> RunningEngine:
        service = self.make()
        service.privilegedStartService()
        service.startService()
        return service

    def test_nothing_is_built_before_the_start(self) -> None:
        """Making the service builds nothing: twistd forks in between."""
        self.make()
        self.assertEqual(self.built, 0)

    def test_tells_when_it_answers(self) -> None:
        """When the engine is ready its address is told, and noted in the data folder until it stops."""
        service = self.start()
        self.assertEqual((self.built, self.messages, self.settled), (1, [], 0))
        self.ready.callback(SimpleNamespace(address="http://127.0.0.1:1", token_notice=None))
        self.assertEqual((self.messages, self.settled), (["answers at http://127.0.0.1:1"], 1))
        self.assertEqual((self.folder / "address").read_text(), "http://127.0.0.1:1\n")
        service.stopService()
        self.assertFalse((self.folder / "address").exists())
        self.assertFalse(self.inner.running)

    def test_an_address_that_cannot_be_noted(self) -> None:
        """Without room for the address the server serves, and its log says what commands need now."""
        (self.folder / "address").symlink_to("/dev/full")
        logged: list[Any] = []
        self.patch(running._log, "observer", logged.append)
        service = self.start()
        self.ready.callback(SimpleNamespace(address="http://127.0.0.1:1", token_notice=None))
        self.assertEqual(self.messages, ["answers at http://127.0.0.1:1"])
        self.assertIn("--server http://127.0.0.1:1", formatEvent(logged[0]))
        self.assertFalse((self.folder / "address").is_symlink())
        service.stopService()

    def test_built_once_without_a_privileged_start(self) -> None:
        """A parent that skips the privileged start gets a started engine too."""
        service = self.make()
        service.startService()
        self.assertEqual(self.built, 1)
        self.assertTrue(self.inner.running)
        service.stopService()

    def test_a_start_that_is_refused(self) -> None:
        """What the engine says about a start that cannot be is told as it is, once, and nothing is started."""
        self.error = CannotStart("The data folder is of a newer version.")
        service = self.start()
        self.assertEqual(self.messages, ["The data folder is of a newer version."])
        self.assertFalse(self.inner.running)
        service.stopService()

    def test_a_start_that_fails_at_once(self) -> None:
        """What fails while the start is under way reaches a caller that raises, as a daemon's does."""

        def failed(message: str) -> None:
            raise RuntimeError(message)

        self.ready.errback(CannotStart("The data folder cannot be made."))
        service = self.make(failed)
        service.privilegedStartService()
        with self.assertRaisesRegex(RuntimeError, "The data folder cannot be made."):
            service.startService()
        service.stopService()

    def test_a_start_that_fails_later(self) -> None:
        """A failure after the start is told, and the file of a server that runs is not touched."""
        (self.folder / "address").write_text("http://127.0.0.1:9\n")
        service = self.start()
        self.ready.errback(CannotStart("Another server uses the data folder."))
        self.assertEqual(self.messages, ["Another server uses the data folder."])
        service.stopService()
        self.assertTrue((self.folder / "address").exists())

    def test_a_start_that_is_stopped(self) -> None:
        """A server that is stopped before it answers leaves the file of the one that is running."""
        (self.folder / "address").write_text("http://127.0.0.1:9\n")
        self.start().stopService()
        self.assertTrue((self.folder / "address").exists())

    def test_ports_that_cannot_be_had(self) -> None:
        """A port in use, one that is not allowed and an address that is not here each get their advice."""
        for number, advice in (
            (errno.EADDRINUSE, "choose another port with --port"),
            (errno.EACCES, "Choose a port from 1024 up"),
            (errno.EADDRNOTAVAIL, "Choose one that it has with --listen"),
            (errno.EMFILE, "cannot listen on 127.0.0.1 port 8080"),
        ):
            self.messages.clear()
            self.error = CannotListenError("127.0.0.1", 8080, OSError(number, "x"))
            self.start().stopService()
            self.assertIn(advice, self.messages[0])

    def test_a_fault_is_logged(self) -> None:
        """An error that nobody foresaw is told in one line, and its traceback is in the log."""
        self.error = ZeroDivisionError("x")
        self.start().stopService()
        self.assertIn("ZeroDivisionError", self.messages[0])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class HandoverTests(SynchronousTestCase):
    """A server that has a successor."""

    def setUp(self) -> None:
        self.folder = temporary_folder(self)
        self.did: list[str] = []
        self.begun: Deferred[tuple[int, int]] = Deferred()
        self.successor: Deferred[int] = Deferred()
        self.ready: Deferred[Any] = Deferred()
        handover = SimpleNamespace(
            begin=self.begin, fail=lambda: self.did.append("fail"), done=lambda: self.did.append("done")
        )
        engine = SimpleNamespace(service=MultiService(), ready=self.ready, handover=handover)
        succession: Any = SimpleNamespace(start=self.start, stop=lambda: self.did.append("stop"))
        self.service = RunningEngine(
            settings=Settings(server=ServerSettings(data_folder=str(self.folder), handover_seconds=7.0)),
            build=lambda settings, **_: engine,
            reactor=object(),
            started=lambda ready: None,
            failed=self.did.append,
            succession=succession,
            pidfile=lambda: "/run/pid",
            handed_over=lambda pid: self.did.append(f"process {pid}"),
        )
        self.service.startService()

    def start(self, **given: Any) -> Deferred[int]:
        self.did.append(f"start {sorted(given.items())}")
        return self.successor

    async def begin(self) -> tuple[int, int]:
        return await self.begun if not self.begun.called else (3, 4)

    def serve(self) -> None:
        self.ready.callback(SimpleNamespace(address="http://127.0.0.1:1", token_notice=None))

    def test_not_before_it_serves(self) -> None:
        """A handover that is asked for while the server starts begins when it serves, and once."""
        self.service.hand_over()
        self.service.hand_over()
        self.begun.callback((3, 4))
        self.assertEqual(self.did, [])
        self.serve()
        self.assertEqual(len(self.did), 1)
        self.successor.callback(7)
        self.assertEqual(self.did[1:], ["done", "process 7"])

    def test_not_after_it_has_stopped(self) -> None:
        """A server that was stopped before it served hands nothing over."""
        self.service.hand_over()
        self.service.stopService()
        self.service.hand_over()
        self.assertEqual(self.did, ["stop"])

    @pytest.mark.setting("server.handover_seconds")
    def test_handed_over(self) -> None:
        """The successor is known, and the file with the address is the successor's."""
        self.serve()
        self.service.hand_over()
        self.service.hand_over()
        self.assertEqual(self.did, [])
        self.begun.callback((3, 4))
        self.assertEqual(self.did, ["start [('listening', 3), ('lock', 4), ('pidfile', '/run/pid'), ('seconds', 7.0)]"])
        self.successor.callback(7)
        self.assertEqual(self.did[1:], ["done", "process 7"])
        self.service.stopService()
        self.assertTrue((self.folder / "address").exists())

    def test_no_successor(self) -> None:
        """When none comes to serve all is as before, and another one may be tried."""
        self.serve()
        self.begun.callback((3, 4))
        for error in (NotReady("It said so."), ZeroDivisionError("a fault")):
            self.successor = Deferred()
            self.did.clear()
            self.service.hand_over()
            self.successor.errback(error)
            self.assertEqual(self.did[1:], ["fail"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.service.stopService()
        self.assertFalse((self.folder / "address").exists())
