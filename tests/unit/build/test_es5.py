"""Plain scripts pass without node, and only they."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.es5 import plain_source


class PlainSourceTests(SynchronousTestCase):
    """What is taken as plain ES5."""

    def test_plain(self) -> None:
        """ES5 passes unchanged but for characters outside of ASCII, which are escaped."""
        source = "// const in a comment\nvar a = 'let it be é😀';\nfunction f() { return a; }\n"
        self.assertEqual(
            plain_source("main.js", source.encode()), source.replace("é", "\\u00e9").replace("😀", "\\ud83d\\ude00")
        )

    def test_modern(self) -> None:
        """Anything that must be lowered is left to the build."""
        for source in (
            "const a = 1;",
            "let a;",
            "x => 1",
            "`a`",
            "import a from 'a';",
            "export default 1;",
            "class A {}",
        ):
            self.assertIsNone(plain_source("main.js", source.encode()), source)
        self.assertIsNone(plain_source("main.ts", b"var a;"))

    def test_nothing_is_looked_at_twice(self) -> None:
        """Comments and strings that do not end, and empty lines, take time in proportion to their number."""
        for piece in ("/*", "//x\n", '"\\"', "\n", "' \"", "import", " "):
            plain_source("main.js", (piece * 300_000).encode())
