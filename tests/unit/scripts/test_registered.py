"""What is odd about what a version has registered."""

from __future__ import annotations

from typing import Any

import pytest

from aiwebengine.scripts.places import Sources
from aiwebengine.scripts.registered import nothing_registered, replaced_problems
from aiwebengine.scripts.versions import RegisteredEntries
from aiwebengine.values import ROUTE, Entry, HandlerRef


def entry(
    place: str, name: str = "", *, key: str = "/a", kind: str = ROUTE, methods: tuple[str, ...] = ("GET",)
) -> Entry:
    """Make a registration."""
    return Entry(
        kind=kind,
        key=key,
        script="notes",
        version="notes@1",
        methods=methods,
        handler=HandlerRef(id=0, name=name),
        place=place,
    )


def problems_of(*pairs: tuple[Entry, Entry]) -> list[Any]:
    """Return the warnings of what was replaced."""

    class Book:
        def replaced(self, _place: Any) -> Any:
            return pairs

    book: Any = Book()
    return [*replaced_problems(book, Sources(files={}, entry="main.js"))]


def test_both_places() -> None:
    """A route that is registered twice is told with both places, at the later one."""
    (problem,) = problems_of((entry("main.js:3", "list"), entry("lib/b.js:9", "list")))
    assert (problem.severity, problem.code, problem.file, problem.line) == (
        "warning",
        "registered_twice",
        "lib/b.js",
        9,
    )
    assert problem.message.startswith("GET /a is registered twice, at main.js:3 and at lib/b.js:9; the later")


@pytest.mark.parametrize(
    ("earlier", "later", "words"),
    [
        (entry("main.js:3"), entry("main.js:3"), "GET /a is registered twice, at main.js:3;"),
        (entry(""), entry("main.js:3"), "at an unknown place and at main.js:3"),
        (entry(""), entry(""), "registered twice, by this script;"),
        (entry("a:1", key="add", kind="query", methods=()), entry("a:2", key="add", kind="query"), 'query "add" is'),
    ],
)
def test_words(earlier: Entry, later: Entry, words: str) -> None:
    """What is known of the places, and of what is no route, is told."""
    (problem,) = problems_of((earlier, later))
    assert words in problem.message


def test_again_at_one_place() -> None:
    """A function that is registered again where it was, as by calling init, is no mistake; many are told in part."""
    assert problems_of((entry("main.js:3", "list"), entry("main.js:3", "list"))) == []
    assert (
        len(problems_of(*[(entry("main.js:1", key=f"/{n}"), entry("main.js:2", key=f"/{n}")) for n in range(50)])) == 20
    )


def test_nothing() -> None:
    """A version that registers nothing is told with its file, and what may have been forgotten."""
    (problem,) = nothing_registered(RegisteredEntries(), entry="src/app.ts")
    assert (problem.file, problem.message) == (
        "src/app.ts",
        "src/app.ts registers nothing, so no request can reach it.",
    )
    assert "export default app" in (problem.hint or "")
    assert nothing_registered(RegisteredEntries(entries=(entry(""),)), entry="src/app.ts") == ()
