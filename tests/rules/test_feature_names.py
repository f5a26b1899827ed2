"""The machinery works without any feature, so it names none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from aiwebengine.features.all import FEATURES
from tests.rules.tree import files, name

TERMS: Mapping[str, str] = {
    "crypto": "the prelude has random values under this global; the feature adds the rest to it",
    "database": "the databases of the engine, and those of scripts, in which every feature may keep something",
    "fetch": "the verb; `export default { fetch }`, and `Request` and `Response` of the Fetch standard",
    "management": "the management API is a part of the machinery; the feature gives scripts some of it",
    "receipts": "the machinery makes a receipt of each invocation; the feature stores them",
    "recordings": "the machinery records and replays an invocation; the feature decides which, and stores them",
    "secrets": "what nobody may see: passwords in settings, tokens, and what a feature fills into requests",
    "sql": "the language; the feature `database` gives scripts a function of this name",
    "sockets": "sockets of the operating system, and the protocol of WebSockets",
    "streams": "streams of bytes and of server-sent events, and those of the web's standards",
}
"""Features, and functions of theirs, that are named by a term of the machinery, and what it means there."""

EXCEPTIONS: Mapping[str, str] = {
    "aiwebengine/services/db/migrations/": "what older servers have stored, which is never written that way again",
}
"""Files, or the folders of files, that name features, and why."""

_SUFFIXES = frozenset({".py", ".js", ".mjs"})
_OUTSIDE = ("aiwebengine/features/", "sandbox/prelude/text/")
"""The features themselves, and tables of characters."""
_BROWSERS_OWN = re.compile(r"\b(?:localStorage|sessionStorage|WebSocket|[a-z]+Stream)\b")
"""Names of the web's standards, whatever features there are."""


def test_machinery_names_no_feature() -> None:
    """No file of the machinery holds the name of a feature or of a JavaScript function that a feature declares."""
    found = {
        f"{name(path)}:{line} {word}"
        for path in machinery()
        if not name(path).startswith(tuple(EXCEPTIONS))
        for line, word in named(path.read_text("utf-8"))
    }
    assert sorted(found) == [], "let the feature declare it, or hand it in"


def test_lists_are_needed() -> None:
    """Each term belongs to a feature, and each exception would otherwise break the rule."""
    assert TERMS.keys() <= {feature.name for feature in FEATURES} | declared()
    for place in EXCEPTIONS:
        assert any(list(named(path.read_text("utf-8"))) for path in machinery() if name(path).startswith(place)), place


def test_names_of_features_are_found() -> None:
    """A name is found in code, strings and comments, as a part of other names too."""
    assert [word for _, word in named('GRAPHQL_PATH = "/x"')] == ["graphql"]
    assert [word for _, word in named("a = 1  # see AssetStore")] == ["asset"]
    assert [word for _, word in named('"Keep it in kv."')] == ["kv"]
    assert [word for _, word in named("await sendStreamMessage(1)")] == ["sendStreamMessage"]
    assert list(named("localStorage, streams and WebSocket are none; neither is kvm")) == []


def machinery() -> Iterator[Path]:
    """Yield the files of the server and the sandbox that are not those of a feature."""
    for path in files():
        folder = name(path).split("/")[0]
        if folder in {"aiwebengine", "sandbox"} and path.suffix in _SUFFIXES and not name(path).startswith(_OUTSIDE):
            yield path


def named(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that name a feature, and how."""
    for number, line in enumerate(text.splitlines(), 1):
        for found in _names().finditer(_BROWSERS_OWN.sub("", line)):
            yield number, found[0] if found[0] in declared() else found[0].lower()


@cache
def declared() -> frozenset[str]:
    """Return what scripts get of features: functions, objects, named types."""
    return frozenset(
        declared_name
        for feature in FEATURES
        for declared_name in (
            *feature.declares.names,
            *(shape.name.partition("<")[0] for shape in feature.declares.shapes),
        )
    )


@cache
def _names() -> re.Pattern[str]:
    stems = [stem(feature.name) for feature in FEATURES if feature.name not in TERMS]
    words = sorted(declared() - TERMS.keys(), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b|(?i:{'|'.join(stems)})")


def stem(feature: str) -> str:
    """Return what all words have in common that are made of a feature's name."""
    return feature.removesuffix("s").removesuffix("cy")
