"""Tests of aiwebengine.graphql: params and accept."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid, TooLarge, UnsupportedMedia
from aiwebengine.features.graphql.execution.documents import Documents
from aiwebengine.features.graphql.execution.execute import RequestFailed
from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.features.graphql.transports.accept import EVENTS, JSON, RESPONSE, accepted_types, named, preferred
from aiwebengine.features.graphql.transports.params import read_params, read_request
from aiwebengine.long_json import no_checkpoint
from aiwebengine.values import Request


def request(method: str = "POST", *, query: str = "", body: bytes = b"", kind: str = "application/json") -> Request:
    """Make a request."""
    headers = {"content-type": kind}
    return Request(id="r", method=method, path="/graphql", query=query, headers=headers, body=body, client="", url="")


class AcceptTests(SynchronousTestCase):
    def test_preferred(self) -> None:
        """The client's best counts, then ours; what names a form most exactly decides."""
        for accept, wanted in (
            ("", JSON),
            ("*/*", JSON),
            (RESPONSE, RESPONSE),
            (f"{JSON};q=0.5, {RESPONSE}", RESPONSE),
            (f"{JSON};q=0, */*", RESPONSE),
            ("application/*;q=0.2", JSON),
            ("text/html", None),
            (f"{JSON};q=nonsense", None),
        ):
            self.assertEqual(preferred(accept, (JSON, RESPONSE)), wanted, accept)

    def test_named(self) -> None:
        """A form is named by itself, not by a star, and not with a quality of nothing."""
        self.assertTrue(named("text/event-stream", EVENTS))
        self.assertFalse(named("*/*", EVENTS))
        self.assertFalse(named("text/event-stream;q=0", EVENTS))

    def test_events_or_json(self) -> None:
        """A client that reads both as well gets JSON, but its subscriptions as events."""
        both = accepted_types(f"{RESPONSE}, {JSON}, {EVENTS}, multipart/mixed")
        self.assertEqual((both.events, both.streamed, both.incremental), (True, False, True))
        self.assertTrue(accepted_types(EVENTS).streamed)
        self.assertTrue(accepted_types(f"{JSON};q=0.5, {EVENTS}").streamed)


class ParamsTests(SynchronousTestCase):
    def read(self, given: Any, *, persisted: bool = True) -> Any:
        return read_params(given, Documents(settings=GraphQLSettings(), checkpoint=no_checkpoint), persisted=persisted)

    def test_get_and_post(self) -> None:
        """Both say the same in their own way."""
        get = read_request(request("GET", query="query=%7Ba%7D&variables=%7B%22n%22%3A1%7D&operationName=&x=y"))
        post = read_request(
            request(body=b'{"query":"{a}","variables":{"n":1}}', kind="application/json; charset=UTF-8")
        )
        marked = read_request(request(body=b'\xef\xbb\xbf{"query":"{a}","variables":{"n":1}}', kind="application/json"))
        for given in (get, post, marked):
            params = self.read(given)
            self.assertEqual((params.query, params.variables, params.operation_name), ("{a}", {"n": 1}, None))

    def test_bad_bodies(self) -> None:
        """What is no JSON object in UTF-8 is refused, with the place."""
        for body, message in (
            (b"{", "The body is not JSON: Expecting property name"),
            (b"[]", "The body is a JSON object such as"),
            (b'{"a": NaN}', "The body is not JSON: there is no NaN"),
            (b"\xff", "The body is JSON in UTF-8; byte 0"),
            (b"[" * 10_000, "The body is JSON nested too deeply"),
        ):
            error = self.assertRaises(Invalid, read_request, request(body=body))
            self.assertTrue(error.public.startswith(message), error.public)
        for kind in ("text/plain", "", "application/json; charset=latin1", "multipart/form-data"):
            self.assertRaises(UnsupportedMedia, read_request, request(body=b"{}", kind=kind))
        self.assertRaises(Invalid, read_request, request("GET", query="variables=x"))
        self.assertRaises(Invalid, read_request, request("GET", query="a=b&" * 60))

    def test_bad_parameters(self) -> None:
        """Each parameter is what it has to be."""
        for given in (
            {},
            {"query": ""},
            {"query": 7},
            {"query": "{a}", "variables": []},
            {"query": "{a}", "operationName": 1},
            {"query": "{a}", "extensions": "x"},
            {"extensions": {"persistedQuery": {"sha256Hash": "short"}}},
            {"documentId": "md5:x"},
        ):
            self.assertRaises(Invalid, self.read, given)

    def test_persisted(self) -> None:
        """A digest that is not known is told so, and one where none are kept."""
        digest = {"documentId": "sha256:" + "0" * 64}
        for persisted, code in ((True, "PERSISTED_QUERY_NOT_FOUND"), (False, "PERSISTED_QUERY_NOT_SUPPORTED")):
            error = self.assertRaises(RequestFailed, self.read, digest, persisted=persisted)
            self.assertEqual(error.errors[0].extensions, {"code": code})
        self.assertRaises(RequestFailed, self.read, {**digest, "query": "{a}"})


class ManyValuesTests(SynchronousTestCase):
    def test_many_values(self) -> None:
        """A body with more values than an operation needs is refused before it is parsed; a long string is not."""
        many = b'{"query": "{ a }", "variables": {"a": [' + b"[]," * 50_000 + b"1]}}"
        error = self.assertRaises(TooLarge, read_request, request(body=many))
        self.assertIn("at most 50,000 values", error.public)
        long = b'{"query": "{ a }", "variables": {"a": "' + b"x" * 1_000_000 + b'"}}'
        self.assertEqual(len(read_request(request(body=long))["variables"]["a"]), 1_000_000)
