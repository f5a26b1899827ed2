"""The examples that are live: notes over GraphQL, WebSockets, subscriptions in the older style."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from tests.e2e.features.test_graphql import ask, needs_packages, open_subscriptions, subscribe
from tests.e2e.scripts.test_examples import deployed
from tests.support.clients.foreign import CHROMIUM, Program, client_programs
from tests.support.clients.listening import listen
from tests.support.clients.websocket import BINARY, connect
from tests.support.engine import EngineUnderTest, shared_engine

ADD = (
    'mutation($text: String!, $tag: String) { addNote(text: $text, tag: $tag, by: "ada") { id text author { notes } } }'
)


async def looked_at(engine: EngineUnderTest, folder: Path, path: str, steps: list[str]) -> list[Any]:
    """Look at a page in Chromium; what each step gave."""
    assert CHROMIUM is not None
    program = Program(
        ["browser.mjs", CHROMIUM, str(folder / "profile"), engine.address + path, *steps], client_programs()
    )
    try:
        await program.ended.addTimeout(90, reactor)
    finally:
        await program.stop()
    assert len(program.lines) == len(steps), (program.lines, program.errors)
    return program.lines


@pytest_twisted.ensureDeferred
async def test_live_notes() -> None:
    """Notes are added, edited, removed and counted; who subscribed to a tag hears of its notes only."""
    async with shared_engine() as engine:
        await deployed(engine, "live-notes")
        everything = await subscribe(
            engine, "subscription { noteChanged { change note { text author { name notes } } } }"
        )
        tagged = await subscribe(engine, 'subscription { noteChanged(tag: "a") { change note { id } } }')
        await open_subscriptions(engine, 2)
        first = (await ask(engine, ADD, {"text": "one", "tag": "a"})).json()["data"]["addNote"]
        second = (await ask(engine, ADD, {"text": " two ", "tag": None})).json()["data"]["addNote"]
        assert (first["text"], second["text"]) == ("one", "two")
        assert second["author"] == {"notes": 2}
        refused = (await ask(engine, ADD, {"text": "  "})).json()["errors"][0]
        assert refused["extensions"] == {"code": "BAD_USER_INPUT", "status": 422, "details": {"field": "text"}}
        notes = (await ask(engine, '{ notes { id } one: notes(first: 1) { id at } a: notes(tag: "a") { id } }')).json()[
            "data"
        ]
        assert [note["id"] for note in notes["notes"]] == [second["id"], first["id"]]
        assert [note["id"] for note in notes["a"]] == [first["id"]]
        assert notes["one"][0]["at"].endswith("Z")
        edit = 'mutation($id: ID!) { editNote(id: $id, text: "changed") { text } removeNote(id: $id) { id } }'
        assert (await ask(engine, edit, {"id": first["id"]})).json()["data"]["editNote"] == {"text": "changed"}
        gone = (await ask(engine, "query($id: ID!) { note(id: $id) { id } }", {"id": first["id"]})).json()
        assert (gone["data"], gone["errors"][0]["extensions"]["code"]) == ({"note": None}, "NOT_FOUND")
        await everything.until(4)
        received = [event["data"]["noteChanged"] for _, event in everything.seen]
        assert [event["change"] for event in received] == ["ADDED", "ADDED", "EDITED", "REMOVED"]
        assert received[0]["note"]["author"]["name"] == "ada"
        await tagged.until(3)
        assert [event["data"]["noteChanged"]["change"] for _, event in tagged.seen] == ["ADDED", "EDITED", "REMOVED"]


@needs_packages
@pytest_twisted.ensureDeferred
async def test_live_notes_in_a_browser(tmp_path: Path) -> None:
    """The page shows what others add, over a WebSocket and over events, and adds by itself."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    shown = 'Array.from(document.querySelectorAll("#notes span"), (one) => one.textContent)'
    state = 'document.getElementById("state").textContent'

    def add(text: str) -> str:
        typed = f'document.getElementById("text").value = {json.dumps(text)}'
        return f'({typed}, document.querySelector("#add button").click(), true)'

    over = 'document.getElementById("transport")'
    async with shared_engine() as engine:
        await deployed(engine, "live-notes")
        await ask(engine, ADD, {"text": "<b>here before</b>"})
        lines = await looked_at(
            engine, tmp_path, "/live-notes",
            [
                f'{state} === "listening over WebSocket" && {shown}',
                add("from the page #tag"),
                f"{shown}.length === 2 && {shown}",
                f'({over}.value = "events", {over}.dispatchEvent(new Event("change")), true)',
                f'{state} === "listening over events" && {shown}',
                add("over events"),
                f"{shown}.length === 3 && {shown}",
                '(document.querySelector("#notes button").click(), true)',
                f"{shown}.length === 2 && {shown}",
            ],
        )  # fmt: skip
    assert lines[0] == ["ada: <b>here before</b>"]
    assert lines[2] == ["somebody: from the page #tag", "ada: <b>here before</b>"]
    assert lines[4] == lines[2] == lines[8]
    assert lines[6][0] == "somebody: over events"


@pytest_twisted.ensureDeferred
async def test_sockets() -> None:
    """The echo sends back what it gets; who moves a pointer is seen by all, until it has gone."""
    async with shared_engine() as engine:
        await deployed(engine, "sockets")
        echo = await connect(engine, "/echo")
        echo.say("hello")
        echo.frame(BINARY, b"\0\xff")
        await echo.until(lambda: len(echo.frames) == 2)
        assert [data for _, data in echo.frames] == [b"hello", b"\0\xff"]
        ada = await connect(engine, "/cursors/socket?name=ada")
        bob = await connect(engine, "/cursors/socket")
        you = json.loads((await ada.has(1))[0])
        assert (you["type"], you["name"]) == ("you", "ada")
        await bob.has(1)
        ada.say('{"x": 0.25, "y": 1}')
        ada.say('{"x": 7, "y": 1}')
        at = json.loads((await bob.has(2))[1])
        assert (at["id"], at["x"], at["y"], at["name"]) == (you["id"], 0.25, 1, "ada")
        ada.close()
        assert json.loads((await bob.has(3))[2]) == {"type": "gone", "id": you["id"]}


@needs_packages
@pytest_twisted.ensureDeferred
async def test_cursors_in_a_browser(tmp_path: Path) -> None:
    """In Chromium one sees one's own pointer, moves it by keys, and sees that of somebody else come and go."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    cursors = 'Array.from(document.querySelectorAll(".cursor"), (one) => one.textContent + " " + one.style.left)'
    key = 'document.getElementById("board").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" })), true'
    async with shared_engine() as engine:
        await deployed(engine, "sockets")
        other = await connect(engine, "/cursors/socket?name=ada")
        await other.has(1)
        program: list[Any] = await looked_at(
            engine, tmp_path, "/cursors?name=eve",
            [
                f'{cursors}.includes("you 50%") && {cursors}',
                f"({key})",
                f'{cursors}.includes("you 52%") && {cursors}',
            ],
        )  # fmt: skip
        assert program[2] == ["you 52%"]
        seen = [json.loads(text) for text in await other.has(3)]
        assert [message.get("name") for message in seen[1:3]] == ["eve", "eve"]
        await other.until(lambda: '"gone"' in other.texts[-1])


@pytest_twisted.ensureDeferred
async def test_older_subscriptions() -> None:
    """A script of the older style is heard at the older path and by subscriptions of today, and is warned once."""
    async with shared_engine() as engine:
        await deployed(engine, "older-subscriptions")
        older = await listen(engine, "/graphql/subscription/liveMessages")
        today = await subscribe(engine, "subscription { liveMessages }")
        assert await older.has(1) == [{"number": 0, "text": "listening"}]
        await today.until(1)
        sent = await ask(engine, 'mutation { sendMessage(text: "hello") { number text } }')
        assert sent.json() == {"data": {"sendMessage": {"number": 1, "text": "hello"}}}
        assert (await older.has(2))[1] == {"number": 1, "text": "hello"}
        await today.until(2)
        assert json.loads(today.seen[1][1]["data"]["liveMessages"]) == {"number": 1, "text": "hello"}
        assert (await ask(engine, "{ messageCount }")).json() == {"data": {"messageCount": 1}}
        page = await engine.request("GET", "/older-subscriptions")
        assert page.headers["content-type"].startswith("text/html")
