"""Routes are matched as the reference promises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import DeploymentRefused
from aiwebengine.runtime.registry import ActiveScript, Current, Registry
from aiwebengine.runtime.routes import (
    AutoOptions,
    MethodNotAllowed,
    NoRoute,
    Routes,
    conflicts,
    parse_pattern,
    shape_of,
)
from aiwebengine.values import ROUTE, Entry, HandlerRef, RouteMatch


def route(pattern: str, *methods: str, script: str = "s", place: str = "") -> Entry:
    """Make a route."""
    return Entry(
        kind=ROUTE,
        key=pattern,
        script=script,
        version=f"{script}@1",
        methods=methods or ("GET",),
        handler=HandlerRef(id=0, name=""),
        place=place,
    )


def found(routes: Routes, method: str, path: str) -> tuple[str, dict[str, str]] | str:
    """Return the pattern and parameters that answered, or the name of the refusal."""
    match = routes.match(method, path)
    return (match.route.key, dict(match.params)) if isinstance(match, RouteMatch) else type(match).__name__


class MatchTests(SynchronousTestCase):
    """What answers what."""

    def test_precedence(self) -> None:
        """A literal segment comes before a parameter, and that before a wildcard."""
        routes = Routes.build([route("/a/*rest"), route("/a/:id"), route("/a/new"), route("/:any/new")])
        self.assertEqual(found(routes, "GET", "/a/new"), ("/a/new", {}))
        self.assertEqual(found(routes, "GET", "/a/7"), ("/a/:id", {"id": "7"}))
        self.assertEqual(found(routes, "GET", "/a/7/x"), ("/a/*rest", {"rest": "7/x"}))
        self.assertEqual(found(routes, "GET", "/b/new"), ("/:any/new", {"any": "b"}))
        self.assertEqual(found(routes, "GET", "/b/old"), "NoRoute")

    def test_method_falls_through(self) -> None:
        """A pattern that does not answer the method gives way to one that does."""
        routes = Routes.build([route("/a/new"), route("/a/:id", "POST")])
        self.assertEqual(found(routes, "POST", "/a/new"), ("/a/:id", {"id": "new"}))

    def test_refusals(self) -> None:
        """405 names what is allowed, OPTIONS is answered, HEAD falls to GET."""
        routes = Routes.build([route("/a", "GET", "PUT")])
        self.assertEqual(routes.match("DELETE", "/a"), MethodNotAllowed(("GET", "HEAD", "OPTIONS", "PUT")))
        self.assertEqual(routes.match("OPTIONS", "/a"), AutoOptions(("GET", "HEAD", "OPTIONS", "PUT")))
        self.assertEqual(found(routes, "HEAD", "/a"), ("/a", {}))
        self.assertEqual(routes.match("GET", "/b"), NoRoute())

    def test_percent_encoding(self) -> None:
        """Segments are decoded one by one: an encoded slash stays inside its segment."""
        routes = Routes.build([route("/f/:name"), route("/ä")])
        self.assertEqual(found(routes, "GET", "/f/a%2Fb%20c"), ("/f/:name", {"name": "a/b c"}))
        self.assertEqual(found(routes, "GET", "/%C3%A4"), ("/ä", {}))

    def test_trailing_slash(self) -> None:
        """A trailing slash makes another path, and a parameter is never empty."""
        routes = Routes.build([route("/a"), route("/b/:x")])
        self.assertEqual(found(routes, "GET", "/a/"), "NoRoute")
        self.assertEqual(found(routes, "GET", "/b/"), "NoRoute")

    @given(
        st.lists(
            st.tuples(
                st.lists(st.sampled_from(["a", "b", ":p", ":q", "*r"]), min_size=1, max_size=4),
                st.lists(st.sampled_from(["GET", "POST", "HEAD"]), min_size=1, max_size=2, unique=True),
            ),
            max_size=8,
        ),
        st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=4),
        st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT"]),
    )
    def test_like_a_list(self, given_routes: list[tuple[list[str], list[str]]], path: list[str], method: str) -> None:
        """The tree finds what trying every pattern in order of precedence finds."""
        made = [route("/" + "/".join(parts), *methods) for parts, methods in given_routes if _usable(parts)]
        match = Routes.build(made).match(method, "/" + "/".join(path))
        fitting = [entry for entry in made if _fits(entry.key[1:].split("/"), path)]
        wanted = _best(fitting, method)
        if isinstance(match, RouteMatch):
            assert wanted is not None
            self.assertEqual(shape_of(match.route.key), shape_of(wanted.key))
            self.assertIs(match.route, wanted)
        else:
            self.assertIsNone(wanted)
            self.assertEqual(isinstance(match, NoRoute), not fitting)
            self.assertEqual(isinstance(match, AutoOptions), bool(fitting) and method == "OPTIONS")


def _usable(parts: list[str]) -> bool:
    names = [part[1:] for part in parts if part[0] in ":*"]
    return len(set(names)) == len(names) and "*r" not in parts[:-1]


def _fits(parts: list[str], path: list[str]) -> bool:
    if parts[-1] == "*r":
        head = parts[:-1]
        rest = "/".join(path[len(head) :])
        return len(path) >= len(parts) and _fits_all(head, path[: len(head)]) and bool(rest or len(parts) == 1)
    return len(parts) == len(path) and _fits_all(parts, path)


def _fits_all(parts: list[str], path: list[str]) -> bool:
    return all(bool(given) if part.startswith(":") else part == given for part, given in zip(parts, path, strict=True))


def _best(fitting: list[Entry], method: str) -> Entry | None:
    """Try shape after shape: literal before parameter before wildcard; of one shape and method the later route."""
    shapes: dict[str, list[Entry]] = {}
    for entry in fitting:
        shapes.setdefault(shape_of(entry.key), []).append(entry)
    order = sorted(shapes, key=lambda shape: [{":": 1, "*": 2}.get(part, 0) for part in shape[1:].split("/")])
    for shape in order:
        for wanted in (method, "GET") if method == "HEAD" else (method,):
            for entry in reversed(shapes[shape]):
                if wanted in entry.methods:
                    return entry
    return None


class PatternTests(SynchronousTestCase):
    """What a pattern may be."""

    def test_normal_form(self) -> None:
        """Braces are another way to write a parameter."""
        self.assertEqual(parse_pattern("/a/{id}/*rest"), "/a/:id/*rest")

    def test_refused(self) -> None:
        """Each refusal says what is wrong with the path."""
        for text, words in (
            ("a", 'begin with "/"'),
            ("/a?b", "only the part before the query"),
            ("/a//b", "empty segment"),
            ("/*/b", "wildcard before its end"),
            ("/a-:id", "mixes text"),
            ("/:", "needs a name"),
            ("/:a/:a", "two parameters"),
            ("/a" * 100, "100 segments"),
        ):
            with self.assertRaises(ValueError) as raised:
                parse_pattern(text)
            self.assertIn(words, str(raised.exception))


class RegistryTests(SynchronousTestCase):
    """What serves is swapped whole."""

    def test_conflict(self) -> None:
        """Two scripts cannot answer the same paths; the problem names both and the place."""
        active = ActiveScript(uri="one", version="1", number=1, entries=(route("/a/:x", script="one", place="m.js:3"),))
        conflicting = ActiveScript(
            uri="two", version="2", number=1, entries=(route("/a/:y", script="two", place="n.js:7"),)
        )
        registry = Registry().with_script(active)
        with self.assertRaises(DeploymentRefused) as raised:
            registry.with_script(conflicting)
        problem = raised.exception.problems[0]
        self.assertIn('"one" (m.js:3)', problem.message)
        self.assertEqual((problem.file, problem.line), ("n.js", 7))
        self.assertEqual(conflicts([*active.entries, *active.entries]), [])

    def test_generations(self) -> None:
        """A swap succeeds only against what it was made from."""
        current = Current()
        old = current.registry
        current.swap(old.without("nobody"), old.generation)
        self.assertEqual(current.registry.generation, 1)
        with self.assertRaises(Exception) as raised:
            current.swap(old.without("nobody"), old.generation)
        self.assertIn("try again", str(raised.exception))
