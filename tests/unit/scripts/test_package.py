"""What may be deployed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import DeploymentRefused, Invalid
from aiwebengine.scripts.capabilities import Capabilities
from aiwebengine.scripts.package import (
    check_package,
    check_uri,
    file_name_for,
    path_problem,
    refused,
)
from aiwebengine.settings.schema import DeploySettings, LimitSettings
from tests.support.reserved import RESERVED

SMALL = DeploySettings(max_source_bytes=100, max_total_bytes=200, max_files=3)


def check(files, entry=None, settings=None):
    return check_package(
        files,
        entry=entry,
        settings=settings or DeploySettings(),
        limits=LimitSettings(),
        capabilities=Capabilities({"scripts": None}),
        reserved=RESERVED,
    )


class PackageTests(SynchronousTestCase):
    def problems(self, files, **options):
        return self.assertRaises(DeploymentRefused, check, files, **options).problems

    def codes(self, files, **options):
        return [problem.code for problem in self.problems(files, **options)]

    def test_one_file(self):
        """One file of source is a package, whatever it is called."""
        package = check({"anything.ts": b"x"})
        self.assertEqual((package.entry, package.size_bytes, package.warnings), ("anything.ts", 1, ()))

    def test_entry_choice(self):
        """The entry is what was asked for, else the manifest's, else the first of the usual names."""
        files = {"index.js": b"", "main.tsx": b"", "src/a.ts": b""}
        self.assertEqual(check(files).entry, "main.tsx")
        self.assertEqual(check(files, entry="./src/a.ts").entry, "src/a.ts")
        files["package.json"] = b'{"aiwebengine": {"entry": "./src/a.ts"}}'
        self.assertEqual(check(files).entry, "src/a.ts")
        self.assertEqual(check(files, entry="index.js").entry, "index.js")

    def test_no_entry(self):
        """Without an entry the author is told which names are looked for, or the nearest one."""
        [problem] = self.problems({"a.ts": b"", "b.ts": b""})
        self.assertEqual(problem.code, "no_entry")
        self.assertIn("main.ts", problem.message)
        [problem] = self.problems({"main.ts": b""}, entry="mian.ts")
        self.assertEqual(problem.hint, 'Did you mean "main.ts"?')
        self.assertEqual(self.codes({"main.ts": b"", "logo.png": b""}, entry="logo.png"), ["no_entry"])
        self.assertEqual(self.codes({}), ["no_files"])

    def test_far_too_many(self):
        """Of many times as many files as there may be only their number is looked at."""
        self.assertEqual(self.codes({f"../{n}": b"" for n in range(13)}, settings=SMALL), ["too_many_files"])

    def test_public_files(self):
        """A script never starts with a file for clients unless it says so; files alone need no code."""
        files = {"server.js": b"", "public/app.js": b"", "public/b.js": b""}
        self.assertEqual(check(files).entry, "server.js")
        self.assertEqual(check(files, entry="public/b.js").entry, "public/b.js")
        package = check({"public/app.js": b"\xff", "package.json": b"{}"})
        self.assertEqual((package.entry, package.files["main.js"]), ("main.js", b""))
        self.assertEqual(self.codes({"public/app.js": b"", "public/b.js": b""}, entry="public/c.js"), ["no_entry"])

    @pytest.mark.setting("deploy.max_source_bytes")
    def test_every_problem_at_once(self):
        """All that is wrong is told in one answer."""
        codes = self.codes(
            {
                "../x.ts": b"",
                "a.ts": b"\xff",
                "big.ts": b"x" * 101,
                "package.json": b'{"aiwebengine": {"entyr": 1, "limits": {"timeout": "never"}}}',
            },
            settings=SMALL,
        )
        self.assertEqual(
            sorted(codes),
            ["file_name", "file_too_large", "manifest", "manifest", "no_entry", "not_utf8", "too_many_files"],
        )

    def test_sizes(self):
        """Too many bytes in all are refused with both numbers."""
        [problem] = self.problems(dict.fromkeys(("main.ts", "b.ts", "c.ts"), b"x" * 90), settings=SMALL)
        self.assertEqual(problem.code, "too_large")
        self.assertIn("200", problem.message)
        self.assertIn("270", problem.message)

    def test_not_text(self):
        """Source that is no UTF-8 is told with its line; other files may be anything."""
        [problem] = self.problems({"main.ts": b"ok\nbad \xe9"})
        self.assertEqual((problem.code, problem.file, problem.line), ("not_utf8", "main.ts", 2))
        self.assertEqual(check({"main.ts": b"", "logo.png": b"\xff\x00"}).entry, "main.ts")

    def test_clashing_names(self):
        """Names that are one file on some machines are refused."""
        self.assertEqual(self.codes({"main.ts": b"", "Main.ts": b""}), ["file_name"])
        self.assertEqual(self.codes({"main.ts": b"", "caf\u00e9.ts": b"", "cafe\u0301.ts": b""}), ["file_name"])
        self.assertEqual(self.codes({"main.ts": b"", "a": b"", "a/b.txt": b""}), ["file_name"])

    def test_litter_is_left_out(self):
        """Installed packages, version control and desktop litter are not deployed."""
        package = check(
            {"main.ts": b"", "node_modules/x/index.js": b"\xff", ".git/config": b"", "a/.DS_Store": b"\x00"}
        )
        self.assertEqual(list(package.files), ["main.ts"])
        self.assertEqual([problem.code for problem in package.warnings], ["ignored_files"])

    def test_bad_paths(self):
        """A path that could lead outside, or that no tool can handle, is refused with the reason."""
        for path, word in (
            ("", "name"),
            ("/etc/passwd", "absolute"),
            ("C:/x", "absolute"),
            ("a/../../b", "leaves"),
            ("..", "leaves"),
            ("a//b", "parts"),
            ("./a", "parts"),
            ("a\\b", "backslash"),
            ("a\nb", "control"),
            ("a\u202eb", "control"),
            ("a" * 256, "255"),
            ("/".join("a" * 40), "deep"),
        ):
            self.assertIn(word, path_problem(path) or "", path)
        for path in ("main.ts", "a/b.c/d e.json", "\u00e4\u00f6\u00fc.ts", "..a/b", ".env"):
            self.assertIsNone(path_problem(path), path)

    def test_uri(self):
        """A script may be called anything that a database can keep."""
        for uri in ("example.js", "https://example.org/a?b=c#d", "caf\u00e9 \U0001f600", "x" * 255):
            self.assertEqual(check_uri(uri), uri)
        for uri in ("", "x" * 256, "a\nb", "a\0", "\ud800"):
            self.assertRaises(Invalid, check_uri, uri)

    def test_name_of_a_single_file(self):
        """A single file is called after the end of the URI if that is a name for source."""
        self.assertEqual(file_name_for("https://example.org/a/notes.tsx"), "notes.tsx")
        self.assertEqual(file_name_for("notes"), "main.js")
        self.assertEqual(file_name_for("notes", "text/typescript"), "main.ts")
        self.assertEqual(file_name_for("a/..\\x.js"), "main.js")

    def test_many_problems_are_bounded(self):
        """A thousand problems make a bounded answer that says how many there are."""
        error = self.assertRaises(DeploymentRefused, check, {f"../{n}.ts": b"" for n in range(1000)})
        self.assertEqual(len(error.problems), 100)
        self.assertIn("1001", error.public)

    def test_warnings_alone(self):
        """The sentence for people names an error, not a warning before it."""
        error = refused([*check({"main.ts": b"", "node_modules/a": b""}).warnings])
        self.assertIn("left out", error.public)

    @given(st.dictionaries(st.text(max_size=300), st.binary(max_size=40), max_size=8))
    def test_any_files(self, files):
        """Whatever is sent, it is either refused with problems or becomes files that stay inside."""
        try:
            package = check(files)
        except DeploymentRefused as error:
            self.assertTrue(error.problems)
            json.dumps(error.details)
            return
        self.assertIn(package.entry, package.files)
        for path in package.files:
            self.assertNotIn("..", path.split("/"))
            self.assertFalse(path.startswith("/"))
