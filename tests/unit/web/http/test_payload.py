"""What a handler is given of a request."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.values import Request
from aiwebengine.web.http.payload import MOST_BYTES, long_body, payload, read_cookies, sender_json


def _request(body: bytes = b"", **others: Any) -> Request:
    values: dict[str, Any] = {
        "id": "1",
        "method": "POST",
        "path": "/",
        "query": "",
        "headers": {},
        "client": "::1",
        "url": "http://a/",
        **others,
    }
    return Request(body=body, **values)


def _given(request: Request, **others: Any) -> Any:
    text = payload(request, others.pop("params", {}), sender=sender_json(request.headers, request.client), **others)
    assert text.isascii()
    return json.loads(text)


class PayloadTests(SynchronousTestCase):
    """`payload`."""

    def test_the_least(self) -> None:
        """Members that say nothing are left out."""
        self.assertEqual(
            _given(_request()),
            {"method": "POST", "path": "/", "url": "http://a/", "headers": {}, "ip": "::1", "id": "1"},
        )

    def test_queries(self) -> None:
        """A query is a list of pairs, decoded; bytes that are not UTF-8 become U+FFFD."""
        answer = _given(_request(query="a=1&b=&c&a=+%2B&d=%FF&=e"))
        self.assertEqual(answer["query"], [["a", "1"], ["b", ""], ["c", ""], ["a", " +"], ["d", "\ufffd"], ["", "e"]])
        self.assertEqual(len(_given(_request(query="a&" * 999 + "a"))["query"]), 1000)
        error = self.assertRaises(Invalid, _given, _request(query="a&" * 1000 + "a"))
        self.assertIn("this one has 1,001", error.public)

    def test_bodies(self) -> None:
        """A body is text if it is UTF-8, else base64."""
        self.assertEqual(_given(_request('ä\u2028\U0001f600"\\'.encode()))["body"], 'ä\u2028\U0001f600"\\')
        error = self.assertRaises(TooLarge, _given, _request(b"a" * (MOST_BYTES + 1)))
        self.assertIn("48,234,497 bytes; a script can be given at most 48,234,496", error.public)
        answer = _given(_request(b"\xff\x00"))
        self.assertEqual((answer["bodyBase64"], "body" in answer), (base64.b64encode(b"\xff\x00").decode(), False))

    def test_long_bodies(self) -> None:
        """A body of more than 64 KiB goes by itself, and is in no member."""
        short, long = _request(b"a" * 65536), _request(b"a" * 65537)
        self.assertEqual((long_body(short), len(_given(short)["body"])), (b"", 65536))
        self.assertEqual((long_body(long), "body" in _given(long)), (long.body, False))

    def test_forms(self) -> None:
        """A form is decoded too, and bounded."""
        headers = {"content-type": "Application/X-WWW-Form-URLEncoded; charset=utf-8"}
        answer = _given(_request(b"a=1&a=%C3%A4", headers=headers))
        self.assertEqual((answer["form"], answer["body"]), ([["a", "1"], ["a", "ä"]], "a=1&a=%C3%A4"))
        self.assertRaises(Invalid, _given, _request(b"&a" * 1001, headers=headers))
        self.assertNotIn("form", _given(_request(b"a=1", headers={"content-type": "text/plain"})))

    def test_params(self) -> None:
        """Parameters of the path are given decoded."""
        self.assertEqual(_given(_request(), params={"id": "ä/"})["params"], {"id": "ä/"})

    def test_cookies(self) -> None:
        """Cookies are decoded; the first of a name counts, and what is none is left out."""
        header = 'a=1; b="x y"; a=2; c=%C3%A4%zz; d; =e; __proto__=f; g==h; i='
        self.assertEqual(
            read_cookies(header),
            {"a": "1", "b": "x y", "c": "ä%zz", "__proto__": "f", "g": "=h", "i": ""},
        )
        self.assertEqual(_given(_request(headers={"cookie": "a=1"}))["cookies"], {"a": "1"})


@given(
    st.text(st.characters(max_codepoint=255), max_size=20),
    st.text(st.characters(max_codepoint=255), max_size=20),
    st.binary(max_size=40),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
)
def test_any_request(name: str, value: str, body: bytes, query: str) -> None:
    """Whatever a request holds, what is given is JSON and holds it unchanged."""
    answer = _given(_request(body, headers={name: value}, query=query, url="http://a/?" + query))
    assert answer["headers"] == {name: value}
    assert answer["url"] == "http://a/?" + query
    got = base64.b64decode(answer["bodyBase64"]) if "bodyBase64" in answer else answer.get("body", "").encode()
    assert got == body
