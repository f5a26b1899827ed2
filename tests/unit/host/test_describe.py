"""What is generated from the declarations."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import TABLE
from aiwebengine.host.declare import Global, HostCall, nearest, printable
from aiwebengine.host.describe import error_reference, generated, reference, type_declarations, write_all
from aiwebengine.host.globals import GLOBALS
from aiwebengine.host.names import VISIBLE_CALLS, advice, known_globals
from aiwebengine.host.registration.routes import OPTIONS
from aiwebengine.host.standards import STANDARDS

EVERYTHING: tuple[Global | HostCall, ...] = (*GLOBALS, *STANDARDS, *VISIBLE_CALLS)


class DeclarationTests(SynchronousTestCase):
    def test_each_name_is_declared_once(self) -> None:
        """No name has two declarations."""
        names = [one.name for one in EVERYTHING]
        self.assertEqual(len(names), len(set(names)))

    def test_each_has_words_and_an_example(self) -> None:
        """Everything is described by whole sentences and shown in an example."""
        for one in EVERYTHING:
            self.assertRegex(one.doc, r"^[A-Z`].*\.$", one.name)
            self.assertIn("regist", one.example, one.name)
            self.assertIn(one.name, one.example + "ctx.signal AbortSignal", one.name)

    def test_errors_are_known(self) -> None:
        """A declared error is one that scripts can see."""
        known = {row.javascript for row in TABLE.values()}
        for one in EVERYTHING:
            self.assertLessEqual(set(one.errors), known, one.name)


class GeneratedTests(SynchronousTestCase):
    def test_declares_everything(self) -> None:
        """Every name that scripts see is in the type declarations and on the reference page."""
        types, page = type_declarations(), reference()
        for one in EVERYTHING:
            self.assertRegex(types, rf"declare (function|class|var) {re.escape(one.name)}\b", one.name)
            self.assertIn(f"\n### {one.name}\n", page)
            self.assertIn(one.example, page)

    def test_marks_what_is_deprecated(self) -> None:
        """Older names are marked, so that editors strike them through."""
        self.assertIn("@deprecated Use registerWebHandler.", type_declarations())
        self.assertIn("It is deprecated: use `registerWebHandler`.", reference())

    def test_lists_every_option_and_error(self) -> None:
        """Every option of a route and every error code has its line."""
        for name in OPTIONS:
            self.assertIn(f"| `{name}` |", reference())
        for code in TABLE:
            self.assertIn(f"| `{code}` |", error_reference())

    def test_writes_only_what_changed(self) -> None:
        """Writing twice changes nothing the second time."""
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(len(write_all(Path(folder))), len(generated()))
            self.assertEqual(write_all(Path(folder)), [])


class NameTests(SynchronousTestCase):
    def test_knows_what_is_declared(self) -> None:
        """The build knows every declared name, and what may follow the dot where that is settled."""
        names = known_globals()
        self.assertLessEqual({one.name for one in EVERYTHING}, set(names))
        members = names["console"]
        assert members is not None
        self.assertIn("table", members)
        self.assertNotIn("clear", members)
        self.assertIsNone(names["Object"])

    def test_advises_only_on_what_is_not_there(self) -> None:
        """There is advice for names that scripts cannot use, and none for names that they can."""
        for name in advice():
            first, _, member = name.partition(".")
            known = known_globals().get(first, frozenset())
            self.assertFalse(known is None or (not member and first in known_globals()) or member in known, name)

    def test_finds_the_nearest_name(self) -> None:
        """A name that differs by case or a few letters is found, and nothing else."""
        names = ["getScript", "listScripts", "console"]
        self.assertEqual(nearest("getscript", names), "getScript")
        self.assertEqual(nearest("listScript", names), "listScripts")
        self.assertIsNone(nearest("banana", names))
        self.assertIsNone(nearest("x" * 100_000, names))

    def test_prints_no_control_characters(self) -> None:
        """A name from outside cannot forge a log line."""
        self.assertEqual(printable("a\nb\x1b[31m"), "a\\u000ab\\u001b[31m")
