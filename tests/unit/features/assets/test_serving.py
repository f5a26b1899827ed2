"""Files over HTTP: those of `public/`, and stored assets."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import succeed
from twisted.python.failure import Failure

from aiwebengine.errors import Invalid, Problem
from aiwebengine.features.assets.contents import SMALL_BYTES, Contents
from aiwebengine.features.assets.paths import StoredPaths
from aiwebengine.features.assets.public import public_entries
from aiwebengine.features.assets.responder import FileResponder
from aiwebengine.features.assets.serve import FileServer
from aiwebengine.features.assets.settings import AssetSettings
from aiwebengine.features.assets.store import AssetInfo
from aiwebengine.host.registration.kinds import Registration
from aiwebengine.host.registration_calls import RegistrationCalls
from aiwebengine.runtime.registry import ActiveScript
from aiwebengine.scripts.base_path import below, unless_registered
from aiwebengine.scripts.prepare import DeployedFiles
from aiwebengine.values import Entry
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder
from tests.support.reserved import RESERVED
from tests.unit.web.support import Reply, WebTestCase, a_route, echo

STYLE = b"body { color: #333; }\n" * 100
LARGE = os.urandom(SMALL_BYTES) * 4 + b"end"
AT = 784111777


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class FileTestCase(WebTestCase):
    at_once = True
    """Files are read at once, not when `threads` is told to."""

    def setUp(self) -> None:
        super().setUp()
        self.blobs: dict[str, bytes] = {}
        self.infos: dict[tuple[str, str], AssetInfo] = {}
        self.stored = StoredPaths()
        self.threads = ThreadsInTurn(at_once=self.at_once)
        self.folder = temporary_folder(self) / "copies"
        self.problems: list[Problem] = []
        self.runner.at_once = echo
        self.current.registry = self.current.registry.without("script")
        contents = Contents(
            read=lambda _: succeed(self.blobs),
            threads=self.threads,
            packing=ThreadsInTurn(),
            folder=self.folder,
            settings=AssetSettings(),
            now=lambda: AT,
        )
        responder = FileResponder(
            current=self.current,
            stored=self.stored,
            assets=cast(Any, self),
            server=FileServer(contents),
            reserved=RESERVED,
        )
        self.kind = responder.kind
        self.site = self.make_site(responder.kind, responders=[responder.respond], admission=[responder.step])

    async def info(self, owner: str, path: str) -> AssetInfo | None:
        """See `AssetStore.info`."""
        return self.infos.get((owner, path))

    def deploy(
        self,
        files: Mapping[str, bytes],
        *routes: Entry,
        uri: str = "site",
        base: str = "",
        middleware: tuple[int, ...] = (),
    ) -> None:
        """Let a script serve with these files below `public/`."""
        self.blobs.update({digest_of(content): content for content in files.values()})
        deployed = DeployedFiles(
            script=uri,
            version=f"{uri}@1",
            base=base,
            files={f"public/{path}": content for path, content in files.items()} | {"main.js": b""},
            at=AT * 1000,
        )
        found, self.problems = public_entries(deployed, RESERVED)
        routes = tuple(replace(route, script=uri, version=f"{uri}@1") for route in routes)
        entries = below(base, [*routes, *unless_registered(found, routes)])
        script = ActiveScript(uri=uri, version=f"{uri}@1", number=1, entries=entries, base=base, middleware=middleware)
        self.current.registry = self.current.registry.with_script(script)

    def store(self, path: str, content: bytes, kind: str = "text/plain", *, owner: str = "site") -> None:
        """Have a script store an asset."""
        self.blobs[digest_of(content)] = content
        self.infos[owner, path] = AssetInfo(
            owner=owner, path=path, type=kind, digest=digest_of(content), size_bytes=len(content), updated_at=AT * 1000
        )
        self.stored.add(owner, path)

    def get(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Send one request; `_` in the name of a header stands for `-`."""
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in {"host": "a", **headers}.items())
        return self.one(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))


class PublicFileTests(FileTestCase):
    def test_a_file(self) -> None:
        """A file is answered with its type, its validators and what protects from guessing."""
        self.deploy({"style.css": STYLE})
        reply = self.get("/style.css")
        self.assertEqual((reply.status, reply.body), (200, STYLE))
        values = {name: reply.headers[name] for name in reply.headers if name not in {"date", "server", "x-request-id"}}
        self.assertEqual(
            values,
            {
                "content-type": "text/css; charset=utf-8",
                "content-length": str(len(STYLE)),
                "cache-control": "no-cache",
                "etag": f'"{digest_of(STYLE)[:32]}"',
                "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
                "accept-ranges": "bytes",
                "vary": "accept-encoding",
                "x-content-type-options": "nosniff",
            },
        )
        self.assertEqual(self.runner.runs, [])

    def test_head(self) -> None:
        """HEAD tells the same as GET, also of a large file, and sends nothing."""
        self.deploy({"a.txt": b"hello", "large.bin": LARGE, "empty.txt": b""})
        for path, size in (("/a.txt", 5), ("/large.bin", len(LARGE)), ("/empty.txt", 0)):
            reply, whole = self.get(path, "HEAD"), self.get(path)
            self.assertEqual((reply.status, reply.body, reply.headers["content-length"]), (200, b"", str(size)))
            for name in ("etag", "content-type", "content-length"):
                self.assertEqual(reply.headers[name], whole.headers[name])

    def test_other_methods(self) -> None:
        """Other methods are told which ones there are."""
        self.deploy({"a.txt": b"hello"})
        reply = self.get("/a.txt", "POST", content_length="0")
        self.assertEqual((reply.status, reply.headers["allow"]), (405, "GET, HEAD, OPTIONS"))
        self.assertEqual(self.get("/a.txt", "OPTIONS").headers["allow"], "GET, HEAD, OPTIONS")

    def test_folders(self) -> None:
        """`index.html` is what its folder answers, and the folder without a slash leads there."""
        self.deploy({"index.html": b"home", "docs/index.html": b"docs"})
        self.assertEqual((self.get("/").body, self.get("/index.html").body), (b"home", b"home"))
        self.assertEqual((self.get("/docs/").body, self.get("/docs/index.html").body), (b"docs", b"docs"))
        reply = self.get("/docs?a=1")
        self.assertEqual((reply.status, reply.headers["location"]), (307, "/docs/?a=1"))
        self.assertEqual(self.get("/docs//").status, 404)

    def test_base_path(self) -> None:
        """Below a base path everything lies below it, and its own page is that of the base path."""
        wildcard = a_route("/*", "GET", "POST", "HEAD")
        self.deploy({"index.html": b"home", "a.txt": b"a"}, wildcard, uri="shop", base="/shop")
        self.assertEqual((self.get("/shop/").body, self.get("/shop/a.txt").body), (b"home", b"a"))
        for method in ("GET", "HEAD"):
            self.assertEqual(self.get("/shop", method).headers["location"], "/shop/")
        self.assertEqual(self.get("/a.txt").status, 404)
        self.assertEqual(self.runner.runs, [])
        self.get("/shop", "POST", content_length="0")
        self.get("/shop/else")
        self.assertEqual(len(self.runner.runs), 2)

    def test_names(self) -> None:
        """Any name of a file is reached by its encoded form, and no encoded slash divides folders."""
        names = ["a b.txt", "caf\u00e9.txt", ":id", "*", "{x}.txt", "100%.txt", "a+b&c=d.txt", "d/e.txt"]
        self.deploy({name: name.encode() for name in names})
        for path, name in (
            ("/a%20b.txt", "a b.txt"),
            ("/caf%C3%A9.txt", "caf\u00e9.txt"),
            ("/:id", ":id"),
            ("/%3Aid", ":id"),
            ("/*", "*"),
            ("/%7Bx%7D.txt", "{x}.txt"),
            ("/100%25.txt", "100%.txt"),
            ("/a+b&c=d.txt", "a+b&c=d.txt"),
            ("/%64/e.txt", "d/e.txt"),
        ):
            self.assertEqual(self.get(path).body, name.encode(), path)
        for path in ("/d%2Fe.txt", "/other", "/D/e.txt", "/d/E.txt", "/d", "/d/", "/x/../d/e.txt", "/d/e.txt/"):
            self.assertEqual(self.get(path).status, 404, path)

    def test_what_is_not_served(self) -> None:
        """What begins with a dot, and what the engine reserves for itself, is not served, and a warning says so."""
        self.deploy({".env": b"x", "a/.git/config": b"x", "graphql.html": b"x", "engine/x": b"x", "a.txt": b"x"})
        self.assertEqual(
            [(problem.file, problem.severity) for problem in self.problems],
            [(f"public/{name}", "warning") for name in (".env", "a/.git/config", "graphql.html", "engine/x")],
        )
        for path in ("/.env", "/%2eenv", "/a/.git/config", "/graphql.html"):
            self.assertEqual(self.get(path).status, 404)
        self.deploy({"graphql.html": b"below"}, base="/x")
        self.assertEqual((self.problems, self.get("/x/graphql.html").body), ([], b"below"))

    def test_own_handlers(self) -> None:
        """A handler for the very path comes before the file, the file before parameters and wildcards."""
        self.deploy({"a": b"file", "b": b"file"}, a_route("/a"), a_route("/:id"), a_route("/*"))
        self.assertEqual((self.get("/b").body, self.get("/b", "HEAD").status), (b"file", 200))
        self.assertEqual(len(self.runner.runs), 0)
        for path, method in (("/a", "GET"), ("/a", "HEAD"), ("/c", "GET"), ("/c/d", "GET")):
            self.get(path, method)
        self.assertEqual(len(self.runner.runs), 4)

    def test_no_script_registers_one(self) -> None:
        """There is no call by which a script, or a hostile child, could register a file."""
        self.assertEqual(RegistrationCalls([self.kind], threads=ThreadsInTurn()).calls, [])
        registration = Registration(kind="file", call="", script="s", version="s@1", sent={"path": "/a"})
        self.assertRaises(Invalid, self.kind.check, registration)


class ConditionTests(FileTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.deploy({"a.txt": b"0123456789", "large.bin": LARGE})
        self.etag = f'"{digest_of(b"0123456789")[:32]}"'
        self.time = "Sun, 06 Nov 1994 08:49:37 GMT"

    def test_conditions(self) -> None:
        """A client that has the file is told so; one that wants another is refused."""
        later = "Sun, 06 Nov 1994 08:49:38 GMT"
        for headers, status in (
            ({"if_none_match": self.etag}, 304),
            ({"if_none_match": f"W/{self.etag}"}, 304),
            ({"if_none_match": "*"}, 304),
            ({"if_none_match": '"other"'}, 200),
            ({"if_none_match": '"other"', "if_modified_since": self.time}, 200),
            ({"if_modified_since": self.time}, 304),
            # After a rollback the older time is the newer state.
            ({"if_modified_since": later}, 200),
            ({"if_modified_since": "nonsense"}, 200),
            ({"if_match": self.etag}, 200),
            ({"if_match": '"other"'}, 412),
        ):
            for method in ("GET", "HEAD"):
                reply = self.get("/a.txt", method, **headers)
                self.assertEqual(reply.status, status, headers)
        reply = self.get("/a.txt", if_none_match=self.etag)
        self.assertEqual((reply.headers["etag"], reply.headers["cache-control"]), (self.etag, "no-cache"))
        self.assertEqual(self.get("/large.bin", if_none_match=f'"{digest_of(LARGE)[:32]}"').status, 304)

    def test_ranges(self) -> None:
        """One part of a file is sent alone; what is no such part is refused, what is not understood ignored."""
        for asked, status, body in (
            ("bytes=0-3", 206, b"0123"),
            ("bytes=8-", 206, b"89"),
            ("bytes=8-100", 206, b"89"),
            ("bytes=-3", 206, b"789"),
            ("bytes=-100", 206, b"0123456789"),
            ("bytes= 2-2", 206, b"2"),
            ("bytes=10-", 416, b""),
            ("bytes=-0", 416, b""),
            ("bytes=99999999999999999-", 416, b""),
            ("bytes=3-2", 200, b"0123456789"),
            ("bytes=0-1,3-4", 200, b"0123456789"),
            ("bytes=a-b", 200, b"0123456789"),
            ("bytes=-", 200, b"0123456789"),
            ("items=0-1", 200, b"0123456789"),
            ("bytes=" + "9" * 100 + "-", 200, b"0123456789"),
        ):
            reply = self.get("/a.txt", range=asked)
            self.assertEqual((reply.status, reply.body), (status, body), asked)
        self.assertEqual(self.get("/a.txt", range="bytes=2-4").headers["content-range"], "bytes 2-4/10")
        self.assertEqual(self.get("/a.txt", range="bytes=10-").headers["content-range"], "bytes */10")
        self.assertEqual(self.get("/a.txt", "HEAD", range="bytes=0-1").status, 200)
        self.assertEqual(self.get("/a.txt", range="bytes=0-1", if_none_match=self.etag).status, 304)

    def test_if_range(self) -> None:
        """A part is sent only of the file of which the client has the rest."""
        for condition, status in (
            (self.etag, 206),
            (self.time, 206),
            ('"other"', 200),
            (f"W/{self.etag}", 200),
            ("Sun, 06 Nov 1994 08:49:38 GMT", 200),
        ):
            self.assertEqual(self.get("/a.txt", range="bytes=0-1", if_range=condition).status, status, condition)

    def test_ranges_of_a_large_file(self) -> None:
        """A part of a large file is read alone."""
        for first, last in ((0, 0), (SMALL_BYTES - 1, SMALL_BYTES + 1), (5, len(LARGE) - 1)):
            reply = self.get("/large.bin", range=f"bytes={first}-{last}")
            self.assertEqual((reply.status, reply.body), (206, LARGE[first : last + 1]))
            self.assertEqual(reply.headers["content-range"], f"bytes {first}-{last}/{len(LARGE)}")


class CachingTests(FileTestCase):
    IMMUTABLE = "public, max-age=31536000, immutable"

    def test_hashed_names(self) -> None:
        """A name with a hash may be kept for ever; every other one is asked for again."""
        self.deploy({"assets/app.3f2a9c1b.js": b"1", "app.js": b"2"})
        self.assertEqual(self.get("/assets/app.3f2a9c1b.js").headers["cache-control"], self.IMMUTABLE)
        self.assertEqual(self.get("/app.js").headers["cache-control"], "no-cache")

    def test_asked_by_hash(self) -> None:
        """So may a file that is asked for by its own hash, as long as it is that one."""
        self.deploy({"app.js": b"2"})
        digest = digest_of(b"2")
        for query, kept in (
            (f"v={digest}", True),
            (f"a=1&v={digest[:8]}", True),
            (f"v={digest[:7]}", False),
            ("v=00000000", False),
            (f"x={digest}", False),
            (f"v={digest}&v=1", False),
            ("&".join(f"v={n}" for n in range(100)), False),
        ):
            expected = self.IMMUTABLE if kept else "no-cache"
            self.assertEqual(self.get(f"/app.js?{query}").headers["cache-control"], expected, query)

    def test_compression(self) -> None:
        """What compresses well is compressed for clients that take it, under an ETag of its own."""
        self.deploy({"style.css": STYLE, "photo.png": STYLE, "short.css": b"a{}"})
        plain, packed = self.get("/style.css"), self.get("/style.css", accept_encoding="br, gzip")
        self.assertEqual((packed.headers["content-encoding"], gzip.decompress(packed.body)), ("gzip", STYLE))
        self.assertEqual(packed.headers["etag"], plain.headers["etag"][:-1] + '-gzip"')
        self.assertNotIn("accept-ranges", packed.headers)
        head = self.get("/style.css", "HEAD", accept_encoding="gzip")
        self.assertEqual(head.headers["content-length"], str(len(packed.body)))
        again = self.get("/style.css", accept_encoding="gzip", if_none_match=packed.headers["etag"])
        self.assertEqual((again.status, again.headers["vary"]), (304, "accept-encoding"))
        self.assertEqual(self.get("/style.css", if_none_match=packed.headers["etag"]).status, 200)
        part = self.get("/style.css", accept_encoding="gzip", range="bytes=0-3")
        self.assertEqual((part.status, part.body), (206, b"body"))
        for path, accepted in (
            ("/style.css", "gzip;q=0"),
            ("/style.css", "identity"),
            ("/style.css", "x," * 5000 + "gzip"),
            ("/photo.png", "gzip"),
            ("/short.css", "gzip"),
        ):
            self.assertNotIn("content-encoding", self.get(path, accept_encoding=accepted).headers)
        self.assertEqual(self.get("/style.css", accept_encoding="*;q=0.5").headers["content-encoding"], "gzip")

    def test_compressed_copies(self) -> None:
        """A copy that was deployed beside a file is sent as it is."""
        files = {"app.js": STYLE, "app.js.br": b"brotli", "app.js.gz": gzip.compress(STYLE)}
        self.deploy(files)
        for accepted, coding, body in (
            ("gzip, br", "br", b"brotli"),
            ("gzip", "gzip", files["app.js.gz"]),
            ("", None, STYLE),
        ):
            reply = self.get("/app.js", accept_encoding=accepted)
            self.assertEqual((reply.headers.get("content-encoding"), reply.body), (coding, body))
            self.assertEqual(reply.headers["content-type"], "text/javascript; charset=utf-8")
        tags = {self.get("/app.js", accept_encoding=coding).headers["etag"] for coding in ("br", "gzip", "")}
        self.assertEqual(len(tags), 3)
        self.assertNotIn("content-encoding", self.get("/app.js.gz").headers)


class DownloadTests(FileTestCase):
    at_once = False

    def setUp(self) -> None:
        super().setUp()
        self.deploy({"large.bin": LARGE, "a.txt": b"small"})
        self.channel, self.transport = self.connect()

    def begin(self, *headers: bytes) -> None:
        """Ask for the large file, up to the moment at which its first piece is read."""
        self.channel.dataReceived(b"\r\n".join((b"GET /large.bin HTTP/1.1", b"Host: a", *headers, b"", b"")))
        while not self.transport.value():
            self.assertTrue(self.threads.step())

    def body(self) -> bytes:
        data: bytes = self.transport.value()
        return data.partition(b"\r\n\r\n")[2]

    def finish(self) -> None:
        while self.threads.step():
            pass

    def test_slow_clients(self) -> None:
        """No more is read than the client takes, and the connection goes on when all is sent."""
        self.begin()
        self.channel.pauseProducing()
        self.finish()
        self.assertEqual(self.body(), LARGE[: len(self.body())])
        self.assertLess(len(self.body()), len(LARGE))
        self.channel.resumeProducing()
        self.finish()
        self.assertEqual(self.body(), LARGE)
        self.transport.clear()
        self.channel.dataReceived(b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(self.body(), b"small")

    def test_clients_that_leave(self) -> None:
        """A file is closed when its client leaves, while it is read and while it is not."""
        self.begin()
        self.finish()
        for step in (True, False):
            channel, transport = self.connect()
            before = open_files()
            channel.dataReceived(b"GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            self.threads.step()
            self.assertEqual(open_files(), before + 1)
            if step:
                channel.pauseProducing()
                self.threads.step()
            channel.connectionLost(Failure(ConnectionError("gone")))
            self.finish()
            self.assertEqual(open_files(), before)
            self.assertTrue(transport.value())

    def test_what_breaks(self) -> None:
        """A file that ends too early breaks the answer off, so that the client knows."""
        self.begin()
        (copy,) = self.folder.iterdir()
        os.truncate(copy, 1000)
        self.finish()
        self.assertEqual(len(self.body()), 1000)
        self.assertTrue(self.transport.disconnecting)

    def test_older_clients(self) -> None:
        """HTTP/1.0 gets the length, too, and the end of the connection."""
        self.channel.dataReceived(b"GET /large.bin HTTP/1.0\r\n\r\n")
        self.finish()
        self.assertIn(b"content-length: %d\r\n" % len(LARGE), self.transport.value())
        self.assertEqual(self.body(), LARGE)
        self.assertTrue(self.transport.disconnecting)


class StoredAssetTests(FileTestCase):
    def test_a_stored_asset(self) -> None:
        """What a script stores is served with the type that it gave."""
        self.deploy({})
        self.store("/data/a.json", b"{}", "application/json")
        reply = self.get("/data/a.json")
        self.assertEqual((reply.status, reply.body, reply.headers["content-type"]), (200, b"{}", "application/json"))
        self.assertEqual(
            (reply.headers["cache-control"], reply.headers["x-content-type-options"]), ("no-cache", "nosniff")
        )
        self.assertEqual(self.get("/data/a.json", if_none_match=reply.headers["etag"]).status, 304)
        self.assertEqual(self.get("/data/a.json", "OPTIONS").headers["allow"], "GET, HEAD, OPTIONS")
        self.assertEqual(self.get("/data/a.json", "DELETE").status, 405)

    def test_hashes(self) -> None:
        """What is stored may be replaced: only a name with its own hash is kept for ever."""
        self.deploy({})
        digest = digest_of(b"x")
        self.store(f"/{digest[:12]}.txt", b"x")
        self.store("/app.3f2a9c1b.js", b"x")
        self.assertIn("immutable", self.get(f"/{digest[:12]}.txt").headers["cache-control"])
        self.assertEqual(self.get("/app.3f2a9c1b.js").headers["cache-control"], "no-cache")

    def test_order(self) -> None:
        """It comes behind every handler that names the path and every file, and before wildcards."""
        self.deploy({"public.txt": b"file"}, a_route("/notes/:id"), a_route("/exact"), a_route("/*", "GET", "POST"))
        for path in ("/public.txt", "/notes/1", "/exact", "/other"):
            self.store(path, b"stored")
        self.assertEqual((self.get("/public.txt").body, self.get("/other").body), (b"file", b"stored"))
        self.assertEqual(self.runner.runs, [])
        for path in ("/notes/1", "/exact", "/else"):
            self.get(path)
        self.get("/other", "POST", content_length="0")
        self.assertEqual(len(self.runner.runs), 4)

    def test_gone(self) -> None:
        """What was removed meanwhile is not there, and what answers otherwise does."""
        self.deploy({}, a_route("/w/*"))
        for path in ("/a", "/w/a"):
            self.store(path, b"x")
        self.infos.clear()
        self.assertEqual(self.get("/a").status, 404)
        self.get("/w/a")
        self.assertEqual((len(self.runner.runs), self.stored.count), (1, 0))

    def test_reserved(self) -> None:
        """Nothing that is stored is at a path of the engine's own."""
        self.deploy({})
        self.store("/metrics", b"x")
        self.store("/auth/login", b"x")
        for path in ("/metrics", "/auth/login", "/%61uth/login"):
            self.assertEqual(self.get(path).status, 404)


class MissingPageTests(FileTestCase):
    HTML = "text/html,application/xhtml+xml"

    def test_page(self) -> None:
        """Browsers are shown `404.html` where nothing answers; programs get the usual answer."""
        self.deploy({"404.html": b"<h1>Lost</h1>"}, a_route("/only-post", "POST"), middleware=(1,))
        reply = self.get("/nowhere", accept=self.HTML)
        self.assertEqual((reply.status, reply.body), (404, b"<h1>Lost</h1>"))
        self.assertEqual(reply.headers["content-type"], "text/html; charset=utf-8")
        self.assertEqual((reply.headers["cache-control"], "etag" in reply.headers), ("no-cache", False))
        self.assertEqual(self.get("/nowhere", "HEAD", accept=self.HTML).headers["content-length"], "13")
        self.assertEqual(self.get("/nowhere", accept=self.HTML, range="bytes=0-1").status, 404)
        self.assertEqual(self.get("/404.html").status, 200)
        self.assertNotEqual(self.get("/only-post", accept=self.HTML).body, b"<h1>Lost</h1>")
        self.assertEqual(self.get("/metrics", accept=self.HTML).body.count(b"Lost"), 0)

    def test_whose(self) -> None:
        """It is that of the script to which the path belongs."""
        self.deploy({"404.html": b"site"})
        self.deploy({"404.html": b"shop"}, uri="shop", base="/shop")
        self.assertEqual(self.get("/nowhere", accept=self.HTML).body, b"site")
        self.assertEqual(self.get("/shop/nowhere", accept=self.HTML).body, b"shop")
        # Others may have no base path either, and no page.
        self.deploy({}, a_route("/x"), uri="other")
        self.deploy({}, uri="plain", base="/plain")
        self.deploy({}, uri="watching", base="/watching", middleware=(1,))
        for path in ("/nowhere", "/plain/nowhere"):
            self.assertEqual(self.get(path, accept=self.HTML).body, b"site")
        self.get("/watching/nowhere", accept=self.HTML)
        self.assertEqual(len(self.runner.runs), 1)
