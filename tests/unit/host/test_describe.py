"""What is generated from the declarations."""

from __future__ import annotations

import re
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.errors import TABLE
from aiwebengine.features.all import FEATURES
from aiwebengine.host import exports
from aiwebengine.host.declarations import Declarations, together
from aiwebengine.host.declare import Argument, Capability, Global, HostCall, Member, Shape, anchor, nearest, printable
from aiwebengine.host.describe import error_reference, generated, reference, type_declarations
from aiwebengine.host.names import declarations, known_globals
from aiwebengine.host.registration.routes import OPTIONS

SEND = HostCall(
    name="mail.send",
    group="Mail",
    arguments=(
        Argument(name="to", kind="string", max_length=200, doc="The address."),
        Argument(name="text", kind="string", max_bytes=1000, doc="What is written.", optional=True),
    ),
    returns="string",
    effect="held",
    sync=False,
    capability="mail",
    errors=("denied", "too_large"),
    doc="Sends a message; the Promise gives its id.",
    example='registerWebHandler("/send", () => mail.send("a@example.org"));',
)
MAIL = Declarations(
    calls=(SEND,),
    globals=(
        Global(
            name="mail",
            group="Mail",
            kind="object",
            importable=True,
            doc="Messages to people.",
            members=(
                Member(
                    signature="sendAll(to: string[]): Promise<string[]>",
                    uses=("mail.send",),
                    doc="Sends to many. One after the other.",
                    example='registerWebHandler("/all", () => mail.sendAll([]));',
                ),
            ),
            example='registerWebHandler("/mail", () => typeof mail);',
        ),
    ),
    shapes=(
        Shape(name="Letter<Kind extends string = string, Data = Record<string, any>>", doc="A letter.", alias="Kind"),
    ),
    capabilities=(Capability(name="mail", doc="send mail"),),
    options={"mail": {"fast": "sends at once"}},
)
"""What a feature could declare."""


class DeclarationTests(SynchronousTestCase):
    def test_names_follow(self) -> None:
        """The name of an object, with the methods that may follow its dot, comes from its calls and members."""
        self.assertEqual(MAIL.names, {"mail": {"send", "sendAll"}})
        self.assertEqual(MAIL.importable, ("mail",))
        self.assertEqual(set(MAIL.examples), {"mail", "mail.send", "mail.sendAll"})

    def test_a_member_has_the_effect_of_its_calls(self) -> None:
        """What a method of the prelude does is what the calls that it makes do."""
        [member] = MAIL.globals[0].members
        self.assertEqual((MAIL.effect(member), MAIL.errors(member)), ("held", ("denied", "too_large")))
        self.assertEqual(MAIL.effect(Member(signature="size: number")), "none")

    def test_sound_declarations_have_no_problem(self) -> None:
        """Nothing is found where nothing is wrong."""
        self.assertEqual(MAIL.problems(), [])

    def test_finds_what_is_wrong(self) -> None:
        """Each rule that a declaration breaks is told with its name."""
        text = Argument(name="text", kind="string", doc="Text.")
        wrong = {
            "mail.send is declared 2 times.": replace(MAIL, calls=(SEND, SEND)),
            "mail is declared 2 times.": together([MAIL, Declarations(globals=MAIL.globals)]),
            "mail.send has no example.": replace(MAIL, calls=(replace(SEND, example=""),)),
            "The documentation of mail.send is not a complete sentence.": replace(
                MAIL, calls=(replace(SEND, doc="sends"),)
            ),
            "mail.send is a method of mail, which no Global declares.": replace(MAIL, globals=()),
            "mail.send does not say what it returns.": replace(MAIL, calls=(replace(SEND, returns=""),)),
            "mail.send declares an error that scripts cannot see.": replace(
                MAIL, calls=(replace(SEND, errors=("denied", "too_large", "lost")),)
            ),
            "The capability mail is used, but not declared.": replace(MAIL, capabilities=()),
            "The capability spam is declared, but no call requires it.": replace(
                MAIL, capabilities=(*MAIL.capabilities, Capability(name="spam", doc="send more"))
            ),
            "mail.send: nothing bounds the length of text; declare max_length or max_bytes.": replace(
                MAIL, calls=(replace(SEND, arguments=(text,)),)
            ),
            'mail.send: text has a size limit, but the error "too_large" is not declared.': replace(
                MAIL, calls=(replace(SEND, errors=("denied",)),)
            ),
            'mail.send requires a capability, but does not declare the error "denied".': replace(
                MAIL, calls=(replace(SEND, errors=("too_large",)),)
            ),
            "mail.sendAll uses the host call mail.send, which is not declared.": replace(MAIL, calls=()),
            "mail.raw stands for mail.rawly, which is not declared.": replace(
                MAIL, calls=(SEND, replace(SEND, name="mail.raw", speaks_for="mail.rawly"))
            ),
        }
        for message, declared in wrong.items():
            self.assertIn(message, declared.problems())

    def test_errors_are_known(self) -> None:
        """A declared error is one that scripts can see."""
        known = {row.javascript for row in TABLE.values()}
        declared: tuple[Global | HostCall, ...] = (*DECLARED.globals, *DECLARED.calls)
        for declaration in declared:
            self.assertLessEqual(set(declaration.errors), known, declaration.name)

    def test_places_on_the_page(self) -> None:
        """A name is found on the reference page as the page's own headings are."""
        self.assertEqual((anchor("kv.getWithVersion"), anchor("listScripts")), ("kvgetwithversion", "listscripts"))


class GeneratedTests(SynchronousTestCase):
    def test_declares_everything(self) -> None:
        """Every name that scripts see is in the type declarations and on the reference page."""
        types, page = type_declarations(DECLARED), reference(DECLARED)
        for name in DECLARED.names:
            self.assertRegex(types, rf"declare (function|class|var) {re.escape(name)}\b", name)
        for name, example in DECLARED.examples.items():
            self.assertRegex(page, rf"\n####? {re.escape(name)}\n", name)
            self.assertIn(example, page)

    def test_exports(self) -> None:
        """The page tells which exports of an entry file the server uses, with an example of each."""
        for example in exports.EXAMPLES.values():
            self.assertIn(f"```javascript\n{example}\n```", reference(DECLARED))

    def test_registrations(self) -> None:
        """What registers says that it works at the top level, and not that it takes effect when a handler returns."""
        page = reference(DECLARED)
        for name in ("registerWebStream", "registerQueryHandler", "use", "registerGraphQLQuery"):
            entry = page.split(f"\n### {name}\n")[1].split("\n### ")[0]
            self.assertIn("top level or in `init`", entry)
            self.assertNotIn("It takes effect when", entry)

    def test_types_of_an_object(self) -> None:
        """The type of an object has its calls and its other members, with effect, errors and example."""
        types = type_declarations(MAIL)
        self.assertIn("  send(to: string, text?: string): Promise<string>;\n", types)
        self.assertIn("  sendAll(to: string[]): Promise<string[]>;\n", types)
        self.assertEqual(types.count("   * It takes effect when the handler has returned"), 2)
        self.assertEqual(types.count("   * @throws {HostError} `denied`, `too_large`\n"), 2)
        self.assertIn('   * registerWebHandler("/all", () => mail.sendAll([]));\n', types)
        self.assertIn("declare var mail: Mail;\n", types)
        self.assertIn("    mailValue as mail,\n", types)
        self.assertIn(
            "export type Letter<Kind extends string = string, Data = Record<string, any>> = "
            "globalThis.Letter<Kind, Data>;\n",
            types,
        )

    def test_page_of_an_object(self) -> None:
        """The page lists the members of an object in short, and then tells all of each method."""
        page = reference(MAIL)
        self.assertIn("  /** Sends to many. */\n  sendAll(to: string[]): Promise<string[]>;\n", page)
        self.assertIn("- Mail: [`mail`](#mail)\n", page)
        method = page.partition("#### mail.send\n")[2].partition("####")[0]
        for message in ("needs the capability `mail`", "It takes effect when", "- `to`: The address.", "`too_large`"):
            self.assertIn(message, method)
        self.assertIn("| `fast` | sends at once |", page)

    def test_marks_what_is_deprecated(self) -> None:
        """Older names are marked, so that editors strike them through."""
        self.assertIn("@deprecated Use registerWebHandler.", type_declarations(DECLARED))
        self.assertIn("It is deprecated: use `registerWebHandler`.", reference(DECLARED))
        self.assertEqual(DECLARED.older["writeLog"], "console.log")

    def test_lists_every_option_and_error(self) -> None:
        """Every option of a route and every error code has its line."""
        for name in OPTIONS:
            self.assertIn(f"| `{name}` |", reference(DECLARED))
        for code in TABLE:
            self.assertIn(f"| `{code}` |", error_reference(DECLARED))

    def test_features_add_options(self) -> None:
        """An option that a feature adds to a function of the machinery stands beside the others, in page and types."""
        further = Declarations(
            options={"registerWebHandler": {"lucky": "whether it is"}},
            members={"RouteOptions": (Member(signature="lucky?: boolean", doc="Whether it is."),)},
        )
        both = together([DECLARED, further])
        self.assertEqual(both.problems(), [])
        self.assertIn("| `tags` | words by which lists of routes can be grouped |", reference(both))
        self.assertIn("| `lucky` | whether it is |", reference(both))
        self.assertRegex(type_declarations(both), r"(?s)interface RouteOptions \{[^}]*tags\?[^}]*lucky\?: boolean;")

    def test_leaves_out_what_is_not_declared(self) -> None:
        """Of a feature that is left out nothing is generated."""
        for name, text in generated(MAIL).items():
            if name.endswith((".d.ts", "javascript-api.md")):
                self.assertNotIn("sharedStorage", text, name)


class NameTests(SynchronousTestCase):
    def test_knows_what_is_declared(self) -> None:
        """The build knows every declared name, and what may follow the dot where that is settled."""
        names = known_globals(DECLARED)
        self.assertLessEqual(set(DECLARED.names), set(names))
        members = names["console"]
        assert members is not None
        self.assertIn("table", members)
        self.assertNotIn("clear", members)
        self.assertIsNone(names["Object"])

    def test_advises_only_on_what_is_not_there(self) -> None:
        """There is advice for names that scripts cannot use, and none for names that they can."""
        for name in DECLARED.advice:
            first, _, member = name.partition(".")
            known = known_globals(DECLARED).get(first, frozenset())
            self.assertFalse(
                known is None or (not member and first in known_globals(DECLARED)) or member in known, name
            )

    def test_advice_of_features(self) -> None:
        """A feature adds sentences to the advice of the machinery; without it they are not given."""
        self.assertEqual(
            DECLARED.advice["node:net"],
            "A script opens no sockets. To send events to browsers use registerWebStream. "
            "To exchange messages with browsers use registerWebSocket.",
        )
        bare = declarations([])
        self.assertEqual(bare.advice["node:net"], "A script opens no sockets.")
        names = {name for feature in FEATURES for name in feature.declares.names}
        for text in bare.advice.values():
            self.assertEqual(names & set(re.findall(r"\w+", text)), set())

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
