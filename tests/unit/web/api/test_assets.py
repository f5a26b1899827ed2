"""Assets over HTTP."""

from __future__ import annotations

from tests.unit.web.api.support import ApiTestCase

TEXT = {"content-type": "text/plain"}


class AssetTests(ApiTestCase):
    def test_life(self):
        """An asset is stored, listed, read, replaced and removed."""
        image = {"content-type": "image/png"}
        self.assertEqual(self.ask("PUT", "asset", b"\x89PNG", image, path="/logo.png")[0], 201)
        self.assertEqual(self.ask("PUT", "asset", b"other", image, path="/logo.png")[0], 204)
        [answer] = self.ask("GET", "assets")[1]["assets"]
        self.assertEqual((answer["path"], answer["type"], answer["sizeBytes"]), ("/logo.png", "image/png", 5))
        self.assertEqual(self.ask("GET", "asset", path="/logo.png"), (200, b"other"))
        self.assertEqual(self.headers["content-type"], "image/png")
        self.assertEqual(self.headers["content-security-policy"], "sandbox")
        self.assertEqual(self.ask("DELETE", "asset", path="/logo.png")[0], 204)
        self.assertEqual(self.ask("DELETE", "asset", path="/logo.png")[0], 404)
        self.assertEqual(self.ask("GET", "asset", path="/logo.png")[0], 404)

    def test_owners(self):
        """An asset is stored for the script that is named; which one is meant has to be said if several have one."""
        for uri in ("ann", "bob"):
            self.deploy(uri, f"/{uri}".encode())
            self.assertEqual(self.ask("PUT", "asset", uri.encode(), TEXT, path="a", uri=uri)[0], 201)
        self.assertEqual([asset["script"] for asset in self.ask("GET", "assets")[1]["assets"]], ["ann", "bob"])
        self.assertEqual(self.ask("GET", "asset", path="a", uri="bob"), (200, b"bob"))
        for method in ("GET", "DELETE"):
            status, answer = self.ask(method, "asset", path="a")
            self.assertEqual(status, 400)
            self.assertIn('"ann", "bob"', answer["detail"])
        self.assertEqual(self.ask("DELETE", "asset", path="a", uri="ann")[0], 204)
        self.assertEqual(self.ask("GET", "asset", path="a"), (200, b"bob"))
        self.assertEqual(self.ask("PUT", "asset", b"x", TEXT, path="a", uri="nobody")[0], 404)
        # What would be at the same address is refused.
        for uri, status in (("ann", 201), ("bob", 409)):
            self.assertEqual(self.ask("PUT", "asset", b"x", TEXT, path="/b", uri=uri)[0], status)

    def test_rules(self):
        """What cannot be stored is refused by its rule."""
        self.assertEqual(self.ask("PUT", "asset", b"x", {"content-type": "nonsense"}, path="a")[0], 400)
        self.assertEqual(self.ask("PUT", "asset", b"x")[0], 400)
        self.assertEqual(self.ask("PUT", "asset", b"x" * 1001, path="a")[0], 413)
