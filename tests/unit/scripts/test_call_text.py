"""Places inside a call, found in the author's text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.scripts.call_text import find_in_call


def marked(text: str, line: int, **wrong: object) -> str:
    """Return what stands at the place that is found, up to the next space or comma; empty if there is none."""
    found = find_in_call(text, "register", line, **wrong)
    if found is None:
        return ""
    row, column = found
    return text.split("\n")[row - 1][column - 1 :].replace(",", " ").split(" ")[0]


class CallTextTests(SynchronousTestCase):
    """Calls as people write them."""

    def test_option(self) -> None:
        """An option is found by its key, however that is written."""
        for options in (
            "{ time: 1 }",
            "{ 'time': 1 }",
            "{ a: { time: 2 }, time: 1 }",
            "{ async time() {} }",
            "{ time }",
        ):
            self.assertIn("time", marked(f"register('/', f, {options});", 1, option="time"), options)
        text = "register('/', f, { a: { time: 2 }, time: 3 });"
        self.assertEqual(find_in_call(text, "register", 1, option="time"), (1, text.index("time: 3") + 1))

    def test_argument(self) -> None:
        """An argument is found by its number, across whatever the ones before it hold."""
        for first in (
            '"a, (b"', "'\\''", "`x ${f(1, `,`)} ,`", "/[,(/]\\/,/g", "(a, b) => [a, b]", "{ a: 1, b: 2 }",
            "a / b", "/* , */ 1", "function () { return /,\\)/.test(x) ? 1 : 2; }",
        ):  # fmt: skip
            self.assertEqual(marked(f"register({first}, here)", 1, argument=1), "here)", first)

    def test_several_lines(self) -> None:
        """A call is found by any of its lines; the place is where the option stands."""
        text = "x();\n  register('/', async () => {\n    return 1; // )\n  }, {\n    tags: [],\n    time: 1,\n  });\n"
        for line in range(2, 8):
            self.assertEqual(find_in_call(text, "register", line, option="time"), (6, 5), line)
        self.assertIsNone(find_in_call(text, "register", 1, option="time"))
        self.assertIsNone(find_in_call(text, "register", 8, option="time"))

    def test_which_call(self) -> None:
        """Of several calls in one line it is the one that has what is wrong, else the last."""
        text = "register('/', f, { time: 1 }); register('/', g, { tags: 1 });"
        self.assertEqual(find_in_call(text, "register", 1, option="time"), (1, 20))
        self.assertEqual(find_in_call(text, "register", 1, option="tags"), (1, 51))
        self.assertEqual(find_in_call(text, "register", 1, option="none"), (1, 32))
        self.assertIsNone(find_in_call("preregister('/', f);", "register", 1, argument=0))
        self.assertEqual(find_in_call("aiwebengine.register<Args>('/');", "register", 1, argument=0), (1, 28))

    def test_unreadable(self) -> None:
        """A call that does not end, or ends in the wrong bracket, has no place."""
        for text in ("register('/', {", "register('/', [ }", "register(`${", "register('/'"):
            self.assertIsNone(find_in_call(text, "register", 1, argument=0), text)
        self.assertIsNone(find_in_call("register(" + "1," * 20_000 + ")", "register", 1, argument=0))

    @given(st.text(alphabet="register('\"`${}[]/\\,: \n", max_size=80), st.integers(1, 5))
    def test_anything(self, text: str, line: int) -> None:
        """Whatever the text is, there is an answer, and it lies in the text."""
        found = find_in_call(f"register({text}", "register", line, argument=0, option="r")
        if found is not None:
            lines = f"register({text}".split("\n")
            self.assertLessEqual(found[0], len(lines))
            self.assertLessEqual(found[1], len(lines[found[0] - 1]) + 1)
