"""Deploying over HTTP."""

from __future__ import annotations

import io
import json
import zipfile

from treq import collect
from twisted.internet.defer import Deferred

from tests.unit.web.api.support import ApiTestCase


def zipped(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return stream.getvalue()


def multipart(*parts):
    lines = []
    for name, content in parts:
        disposition = f'form-data; name="file"; filename="{name}"' if name else 'form-data; name="note"'
        lines += [b"--B", f"Content-Disposition: {disposition}".encode(), b"", content]
    return b"\r\n".join([*lines, b"--B--", b""])


JSON = {"content-type": "application/json"}


class DeployTests(ApiTestCase):
    def send(self, body, content_type, **query):
        query.setdefault("uri", "notes")
        return self.ask("PUT", "script", body, {"content-type": content_type}, **query)

    def files(self):
        return {file["path"]: file for file in self.ask("GET", "script", uri="notes", content="true")[1]["files"]}

    def test_one_file(self):
        """One file is deployed as it stands; the answer says where it is and what version."""
        status, body = self.deploy("https://example.org/my notes.ts", b"/notes")
        self.assertEqual(status, 201)
        self.assertEqual(self.headers["etag"], '"1"')
        self.assertEqual(
            self.headers["location"],
            "/engine/api/script?uri=https%3A%2F%2Fexample.org%2Fmy%20notes.ts&version=1",
        )
        script = body["script"]
        self.assertEqual((script["entry"], script["version"], script["author"]), ("my notes.ts", 1, "administrator"))
        self.assertEqual(script["registered"][0]["entries"][0]["path"], "/notes")
        self.assertEqual((body["previous"], body["changed"], body["warnings"]), (None, True, []))
        status, body = self.deploy("https://example.org/my notes.ts", b"/other")
        self.assertEqual((status, body["previous"], self.headers["etag"]), (200, 1, '"2"'))

    def test_name_of_the_file(self):
        """A single file may be named, and a content type tells TypeScript."""
        self.assertEqual(self.send(b"/a", "text/plain", entry="src/x.tsx")[1]["script"]["entry"], "src/x.tsx")
        self.assertEqual(self.send(b"/a", "text/typescript")[1]["script"]["entry"], "main.ts")
        self.assertEqual(self.send(b"/a", "application/x-www-form-urlencoded")[1]["script"]["entry"], "main.js")

    def test_json(self):
        """JSON holds files as text or base64, and all that the query could say."""
        body = {
            "files": {"main.ts": "/caf\u00e9", "logo.png": {"base64": "/wA="}},
            "expected": 0,
            "grants": ["scripts"],
            "message": "why",
        }
        status, answer = self.send(json.dumps(body).encode(), "application/json; charset=utf-8")
        self.assertEqual(status, 201)
        self.assertEqual((answer["script"]["grants"], answer["script"]["message"]), (["scripts"], "why"))
        self.assertEqual(self.files()["main.ts"]["content"], "/caf\u00e9")
        self.assertEqual(self.files()["logo.png"]["contentBase64"], "/wA=")
        self.assertEqual(self.send(json.dumps(body).encode(), "application/json")[0], 409)

    def test_bad_json(self):
        """JSON that is no deployment is a 400 that says what is wrong."""
        for body, word in (
            (b"{", "not valid JSON"),
            (b"{}", '"files"'),
            (b'{"files": []}', '"files"'),
            (b'{"files": {}, "entyr": "x"}', 'did you mean "entry"?'),
            (b'{"files": {"a": 5}}', "base64"),
            (b'{"files": {"a": {"base64": "?"}}}', "base64"),
            (b'{"files": {"a": "\\ud800"}}', "surrogate"),
            (b'{"files": {"main.ts": ""}, "entry": 5}', '"entry"'),
            (b'{"files": {"main.ts": ""}, "expected": "x"}', '"expected"'),
            (b'{"files": {"main.ts": ""}, "grants": "x"}', '"grants"'),
            (b'{"files": {"main.ts": ""}, "message": 5}', '"message"'),
            (b"", "valid JSON"),
        ):
            status, answer = self.send(body, "application/json")
            self.assertEqual(status, 400, body)
            self.assertIn(word, answer["detail"])
        self.assertEqual(self.ask("GET", "scripts")[1], {"scripts": []})

    def test_json_is_counted_while_it_is_read(self):
        """A body with too many files, or too much in them, is refused before the rest of it is looked at."""
        settings = self.world.settings
        many = ",".join(f'"f{number}": ""' for number in range(settings.max_files + 1))
        large = f'"{"x" * (settings.max_source_bytes + 1)}"'
        for files, word in (
            (many, "deploy.max_files"),
            (f'"node_modules/a": "", {many}', "deploy.max_files"),
            (f'"main.js": {large}', "deploy.max_source_bytes"),
            (f'"main.js": {{"base64": "{"A" * (settings.max_source_bytes * 4 // 3 + 8)}"}}', "deploy.max_source_bytes"),
        ):
            # What follows is no JSON, which nobody finds out.
            status, answer = self.send(f'{{"files": {{{files}, ???'.encode(), "application/json")
            self.assertEqual((status, word in answer["detail"]), (413, True), answer)

    def test_json_with_what_belongs_to_no_script(self):
        """Installed packages do not count among the files, and are left out with a warning."""
        packages = {f"node_modules/{number}.js": "x" for number in range(self.world.settings.max_files)}
        body = json.dumps({"files": {**packages, "main.js": "/notes"}}).encode()
        status, answer = self.send(body, "application/json")
        self.assertEqual((status, answer["warnings"][0]["code"]), (201, "ignored_files"))
        self.assertEqual(list(self.files()), ["main.js"])

    def test_json_with_a_name_twice(self):
        """A path that is there twice is refused: one of its contents would be lost."""
        for body in (b'{"files": {"a.js": "1", "a.js": "2"}}', b'{"files": {}, "files": {}}'):
            status, answer = self.send(body, "application/json")
            self.assertEqual((status, "twice" in answer["detail"]), (400, True))

    def test_source_sent_as_json(self):
        """A script that came with the type of JSON is still deployed as a file."""
        self.assertEqual(self.send(b"/notes", "application/json")[0], 201)

    def test_zip(self):
        """A zip is a folder, also without a content type."""
        body = zipped(main_ts="/notes", lib__a_ts="x")
        self.assertEqual(self.send(body, "application/zip")[0], 201)
        self.assertEqual(sorted(self.files()), ["lib/a.ts", "main.ts"])
        self.assertEqual(self.ask("PUT", "script", body, uri="other-notes")[1].get("code"), "deployment_refused")
        self.assertEqual(self.send(b"PK not really", "application/zip")[0], 400)

    def test_multipart(self):
        """Each part with a file name is a file; other parts are passed over."""
        body = multipart(("main.ts", b"/notes"), (None, b"ignored"), ("lib/a.bin", b"\r\n\x00--B"))
        self.assertEqual(self.send(body, "multipart/form-data; boundary=B")[0], 201)
        self.assertEqual(sorted(self.files()), ["lib/a.bin", "main.ts"])
        for wrong, content_type in (
            (body, "multipart/form-data"),
            (body[:30], "multipart/form-data; boundary=B"),
            (multipart((None, b"x")), "multipart/form-data; boundary=B"),
            (multipart(("a", b"x"), ("a", b"y")), "multipart/form-data; boundary=B"),
        ):
            self.assertEqual(self.send(wrong, content_type)[0], 400)

    def test_names_of_parts(self):
        """A file name may be percent-encoded, as some clients do with slashes and spaces."""
        body = multipart(("main.ts", b"/notes"), ("lib%2Fa%20b%C3%A9.ts", b""), ("100%.txt", b""))
        self.assertEqual(self.send(body, "multipart/form-data; boundary=B")[0], 201)
        self.assertEqual(sorted(self.files()), ["100%.txt", "lib/a b\u00e9.ts", "main.ts"])

    def test_too_large(self):
        """A body beyond the limit is 413; so is a file beyond its own, as a problem of the deployment."""
        body = b"x" * (self.api.max_body_bytes + 1)
        self.assertEqual(self.send(body, "text/plain")[0], 413)
        status, answer = self.send(b"x" * (self.world.settings.max_source_bytes + 1), "text/plain")
        self.assertEqual((status, answer["problems"][0]["code"]), (422, "file_too_large"))

    def test_refused(self):
        """Problems come as JSON, all of them, and nothing changes."""
        status, result = self.deploy(source=b"SYNTAX ERROR")
        self.assertEqual((status, result["code"], len(result["problems"])), (422, "deployment_refused", 2))
        self.assertEqual(result["problems"][0]["line"], 1)
        self.assertEqual(self.ask("GET", "scripts")[1], {"scripts": []})

    def test_origin(self):
        """Where a deployment comes from is kept and shown, at most 500 characters of it."""
        body = json.dumps({"files": {"main.ts": "/a"}, "origin": "box:~/notes"}).encode()
        self.assertEqual(self.send(body, "application/json")[1]["script"]["origin"], "box:~/notes")
        self.assertEqual(self.send(b"/b", "text/plain", origin="o" * 600)[1]["script"]["origin"], "o" * 500)
        status, _ = self.send(b'{"files": {"main.ts": "/a"}, "origin": 7}', "application/json")[:2]
        self.assertEqual(status, 400)

    def test_lost_update(self):
        """An update made against an older version is 409, told by the query or by headers."""
        self.deploy()
        self.deploy(source=b"/b")
        for query, headers in (
            ({"expected": 1}, {}),
            ({}, {"if-match": '"1"'}),
            ({}, {"if-none-match": "*"}),
        ):
            status, answer = self.ask("PUT", "script", b"/c", headers, uri="notes", **query)
            self.assertEqual((status, answer["code"], answer["current"]), (409, "conflict", 2))
        self.assertEqual(self.ask("PUT", "script", b"/c", {"if-match": '"x"'}, uri="notes")[0], 400)
        self.assertEqual(self.ask("PUT", "script", b"/c", {"if-match": '"2"'}, uri="notes")[0], 200)
        self.assertEqual(self.ask("PUT", "script", b"/d", {"if-match": "*"}, uri="notes")[0], 200)

    def test_grants(self):
        """Capabilities are granted by name and taken away by an empty one."""
        self.assertEqual(self.deploy(grant=["scripts", "logs"])[1]["script"]["grants"], ["logs", "scripts"])
        self.assertEqual(self.deploy(source=b"/b")[1]["script"]["grants"], ["logs", "scripts"])
        self.assertEqual(self.deploy(grant="")[1]["script"]["grants"], [])
        self.assertEqual(self.deploy(grant="everything")[0], 422)

    def test_unchanged(self):
        """The same again is not deployed when asked so."""
        self.deploy()
        status, result = self.deploy(ifChanged="true")
        self.assertEqual((status, result["changed"], result["script"]["version"]), (200, False, 1))

    def test_progress(self):
        """A client that asks for lines sees each step, and the result or the error at the end."""
        lines = {"accept": "application/x-ndjson"}
        _, content = self.ask("PUT", "script", b"/notes", lines, uri="notes")
        answer = [json.loads(line) for line in content.splitlines() if line]
        self.assertEqual([event.get("step") for event in answer[:-1]], ["check", "build", "load", "validate", "store"])
        self.assertEqual(answer[-1]["result"]["script"]["version"], 1)
        _, content = self.ask("PUT", "script", b"SYNTAX ERROR", lines, uri="notes")
        error = json.loads(content.splitlines()[-1])["error"]
        self.assertEqual((error["status"], len(error["problems"])), (422, 2))
        _, content = self.ask("PUT", "script", b"x", lines)
        self.assertEqual(json.loads(content.splitlines()[-1])["error"]["status"], 400)

    def test_progress_within_a_step(self):
        """What a long step is at is told beside its name."""
        self.world.builder.details = ("installing packages", "120 of 307 files")
        _, content = self.ask("PUT", "script", b"/notes", {"accept": "application/x-ndjson"}, uri="notes")
        answer = [json.loads(line) for line in content.splitlines() if line]
        self.assertEqual(
            answer[1:4],
            [
                {"step": "build"},
                {"step": "build", "detail": "installing packages"},
                {"step": "build", "detail": "120 of 307 files"},
            ],
        )

    def test_progress_as_it_happens(self):
        """A step is told when it begins, not when all is over."""
        self.world.builder.gate = Deferred()
        response = self.open("PUT", "script", b"/notes", {"accept": "application/x-ndjson"}, uri="notes")
        came = []
        reading = collect(response, came.append)
        self.agent.flush()
        self.assertIn(b'{"step":"build"}', b"".join(came))
        self.assertNoResult(reading)
        self.world.builder.gate.callback(None)
        self.agent.flush()
        self.successResultOf(reading)
        self.assertIn(b'"result"', came[-1])

    def test_check(self):
        """A check tells what a deployment would, and nothing is deployed."""
        status, answer = self.ask("POST", "check", b"/notes", uri="notes")
        self.assertEqual((status, answer["ok"], answer["problems"]), (200, True, []))
        self.assertEqual(answer["registered"][0]["entries"][0]["path"], "/notes")
        status, answer = self.ask("POST", "check", b"SYNTAX ERROR", uri="notes")
        self.assertEqual((status, answer["ok"], len(answer["problems"])), (200, False, 2))
        self.assertEqual(self.ask("GET", "scripts")[1], {"scripts": []})
