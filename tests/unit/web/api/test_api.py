"""Who may ask, what there is, and how errors look."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.values import Principal
from aiwebengine.web.api import state
from aiwebengine.web.api.api import LongBody
from aiwebengine.web.api.state import ServerState
from tests.unit.web.api.support import ApiTestCase


class ApiTests(ApiTestCase):
    def test_without_a_token(self):
        """Without the token, or with another, nothing is told but what to do."""
        for header in ("", "Bearer", "Bearer wrong", "Basic eDp5", "bearer "):
            status, body = self.ask("GET", "scripts", b"", {"authorization": header})
            self.assertEqual((status, body["code"], body["requestId"]), (401, "unauthenticated", "request-1"))
            self.assertEqual(self.headers["content-type"], "application/problem+json")
            self.assertIn("Bearer", self.headers["www-authenticate"])
        status, _ = self.ask("GET", "nothing/here", b"", {"authorization": ""})
        self.assertEqual(status, 401)

    def test_known_and_not_allowed(self):
        """Somebody who is known and may not is told so, and not what there is; the answer may come later."""
        ann = Principal(id="ann", kind="user")
        for found in (ann, succeed(ann)):
            for method, path, action in (("GET", "scripts", "api.read"), ("POST", "token", "api.write")):
                self.patch(self.callers, "_identify", SimpleNamespace(principal=lambda _, found=found: found))
                status, body = self.ask(method, path)
                self.assertEqual((status, body["code"]), (403, "denied"))
                self.assertIn(action, body["detail"])
        self.patch(self.callers, "_identify", SimpleNamespace(principal=lambda _: ann))
        self.assertEqual(self.ask("GET", "nothing/here")[0], 403)

    def test_unknown_path(self):
        """A path that does not exist is 404 as problem+json."""
        status, body = self.ask("GET", "nothing/here")
        self.assertEqual((status, body["code"]), (404, "not_found"))

    def test_wrong_method(self):
        """A method that a path does not answer is 405 with those that it does."""
        status, body = self.ask("PATCH", "script", uri="x")
        self.assertEqual((status, body["code"]), (405, "method_not_allowed"))
        self.assertEqual(self.headers["allow"], "DELETE, GET, HEAD, POST, PUT")

    def test_unknown_parameter(self):
        """A misspelt parameter is refused with the nearest one."""
        status, body = self.ask("GET", "script", urii="notes")
        self.assertEqual(status, 400)
        self.assertIn('did you mean "uri"?', body["detail"])

    def test_missing_parameter(self):
        """A missing or unusable name of a script is a clear 400."""
        for query in ({}, {"uri": ""}, {"uri": "a\nb"}, {"uri": "x" * 256}):
            self.assertEqual(self.ask("GET", "script", **query)[0], 400)

    def test_bad_query(self):
        """A query that is not percent-encoded UTF-8, or endless, is a clear 400."""
        for query in ("?uri=%ff", "?" + "&".join("a=b" for _ in range(200))):
            response = self.successResultOf(self.start("GET", f"script{query}"))
            self.assertEqual(response.code, 400)

    def start(self, method, path):
        sent = self.client.request(
            method, f"http://test/engine/api/{path}", headers={"authorization": f"Bearer {self.token}"}
        )
        self.agent.flush()
        return sent

    def test_fault(self):
        """A fault of ours is a bare 500 with the request's id, and one traceback in the log."""

        def broken():
            raise ZeroDivisionError("secret detail")

        self.world.store.current = broken
        status, body = self.ask("GET", "scripts")
        self.assertEqual((status, body["code"], body["requestId"]), (500, "internal", "request-1"))
        self.assertNotIn("secret", str(body))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_no_answer(self):
        """A route that returns something else than an answer is a 500 like any fault, and the log names the route."""
        self.patch(state, "as_json", lambda _: "hello")
        status, body = self.ask("GET", "state")
        self.assertEqual((status, body["code"]), (500, "internal"))
        [failure] = self.flushLoggedErrors(TypeError)
        self.assertIn("GET /engine/api/state returned a str, not an Answer", failure.getErrorMessage())

    def test_state(self):
        """The state holds the figures of every part."""
        status, body = self.ask("GET", "state")
        self.assertEqual(status, 200)
        self.assertEqual(body["runtime"], {"children": 0})
        self.assertEqual(body["logs"]["followers"], 0)

    def test_new_token(self):
        """A new token is told once; the old one ends at once."""
        status, body = self.ask("POST", "token")
        self.assertEqual((status, self.headers["cache-control"]), (201, "no-store"))
        self.assertEqual(self.ask("GET", "scripts")[0], 401)
        self.token = body["token"]
        self.assertEqual(self.ask("GET", "scripts")[0], 200)

    def test_head(self):
        """HEAD answers as GET does, without a body."""
        status, content = self.ask("HEAD", "state")[0], b""
        self.assertEqual((status, content), (200, b""))


class LongBodyTests(SynchronousTestCase):
    """Bodies that are written as the client takes them."""

    def setUp(self):
        self.written = []
        self.body = LongBody(self, b"x" * 300_000)

    def write(self, data):
        """Be the request."""
        self.written.append(data)

    def unregisterProducer(self):
        """Be the request."""
        self.written.append(None)

    def test_piece_by_piece(self):
        """Each time that the client takes more it is given a piece; behind the last one it is done."""
        for left in (1, 1, 0):
            self.assertNoResult(self.body.done)
            self.body.resumeProducing()
            self.assertEqual(self.written[-1] is None, not left)
        self.successResultOf(self.body.done)
        self.assertEqual(b"".join(self.written[:-1]), b"x" * 300_000)
        self.assertLess(max(map(len, self.written[:-1])), 200_000)

    def test_disconnected(self):
        """If the client disconnects nothing more is written."""
        self.body.resumeProducing()
        self.body.stopProducing()
        self.successResultOf(self.body.done)
        self.assertEqual(len(self.written), 1)


class StateTests(SynchronousTestCase):
    """What the server is doing."""

    def test_figures_that_cannot_be_shown(self):
        """Figures that raise, end the program or are no JSON say so in their own place, and hide no others."""
        parts = {"good": lambda: {"n": 1}, "set": lambda: {1}, "raises": {}.popitem, "ends": sys.exit}
        answer = self.successResultOf(
            Deferred.fromCoroutine(ServerState(parts=parts).read(SimpleNamespace(only=lambda: None)))
        )
        raised = {"set": "TypeError", "raises": "KeyError", "ends": "SystemExit"}
        shown = {name: {"error": f"{error}; the server log has the details."} for name, error in raised.items()}
        self.assertEqual(json.loads(answer.body), {"good": {"n": 1}, **shown})
        self.assertEqual(len(self.flushLoggedErrors()), 3)
