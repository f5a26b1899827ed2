"""Every example of the JavaScript API runs, and the API is what the declarations say."""

from __future__ import annotations

import json
import re

import pytest_twisted

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.host import exports
from aiwebengine.host.names import LANGUAGE, STANDARD_NAMES
from tests.support.clients.websocket import connect
from tests.support.engine import EngineUnderTest, shared_engine

GRANTS = [
    capability.name for capability in DECLARED.capabilities if capability.scope is None or capability.name == "fetch"
]
EXAMPLES = {**DECLARED.examples, **exports.EXAMPLES}
EXPECTED = {"httpError": 404, "HttpError": 403, "Response": 410}
"""Examples whose answer is meant to be another than 200."""
GOOD = {200, 201, 204, 301, 404, 503}


async def answers(engine: EngineUnderTest, name: str) -> list[str]:
    """Deploy an example and ask for each of its routes; what was wrong."""
    done = await engine.deploy("example", {"main.ts": EXAMPLES[name]}, grants=GRANTS)
    wrong = [str(warning) for warning in done["warnings"] if warning["code"] != "deprecated"]
    entries = [entry for group in done["script"]["registered"] for entry in group["entries"]]
    for route in (entry for entry in entries if "path" in entry):
        path = re.sub(r":\w+", "x", route["path"])
        for method in route["methods"]:
            if await streams(engine, method, path) or await speaks_websocket(engine, path):
                continue
            reply = await engine.request(method, path + "?uri=example&name=x", {}, "" if method == "POST" else None)
            good = {EXPECTED[name]} if name in EXPECTED else GOOD
            if reply.status not in good:
                wrong.append(f"{method} {path}: {reply.status} {reply.text[:500]}")
    return wrong


async def streams(engine: EngineUnderTest, method: str, path: str) -> bool:
    """Return whether a path gives a stream of events, which would never end."""
    reply = await engine.request("HEAD", path) if method == "GET" else None
    return reply is not None and reply.headers.get("content-type", "").startswith("text/event-stream")


async def speaks_websocket(engine: EngineUnderTest, path: str) -> bool:
    """Return whether a path gives a WebSocket."""
    socket = await connect(engine, path)
    socket.leave()
    return socket.status == 101


@pytest_twisted.ensureDeferred
async def test_every_example_runs() -> None:
    """Each example of the reference can be deployed as it stands, and each of its routes answers."""
    wrong: dict[str, list[str]] = {}
    async with shared_engine() as engine:
        for name in EXAMPLES:
            try:
                found = await answers(engine, name)
            except AssertionError as error:
                found = [str(error)[:500]]
            if found:
                wrong[name] = found
    assert not wrong, json.dumps(wrong, indent=2)


@pytest_twisted.ensureDeferred
async def test_globals_are_those_declared() -> None:
    """What a script finds in globalThis is what is declared, no less and no more."""
    async with shared_engine() as engine:
        source = 'registerWebHandler("/names", () => Object.getOwnPropertyNames(globalThis));'
        await engine.deploy("names", {"main.js": source})
        found = set((await engine.request("GET", "/names")).json())
    declared = set(DECLARED.names)
    assert declared - found == set(), "declared, and not there"
    assert found - declared - LANGUAGE - STANDARD_NAMES - {"eval"} == set(), "there, and not declared"


@pytest_twisted.ensureDeferred
async def test_members_are_those_declared() -> None:
    """Every declared member of an object or class of the API is there."""
    members = {
        declaration.name: [
            [member.name, member.signature.startswith("static ")] for member in declaration.members if member.name
        ]
        for declaration in DECLARED.globals
        if declaration.kind != "function"
    }
    for call in DECLARED.functions:
        if call.object:
            members[call.object].append([call.member, False])
    source = f"""
        const members = {json.dumps(members)};
        const made = {{
          ...Object.fromEntries(
            [Headers, Response, Blob, FormData, URLSearchParams, TextEncoder, TextDecoder, EventTarget, AbortController]
              .map((Made) => [Made.name, () => new Made()])),
          Request: () => new Request("https://a.b/"),
          File: () => new File([], "a"),
          URL: () => new URL("https://a.b/"),
          ReadableStream: () => ReadableStream.from([]),
          DOMException: () => new DOMException("a", "AbortError"),
          Event: () => new Event("a"),
          CustomEvent: () => new CustomEvent("a"),
          AbortSignal: () => new AbortController().signal,
          HttpError: () => httpError(404),
        }};
        registerWebHandler("/missing", () => {{
          const missing = [];
          for (const [name, list] of Object.entries(members)) {{
            const value = globalThis[name];
            const target = typeof value === "function" ? made[name]?.() : value;
            for (const [member, isStatic] of list) {{
              if (member === "constructor" || target === undefined) continue;
              if (!(member in (isStatic ? value : target))) missing.push(`${{name}}.${{member}}`);
            }}
          }}
          return missing;
        }});
    """
    async with shared_engine() as engine:
        await engine.deploy("members", {"main.js": source})
        missing = (await engine.request("GET", "/missing")).json()
    # These are there only when they were given.
    assert set(missing) <= {"HttpError.details", "Request.signal"}, missing
