"""Assets over HTTP."""

from __future__ import annotations

from tests.unit.web.api.support import ApiTestCase


class AssetTests(ApiTestCase):
    def test_life(self):
        """An asset is stored, listed, read, replaced and removed."""
        image = {"content-type": "image/png"}
        self.assertEqual(self.ask("PUT", "asset", b"\x89PNG", image, path="/logo.png")[0], 201)
        self.assertEqual(self.ask("PUT", "asset", b"other", image, path="/logo.png")[0], 204)
        [told] = self.ask("GET", "assets")[1]["assets"]
        self.assertEqual((told["path"], told["type"], told["sizeBytes"]), ("/logo.png", "image/png", 5))
        self.assertEqual(self.ask("GET", "asset", path="/logo.png"), (200, b"other"))
        self.assertEqual(self.headers["content-type"], "image/png")
        self.assertEqual(self.headers["content-security-policy"], "sandbox")
        self.assertEqual(self.ask("DELETE", "asset", path="/logo.png")[0], 204)
        self.assertEqual(self.ask("DELETE", "asset", path="/logo.png")[0], 404)
        self.assertEqual(self.ask("GET", "asset", path="/logo.png")[0], 404)

    def test_rules(self):
        """What cannot be stored is refused by its rule."""
        self.assertEqual(self.ask("PUT", "asset", b"x", {"content-type": "nonsense"}, path="a")[0], 400)
        self.assertEqual(self.ask("PUT", "asset", b"x")[0], 400)
        self.assertEqual(self.ask("PUT", "asset", b"x" * 1001, path="a")[0], 413)
