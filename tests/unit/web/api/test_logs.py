"""Logs over HTTP."""

from __future__ import annotations

import json

from aiwebengine.observe.logs import FLUSH_SECONDS
from aiwebengine.values import LogLine
from aiwebengine.web.api import streams
from tests.support.fakes.invocations import an_invocation
from tests.unit.web.api.support import ApiTestCase


class LogTests(ApiTestCase):
    def log(self, message, level="info", script="notes", at=1990.0, identity="i1"):
        invocation = an_invocation(id=identity, script=script, payload="null")
        self.logs.append(invocation, [LogLine(at=at, level=level, message=message, fields={})])

    def messages(self, **query):
        return [line["message"] for line in self.ask("GET", "logs", **query)[1]["lines"]]

    def follow(self, headers=None, **query):
        response = self.open("GET", "logs", b"", headers, follow="true", **query)
        came = []
        response.deliverBody(Collector(came))
        self.agent.flush()
        return came

    def test_read(self):
        """Lines are read oldest first, through every filter, page by page."""
        self.log("one", "debug", at=1000.0)
        self.log("two", "warn")
        self.log("three", "error", script="other", identity="i2")
        self.assertEqual(self.messages(), ["one", "two", "three"])
        self.assertEqual(self.messages(uri="notes"), ["one", "two"])
        self.assertEqual(self.messages(level="warn"), ["two", "three"])
        self.assertEqual(self.messages(invocation="i2"), ["three"])
        self.assertEqual(self.messages(contains="w"), ["two"])
        self.assertEqual(self.messages(since="1m"), ["two", "three"])
        self.assertEqual(self.messages(until="1500000"), ["one"])
        answer = self.ask("GET", "logs", limit=2)[1]
        self.assertEqual([line["message"] for line in answer["lines"]], ["two", "three"])
        answer = self.ask("GET", "logs", limit=2, before=answer["next"])[1]
        self.assertEqual(([line["message"] for line in answer["lines"]], answer["next"]), (["one"], None))

    def test_bad_filters(self):
        """A filter that means nothing is a clear 400."""
        for query in ({"level": "loud"}, {"limit": 0}, {"limit": 1001}, {"since": "yesterday"}, {"before": "x"}):
            self.assertEqual(self.ask("GET", "logs", **query)[0], 400)

    def test_follow(self):
        """Who follows sees the last lines, then each new one at once, and nothing twice."""
        self.log("old")
        came = self.follow(limit=10)
        self.log("new")
        self.log("elsewhere", script="other")
        self.clock.advance(FLUSH_SECONDS)
        self.agent.flush()
        answer = [json.loads(line) for line in b"".join(came).splitlines() if line]
        self.assertEqual([line["message"] for line in answer], ["old", "new", "elsewhere"])
        self.assertIsNone(answer[1]["id"])

    def test_follow_as_events(self):
        """A browser follows by server-sent events, and an idle stream is kept alive."""
        came = self.follow({"accept": "text/event-stream"}, limit=0, level="error")
        self.log("quiet")
        self.log("loud", "error")
        self.clock.advance(streams.KEEP_ALIVE_SECONDS)
        self.agent.flush()
        blocks = b"".join(came).split(b"\n\n")
        self.assertEqual([b.startswith(b"data: ") for b in blocks], [False, True, False, False])

    def test_end_of_the_server(self):
        """A server that stops ends what is followed."""
        came = self.follow()
        self.api.stopService()
        self.agent.flush()
        self.assertEqual(came[-1], None)
        self.assertEqual(self.logs.state()["followers"], 0)
        left = [getattr(call, "func", None) for call in self.clock.getDelayedCalls()]
        self.assertNotIn("_keep_alive", [getattr(function, "__name__", "") for function in left])


class Collector:
    """Takes a body as it comes; None marks its end."""

    def __init__(self, came):
        self.came = came

    def makeConnection(self, transport):
        pass

    def dataReceived(self, data):
        self.came.append(data)

    def connectionLost(self, reason):
        self.came.append(None)
