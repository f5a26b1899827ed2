"""The engine with any one of its features left out: everything else serves, and what is left out is nowhere."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_twisted

from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.features.all import FEATURES
from aiwebengine.machinery import Machinery, Parts
from tests.support.engine import EngineUnderTest, running_engine, settings_for

Check = Callable[[EngineUnderTest], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How one feature is used."""

    source: str
    """What a script has of it."""
    check: Check
    """Asserts that it works."""
    gone: Check | None = None
    """Asserts that nothing of it answers, beside what its names are."""
    refused: str = ""
    """What the refusal of the source names when the feature is left out; empty: the source is not refused."""


async def _text(engine: EngineUnderTest, path: str, expected: str, *, method: str = "GET") -> None:
    reply = await engine.request(method, path)
    assert (reply.status, reply.text) == (200, expected), reply.text


def _answers(path: str, expected: str) -> Check:
    return lambda engine: _text(engine, path, expected)


def _no_path(path: str, *, method: str = "GET") -> Check:
    async def check(engine: EngineUnderTest) -> None:
        assert (await engine.request(method, path)).status == 404

    return check


def _api(path: str, status: int) -> Check:
    async def check(engine: EngineUnderTest) -> None:
        assert (await engine.api("GET", path)).status == status

    return check


async def _graphql(engine: EngineUnderTest) -> None:
    reply = await engine.request(
        "POST", "/graphql", {"content-type": "application/json"}, json.dumps({"query": "{ greeting }"})
    )
    assert reply.json() == {"data": {"greeting": "hello"}}


async def _once(engine: EngineUnderTest) -> None:
    key = {"idempotency-key": "k1"}
    replies = [await engine.request("POST", "/once", key) for _ in range(2)]
    assert replies[0].text == replies[1].text
    assert replies[1].headers["idempotency-replayed"] == "true"


async def _fetch(engine: EngineUnderTest) -> None:
    # Its own address needs no network.
    await _text(engine, "/fetched", "plain")


async def _stream(engine: EngineUnderTest) -> None:
    reply = await engine.request("HEAD", "/news")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/event-stream")
    await _text(engine, "/tell", "told")


async def _socket(engine: EngineUnderTest) -> None:
    reply = await engine.request("GET", "/socket")
    assert reply.status == 426


USES: dict[str, Use] = {
    "storage": Use(
        source='registerWebHandler("/count", async () => String(await kv.increment("n")));',
        check=_answers("/count", "1"),
        refused="kv",
    ),
    "database": Use(
        source=(
            'database.schema({ words: { id: "id", text: "string" } });\n'
            'registerWebHandler("/words", async () => {\n'
            '  await database.table("words").insert({ text: "word" });\n'
            '  return (await database.table("words").first()).text;\n'
            "});"
        ),
        check=_answers("/words", "word"),
        refused="database",
    ),
    "assets": Use(
        source=(
            'registerWebHandler("/asset", () => { upsertAsset("/a.txt", "text/plain", btoa("a")); '
            "return listAssets().join(); });"
        ),
        check=_answers("/asset", "/a.txt"),
        gone=_api("/assets", 404),
        refused="upsertAsset",
    ),
    "management": Use(
        source='registerWebHandler("/scripts", () => listScripts().join());',
        check=_answers("/scripts", "uses"),
        refused="listScripts",
    ),
    "streams": Use(
        source=(
            'registerWebStream("/news"); '
            'registerWebHandler("/tell", () => { sendStreamMessage({ news: 1 }); return "told"; });'
        ),
        check=_stream,
        refused="registerWebStream",
    ),
    "sockets": Use(
        source='registerWebSocket("/socket", { message(ws, data) { ws.send(data); } });',
        check=_socket,
        refused="registerWebSocket",
    ),
    "graphql": Use(
        source='registerQueryHandler("greeting", "type Query { greeting: String }", () => "hello");',
        check=_graphql,
        gone=_no_path("/graphql"),
        refused="registerQueryHandler",
    ),
    "codegen": Use(
        source='registerWebHandler("/double", () => String(new Function("n", "return n * 2")(2)));',
        check=_answers("/double", "4"),
        refused="new Function is not available",
    ),
    "crypto": Use(
        source=(
            'registerWebHandler("/hashed", async () => { '
            'const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc")); '
            "return String(hash.byteLength); });"
        ),
        check=_answers("/hashed", "32"),
        refused="crypto.subtle is not part of this version",
    ),
    "fetch": Use(
        source='registerWebHandler("/fetched", async (req) => (await fetch(new URL("/plain", req.url))).text());',
        check=_fetch,
        gone=_api("/deliveries", 404),
        refused="fetch",
    ),
    "secrets": Use(
        source='registerWebHandler("/secret", () => String(secrets.has("NONE")));',
        check=_answers("/secret", "false"),
        gone=_api("/secrets", 404),
        refused="secrets",
    ),
    "idempotency": Use(
        source='registerWebHandler("/once", () => String(Math.random()), { method: "POST", idempotent: true });',
        check=_once,
        refused="idempotent",
    ),
    "receipts": Use(source="", check=_api("/script/receipts?uri=uses", 200), gone=_api("/script/receipts", 404)),
    "recordings": Use(source="", check=_api("/recordings", 200), gone=_api("/recordings", 404)),
}


NAMES = {name: feature.name for feature in FEATURES for name in feature.declares.names}
"""Every global name that features give to scripts, with the feature that does."""
GLOBALS = f'registerWebHandler("/globals", () => {json.dumps([*NAMES])}.filter((name) => name in globalThis));'


def test_every_feature_is_used() -> None:
    """There is a use for each feature of the list."""
    assert USES.keys() == {feature.name for feature in FEATURES}


@pytest.mark.parametrize("left_out", ["", *USES])
@pytest_twisted.ensureDeferred
async def test_left_out(left_out: str, tmp_path: Path) -> None:
    """With one feature left out the others serve, its names are no globals, and a script that uses it is refused."""
    features = [feature for feature in FEATURES if feature.name != left_out]
    others = {name: use for name, use in USES.items() if name != left_out}
    async with running_engine(settings_for(tmp_path), features=features) as engine:
        plain = 'registerWebHandler("/plain", () => "plain");'
        source = "\n".join([plain, GLOBALS, *(use.source for use in others.values())])
        capabilities = {"scripts": "management", "assets": "assets", "codegen": "codegen", "fetch:*": "fetch"}
        grants = [name for name, feature in capabilities.items() if left_out != feature]
        await engine.deploy("uses", {"main.js": source}, grants=grants)
        await _text(engine, "/plain", "plain")
        there = (await engine.request("GET", "/globals")).json()
        assert there == [name for name, feature in NAMES.items() if feature != left_out]
        for use in others.values():
            await use.check(engine)
        if not left_out:
            return
        use = USES[left_out]
        if use.gone is not None:
            await use.gone(engine)
        if use.refused:
            reply = await engine.api("PUT", "/script?uri=refused", {"files": {"main.js": use.source}})
            assert reply.status == 422, reply.text
            assert use.refused in reply.text


def watching(machinery: Machinery) -> Parts:
    """Make the parts of a feature that fails whenever an invocation has ended."""

    def fail(_invocation: object, _receipt: object) -> None:
        raise ValueError("nothing is to be seen")

    machinery.hooks.ended.insert(0, fail)
    return Parts()


@pytest_twisted.ensureDeferred
async def test_broken_observer(tmp_path: Path) -> None:
    """A feature that fails when it is told of an invocation's end breaks neither this nor what others are told."""
    observer = Feature(name="watching", parts=f"{__name__}:watching")
    async with running_engine(settings_for(tmp_path), features=[*FEATURES, observer]) as engine:
        await engine.deploy("plain", {"main.js": 'registerWebHandler("/plain", () => "plain");'})
        await _text(engine, "/plain", "plain")
        receipts = (await engine.api("GET", "/script/receipts?uri=plain")).json()
        assert [receipt["label"] for receipt in receipts["recent"]] == ["GET /plain", "load"]


@pytest_twisted.ensureDeferred
async def test_broken_javascript(tmp_path: Path) -> None:
    """JavaScript of another package that cannot be loaded stops the start, which names feature, file and reason."""
    for content, why in (
        ("(function () {\n  nothingOfThatName.x = 1;\n}());", "nothingOfThatName"),
        ("var a = ;", "Syntax"),
    ):
        path = tmp_path / "broken.js"
        path.write_text(content)
        features = [
            replace(feature, prelude=(path,), api_version=1) if feature.name == "storage" else feature
            for feature in FEATURES
        ]
        with pytest.raises(CannotStart) as refused:
            async with running_engine(settings_for(tmp_path / "data"), features=features):
                pytest.fail("it serves")
        for part in ('the feature "storage"', str(path), why):
            assert part in refused.value.public
