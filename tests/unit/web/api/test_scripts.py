"""Listing, reading, rolling back and deleting over HTTP."""

from __future__ import annotations

from tests.unit.web.api.support import ApiTestCase


class ScriptTests(ApiTestCase):
    def uris(self, **query):
        return [(script["uri"], script["version"]) for script in self.ask("GET", "scripts", **query)[1]["scripts"]]

    def test_list(self):
        """Scripts are listed by name with the version that serves; deleted ones when asked for."""
        self.deploy("b", b"/b")
        self.deploy("a", b"/a")
        self.deploy("c", b"/c")
        self.assertEqual(self.ask("DELETE", "script", uri="b"), (204, b""))
        self.assertEqual(self.uris(), [("a", 1), ("c", 1)])
        self.assertEqual(self.uris(deleted="true"), [("a", 1), ("b", None), ("c", 1)])
        self.assertEqual(self.ask("GET", "scripts", deleted="maybe")[0], 400)

    def test_read(self):
        """A script is read with its files, at any version that is stored."""
        self.deploy()
        self.deploy(source=b"/b")
        status, answer = self.ask("GET", "script", uri="notes")
        self.assertEqual((status, answer["version"], self.headers["etag"]), (200, 2, '"2"'))
        self.assertEqual([(file["path"], file["sizeBytes"]) for file in answer["files"]], [("main.js", 2)])
        self.assertNotIn("content", answer["files"][0])
        answer = self.ask("GET", "script", uri="notes", version=1, content="true")[1]
        self.assertEqual(answer["files"][0]["content"], "/notes")
        self.assertEqual(self.ask("GET", "script", uri="notes", version=9)[0], 404)
        self.assertEqual(self.ask("GET", "script", uri="notes", version="x")[0], 400)
        self.assertEqual(self.ask("GET", "script", uri="other")[0], 404)

    def test_file(self):
        """A file comes back byte by byte, and no browser takes it for a page of this server."""
        self.deploy(source=b"/notes <script>")
        self.assertEqual(self.ask("GET", "script/file", uri="notes", path="main.js"), (200, b"/notes <script>"))
        self.assertEqual(self.headers["content-type"], "application/octet-stream")
        self.assertEqual(self.headers["x-content-type-options"], "nosniff")
        self.assertEqual(self.ask("GET", "script/file", uri="notes", path="other.js")[0], 404)

    def test_history(self):
        """The past of a script is told newest first."""
        self.deploy(message="first")
        self.deploy(source=b"/b", message="second")
        answer = self.ask("GET", "script/history", uri="notes")[1]
        self.assertEqual(answer["current"], 2)
        self.assertEqual(
            [(version["version"], version["message"], version["current"]) for version in answer["versions"]],
            [(2, "second", True), (1, "first", False)],
        )
        self.assertEqual([event["action"] for event in answer["events"]], ["deploy", "deploy"])
        self.assertEqual(self.ask("GET", "script/history", uri="other")[0], 404)

    def test_rollback(self):
        """An older version serves again; what is not kept is 404, a lost update 409."""
        self.deploy()
        self.deploy(source=b"/b")
        status, answer = self.ask("POST", "script/rollback", uri="notes", message="oops")
        self.assertEqual((status, answer["script"]["version"], answer["previous"]), (200, 1, 2))
        self.assertEqual(self.headers["etag"], '"1"')
        self.assertEqual(self.ask("POST", "script/rollback", uri="notes")[0], 404)
        self.assertEqual(self.ask("POST", "script/rollback", uri="notes", version=2, expected=2)[0], 409)
        self.assertEqual(self.ask("POST", "script/rollback", uri="notes", version=2, expected=1)[0], 200)

    def test_delete(self):
        """A deleted script is gone, comes back by a rollback, and is gone for good when purged."""
        self.deploy()
        self.assertEqual(self.ask("DELETE", "script", uri="notes", expected=2)[0], 409)
        self.assertEqual(self.ask("DELETE", "script", uri="notes")[0], 204)
        self.assertEqual(self.ask("DELETE", "script", uri="notes")[0], 404)
        self.assertEqual(self.ask("POST", "script/rollback", uri="notes")[0], 200)
        self.assertEqual(self.ask("DELETE", "script", uri="notes", purge="true")[0], 204)
        self.assertEqual(self.ask("POST", "script/rollback", uri="notes")[0], 404)
