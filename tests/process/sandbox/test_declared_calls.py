"""The functions that the sandbox makes of declared host calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.host.declarations import surface
from aiwebengine.host.declare import Argument, HostCall
from tests.support.folders import temporary_folder
from tests.support.sandbox import Seen, Zygote, start

KEY = Argument(name="key", kind="string", max_length=20, converts="string", doc="The key.")


def call(name: str, *arguments: Argument, **more: Any) -> HostCall:
    """Declare a call of a test."""
    more = {"returns": "unknown", "effect": "none", "doc": "Tests.", "group": "Tests", **more}
    return HostCall(name=name, arguments=arguments, **more)


CALLS = (
    call("look"),
    call(
        "add", Argument(name="a", kind="integer", doc="One."), Argument(name="b", kind="any", optional=True, doc="B.")
    ),
    call("shelf.read", KEY, sync=False),
    call(
        "shelf.write",
        KEY,
        Argument(name="value", kind="any", max_bytes=100, doc="A value.", advice="Use shelf.remove to remove a key."),
        Argument(name="options", kind="object", optional=True, doc="Options."),
        returns="void",
        sync=False,
    ),
    call("shelf.label", KEY, Argument(name="text", kind="string", max_length=50, converts="primitive", doc="A text.")),
    call("shelf.top.light", sync=False),
    call("shelf.secret", KEY, speaks_for="shelf.open"),
)
ADDITION = """
(function (K) {
    'use strict';
    var shelf = K.object('shelf');
    K.adapt('look', { arguments: function (given, call) { return [call, given.length]; } });
    K.adapt('shelf.read', { result: function (answer, sent) { return sent[0] + '=' + answer; } });
    K.define(shelf, 'open', function (key) { return K.hostCallSync('shelf.secret', [key]); });
    K.define(shelf, 'known', function () { return [K.has('look'), K.has('shelf.secret'), K.has('nothing')]; });
}(__kernel));
"""


class DeclaredCalls(SynchronousTestCase):
    """Calls of the tests alone."""

    zygote: ClassVar[Zygote]

    @classmethod
    def setUpClass(cls) -> None:
        """Start a zygote with the calls, and one with a prelude file beside them."""
        cls.zygote = Zygote(surface=surface(CALLS, advice={}))

    @classmethod
    def tearDownClass(cls) -> None:
        """End it."""
        cls.zygote.__exit__()

    def ask(self, body: str, answer: Any = None, *, zygote: Zygote | None = None) -> Seen:
        """Run a handler; every host call that it makes is answered in the same way."""
        source = f"registerWebHandler('/', function (req, ctx) {{ {body} }});"
        template = (zygote or self.zygote).template(source)
        self.assertEqual(template.loaded.code, "", template.loaded.box)
        clone = template.clone()
        self.addCleanup(clone.close)
        return clone.run(host=lambda name, given: answer)

    def asked(self, body: str, answer: Any = None) -> list[tuple[str, list[Any]]]:
        """Return the calls that a handler makes."""
        return self.ask(body, answer).calls

    def refusal(self, expression: str) -> str:
        """Return the error of a call that is not sent."""
        seen = self.ask(
            "var cycle = [], made; cycle[0] = cycle;"
            f"try {{ made = {expression}; }} catch (error) {{ made = Promise.reject(error); }}"
            "return made.then(function () { return 'sent'; },"
            "  function (error) { return [error.name, error.code, error.call, error.message].join('|'); });"
        )
        self.assertEqual(seen.calls, [], expression)
        return str(seen.body)

    def test_look_like_functions(self) -> None:
        """A function has its name, and as many parameters as a script has to give; neither shows in a loop."""
        seen = self.ask(
            "return [look.name, look.length, add.name, add.length, shelf.write.name, shelf.write.length,"
            " Object.keys(shelf).length, String(shelf), shelf.top.light.name, typeof shelf.secret];"
        )
        self.assertEqual(seen.value, ["look", 0, "add", 1, "write", 2, 0, "[object shelf]", "light", "undefined"])

    def test_wait_or_promise(self) -> None:
        """A synchronous call returns the answer, another one a promise of it; a call without a result undefined."""
        seen = self.ask(
            "return Promise.all([look(), shelf.read('a'), shelf.write('a', 1), shelf.top.light()])"
            ".then(function (all) { return all.map(String); });",
            answer=7,
        )
        self.assertEqual(seen.value, ["7", "7", "undefined", "7"])

    def test_sends_what_is_declared(self) -> None:
        """What was left out at the end is not sent, what is too much neither; null stands where it means something."""
        self.assertEqual(
            self.asked(
                "add(1, 2, 3); add(1); add(1, null); add(undefined, 2); [5].map(add);"
                "function write(value, options) { return shelf.write('a', value, options); }"
                "return Promise.all([write(null), write(0, undefined), write(0, { b: 1 })]);"
            ),
            [
                ("add", [1, 2]),
                ("add", [1]),
                ("add", [1]),
                ("add", [None, 2]),
                ("add", [5, 0]),
                ("shelf.write", ["a", None]),
                ("shelf.write", ["a", 0]),
                ("shelf.write", ["a", 0, {"b": 1}]),
            ],
        )

    def test_a_missing_argument_is_left_to_the_server(self) -> None:
        """The server says what is missing, for it knows what the argument is."""
        self.assertEqual(self.asked("add();"), [("add", [])])

    def test_makes_strings(self) -> None:
        """Where a string is wanted other values become one, as far as the declaration lets them."""
        self.assertEqual(
            self.asked(
                "shelf.label(5, true); shelf.label(null, null);"
                "return shelf.read({ toString: function () { return 'o'; } });"
            ),
            [("shelf.label", ["5", "true"]), ("shelf.label", ["null", "null"]), ("shelf.read", ["o"])],
        )

    def test_refuses_what_becomes_no_string(self) -> None:
        """What makes no sense as a string is refused where it stands, with what to do instead."""
        self.assertEqual(self.refusal("shelf.read()"), "HostError|invalid|shelf.read|shelf.read: key is missing.")
        self.assertEqual(
            self.refusal("shelf.read(Symbol('a'))"),
            "HostError|invalid|shelf.read|shelf.read: key must be a string; a symbol was given.",
        )
        self.assertEqual(
            self.refusal("shelf.label('a', { b: 1 })"),
            "HostError|invalid|shelf.label|shelf.label: text must be a string; an object was given.",
        )

    def test_refuses_what_json_cannot_hold(self) -> None:
        """undefined, functions and cycles are refused; a promise is rejected, nothing is thrown."""
        for value, message in (
            ("undefined", "undefined"),
            ("function () {}", "a function"),
            ("Symbol('s')", "a symbol"),
        ):
            self.assertEqual(
                self.refusal(f"shelf.write('a', {value})"),
                "HostError|invalid|shelf.write|shelf.write: value must be something that JSON can hold; "
                f"{message} was given. Use shelf.remove to remove a key.",
            )
        self.assertIn("sent as JSON: Converting circular structure", self.refusal("shelf.write('a', cycle)"))

    def test_refuses_what_is_too_long(self) -> None:
        """What the server would refuse by its length alone is not even sent."""
        self.assertEqual(
            self.refusal("shelf.write('a', new Array(100000).join('x'))"),
            "HostError|too_large|shelf.write|shelf.write: key may have at most 20 characters, value 100 bytes; "
            "the arguments have 100007 as JSON.",
        )
        self.assertIn("HostError|invalid|shelf.read", self.refusal("shelf.read(new Array(2000).join('x'))"))

    def test_names_the_call_that_authors_know(self) -> None:
        """Where a call cannot wait, its name is that of the function."""
        seen = self.ask(
            "var told = { toJSON: function () { return look(); } };"
            "try { JSON.stringify(told); } catch (error) { return error.message; }"
        )
        self.assertIn("look cannot run inside a getter", seen.body)

    def test_scripts_that_replace_things(self) -> None:
        """What a script does to globals and prototypes does not change what is sent."""
        self.assertEqual(
            self.asked(
                "Array.prototype.push = Array.prototype.slice = Object.defineProperty = String = null;"
                "Promise.reject = Promise.prototype.then = null; shelf.read('a'); return 1;"
            ),
            [("shelf.read", ["a"])],
        )

    def test_nothing_declared(self) -> None:
        """Without declared calls there are none, and the rest of the prelude works."""
        with Zygote(surface='{"calls": [], "files": [], "advice": {}}') as zygote:
            seen = self.ask("return [typeof kv, typeof sharedStorage, typeof listScripts, typeof json];", zygote=zygote)
        self.assertEqual(seen.value, ["undefined", "undefined", "undefined", "function"])


class FurtherFiles(SynchronousTestCase):
    """Prelude files that a feature brings."""

    def surface(self, text: str) -> tuple[str, Path]:
        """Return a surface with one file more, and that file."""
        path = temporary_folder(self) / "further.js"
        path.write_text(text, "utf-8")
        return surface(CALLS, [path], advice={}), path

    def test_add_what_cannot_be_declared(self) -> None:
        """A file adapts calls, adds members to their objects, and reaches the calls that scripts do not see."""
        source = (
            "registerWebHandler('/', function () {"
            " return Promise.all([look('a', 'b'), shelf.read(5), shelf.open('k'), shelf.known(), typeof __kernel]); });"
        )
        with Zygote(surface=self.surface(ADDITION)[0]) as zygote:
            clone = zygote.template(source).clone()
            self.addCleanup(clone.close)
            seen = clone.run(host=lambda name, given: name)
        self.assertEqual(seen.value, ["look", "5=shelf.read", "shelf.secret", [True, False, False], "undefined"])
        self.assertCountEqual(seen.calls, [("look", ["look", 2]), ("shelf.read", ["5"]), ("shelf.secret", ["k"])])

    def test_a_file_that_throws(self) -> None:
        """The program ends and says which file it was, and what is wrong."""
        for text, message in (
            ("throw new Error('no such luck');", "no such luck"),
            ("(function (K) { K.adapt('lok', {}); }(__kernel));", "there is no host call lok"),
            ("var a = 'é';", "ascii"),
        ):
            told_surface, path = self.surface(text)
            said = end_of(told_surface)
            self.assertIn(message, said)
            self.assertIn(str(path), said)

    def test_a_file_that_is_missing(self) -> None:
        """The program ends and says which file it wanted."""
        self.assertIn("nowhere.js", end_of(surface(CALLS, [Path("/nowhere.js")], advice={})))

    def test_nonsense(self) -> None:
        """What makes no sense as a surface is told as that."""
        for text in ("", "{}", '{"calls": []}', "[1]"):
            self.assertIn("does not tell which host calls there are", end_of(text))


def end_of(result: str) -> str:
    """Start the program with a surface that it cannot use; what it says when it ends."""
    process, ours = start(result)
    with ours:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 3, process.returncode
    return said.decode()
