"""Tests of aiwebengine.features.recordings.masks."""

from __future__ import annotations

import base64
import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.recordings.masks import Masks
from aiwebengine.values import Answer
from tests.support.fakes.invocations import an_invocation

PART = "--b\r\nContent-Disposition: form-data; name={}\r\n\r\n{}\r\n"


class MasksTests(SynchronousTestCase):
    """`Masks`."""

    def setUp(self) -> None:
        """Hide what is called password or api key."""
        self.masks = Masks(["password", "api_key"])

    def request(self, long_body: bytes = b"", **request: Any) -> dict[str, Any]:
        """Return a request as it is recorded."""
        invocation = an_invocation(id="1", version="v", payload=json.dumps(request), body=long_body)
        return self.masks.request(invocation, body=invocation.body)

    def test_requests(self) -> None:
        """Headers and cookies that carry secrets, and what is secret by its name, are hidden; the rest stays."""
        answer = self.request(
            url="http://a/b?apiKey=k3y&x=1&password=",
            query=[["apiKey", "k3y"], ["x", "1"]],
            headers={"Authorization": "b3arer", "accept": "*/*"},
            cookies={"session": "c00kie"},
            body='{"pass-word": "pa55", "list": [{"API_KEY": "k3y"}], "n": 1}',
        )
        self.assertEqual(answer["url"], "http://a/b?apiKey=***&x=1&password=")
        self.assertEqual(answer["query"], [["apiKey", "***"], ["x", "1"]])
        self.assertEqual(answer["headers"], {"Authorization": "***", "accept": "*/*"})
        self.assertEqual(answer["cookies"], {"session": "***"})
        self.assertEqual(json.loads(answer["body"]), {"pass-word": "***", "list": [{"API_KEY": "***"}], "n": 1})

    def test_forms(self) -> None:
        """The body of a form has its secrets hidden, as its fields have."""
        kind = {"content-type": "Application/x-www-form-urlencoded; charset=utf-8"}
        answer = self.request(headers=kind, body="user=a&pass%57ord=p%40ss", form=[["user", "a"], ["passWord", "p@ss"]])
        self.assertEqual(answer["body"], "user=a&pass%57ord=***")
        self.assertEqual(answer["form"], [["user", "a"], ["passWord", "***"]])

    def test_parts(self) -> None:
        """So has one in parts, whether it is text or not."""
        kind = {"content-type": 'multipart/form-data; boundary="b"'}
        secret, other = PART.format('"password"', "p@ss"), PART.format('"user"', "a")
        hidden = PART.format('"password"', "***")
        answer = self.request(headers=kind, body=secret + other + "--b--\r\n")
        self.assertEqual(answer["body"], hidden + other + "--b--\r\n")
        binary = (secret + PART.format('"file"', "")).encode() + b"\xff--b--\r\n"
        answer = self.request(headers=kind, bodyBase64=base64.b64encode(binary).decode())
        self.assertEqual(base64.b64decode(answer["bodyBase64"]), binary.replace(b"p@ss", b"***"))

    def test_long_bodies(self) -> None:
        """A body that went by itself is a member again."""
        self.assertEqual(json.loads(self.request(b'{"password": "p@ss"}')["body"]), {"password": "***"})
        self.assertEqual(self.request(b"\xff")["bodyBase64"], "/w==")

    def test_calls(self) -> None:
        """Arguments and answers of host calls are looked into; names are not."""
        result = self.masks.call(["kv.set", '["k", {"password": "p@ss"}]', None])
        self.assertEqual(result, ["kv.set", '["k", {"password": "***"}]', None])

    def test_requests_to_others(self) -> None:
        """What a script sends to other servers is masked: headers in pairs, the query of its address, and a form."""
        form = ["content-type", "application/x-www-form-urlencoded;charset=UTF-8"]
        sent = {
            "url": "https://a.example/?apiKey=k3y&x=1",
            "headers": [["authorization", "b3arer"], ["x-a", "b"], form],
            "text": "user=a&password=pa55",
        }
        said = {"status": 200, "headers": [["set-cookie", "c00kie"]], "url": "https://a.example/?apiKey=k3y&x=1"}
        _, arguments, answer = self.masks.call(["fetch.start", json.dumps([1, sent]), json.dumps(said)])
        assert arguments is not None
        assert answer is not None
        self.assertEqual(
            json.loads(arguments)[1],
            {
                "url": "https://a.example/?apiKey=***&x=1",
                "headers": [["authorization", "***"], ["x-a", "b"], form],
                "text": "user=a&password=***",
            },
        )
        self.assertEqual(json.loads(answer)["headers"], [["set-cookie", "***"]])
        self.assertEqual(json.loads(answer)["url"], "https://a.example/?apiKey=***&x=1")
        for plain in ('["https://a.example/?x=1"]', '["http is a protocol? password=no"]', '{"text":"password=x"}'):
            self.assertEqual(self.masks.text(plain), plain)

    def test_answers(self) -> None:
        """An answer's headers and JSON are looked into; bytes stay as they are."""
        self.assertIsNone(self.masks.answer(None))
        result = self.masks.answer(Answer(status=200, headers=((b"set-cookie", b"s"), (b"a", b"b")), body=b"\xff"))
        self.assertEqual(result, {"status": 200, "headers": [["set-cookie", "***"], ["a", "b"]], "body": "\\xff"})

    def test_nested_too_deeply(self) -> None:
        """What is nested too deeply to be looked into is hidden as a whole."""
        self.assertEqual(self.masks.text("[" * 100_000 + '{"password":1}' + "]" * 100_000), "***")
        deep = "[" * 600 + '{"password":1}' + "]" * 600
        self.assertNotIn("1", self.masks.text(deep))

    def test_long(self) -> None:
        """Long JSON is looked through like short JSON, and stays as it is if nothing is secret."""
        plain = json.dumps([{"name": "ada"}] * 20_000)
        self.assertIs(self.masks.text(plain), plain)
        hidden = json.loads(self.masks.text(json.dumps([{"name": "ada", "password": "s3cret"}] * 20_000)))
        self.assertEqual(hidden, [{"name": "ada", "password": "***"}] * 20_000)
