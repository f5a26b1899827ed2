"""Whether a request may reach its handler."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid
from aiwebengine.values import Request, RouteMatch
from aiwebengine.web.admit import admit
from tests.unit.web.support import a_route

NOTE = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1}, "n": {"type": "integer"}},
    "required": ["text"],
    "additionalProperties": False,
}


def _admit(
    options: dict[str, Any],
    body: bytes = b"",
    query: str = "",
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Any:
    given = headers or {}
    request = Request(
        id="1", method="POST", path="/", query=query, headers=given, body=body, client="", url="http://a/"
    )
    match = RouteMatch(route=a_route("/", "POST", **options), params=params or {})
    return json.loads(admit(request, match, sender='"headers":{}'))


class AdmitTests(SynchronousTestCase):
    """`admit`."""

    def refused(self, words: str, options: dict[str, Any], **given: Any) -> Any:
        """Ask what is refused with these *words*; the violations."""
        error = self.assertRaises(Invalid, _admit, options, **given)
        self.assertIn(words, error.public)
        return error.details["violations"] if error.details else None

    def test_no_schemas(self) -> None:
        """A route without schemas takes any body, and its other options change nothing."""
        self.assertEqual(_admit({"summary": "x"}, b"{")["body"], "{")

    def test_good_input(self) -> None:
        """What fits is given as data, beside the text."""
        told = _admit({"body": NOTE}, b'{"text":"a","n":1}')
        self.assertEqual((told["data"], told["body"]), ({"text": "a", "n": 1}, '{"text":"a","n":1}'))

    def test_bad_bodies(self) -> None:
        """Every fault of a body is told, with its place."""
        violations = self.refused("(2 more in violations.)", {"body": NOTE}, body=b'{"n":"x","nn":1}')
        self.assertEqual(sorted(one["pointer"] for one in violations), ["/n", "/nn", "/text"])
        self.assertEqual({one["in"] for one in violations}, {"body"})
        self.assertTrue(all(one["message"] for one in violations))

    def test_one_fault(self) -> None:
        """A single fault stands in the sentence."""
        self.refused("not valid at /text: it must have at least 1 characters", {"body": NOTE}, body=b'{"text":""}')
        self.refused("not valid: it must be an object", {"body": NOTE}, body=b"3")

    def test_forms(self) -> None:
        """A form that is sent to a route that takes JSON is named as such."""
        for kind in ("application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x"):
            words = f"the request is a form ({kind.lower().split(';')[0]}). Send JSON with content-type"
            self.refused(words, {"body": NOTE}, body=b"text=a", headers={"content-type": kind})
        self.assertEqual(
            _admit({"body": NOTE}, b'{"text":"a"}', headers={"content-type": "application/x-www-form-urlencoded"})[
                "data"
            ],
            {"text": "a"},
        )

    def test_what_is_no_json(self) -> None:
        """A body that is not JSON is told, with its place."""
        for body, words in [
            (b"", "has no body"),
            (b"{", "line 1, column 2"),
            (b"\xff", "byte 0"),
            (b"NaN", "there is no NaN"),
            (b"[1,-Infinity]", "there is no -Infinity"),
            (b"[" * 100_000, "nested too deeply"),
            (b"9" * 10_000, "not JSON"),
        ]:
            self.assertIsNone(self.refused(words, {"body": NOTE}, body=body))

    def test_queries_and_params(self) -> None:
        """Both are checked as objects of texts; faults of all parts are told together."""
        options = {
            "query": {"required": ["page"], "properties": {"page": {"pattern": "^[0-9]+$"}}},
            "params": {"properties": {"id": {"maxLength": 2}}},
            "body": NOTE,
        }
        good = _admit(options, b'{"text":"a"}', query="page=3&page=x&z=1", params={"id": "ab"})
        self.assertEqual(good["query"], [["page", "3"], ["page", "x"], ["z", "1"]])
        violations = self.refused(
            "The params of the request", options, body=b"{}", query="page=x", params={"id": "abc"}
        )
        self.assertEqual(
            [(one["in"], one["pointer"]) for one in violations],
            [("params", "/id"), ("query", "/page"), ("body", "/text")],
        )
        self.assertEqual(self.refused("query", options, body=b'{"text":"a"}')[0]["pointer"], "/page")

    def test_texts_that_are_more(self) -> None:
        """Numbers, truth values and lists of a query and a path are given as what their schemas say."""
        options = {
            "query": {
                "properties": {"page": {"type": "integer", "minimum": 1}, "tag": {"type": "array", "maxItems": 2}}
            },
            "params": {"properties": {"id": {"type": "integer"}}},
        }
        told = _admit(options, query="page=2&tag=a&tag=b&page=x", params={"id": "7"})
        self.assertEqual(
            (told["query"], told["params"]), ([["page", 2], ["tag", ["a", "b"]], ["page", "x"]], {"id": 7})
        )
        violations = self.refused(
            "not valid at /id: it must be a whole number", options, query="page=0&tag=a&tag=b&tag=c", params={"id": "x"}
        )
        self.assertEqual(sorted(one["pointer"] for one in violations), ["/id", "/page", "/tag"])
