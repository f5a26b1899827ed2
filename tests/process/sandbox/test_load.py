"""Tests of loading a version: what it registers, and how a bad one is told."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.support.sandbox import HostRefusal, Template, Zygote


class Loads(SynchronousTestCase):
    """Scripts loaded by templates of one zygote."""

    zygote: ClassVar[Zygote]

    @classmethod
    def setUpClass(cls) -> None:
        """Start a zygote."""
        cls.zygote = Zygote()

    @classmethod
    def tearDownClass(cls) -> None:
        """End it, and with it every child."""
        cls.zygote.__exit__()

    def load(self, source: str, **more: Any) -> Template:
        """Load a script that is fine."""
        template = self.zygote.template(source, **more)
        self.assertEqual(template.loaded.code, "", template.loaded.box)
        return template

    def failure(self, source: str, **more: Any) -> tuple[str, str]:
        """Load a script that is not; give code and message."""
        seen = self.zygote.template(source, **more).loaded
        return seen.code, seen.failure["message"]

    # -- what is registered ---------------------------------------------------------------------

    def test_route(self) -> None:
        """A registration tells path, methods, handler, options and where it stands."""
        loaded = self.load(
            "function hello() { return 1; }\n"
            "registerWebHandler('/a', hello, { method: ['GET', 'POST'], timeout: '1s' });"
        ).loaded
        ((name, (result,)),) = loaded.calls
        self.assertEqual(name, "register.route")
        self.assertEqual(
            {key: result[key] for key in ("path", "methods", "handler", "options")},
            {
                "path": "/a",
                "methods": ["GET", "POST"],
                "handler": {"id": 0, "name": "hello"},
                "options": {"timeout": "1s"},
            },
        )
        self.assertIn("input:2", result["stack"])
        self.assertEqual(
            loaded.value, {"handlers": 1, "middleware": [], "names": ["hello"], "hasInit": False, "warnings": []}
        )

    def test_handler_by_name(self) -> None:
        """A handler may be the name of a top-level function that is declared later, however it is declared."""
        source = (
            "'use strict'; register('/a', 'a'); register('/b', 'b', 'POST'); register('/c', 'c');"
            "function a() { return 'A'; } var x = 1, b = function () { return 'B'; };"
            "globalThis.c = function () { return 'C'; };"
        )
        template = self.load(source)
        self.assertEqual(
            [arguments[0]["methods"] for _, arguments in template.loaded.calls], [["GET"], ["POST"], ["GET"]]
        )
        self.assertEqual([template.clone().run(number).body for number in range(3)], ["A", "B", "C"])
        self.assertEqual(len(template.loaded.messages), 1)
        self.assertIn("register is an older name", template.loaded.messages[0])

    def test_names_of_a_bundle(self) -> None:
        """A bundle tells its top-level names, which come before globals."""
        source = (
            "__names({ handler: function () { return renamed; }, init: function () { return start; } });"
            "function renamed() { return started; } var started = 0; function start() { started = 7; }"
            "registerWebHandler('/', 'handler'); globalThis.handler = function () { return 'wrong'; };"
        )
        template = self.load(source)
        self.assertEqual(template.clone().run().value, 7)
        self.assertEqual(template.loaded.value["hasInit"], True)
        self.assertEqual(template.loaded.value["names"], ["handler", "init"])

    def test_unknown_name(self) -> None:
        """A name that leads nowhere fails the load and names the nearest."""
        code, message = self.failure("register('/', 'handlr'); function handler() {}")
        self.assertEqual(code, "thrown")
        self.assertEqual(message, 'register: there is no top-level function "handlr"; did you mean "handler"?')
        self.assertIn("(it is not a function)", self.failure("globalThis.x = 1; register('/', 'x');")[1])

    def test_names_of_the_engine(self) -> None:
        """What the engine itself gives is no handler by name; what the script puts in its place is."""
        for name in ("json", "fetch", "Object", "toString", "constructor", "__proto__"):
            for source in (
                f"register('/', '{name}');",
                f"function f() {{ var a = 1, {name} = 2; return {name}; }} register('/', '{name}');",
            ):
                self.assertIn(f'there is no top-level function "{name}"', self.failure(source)[1])
        for source in (
            "function json() { return 'own'; } register('/', 'json');",
            "globalThis.json = function () { return 'own'; }; register('/', 'json');",
            "__names({ json: function () { return mine; } }); function mine() { return 'own'; } register('/', 'json');",
        ):
            self.assertEqual(self.load(source).clone().run().body, "own")

    def test_strictness_is_kept(self) -> None:
        """A script is as strict as its first line says."""
        body = "registerWebHandler('/', function () { return this === undefined; });"
        self.assertEqual(self.load(f"'use strict'; {body}").clone().run().value, True)
        self.assertEqual(self.load(body).clone().run().value, False)

    def test_export_default(self) -> None:
        """A default export with fetch is a handler of everything."""
        source = (
            "__names({ default: function () { return { fetch: function (request) {"
            " return new Response('hi ' + new URL(request.url).pathname); } }; } });"
        )
        template = self.load(source)
        self.assertEqual(template.loaded.calls[0][1][0]["path"], "/*")
        self.assertEqual(template.clone().run(url="http://x/a").body, "hi /a")

    def test_export_default_beside_others(self) -> None:
        """A default export with fetch is there for what the script has no other handler for."""
        source = (
            "registerWebHandler('/a', function () { return 1; });"
            "registerWebHandler('/*rest', function () { return 2; }, ['GET', 'DELETE']);"
            "__names({ default: function () { return { fetch: function () { return new Response(''); } }; } });"
        )
        routes = [arguments[0] for name, arguments in self.load(source).loaded.calls if name == "register.route"]
        self.assertEqual(
            [(route["path"], route["methods"]) for route in routes],
            [("/a", ["GET"]), ("/*rest", ["GET", "DELETE"]), ("/*", ["POST", "PUT", "PATCH", "OPTIONS"])],
        )

    # -- init ---------------------------------------------------------------------------------------

    def test_init(self) -> None:
        """The function init runs after top level, may be asynchronous, and may register."""
        source = (
            "var order = ['top']; Promise.resolve().then(function () { order.push('micro'); });"
            "function init(ctx) { order.push('init'); return Promise.resolve().then(function () {"
            " order.push(getScript('a')); registerWebHandler('/', function () { return order; }); }); }"
        )
        template = self.load(source, host=lambda name, arguments: "host")
        self.assertEqual(template.clone().run().value, ["top", "micro", "init", "host"])

    def test_init_fails(self) -> None:
        """When init throws, rejects or never ends the load fails."""
        self.assertEqual(self.failure("function init() { throw new Error('a'); }"), ("thrown", "a"))
        self.assertEqual(self.failure("function init() { return Promise.reject(new Error('b')); }"), ("thrown", "b"))
        code, message = self.failure("function init() { return new Promise(function () {}); }")
        self.assertEqual(code, "hung")
        self.assertIn("init", message)

    # -- what goes wrong -----------------------------------------------------------------------------

    def test_syntax(self) -> None:
        """A syntax error is told with its line."""
        seen = self.zygote.template("var a = 1;\nvar b = ;").loaded
        self.assertEqual((seen.code, seen.failure["name"]), ("thrown", "SyntaxError"))
        self.assertIn("line 2", seen.failure["message"])

    def test_throwing(self) -> None:
        """An error at top level is told with its stack; a lost rejection is one too."""
        seen = self.zygote.template("\n\nfunction f() { throw new TypeError('no'); }\nf();").loaded
        self.assertEqual((seen.failure["name"], seen.failure["message"]), ("TypeError", "no"))
        self.assertRegex(seen.failure["stack"], r"f \(input:3\)[^\n]*\n\s+at \[anon\] \(input:4\)")
        self.assertEqual(self.failure("Promise.reject(new Error('lost'));"), ("thrown", "lost"))

    def test_cause(self) -> None:
        """The error that led to an error is part of the stack."""
        seen = self.zygote.template("throw new Error('outer', { cause: new Error('inner') });").loaded
        self.assertIn("caused by: Error: inner", seen.failure["stack"])

    def test_refused_registration(self) -> None:
        """What the server refuses fails the load, or is a warning if the script goes on."""

        def refuse(name: str, arguments: list[Any]) -> None:
            raise HostRefusal(code="invalid", call="registerWebHandler", message="/engine/* is reserved")

        source = "registerWebHandler('/engine/x', function () {});"
        self.assertEqual(self.failure(source, host=refuse), ("thrown", "/engine/* is reserved"))
        warnings = self.load(f"try {{ {source} }} catch (e) {{}}", host=refuse).loaded.value["warnings"]
        self.assertEqual([warning["code"] for warning in warnings], ["registration_refused"])
        self.assertIn("/engine/* is reserved", warnings[0]["message"])

    def test_first_refusal(self) -> None:
        """A load that a refusal has ended tells it apart, with how many the script had caught before."""
        source = (
            "try { registerWebHandler('/', 1); } catch (e) {} registerWebHandler('/', 2); registerWebHandler('/', 3);"
        )
        message = self.zygote.template(source).loaded.failure
        self.assertEqual(message["more"], 1)
        [refused] = message["refused"]
        self.assertIn("2 was given", refused["message"])
        self.assertEqual((refused["call"], refused["code"], refused["argument"]), ("registerWebHandler", "invalid", 1))
        self.assertIn("input:1", refused["stack"])
        self.assertNotIn("refused", self.zygote.template("throw new Error('no');").loaded.failure)

    def test_every_refusal(self) -> None:
        """Refusals are collected from a number on, in order, with names that lead nowhere and what threw after them."""

        def refuse(name: str, arguments: list[Any]) -> None:
            raise HostRefusal(code="invalid", call="x", message="refused here", details={"option": "auth"})

        source = (
            "try { registerWebHandler('/', 1); } catch (e) { globalThis.caught = true; }\n"
            "registerWebHandler('/', 2);\nregisterWebHandler('/', 'nowhere');\nuse(3);\n"
            "if (!caught) throw new Error('it was not thrown');\nfunction init() { registerWebHandler('/', 4); }"
        )
        message = self.zygote.template(source, host=refuse, collect=1).loaded.failure
        self.assertNotIn("more", message)
        self.assertEqual(
            [(refusal["call"], refusal.get("argument"), refusal["option"]) for refusal in message["refused"]],
            [
                ("registerWebHandler", 1, ""),
                ("registerWebHandler", None, "auth"),
                ("use", 0, ""),
                ("registerWebHandler", 1, ""),
                ("registerWebHandler", 1, ""),
            ],
        )
        message = self.zygote.template("use(1); throw new TypeError('after');", collect=0).loaded.failure
        self.assertEqual([refusal["name"] for refusal in message["refused"]], ["HostError", "TypeError"])
        message = self.zygote.template("for (var i = 0; i < 500; i++) use(i);", collect=0).loaded.failure
        self.assertEqual(len(message["refused"]), 50)

    def test_several_unknown_names(self) -> None:
        """Each name that leads nowhere is told at its own call."""
        message = self.zygote.template("register('/a', 'one');\nregister('/b', 'two');").loaded.failure
        self.assertEqual([refusal["stack"].count("input:2") for refusal in message["refused"]], [0, 1])
        self.assertNotIn("more", message)

    def test_wrong_arguments(self) -> None:
        """A handler that is neither a function nor a name is refused at once."""
        self.assertIn("the handler must be a function", self.failure("registerWebHandler('/', 42);")[1])
        self.assertIn("third argument", self.failure("registerWebHandler('/', function () {}, 42);")[1])
        self.assertIn(
            "cannot be a function",
            self.failure("registerWebHandler('/', function () {}, { auth: function () {} });")[1],
        )

    def test_long_source(self) -> None:
        """A source of megabytes loads."""
        source = "var text = '" + "x" * 8_000_000 + "'; registerWebHandler('/', function () { return text.length; });"
        self.assertEqual(self.load(source).clone().run().value, 8_000_000)

    def test_timers_at_top_level(self) -> None:
        """A timer set at top level is dropped, with a warning."""
        loaded = self.load("setInterval(function () {}, 10);").loaded
        self.assertIn("1 timer was still set", loaded.messages[0])
