"""Errors as answers."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.sourcemap import Frame
from aiwebengine.errors import (
    TABLE,
    Conflict,
    DeploymentRefused,
    EngineError,
    Invalid,
    Problem,
    ScriptFailed,
    ScriptHung,
    ThrownError,
    Unavailable,
    WrongMethod,
)
from aiwebengine.scripts.failures import Trace
from aiwebengine.values import Answer
from aiwebengine.web.errors import error_answer, problem_page, wants_page, withheld

PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def _headers(answer: Answer) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in answer.headers}


class ProblemTests(SynchronousTestCase):
    """Answers for programs."""

    def tell(self, error: Exception, **others: Any) -> tuple[dict[str, str], Any]:
        """Tell a program; headers and body."""
        answer = error_answer(error, request_id="1", **others)
        return _headers(answer), json.loads(answer.body)

    def test_a_problem(self) -> None:
        """It has the members of RFC 9457, the code and the id; the private part stays here."""
        headers, body = self.tell(
            Conflict("Somebody was faster.", private="secret", details={"current": 3, "status": 9})
        )
        self.assertEqual(headers["content-type"], "application/problem+json")
        self.assertEqual(
            body,
            {
                "type": "about:blank",
                "title": "Conflict",
                "status": 409,
                "detail": "Somebody was faster.",
                "code": "conflict",
                "requestId": "1",
                "current": 3,
            },
        )

    def test_headers_that_go_with_it(self) -> None:
        """When to try again and what is allowed stand in headers too."""
        self.assertEqual(self.tell(Unavailable("No.", retry_seconds=0.2))[0]["retry-after"], "1")
        self.assertEqual(self.tell(WrongMethod("No.", allowed=("GET", "PUT")))[0]["allow"], "GET, PUT")

    def test_what_is_not_known(self) -> None:
        """An unknown error is a bare 500."""
        _, body = self.tell(RuntimeError("secret"))
        self.assertEqual((body["status"], body["code"]), (500, "internal"))
        self.assertNotIn("secret", json.dumps(body))

    def test_every_code(self) -> None:
        """Every error that there is can be told, to programs and on a page."""

        def kinds(kind: type[EngineError]) -> list[type[EngineError]]:
            return [
                kind,
                *(
                    below
                    for subclass in kind.__subclasses__()
                    if subclass.__module__ == kind.__module__
                    for below in kinds(subclass)
                ),
            ]

        found = set()
        for kind in kinds(EngineError):
            more: dict[str, Any] = {"allowed": ()} if kind is WrongMethod else {}
            more = {"problems": ()} if kind is DeploymentRefused else more
            error = kind("It is so.", **more)
            found.add(error.code)
            _, body = self.tell(error)
            self.assertEqual(body["status"], TABLE[error.code].status)
            page = error_answer(error, request_id="1", accept=PAGE)
            self.assertIn(b"It is so.", page.body)
        self.assertEqual(found, set(TABLE))

    def test_places(self) -> None:
        """For the author: the stack in the source, beside the details."""
        trace = Trace(
            frames=[Frame(file="a.ts", line=1, function="f", source_line="x"), Frame(file=None, line=2)],
            lines=["    at f (a.ts:1)", "caused by: Error: inner"],
        )
        _, body = self.tell(ScriptFailed("It threw."), trace=trace)
        self.assertEqual(
            body["stack"],
            [
                {"file": "a.ts", "line": 1, "function": "f", "source": "x"},
                {"file": "", "line": 2, "function": "", "source": ""},
            ],
        )
        self.assertEqual(body["trace"], ["    at f (a.ts:1)", "caused by: Error: inner"])
        self.assertEqual(body["code"], "script_failed")


class PageTests(SynchronousTestCase):
    """Answers for browsers."""

    def test_who_wants_a_page(self) -> None:
        """A page is for whoever names HTML before JSON."""
        for accept in (PAGE, "text/html", "TEXT/HTML;q=0.5", "image/png, text/html, application/json"):
            self.assertTrue(wants_page(accept), accept)
        for accept in ("", "*/*", "application/json, text/html", "application/problem+json,text/html;q=0.1", "text/*"):
            self.assertFalse(wants_page(accept), accept)

    def test_a_page(self) -> None:
        """It is whole: readable on a phone, with the id, and asking for nothing from elsewhere."""
        answer = error_answer(Invalid("<script>alert(1)</script>"), request_id="<1>", accept=PAGE)
        page = answer.body.decode()
        self.assertEqual((answer.status, _headers(answer)["content-type"]), (400, "text/html; charset=utf-8"))
        self.assertEqual(_headers(answer)["vary"], "accept")
        self.assertIn('<html lang="en">', page)
        self.assertIn("width=device-width", page)
        self.assertIn("&lt;script&gt;", page)
        self.assertIn("&lt;1&gt;", page)
        for what in ("<script", "src=", "href=", "url("):
            self.assertNotIn(what, page)

    def test_a_page_in_development(self) -> None:
        """It shows the line of the source and the stack."""
        trace = Trace(
            frames=[Frame(file="a<b.ts", line=7, function="load", source_line="  throw <x>")],
            lines=["    at load (a<b.ts:7)", "caused by: Error: <inner>", "    at (anonymous) (c.ts:9)"],
        )
        page = error_answer(ScriptFailed("It threw."), request_id="1", accept=PAGE, trace=trace).body.decode()
        self.assertIn("a&lt;b.ts:7", page)
        self.assertIn("throw &lt;x&gt;", page)
        self.assertIn("caused by: Error: &lt;inner&gt;\n    at (anonymous) (c.ts:9)</pre>", page)

    def test_problems_on_a_page(self) -> None:
        """Problems of a deployment are listed."""
        error = DeploymentRefused("No.", problems=[Problem(code="x", message="A <b> is missing.")])
        self.assertIn(b"A &lt;b&gt; is missing.", error_answer(error, request_id="1", accept=PAGE).body)

    def test_violations_on_a_page(self) -> None:
        """So are the faults of an input."""
        error = Invalid("No.", details={"violations": [{"in": "body", "pointer": "/a", "message": "is <missing>."}]})
        page = error_answer(error, request_id="1", accept=PAGE).body
        self.assertIn(b"<code>body /a</code> is &lt;missing&gt;.", page)


class WithheldTests(SynchronousTestCase):
    """`withheld`."""

    def test_nothing_of_the_script_is_left(self) -> None:
        """The kind of failure stays, what the script said goes."""
        error = ScriptHung(
            "secret", thrown=ThrownError(name="Error", message="secret"), private="secret", retry_seconds=3
        )
        message = withheld(error)
        self.assertEqual(
            (type(message), message.code, message.thrown, message.retry_seconds), (ScriptHung, "script_hung", None, 3)
        )
        self.assertNotIn("secret", message.public + message.private)


class ProblemPageTests(SynchronousTestCase):
    """The problem documents of scripts, as browsers show them."""

    def page(self, body: bytes) -> Answer:
        """Show a document with a header beside."""
        headers = ((b"content-type", b"application/problem+json"), (b"retry-after", b"5"))
        return problem_page(Answer(status=422, headers=headers, body=body, problem=True), request_id="id7")

    def test_page(self) -> None:
        """A browser is shown what the script said, escaped, with every violation and the other headers."""
        violations = [{"in": "body", "pointer": "/a", "message": "<is> missing"}, 5, {"in": 1}]
        document = {"title": "Unprocessable Content", "detail": "No <b>", "violations": violations}
        answer = self.page(json.dumps(document).encode())
        self.assertEqual(
            _headers(answer), {"content-type": "text/html; charset=utf-8", "retry-after": "5", "vary": "accept"}
        )
        for shown in (
            b"422 Unprocessable Content",
            b"No &lt;b&gt;",
            b"<code>body /a</code> &lt;is&gt; missing",
            b"id7",
        ):
            self.assertIn(shown, answer.body)
        self.assertEqual((answer.status, answer.body.count(b"<li>")), (422, 1))

    def test_what_is_no_problem(self) -> None:
        """What a process forges, and what is long, is left as it is."""
        long = json.dumps({"title": "a", "detail": "b" * 70_000}).encode()
        for body in (b"{", b"[]", b'{"title":1,"detail":"x"}', b"[" * 50_000, long):
            self.assertEqual(self.page(body).body, body)
