"""One request, filled with secrets."""

from __future__ import annotations

import base64
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Denied, Invalid, NotFound, TooLarge
from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.requests.filling import FilledSecrets, ScriptTerms
from aiwebengine.features.secrets.sources.source import MemorySource
from aiwebengine.features.secrets.values import read_hosts
from aiwebengine.values import SecretRequest

KEY = "aiwebengine-secret.KEY." + "1" * 32
OTHER = "aiwebengine-secret.OTHER." + "2" * 32
GONE = "aiwebengine-secret.GONE." + "3" * 32
REQUEST = SecretRequest(host="a.example", port=443, path="/", headers=[])


class FillingTests(SynchronousTestCase):
    def setUp(self):
        self.clock = Clock()
        self.source = MemorySource({"KEY": b"key & value", "OTHER": "ö\n".encode(), "LARGE": b"v" * 65536})
        book = SecretBook(sources=[self.source], hosts={}, clock=self.clock)
        self.successResultOf(book.startService())
        self.addCleanup(book.stopService)
        hosts = read_hosts(["a.example"])

        async def literals():
            return frozenset({"Key {{secret:KEY}}"})

        self.secrets = FilledSecrets(
            book=book,
            terms=ScriptTerms(
                script="shop", granted={"KEY": hosts, "OTHER": hosts, "GONE": hosts, "LARGE": hosts}, literals=literals
            ),
            placeholders={KEY: "KEY", OTHER: "OTHER", GONE: "GONE", KEY.replace("KEY", "LARGE"): "LARGE"},
        )

    def fill(self, **parts):
        return self.successResultOf(Deferred.fromCoroutine(self.secrets.fill(replace(REQUEST, **parts))))

    def refused(self, kind, **parts):
        filling = Deferred.fromCoroutine(self.secrets.fill(replace(REQUEST, **parts)))
        return self.failureResultOf(filling, kind).value.public

    def test_nothing_to_fill(self):
        """A request without placeholders stays as it is, and its answer is not searched."""
        filled = self.fill(path="/a?b", headers=[("x", "1")], body=b"body")
        self.assertEqual((filled.path, filled.headers, filled.body), ("/a?b", [("x", "1")], b"body"))
        self.assertIsNone(self.secrets.scan())
        self.assertEqual(self.secrets.kept, {})

    def test_basic(self):
        """What is encoded for `Basic` is filled in; other base64 is not looked into."""
        encoded = base64.b64encode(f"user:{KEY}".encode()).decode()
        filled = self.fill(
            headers=[("authorization", f"Basic {encoded}"), ("x", encoded), ("authorization", "basic ?")]
        )
        self.assertEqual(base64.b64decode(filled.headers[0][1][6:]), b"user:key & value")
        self.assertEqual(filled.headers[1:], [("x", encoded), ("authorization", "basic ?")])

    def test_places(self):
        """In addresses a value is encoded; several, and the same one twice, are filled in."""
        filled = self.fill(path=f"/{KEY}/{OTHER}?{KEY}", headers=[("x", f"{KEY}, {KEY}")])
        self.assertEqual(filled.path, "/key%20%26%20value/%C3%B6%0A?key%20%26%20value")
        self.assertEqual(filled.headers, [("x", "key & value, key & value")])
        self.assertEqual(self.secrets.kept["placeholders"], {KEY: "KEY", OTHER: "OTHER"})
        self.assertNotIn("value", str(self.secrets.kept))

    def test_header_splitting(self):
        """A value that would end a header is refused without being named."""
        for value in (b"a\r\nb: c", b"a\nb", b"a\0b", b"\x7f"):
            self.source.values["OTHER"] = value
            self.clock.advance(1)
            why = self.refused(Invalid, headers=[("x-key", OTHER)])
            self.assertIn("the header x-key has a line break", why)

    def test_older(self):
        """An older placeholder counts if the whole header is a string of the source."""
        headers = [("x", "Key {{secret:KEY}}"), ("y", "{{secret:KEY}}"), ("z", "Key {{secret:KEY}} ")]
        filled = self.fill(headers=headers, path="/{{secret:KEY}}")
        self.assertEqual(filled.headers, [("x", "Key key & value"), *headers[1:]])
        self.assertEqual(filled.path, "/{{secret:KEY}}")
        self.assertEqual(self.secrets.kept["headers"], ["Key {{secret:KEY}}"])

    def test_bodies(self):
        """A body is filled only if that is wanted, as its type needs it."""
        body = f'{{"a":"{OTHER}"}}'.encode()
        self.assertIn("secretsInBody: true", self.refused(Invalid, body=body))
        filled = self.fill(body=body, in_body=True, headers=[("content-type", "application/problem+json; a=b")])
        self.assertEqual(filled.body, rb'{"a":"\u00f6\n"}')
        filled = self.fill(body=f"a={KEY}".encode(), in_body=True, headers=[("content-type", "text/plain")])
        self.assertEqual(filled.body, b"a=key & value")
        self.source.values["OTHER"] = b"\xff"
        self.clock.advance(1)
        self.refused(Invalid, body=body, in_body=True, headers=[("content-type", "application/json")])

    def test_moved(self):
        """After a redirect to another origin headers with secrets are left out, and a body with one is not sent."""
        basic = "Basic " + base64.b64encode(f"user:{KEY}".encode()).decode()
        headers = [("x", KEY), ("y", basic), ("z", "Key {{secret:KEY}}"), ("plain", "1")]
        filled = self.fill(moved=True, path=f"/{KEY}", headers=headers)
        self.assertEqual((filled.path, filled.headers), (f"/{KEY}", [("plain", "1")]))
        self.assertIsNone(self.secrets.scan())
        self.assertIn("redirected", self.refused(Denied, moved=True, body=KEY.encode(), in_body=True))

    def test_refused(self):
        """Another host, a host that is a placeholder, a secret that is gone: each is refused."""
        self.assertIn("--grant secret:KEY@b.example", self.refused(Denied, host="b.example", path=f"/{KEY}"))
        self.assertIn("a.example:8080", self.refused(Denied, port=8080, path=f"/{KEY}"))
        self.refused(Invalid, host=KEY.lower() + ".example")
        self.refused(NotFound, path=f"/{GONE}")

    def test_bounds(self):
        """A request that repeats a large secret is refused before it is made."""
        large = KEY.replace("KEY", "LARGE")
        self.refused(TooLarge, path="/" + large * 5)
        self.refused(TooLarge, body=(large * 300).encode(), in_body=True)

    def test_scan(self):
        """The answer is searched for what was sent."""
        self.fill(path=f"/{KEY}")
        scan = self.secrets.scan()
        self.assertEqual(scan.text("it is key & value"), "it is [secret KEY]")
