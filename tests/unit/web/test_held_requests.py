"""Admission steps that keep a request, or fail in their own ways."""

from __future__ import annotations

from typing import Any, cast

from aiwebengine.values import Answer
from aiwebengine.web.admission import AdmissionStep, Place
from aiwebengine.web.held_requests import HELD_SECONDS
from aiwebengine.web.http.exchange import Exchange
from tests.unit.web.support import JSON, WebTestCase, a_route, replies

HELLO = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


class HeldRequestTests(WebTestCase):
    """Nobody waits for ever for a step that has taken a request over."""

    def setUp(self) -> None:
        super().setUp()
        self.held: list[tuple[Exchange, Any, Any]] = []
        self.raised: BaseException | None = None
        step = AdmissionStep(name="quota", place=Place.LIMITS, applies=lambda _: True, enter=self.enter)
        self.site = self.make_site(admission=[step])
        self.serve(a_route("/hello"))

    def enter(self, exchange: Exchange, _request: Any, _route: Any, invocation: Any, way: Any) -> bool:
        """Take every request over."""
        if self.raised is not None:
            raise self.raised
        self.held.append((exchange, invocation, way))
        return True

    def test_kept_for_ever(self) -> None:
        """A request that a step keeps is answered with a bare 500 when its time is over; what follows it is dropped."""
        channel, transport = self.connect()
        channel.dataReceived(HELLO)
        stopped: list[str] = []
        self.held[0][0].on_disconnect = lambda: stopped.append("stopped")
        self.clock.pump([5.0] * int(HELD_SECONDS / 5 - 1))
        self.assertEqual((transport.value(), stopped), (b"", []))
        self.clock.pump([5.0])
        (reply,) = replies(transport.value())
        self.assertEqual((reply.status, reply.json()["code"], stopped), (500, "internal", ["stopped"]))
        self.held[0][0].answered(Answer(status=200, headers=JSON, body=b"1"))
        self.assertEqual(len(replies(transport.value())), 1)
        self.assertEqual(self._timers(), [])

    def test_answered_in_time(self) -> None:
        """A step that answers, has the handler run, or whose client left is let alone."""
        channels = [self.connect() for _ in range(3)]
        for channel, _ in channels:
            channel.dataReceived(HELLO)
        (first, _, _), (second, invocation, way), _ = self.held
        first.answered(Answer(status=200, headers=JSON, body=b"1"))
        way.run(invocation, second, second)
        channels[2][0].connectionLost(None)
        self.clock.pump([5.0] * 20)
        self.assertEqual([len(transport.value()) > 0 for _, transport in channels], [True, False, False])
        self.assertEqual(self._timers(), [])

    def test_program_ended(self) -> None:
        """A step that ends the program, or fails, is a bare 500 with the traceback in the log."""
        for error in (SystemExit(3), KeyError("quota")):
            self.raised = error
            reply = self.one(HELLO)
            self.assertEqual((reply.status, reply.json()["code"]), (500, "internal"))
            self.assertEqual(len(self.flushLoggedErrors(type(error))), 1)

    def _timers(self) -> list[Any]:
        """Return what looks after requests still."""
        return [call for call in self.clock.getDelayedCalls() if "_look" in repr(cast(Any, call).func)]
