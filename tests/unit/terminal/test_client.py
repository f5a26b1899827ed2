"""The command line's end of the management API, with connections that are the test's."""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.terminal import exits
from aiwebengine.terminal.client import ApiClient
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.target import Target


class FakeResponse(io.BytesIO):
    """An answer."""

    def __init__(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        super().__init__(body)
        self.status = status
        self._headers = headers

    def getheader(self, name: str) -> str | None:
        return self._headers.get(name)


class FakeConnection:
    """Keeps the request and gives the answer; what is an error is raised in place of it."""

    def __init__(self, answer: FakeResponse | Exception, sending: Exception | None = None) -> None:
        self.answer = answer
        self.sending = sending
        self.closed = False
        self.made: tuple[Any, ...] = ()

    def __call__(self, host: str, port: int, *, timeout: float) -> FakeConnection:
        self.made = (host, port, timeout)
        return self

    def request(self, method: str, where: str, body: bytes | None, headers: dict[str, str]) -> None:
        self.asked = (method, where, body, headers)
        if self.sending is not None:
            raise self.sending

    def getresponse(self) -> FakeResponse:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.closed = True


class ApiClientTests(SynchronousTestCase):
    def answered(self, body: Any, status: int = 200, **headers: str) -> FakeConnection:
        """Let the server answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.connection(FakeResponse(data, status, headers))

    def connection(self, answer: FakeResponse | Exception, sending: Exception | None = None) -> FakeConnection:
        """Make the connection that is opened next."""
        made = FakeConnection(answer, sending)
        self.patch(http.client, "HTTPConnection", made)
        return made

    def client(self, url: str = "http://127.0.0.1:8080", token: str = "t0ken") -> ApiClient:
        """Make a client."""
        return ApiClient(target=Target(url=url, token=token, token_hint="the data folder"), timeout_seconds=5.0)

    def failure(self, client: ApiClient | None = None) -> CommandFailed:
        """Return how a call fails."""
        with self.assertRaises(CommandFailed) as caught:
            (client or self.client()).call("GET", "/scripts")
        error: CommandFailed = caught.exception
        return error

    def test_a_call(self) -> None:
        """A call carries the token and its document, gives the JSON, and closes its connection."""
        connection = self.answered({"a": 1})
        found = self.client().call("PUT", "/script", query=[("uri", "a b")], document={"x": "é"})
        self.assertEqual((found, connection.closed, connection.made), ({"a": 1}, True, ("127.0.0.1", 8080, 5.0)))
        method, where, body, headers = connection.asked
        self.assertEqual((method, where, body), ("PUT", "/engine/api/script?uri=a+b", b'{"x": "\\u00e9"}'))
        self.assertEqual((headers["authorization"], headers["content-type"]), ("Bearer t0ken", "application/json"))

    def test_without_a_token(self) -> None:
        """Without a token none is sent, and an empty answer is None."""
        connection = self.answered(b"", 204)
        self.assertIsNone(self.client(token="").call("DELETE", "/script"))
        self.assertNotIn("authorization", connection.asked[3])

    def test_lines(self) -> None:
        """An answer of JSON lines comes line by line."""
        connection = self.answered(b'{"step": 1}\n\n{"result": 2}\n')
        self.assertEqual(list(self.client().stream("PUT", "/script")), [{"step": 1}, {"result": 2}])
        self.assertEqual(connection.asked[3]["accept"], "application/x-ndjson")

    def test_refusals(self) -> None:
        """The server's reason is told, with the exit code that fits, and where a token came from that is refused."""
        for code, exit_code in (("not_found", exits.NOT_FOUND), ("conflict", exits.CONFLICT), ("zzz", exits.FAILED)):
            self.answered({"code": code, "detail": "No."}, 400)
            error = self.failure()
            self.assertEqual((error.code, error.message), (exit_code, "No."))
        self.answered({"code": "unauthenticated", "detail": "No."}, 401)
        self.assertEqual(self.failure().message, "No. The token came from the data folder.")
        self.answered({"code": "unauthenticated", "detail": "No."}, 401)
        self.assertIn("No token was sent (the data folder).", self.failure(self.client(token="")).message)

    def test_redirects(self) -> None:
        """A redirect is not followed: the token must not travel to a place that nobody named."""
        self.answered(b"", 302, location="http://evil.example/")
        error = self.failure()
        self.assertEqual(error.code, exits.UNREACHABLE)
        self.assertIn("redirects to http://evil.example/ (status 302). The token is not sent there", error.message)

    def test_what_is_not_the_engine(self) -> None:
        """An answer in another form than the engine's asks whether it is one."""
        deep = b"[" * 100_000
        for body, status in ((b"<html>", 500), (b"<html>", 200), ({"error": 1}, 500), ([1], 200), (deep, 200)):
            self.answered(body, status)
            error = self.failure()
            self.assertEqual(error.code, exits.UNREACHABLE)
            self.assertIn("is it aiwebengine?", error.message)

    def test_another_object(self) -> None:
        """A member that is missing in what answers is asked about, too, and not a traceback."""
        self.answered({"status": {"ok": True}})
        document = self.client().call("GET", "/scripts")
        self.assertEqual(json.loads(json.dumps(document)), {"status": {"ok": True}})
        for missing in (lambda: document["scripts"], lambda: document["status"]["version"]):
            with self.assertRaises(CommandFailed) as caught:
                missing()
            self.assertEqual(caught.exception.code, exits.UNREACHABLE)
            self.assertIn("is it aiwebengine", caught.exception.message)

    def test_no_answer(self) -> None:
        """Each way not to be reached is said in words, with what to do."""
        untrusted = ssl.SSLError(1, "bad")
        untrusted.reason = "CERTIFICATE_VERIFY_FAILED"
        plain = ssl.SSLError(1, "bad")
        plain.reason = "WRONG_VERSION_NUMBER"
        for error, words in (
            (ConnectionRefusedError(), "Start one with `aiwebengine serve`"),
            (socket.gaierror(-2, "Name or service not known"), "is not known"),
            (untrusted, "has no valid certificate: CERTIFICATE_VERIFY_FAILED"),
            (plain, "does not speak HTTPS"),
            (TimeoutError(), "did not answer within 5 seconds. Raise --timeout"),
            (http.client.BadStatusLine("x"), "does not speak HTTP as it should"),
            (OSError("cable"), "broke: cable"),
        ):
            connection = self.connection(error)
            failure = self.failure()
            self.assertEqual((failure.code, connection.closed), (exits.UNREACHABLE, True))
            self.assertIn(words, failure.message)

    def test_refused_before_all_was_sent(self) -> None:
        """A server that refuses before it has read the whole body is heard all the same."""
        refusal = FakeResponse(b'{"code": "too_large", "detail": "Less."}', 413, {})
        self.connection(refusal, sending=BrokenPipeError())
        self.assertEqual(self.failure().message, "Less.")
