"""The examples, deployed and asked over HTTP as a newcomer would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import pytest_twisted

from aiwebengine.settings.schema import BuildSettings
from tests.support.clients.listening import listen
from tests.support.engine import EngineUnderTest, running_engine, settings_for, shared_engine
from tests.support.reading.rendered import ROOT

EXAMPLES = {load["uri"]: load for load in json.loads((ROOT / "examples" / "examples.json").read_text())}
NPM_CACHE = ROOT / "build-cache" / "npm"
JSON = {"content-type": "application/json"}


def files_of(path: Path) -> dict[str, str]:
    """Return the files of an example, a file or a folder."""
    if path.is_file():
        return {path.name: path.read_text(encoding="utf-8")}
    return {
        str(file.relative_to(path)): file.read_text(encoding="utf-8")
        for file in sorted(path.rglob("*"))
        if file.is_file() and "node_modules" not in file.parts
    }


async def deployed(engine: EngineUnderTest, uri: str) -> None:
    """Deploy one example as `make serve` does; it has nothing to warn about."""
    example = EXAMPLES[uri]
    done = await engine.deploy(uri, files_of(ROOT / "examples" / example["path"]), grants=example.get("grants", []))
    allowed = {"deprecated"} if uri == "older-style" else set()
    assert {warning["code"] for warning in done["warnings"]} <= allowed, done["warnings"]
    reply = await engine.request("GET", example["look"])
    assert reply.status == 200, reply.text


def test_every_example_is_listed() -> None:
    """Whatever lies in the folder of examples is deployed by `make serve`."""
    there = {path.name for path in (ROOT / "examples").iterdir() if not path.name.startswith(".")}
    assert there == {example["path"] for example in EXAMPLES.values()} | {"examples.json", "serve.py"}


@pytest_twisted.ensureDeferred
async def test_hello_es5() -> None:
    """The smallest script answers with text and with JSON."""
    async with shared_engine() as engine:
        await deployed(engine, "hello-es5")
        reply = await engine.request("GET", "/hello-es5")
        assert (reply.text, reply.headers["content-type"]) == ("Hello, world!", "text/plain; charset=utf-8")
        assert (await engine.request("GET", "/hello-es5/Ada%20L")).json() == {"hello": "Ada L"}


@pytest_twisted.ensureDeferred
async def test_hello_ts() -> None:
    """The TypeScript example greets by query and by a checked body."""
    async with shared_engine() as engine:
        await deployed(engine, "hello-ts")
        assert (await engine.request("GET", "/hello-ts")).json()["hello"] == "world"
        made = await engine.request("POST", "/hello-ts", JSON, '{"name": "Zoë"}')
        assert (made.status, made.json()["hello"]) == (201, "Zoë")
        for body in ('{"name": ""}', '{"nam": "x"}', "{", "[]", ""):
            assert (await engine.request("POST", "/hello-ts", JSON, body)).status == 400, body


@pytest_twisted.ensureDeferred
async def test_page() -> None:
    """The page is HTML, finds guests, and escapes what it is given."""
    async with shared_engine() as engine:
        await deployed(engine, "page")
        page = await engine.request("GET", "/page")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.text.lower().startswith("<!doctype html><html")
        assert "Alan &lt;the first&gt;" in page.text
        assert 'href="/page/style.css"' in page.text
        style = await engine.request("GET", "/page/style.css")
        assert (style.status, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
        nobody = await engine.request("GET", "/page?find=%3Cscript%3E")
        assert "<script" not in nobody.text
        assert "&lt;script&gt;" in nobody.text


@pytest_twisted.ensureDeferred
async def test_notes() -> None:
    """Notes are made, read, listed, replaced and removed, and stay when the script is deployed again."""
    async with shared_engine() as engine:
        await deployed(engine, "notes")
        made = await engine.request("POST", "/notes", JSON, '{"text": "Grüße ✓", "tags": ["a"]}')
        assert made.status == 201, made.text
        path = made.headers["location"]
        assert (await engine.request("GET", path)).json() == made.json()
        assert (await engine.request("GET", "/notes")).json() == [made.json()]
        replaced = await engine.request("PUT", path, JSON, '{"text": "again"}')
        assert replaced.json() == {**made.json(), "text": "again", "tags": []}
        await deployed(engine, "notes")
        assert (await engine.request("GET", path)).json()["text"] == "again"
        refused = await engine.request("POST", "/notes", JSON, '{"text": ""}')
        assert (refused.status, refused.json()["code"]) == (400, "invalid")
        assert (await engine.request("DELETE", path)).status == 204
        assert (await engine.request("GET", path)).status == 404
        assert (await engine.request("GET", "/notes")).json() == []


@pytest_twisted.ensureDeferred
async def test_chat() -> None:
    """What is said reaches the room and no other, a whisper two people, and who comes later sees the last lines."""
    async with shared_engine() as engine:
        await deployed(engine, "chat")
        page = await engine.request("GET", "/chat/lobby")
        assert "new EventSource(" in page.text
        assert page.headers["content-type"].startswith("text/html")
        ada = await listen(engine, "/chat/lobby/stream?name=ada")
        bob = await listen(engine, "/chat/lobby/stream?name=bob")
        other = await listen(engine, "/chat/attic/stream?name=cid")
        for client in (ada, bob, other):
            assert await client.has(1) == [{"type": "lines", "lines": []}]

        async def say(**said: str) -> int:
            return (await engine.request("POST", "/chat/lobby", JSON, json.dumps(said))).status

        assert await say(name="ada", text="hello <all>") == 201
        assert await say(name="ada", to="bob", text="you") == 201
        assert await say(name="ada", text="") == 400
        lines = await bob.has(3)
        assert [(line["type"], line["line"]["text"]) for line in lines[1:]] == [
            ("line", "hello <all>"),
            ("whisper", "you"),
        ]
        assert await ada.has(3) == lines
        late = await listen(engine, "/chat/lobby/stream?name=cid")
        assert [line["text"] for line in (await late.has(1))[0]["lines"]] == ["hello <all>"]
        assert len(other.events) == 1
        ada.leave()
        assert await say(name="bob", text="again") == 201
        back = await listen(engine, "/chat/lobby/stream?name=ada", {"last-event-id": ada.last_id})
        await back.has(2)
        assert back.data[-1]["line"]["text"] == "again"


@pytest.mark.setting("build.npm_cache")
@pytest_twisted.ensureDeferred
async def test_qr_code(tmp_path) -> None:
    """A package from npm draws QR codes; a text that is too long is refused."""
    if not (NPM_CACHE / "filled").exists():
        pytest.skip("the npm packages of the examples were not fetched; run make test with a network")
    build = BuildSettings(npm_cache=str(NPM_CACHE), npm_offline=True)
    async with running_engine(settings_for(tmp_path, build=build)) as engine:
        await deployed(engine, "qr-code")
        image = await engine.request("GET", "/qr-code?text=gr%C3%BC%C3%9Fe")
        assert image.headers["content-type"] == "image/svg+xml"
        assert image.text.startswith("<svg")
        other = await engine.request("GET", "/qr-code?text=gr%C3%B6%C3%9Fe")
        assert other.text != image.text
        assert (await engine.request("GET", "/qr-code?text=" + "x" * 501)).status == 400


@pytest_twisted.ensureDeferred
async def test_older_style() -> None:
    """A script in the older style runs unchanged: handlers by name, an answer in parts, its own log."""
    async with shared_engine() as engine:
        await deployed(engine, "older-style")
        reply = await engine.request("GET", "/older-style")
        assert reply.text == "You asked for /older-style with GET, from the start."
        assert reply.headers["content-type"].startswith("text/plain")
        assert "answering /older-style" in (await engine.request("GET", "/older-style/log")).text
