"""GraphQL over real sockets: schema, execution, errors, subscriptions."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from aiwebengine.features.graphql.settings import GraphQLSettings
from aiwebengine.settings.schema import ErrorSettings
from tests.support.clients.foreign import CHROMIUM, NPM_CACHE, Program, client_programs
from tests.support.clients.listening import Client, listen
from tests.support.engine import EngineUnderTest, Reply, running_engine, settings_for, shared_engine
from tests.support.waiting import until

SCRIPT = """
registerQueryHandler("hello", "hello(name: String!): String!", (args) => "Hello " + args.name);
registerQueryHandler("notes", `
  type Query { notes(first: Int): [Note!]! }
  type Note { id: ID! text: String author: Author at: Stamp }
  type Author { name: String! }
`, () => [{ id: 1, text: "a", by: 1, at: 5 }, { id: 2, text: "b", by: 2 }]);
registerFieldHandler("Note.author", (parents) => { console.log("authors of " + parents.length); return parents.map((one) => ({ name: "author " + one.by })); });
registerScalar("Stamp", {
  serialize: (value) => "s" + value,
  parse: (value) => { if (value[0] !== "s") throw new Error("a stamp begins with s"); return Number(value.slice(1)); },
});
registerQueryHandler("at", "at(when: Stamp!, more: [Stamp]): [Stamp]", (args) => [args.when, ...(args.more ?? [])]);
registerMutationHandler("add", "add(text: String!): Int", async (args) => {
  const n = await kv.increment("n");
  if (args.text === "bad") throw httpError(422, "No such text", { field: "text" });
  if (args.text === "boom") throw new Error("boom");
  return n;
});
registerQueryHandler("sneaky", "sneaky: Int", () => kv.increment("n"));
registerQueryHandler("open", "open: Int", () => kv.increment("n"), { writes: true });
registerQueryHandler("count", "count: Int", () => kv.get("n"));
registerQueryHandler("fails", "fails: Int", () => { throw new TypeError("a secret"); });
registerQueryHandler("coded", "coded: Int", () => { throw Object.assign(new Error("teapot"), { extensions: { code: "TEAPOT" } }); });
registerQueryHandler("endless", "endless: Int", () => { for (;;); });
registerQueryHandler("where", "where(a: Int): String", (args, ctx, info) => JSON.stringify([info.path, info.fields, info.operation, ctx.request.headers["x-mine"], ctx.user]));
"""

LIVE = """
registerSubscriptionHandler("tick", "tick: Int!");
registerSubscriptionHandler("note", "type Subscription { note(room: ID): Note } type Note { id: ID! text: String author: String }", (args) => {
  if (args.room === "x") throw httpError(403, "not there");
  return args.room ? { room: args.room } : undefined;
});
registerFieldHandler("Note.author", (parents) => parents.map((one) => "author " + one.id));
registerSubscriptionHandler("even", "even(mod: Int!): Int", (args) => (payload) => payload % args.mod === 0);
registerSubscriptionHandler("old", "old: String", () => "connected");
registerSubscriptionHandler("count", "count(to: Int!): Int", async function* (args) {
  for (let i = 0; i < args.to; i++) { yield i; await new Promise((resolve) => setTimeout(resolve, 5)); }
});
registerSubscriptionHandler("breaks", "breaks: Int", async function* (args) { yield 1; throw new Error("it broke"); });
registerSubscriptionHandler("kept", "kept: Int", () => undefined, { history: 5 });
registerSubscriptionHandler("beat", "beat: Int", async function* () { yield 1; yield 2; });
registerSubscriptionHandler("barred", "barred: Int", () => { throw httpError(403, "not you"); });
registerWebHandler("/send", (req) => {
  for (const [name, payload, options] of JSON.parse(req.body)) sendSubscriptionMessage(name, payload, options);
  if (req.query.fail) throw new Error("it failed");
  return "ok";
}, "POST");
"""


async def ask(engine: EngineUnderTest, query: str, variables: Any = None, **headers: str) -> Reply:
    """Send an operation."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    body = json.dumps({"query": query, "variables": variables})
    return await engine.request("POST", "/graphql", {"content-type": "application/json", **given}, body)


async def codes(engine: EngineUnderTest, query: str, **more: Any) -> list[str]:
    """Return the codes of the errors that there are."""
    return [error["extensions"]["code"] for error in (await ask(engine, query, **more)).json()["errors"]]


class Events(Protocol):
    """Collects server-sent events."""

    def __init__(self) -> None:
        self._rest = b""
        self.seen: list[tuple[str, Any]] = []
        self.retry = 0
        """Milliseconds after which the server wants its client back."""
        self.over = False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over = True

    def dataReceived(self, data: bytes) -> None:
        *blocks, self._rest = (self._rest + data).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            self.retry = int(fields.get(b"retry", self.retry))
            if b"event" in fields:
                text = fields.get(b"data", b"").decode()
                self.seen.append((fields[b"event"].decode(), json.loads(text) if text else None))

    async def until(self, count: int) -> None:
        """Wait for so many events."""
        await until(lambda: len(self.seen) >= count, state=lambda: (self.over, self.seen))


async def subscribe(engine: EngineUnderTest, query: str, variables: Mapping[str, Any] | None = None) -> Events:
    """Subscribe with a stream of its own."""
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    response = await engine.open("POST", "/graphql/sse", headers, json.dumps({"query": query, "variables": variables}))
    assert response.code == 200
    events = Events()
    response.deliverBody(events)
    return events


async def open_subscriptions(engine: EngineUnderTest, count: int) -> None:
    """Wait until so many clients have subscribed."""
    seen: list[Any] = []

    async def so() -> bool:
        seen.append((await engine.api("GET", "/state")).json()["graphql"])
        return seen[-1]["subscriptions"] == count and not seen[-1]["opening"]

    await until(so, state=lambda: seen[-1])


@pytest_twisted.ensureDeferred
async def test_without_a_schema() -> None:
    """While no script uses GraphQL, requests are answered with what is missing, and the state has the same figures."""
    async with running_engine() as engine:
        before = (await engine.api("GET", "/state")).json()["graphql"]
        assert set(before.values()) == {0}
        reply = await engine.request("POST", "/graphql", {"content-type": "application/json"}, b'{"query":"{ hello }"}')
        assert (reply.status, "registerQueryHandler" in reply.text) == (404, True)
        assert (await engine.request("GET", "/graphql/nothing")).status == 404
        assert (await engine.api("GET", "/state")).json()["graphql"].keys() == before.keys()


@pytest_twisted.ensureDeferred
async def test_queries() -> None:
    """Fields of one moment and one script are one invocation, objects come together, scalars are written and read."""
    async with running_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        reply = await ask(engine, '{ hello(name: "x") notes { id text at author { name } } other: hello(name: "y") }')
        assert reply.json() == {
            "data": {
                "hello": "Hello x",
                "notes": [
                    {"id": "1", "text": "a", "at": "s5", "author": {"name": "author 1"}},
                    {"id": "2", "text": "b", "at": None, "author": {"name": "author 2"}},
                ],
                "other": "Hello y",
            }
        }
        found = (await engine.api("GET", "/script/receipts?uri=a")).json()["routes"]
        labels = sorted(route["label"] for route in found)
        assert labels == ["field Note.author, scalar Stamp.serialize", "load", "query hello, query notes"]
        stamps = await ask(engine, 'query($w: Stamp!) { at(when: $w, more: ["s7", null]) }', {"w": "s5"})
        assert stamps.json() == {"data": {"at": ["s5", "s7", None]}}
        wrong = (await ask(engine, "query($w: Stamp!) { at(when: $w) }", {"w": "5"})).json()["errors"][0]
        assert wrong["message"] == "The argument when is not valid: a stamp begins with s"
        assert wrong["extensions"]["code"] == "BAD_USER_INPUT"
        where = (await ask(engine, "query Q($n: Int) { w: where(a: $n) }", x_mine="yes")).json()["data"]["w"]
        assert json.loads(where) == [["w"], {}, {"kind": "query", "name": "Q"}, "yes", None]


LONG = """
registerQueryHandler("size", "size(of: String): Int", (args) => args.of.length);
registerQueryHandler("thing", "thing: Thing type Thing { word: String both(with: String): Int }", () => ({ word: "é".repeat(200000) }));
registerFieldHandler("Thing.both", (things, args) => things.map((thing) => thing.word.length + args.with.length));
registerSubscriptionHandler("first", "first(of: String): String", (args) => String(args.of.length));
"""


@pytest_twisted.ensureDeferred
async def test_long_variables() -> None:
    """Long values of any characters reach resolvers as they are, with all fields of the run, and when it is replayed."""
    async with running_engine() as engine:
        await engine.deploy("a", {"main.ts": LONG})
        for text in ("x" * 400_000, '"\\n' * 200_000, "😀\0" * 100_000, "é" * 80_000):
            if text[0] == "é":
                await engine.api("PUT", "/recording-rule?uri=a")
            length = len(text.encode("utf-16-le")) // 2
            reply = await ask(engine, "query($a: String) { size(of: $a) again: size(of: $a) }", {"a": text})
            assert reply.json() == {"data": {"size": length, "again": length}}
        kept: list[Any] = []

        async def recorded() -> bool:
            kept[:] = (await engine.api("GET", "/recordings?limit=1")).json()["recordings"]
            return bool(kept)

        await until(recorded)
        again = (await engine.api("POST", f"/replay?id={kept[0]['id']}")).json()
        assert again["same"], again
        reply = await ask(engine, "query($a: String) { thing { both(with: $a) } }", {"a": "é" * 300_000})
        assert reply.json() == {"data": {"thing": {"both": 500_000}}}
        events = await subscribe(engine, "subscription($a: String) { first(of: $a) }", {"a": "é" * 300_000})
        await events.until(1)
        assert events.seen[0][1] == {"data": {"first": "300000"}}


@pytest_twisted.ensureDeferred
async def test_parallel() -> None:
    """Fields of one script are under way side by side, and so are those of two; what is registered is listed."""
    waits = """
    let go;
    registerQueryHandler("first", "first: Int", () => new Promise((resolve) => { go = resolve; }));
    registerQueryHandler("second", "second: Int", () => { go(1); return 2; });
    """
    goes = 'registerQueryHandler("third", "third: Int", async () => { await kv.get("x"); return 3; });'
    async with shared_engine() as engine:
        done = await engine.deploy("waits", {"main.ts": waits})
        (group,) = done["script"]["registered"]
        assert (group["kind"], group["noun"]) == ("graphql", "GraphQL field")
        assert [entry["name"] for entry in group["entries"]] == ["query first", "query second"]
        await engine.deploy("goes", {"main.ts": goes})
        reply = await ask(engine, "{ first second third }")
        assert reply.json() == {"data": {"first": 1, "second": 2, "third": 3}}


@pytest_twisted.ensureDeferred
async def test_units() -> None:
    """A mutation's fields are committed one by one; one that fails leaves nothing; a query may not write."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        reply = (
            await ask(
                engine, 'mutation { a: add(text: "x") b: add(text: "bad") c: add(text: "boom") d: add(text: "y") }'
            )
        ).json()
        assert reply["data"] == {"a": 1, "b": None, "c": None, "d": 2}
        bad, boom = reply["errors"]
        assert (bad["message"], bad["path"], bad["locations"]) == ("No such text", ["b"], [{"line": 1, "column": 30}])
        assert bad["extensions"] == {"code": "BAD_USER_INPUT", "status": 422, "details": {"field": "text"}}
        assert (boom["message"], boom["extensions"]["code"]) == ("boom", "SCRIPT_FAILED")
        assert boom["extensions"]["stacktrace"]
        assert (await ask(engine, "{ sneaky count }")).json()["data"] == {"sneaky": None, "count": 2}
        assert (await ask(engine, "{ open }")).json()["data"] == {"open": 3}
        assert await codes(engine, "{ coded }") == ["TEAPOT"]


@pytest.mark.setting("errors.show_source")
@pytest_twisted.ensureDeferred
async def test_what_authors_may_read(tmp_path: Path) -> None:
    """In development a client reads what a script threw, and where."""
    settings = settings_for(tmp_path, errors=ErrorSettings(show_source=True))
    async with running_engine(settings) as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        reply = await ask(engine, "{ fails }")
        assert "secret" in reply.text
        assert "main.ts" in reply.text


@pytest_twisted.ensureDeferred
async def test_what_others_may_read(tmp_path: Path) -> None:
    """Outside of development nobody reads what a script threw, but for what it says to clients."""
    settings = settings_for(tmp_path, errors=ErrorSettings(show_source=False))
    async with running_engine(settings) as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        for query in ("{ fails }", '{ fails hello(name: "x") }'):
            reply = await ask(engine, query)
            assert "secret" not in reply.text
            assert "main.ts" not in reply.text
            assert reply.json()["errors"][0]["extensions"]["code"] == "SCRIPT_FAILED"
        assert await codes(engine, 'mutation { add(text: "bad") }') == ["BAD_USER_INPUT"]
        logs = (await engine.api("GET", "/logs?uri=a")).json()["lines"]
        assert sum("a secret" in line["message"] for line in logs) == 2


@pytest.mark.setting("graphql.introspection", "graphql.max_tokens")
@pytest_twisted.ensureDeferred
async def test_limits(tmp_path: Path) -> None:
    """What is too deep, too large or too long is refused before anything runs, and what runs too long is ended."""
    settings = settings_for(
        tmp_path, graphql=GraphQLSettings(max_depth=2, max_complexity=20, max_tokens=60, introspection=False)
    )
    settings = replace(settings, limits=replace(settings.limits, cpu_seconds=0.5))
    async with running_engine(settings) as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        assert await codes(engine, "{ notes { author { name } } }") == ["TOO_LARGE"]
        assert await codes(engine, "{ notes(first: 30) { id } }") == ["TOO_LARGE"]
        assert await codes(engine, "query($n: Int) { notes(first: $n) { id } }", variables={"n": 30}) == ["TOO_LARGE"]
        assert await codes(engine, "{ " + "count " * 61 + "}") == ["BAD_USER_INPUT"]
        assert set(await codes(engine, "{ __schema { types { name } } }")) == {"BAD_USER_INPUT"}
        assert await codes(engine, "{ ...A } fragment A on Query { ...A }") == ["TOO_LARGE"]
        assert await codes(engine, "{ endless }") == ["SCRIPT_TIMEOUT"]
        assert (await ask(engine, '{ hello(name: "x") }')).json() == {"data": {"hello": "Hello x"}}


@pytest.mark.setting("graphql.persisted_queries", "graphql.graphiql")
@pytest_twisted.ensureDeferred
async def test_switched_off(tmp_path: Path) -> None:
    """Where the settings say so no document is known by its digest, and browsers are shown no GraphiQL."""
    settings = settings_for(tmp_path, graphql=GraphQLSettings(persisted_queries=False, graphiql=False))
    async with running_engine(settings) as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        query = '{ hello(name: "x") }'
        digest = hashlib.sha256(query.encode()).hexdigest()
        extensions = json.dumps({"persistedQuery": {"version": 1, "sha256Hash": digest}})
        answer = (await engine.request("GET", f"/graphql?{urlencode({'extensions': extensions})}")).json()
        assert answer["errors"][0]["message"] == "PersistedQueryNotSupported"
        reply = await engine.request("GET", "/graphql", {"accept": "text/html"})
        assert reply.headers["content-type"].partition(";")[0] != "text/html"
        assert (await engine.request("GET", "/graphql/graphiql.js")).status == 404


@pytest_twisted.ensureDeferred
async def test_persisted() -> None:
    """A document that was sent with its digest is known by the digest alone; a wrong digest is refused."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        query = '{ hello(name: "x") }'
        digest = hashlib.sha256(query.encode()).hexdigest()
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": digest}}

        async def send(**given: Any) -> Any:
            reply = await engine.request("POST", "/graphql", {"content-type": "application/json"}, json.dumps(given))
            return reply.json()

        assert (await send(extensions=extensions))["errors"][0]["message"] == "PersistedQueryNotFound"
        assert "errors" in await send(query="{ count }", extensions=extensions)
        assert (await send(query=query, extensions=extensions))["data"] == {"hello": "Hello x"}
        assert (await send(extensions=extensions))["data"] == {"hello": "Hello x"}
        assert (await engine.request("GET", f"/graphql?documentId=sha256:{digest}")).json()["data"] == {
            "hello": "Hello x"
        }


@pytest_twisted.ensureDeferred
async def test_incremental() -> None:
    """What is deferred comes in a part of its own, for clients that can read that; others get it all at once."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        query = '{ hello(name: "x") ... @defer { notes { id } } }'
        reply = await ask(engine, query, accept="multipart/mixed")
        assert reply.headers["content-type"] == 'multipart/mixed; boundary="-"'
        parts = [json.loads(part.split("\r\n\r\n", 1)[1]) for part in reply.text.split("\r\n---") if "\r\n\r\n" in part]
        assert parts[0]["data"] == {"hello": "Hello x"}
        assert parts[0]["hasNext"] is True
        assert parts[1]["incremental"][0]["data"] == {"notes": [{"id": "1"}, {"id": "2"}]}
        assert parts[1]["hasNext"] is False
        assert set((await ask(engine, query)).json()["data"]) == {"hello", "notes"}


def _parts(text: str, boundary: str) -> list[Any]:
    return [json.loads(part.split("\r\n\r\n", 1)[1]) for part in text.split(f"--{boundary}") if "\r\n\r\n" in part]


@pytest_twisted.ensureDeferred
async def test_parts_as_in_2022() -> None:
    """A client that names the older format gets it: whole paths, and the index of an item."""
    accept = "multipart/mixed;deferSpec=20220824,application/json"
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        reply = await ask(
            engine,
            '{ hello(name: "x") ... @defer(label: "l") { notes @stream(initialCount: 1) { id } } }',
            accept=accept,
        )
        assert reply.headers["content-type"] == 'multipart/mixed; boundary="-"; deferSpec=20220824'
        parts = _parts(reply.text, "-")
        assert parts[0] == {"data": {"hello": "Hello x"}, "hasNext": True}
        later = [increment for part in parts[1:] for increment in part.get("incremental", ())]
        assert {"data": {"notes": [{"id": "1"}]}, "path": [], "label": "l"} in later
        assert {"items": [{"id": "2"}], "path": ["notes", 1]} in later
        assert [part["hasNext"] for part in parts][-1] is False
        assert not any("pending" in part or "completed" in part for part in parts)


@pytest_twisted.ensureDeferred
async def test_subscription_of_parts(tmp_path: Path) -> None:
    """A subscription over HTTP comes in parts, with a sign of life now and then, and ends with its source."""
    accept = "multipart/mixed;subscriptionSpec=1.0,application/json"
    settings = settings_for(tmp_path)
    settings = replace(settings, live=replace(settings.live, heartbeat_seconds=0.1))
    async with running_engine(settings) as engine:
        await engine.deploy("a", {"main.ts": LIVE})
        reply = await ask(engine, "subscription { count(to: 3) }", accept=accept)
        assert reply.headers["content-type"] == 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'
        assert [part["payload"] for part in _parts(reply.text, "graphql") if part] == [
            {"data": {"count": n}} for n in range(3)
        ]
        assert reply.text.endswith("--graphql--\r\n")
        refused = _parts((await ask(engine, "subscription { barred }", accept=accept)).text, "graphql")
        assert [error["message"] for error in refused[-1]["payload"]["errors"]] == ["not you"]
        address = "/graphql?" + urlencode({"query": "subscription { tick }"})
        response = await engine.open("GET", address, {"accept": accept})
        seen = Seen()
        response.deliverBody(seen)
        await open_subscriptions(engine, 1)
        await until(lambda: b"\r\n\r\n{}\r\n" in seen.data, state=lambda: seen.data)
        transport: Any = seen.transport
        transport.loseConnection()
        await open_subscriptions(engine, 0)


class Seen(Protocol):
    """What came of a body."""

    data = b""

    def dataReceived(self, data: bytes) -> None:
        self.data += data


@pytest.mark.setting("graphql.max_batch")
@pytest_twisted.ensureDeferred
async def test_several_operations(tmp_path: Path) -> None:
    """One request may have several operations, if the setting says so, and each has its own result."""
    body = json.dumps(
        [
            {"query": '{ hello(name: "a") }'},
            {"query": "{ nope }"},
            {"query": 'mutation { add(text: "x") }'},
            {"query": 5},
            {"query": "subscription { tick }"},
        ]
    )
    headers = {"content-type": "application/json"}
    for most, status in ((0, 400), (4, 400), (5, 200)):
        folder = tmp_path / str(most)
        folder.mkdir()
        async with running_engine(settings_for(folder, graphql=GraphQLSettings(max_batch=most))) as engine:
            await engine.deploy("a", {"main.ts": SCRIPT})
            await engine.deploy("b", {"main.ts": 'registerSubscriptionHandler("tick", "tick: Int");'})
            reply = await engine.request("POST", "/graphql", headers, body)
            assert reply.status == status
            if status == 200:
                results = reply.json()
                assert results[0] == {"data": {"hello": "Hello a"}}
                assert results[2] == {"data": {"add": 1}}
                assert [result["errors"][0]["extensions"]["code"] for result in results[1:2] + results[3:]] == [
                    "BAD_USER_INPUT"
                ] * 3
                assert (await engine.request("POST", "/graphql", headers, "[]")).status == 400
                assert (await engine.request("POST", "/graphql", headers, "[5]")).status == 400
                assert (await ask(engine, '{ hello(name: "b") }')).json() == {"data": {"hello": "Hello b"}}


@pytest_twisted.ensureDeferred
async def test_several_scripts() -> None:
    """Scripts share types; a conflict is refused with both owners, and what served goes on."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        more = 'registerQueryHandler("first", "first: Note extend type Note { mood: String }", () => ({ id: 9, mood: "good", by: 3 }));'
        await engine.deploy("b", {"main.ts": more})
        assert (await ask(engine, "{ first { id mood author { name } } count }")).json() == {
            "data": {"first": {"id": "9", "mood": "good", "author": {"name": "author 3"}}, "count": None}
        }
        files = {"files": {"main.ts": '\nregisterQueryHandler("count", "count: String", () => "x");'}}
        refused = await engine.api("PUT", "/script?uri=c", files)
        problem = refused.json()["problems"][0]
        assert refused.status == 422
        assert problem["message"] == 'Query.count is registered by both "a" (main.ts:22) and "c" (main.ts:2).'
        assert (problem["code"], problem["file"], problem["line"]) == ("graphql_conflict", "main.ts", 2)
        unknown = await engine.api(
            "PUT", "/script?uri=c", {"files": {"main.ts": 'registerQueryHandler("x", "x: Notte", () => null);'}}
        )
        assert 'Unknown type "Notte". Did you mean "Note"' in unknown.json()["problems"][0]["message"]
        needed = await engine.api("DELETE", "/script?uri=a")
        assert (needed.status, needed.json()["code"]) == (422, "deployment_refused")
        assert (await ask(engine, "{ count }")).json() == {"data": {"count": None}}
        await engine.api("DELETE", "/script?uri=b")
        assert (await engine.api("DELETE", "/script?uri=a")).status == 204
        assert (await ask(engine, "{ count }")).status == 404


@pytest_twisted.ensureDeferred
async def test_older_names() -> None:
    """Scripts of the older shape run unchanged, and are warned once."""
    old = """
    function init() {
      registerGraphQLQuery("items", "type Query { items: [Item!]! } type Item { name: String! }", "itemsResolver");
      registerGraphQLQuery("item", "type Query { item(name: String): Item } type Item { name: String! }", "itemResolver");
      registerGraphQLMutation("touch", "type Mutation { touch: String }", "touchResolver");
      registerGraphQLSubscription("live", "type Subscription { live: String }", "liveResolver");
    }
    function itemsResolver() { return JSON.stringify([{ name: "a" }]); }
    function itemResolver(args) { return JSON.stringify({ name: args.name }); }
    function touchResolver() { sendSubscriptionMessage("live", "touched"); return JSON.stringify({ as: "text" }); }
    function liveResolver() { return "connected"; }
    """
    async with running_engine() as engine:
        await engine.deploy("old", {"main.js": old})
        reply = await ask(engine, '{ items { name } item(name: "b") { name } }')
        assert reply.json() == {"data": {"items": [{"name": "a"}], "item": {"name": "b"}}}
        events = await subscribe(engine, "subscription { live }")
        await events.until(1)
        assert (await ask(engine, "mutation { touch }")).json() == {"data": {"touch": '{"as":"text"}'}}
        await events.until(2)
        assert [payload["data"]["live"] for _, payload in events.seen] == ["connected", "touched"]
        logs = (await engine.api("GET", "/logs?uri=old")).json()["lines"]
        assert sum("registerGraphQLQuery is an older name" in line["message"] for line in logs) == 1


@pytest_twisted.ensureDeferred
async def test_subscriptions() -> None:
    """Each subscriber gets what is for it, as it has selected; a source of the script's own ends with it."""
    async with shared_engine() as engine:
        await engine.deploy("live", {"main.ts": LIVE})
        tick = await subscribe(engine, "subscription { tick }")
        same = await subscribe(engine, "subscription { tick }")
        mine = await subscribe(engine, "subscription($r: ID) { note(room: $r) { id author } }", {"r": "a"})
        others = await subscribe(engine, 'subscription { note(room: "b") { text } }')
        even = await subscribe(engine, "subscription { even(mod: 3) }")
        old = await subscribe(engine, "subscription { old }")
        await open_subscriptions(engine, 6)
        sent = [
            ["tick", 1],
            ["tick", 2],
            ["note", {"id": 1, "text": "t"}, {"to": {"room": "a"}}],
            ["even", 2],
            ["even", 3],
            ["old", "later"],
        ]
        assert (await engine.request("POST", "/send", None, json.dumps(sent))).status == 200
        assert (await engine.request("POST", "/send?fail=1", None, json.dumps([["tick", 66]]))).status == 500
        assert (await engine.request("POST", "/send", None, json.dumps([["tick", 3]]))).status == 200
        for events, wanted in (
            (tick, [{"tick": 1}, {"tick": 2}, {"tick": 3}]),
            (same, [{"tick": 1}, {"tick": 2}, {"tick": 3}]),
            (mine, [{"note": {"id": "1", "author": "author 1"}}]),
            (even, [{"even": 3}]),
            (old, [{"old": "connected"}, {"old": "later"}]),
        ):
            await events.until(len(wanted))
            assert events.seen == [("next", {"data": data}) for data in wanted]
        assert others.seen == []
        state = (await engine.api("GET", "/state")).json()["graphql"]
        assert (state["subscriptions"], state["responseStreams"]) == (6, 5)
        count = await subscribe(engine, "subscription { count(to: 3) }")
        await count.until(4)
        assert count.seen == [*(("next", {"data": {"count": number}}) for number in range(3)), ("complete", None)]
        breaks = await subscribe(engine, "subscription { breaks }")
        await breaks.until(3)
        assert breaks.seen[0] == ("next", {"data": {"breaks": 1}})
        assert breaks.seen[1][1]["errors"][0]["message"] == "it broke"
        assert breaks.seen[2] == ("complete", None)
        refused = await subscribe(engine, 'subscription { note(room: "x") { id } }')
        await refused.until(2)
        assert refused.seen[0][1]["errors"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest_twisted.ensureDeferred
async def test_subscriptions_through_a_deployment() -> None:
    """A subscription goes on with the new schema, or ends with an error that says why; it never goes quiet."""
    async with shared_engine() as engine:
        await engine.deploy("live", {"main.ts": LIVE})
        tick = await subscribe(engine, "subscription { tick }")
        author = await subscribe(engine, "subscription { note { author } }")
        gone = await subscribe(engine, "subscription { old }")
        await open_subscriptions(engine, 3)
        await gone.until(1)
        changed = LIVE.replace("author: String", "writer: String").replace("Note.author", "Note.writer")
        changed = changed.replace('registerSubscriptionHandler("old", "old: String", () => "connected");', "")
        await engine.deploy("live", {"main.ts": changed})
        await author.until(2)
        await gone.until(3)
        assert author.seen[0][1]["errors"][0]["extensions"]["code"] == "SCHEMA_CHANGED"
        assert author.seen[1] == ("complete", None)
        assert "The subscription has ended" in gone.seen[1][1]["errors"][0]["message"]
        await engine.request("POST", "/send", None, json.dumps([["tick", 3]]))
        await tick.until(1)
        assert tick.seen == [("next", {"data": {"tick": 3}})]
        await engine.api("DELETE", "/script?uri=live")
        await tick.until(3)
        assert tick.seen[1][1]["errors"]
        assert tick.seen[2] == ("complete", None)


@pytest_twisted.ensureDeferred
async def test_the_older_path() -> None:
    """The messages of a subscription come as they were sent, to those whom the resolver lets in."""
    async with shared_engine() as engine:
        await engine.deploy("live", {"main.ts": LIVE})
        tick, note, old, kept = [
            await listen(engine, f"/graphql/subscription/{name}") for name in ("tick", "note", "old", "kept")
        ]
        sent = [
            ["tick", 1],
            ["note", {"id": 1}],
            ["note", {"id": 2}, {"to": {"room": "a"}}],
            ["old", "later"],
            ["kept", 1],
        ]
        await engine.request("POST", "/send", None, json.dumps(sent))
        assert await tick.has(1) == [1]
        assert await note.has(1) == [{"id": 1}]
        assert await old.has(2) == ["connected", "later"]
        assert await kept.has(1) == [1]
        kept.leave()
        await engine.request("POST", "/send", None, json.dumps([["kept", 2]]))
        again = await listen(engine, "/graphql/subscription/kept", {"last-event-id": kept.last_id})
        assert await again.has(1) == [2]
        beat = await listen(engine, "/graphql/subscription/beat")
        assert await beat.has(2) == [1, 2]
        await beat.until(lambda: beat.over is not None)
        refused = await engine.request("GET", "/graphql/subscription/barred")
        assert (refused.status, refused.json()["errors"][0]["message"]) == (403, "not you")
        assert (await engine.request("GET", "/graphql/subscription/even")).status == 400
        assert (await engine.request("GET", "/graphql/subscription/nope")).status == 404
        assert (await engine.request("POST", "/graphql/subscription/tick")).status == 405


needs_packages = pytest.mark.skipif(
    not (NPM_CACHE / "filled").exists(), reason="the npm packages were not fetched; run make test with a network"
)


@needs_packages
@pytest_twisted.ensureDeferred
async def test_audits() -> None:
    """Every audit of GraphQL over HTTP, what must be and what should be, is passed."""
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT})
        program = Program(["audits.mjs", f"{engine.address}/graphql"], client_programs("graphql"))
        try:
            await program.ended.addTimeout(60, reactor)
        finally:
            await program.stop()
        assert [line for line in program.lines if line["type"] != "ok"] == []
        assert len(program.of("ok")) == 61, program.errors


@needs_packages
@pytest_twisted.ensureDeferred
async def test_graphiql(tmp_path: Path) -> None:
    """GraphiQL runs a query and a subscription in Chromium, and asks no other server for anything."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    result = 'document.querySelector(".result-window .view-lines")?.textContent.replaceAll("\\u00a0", " ")'
    run = 'document.querySelector(".graphiql-execute-button")'
    async with shared_engine() as engine:
        await engine.deploy("a", {"main.ts": SCRIPT + LIVE.replace("Note", "Live")})

        def opened(query: str) -> str:
            return f"(location.href = '/graphql?query=' + encodeURIComponent({json.dumps(query)}), true)"

        def clicked(wanted: str) -> str:
            # What is clicked before the editor is there does nothing.
            click = (
                f"if (Date.now() - (window.clickedAt ?? 0) > 2000) {{ window.clickedAt = Date.now(); {run}.click(); }}"
            )
            return f"(() => {{ if (({result} || '').includes({json.dumps(wanted)})) return {result}; {click} }})()"

        editor = "document.querySelector('.graphiql-query-editor .view-lines')"
        ready = f"!!{run} && !!{editor} && {editor}.textContent"
        others = "performance.getEntriesByType('resource').filter((one) => !one.name.startsWith(location.origin) && !one.name.startsWith('data:') && !one.name.startsWith('blob:')).map((one) => one.name)"
        program = Program(
            [
                "browser.mjs", CHROMIUM, str(tmp_path / "profile"), f"{engine.address}/graphql",
                f"!!{run}",
                opened('{ hello(name: "browser") }'),
                f"({ready} || '').includes('browser')",
                clicked("Hello browser"),
                opened("subscription { count(to: 2) }"),
                f"({ready} || '').includes('count')",
                clicked('"count": 1'),
                f"[{others}]",
            ],
            client_programs(),
        )  # fmt: skip
        try:
            await program.ended.addTimeout(120, reactor)
        finally:
            await program.stop()
        assert len(program.lines) == 8, (program.lines, program.errors)
        assert "Hello browser" in program.lines[3]
        assert program.lines[7] == [[]]


@pytest_twisted.ensureDeferred
async def test_coming_back() -> None:
    """A client that was cut off gets what was sent meanwhile, across a deployment, or is told what is not kept."""
    path = "/graphql/sse?" + urlencode({"query": "subscription { kept }"})

    def seen(client: Client) -> list[Any]:
        return [
            event["event"] if event["event"] != "next" else json.loads(event["data"])["data"]["kept"]
            for event in client.events
        ]

    async with shared_engine() as engine:
        await engine.deploy("live", {"main.ts": LIVE})

        async def send(*numbers: int) -> None:
            await engine.request("POST", "/send", None, json.dumps([["kept", number] for number in numbers]))

        stays, early, goes = [await listen(engine, path) for _ in range(3)]
        # Who is cut off before anything came has a place to come back to, too.
        await early.until(lambda: early.last_id != "")
        began = early.last_id
        early.leave()
        await send(1, 2)
        await goes.has(2)
        goes.leave()
        await open_subscriptions(engine, 1)
        await send(3)
        await engine.deploy("live", {"main.ts": LIVE + "// anew"})
        await send(4)
        back = await listen(engine, path, {"last-event-id": goes.last_id})
        first = await listen(engine, path, {"last-event-id": began})
        await send(5)
        await back.has(3)
        await first.has(5)
        await stays.has(5)
        assert (seen(back), seen(first), seen(stays)) == ([3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
        assert (await engine.api("GET", "/state")).json()["graphql"]["responseStreams"] == 1
        await send(6, 7)
        late = await listen(engine, path, {"last-event-id": began})
        strange = await listen(engine, path, {"last-event-id": "another-life-3"})
        await late.has(6)
        await strange.has(6)
        assert (seen(late), seen(strange)) == (["gap", 3, 4, 5, 6, 7], ["gap", 3, 4, 5, 6, 7])


OLDER_WAY = """
registerGraphQLSubscription("news", "type Subscription { news: Note } type Note { id: Int }", "newsResolver");
function newsResolver() { return undefined; }
registerGraphQLQuery("numbers", "type Query { numbers: [Int!]! }", "numbersResolver");
function numbersResolver() { return JSON.stringify([1, 2, 3]); }
registerGraphQLQuery("text", "type Query { text: String }", "textResolver");
function textResolver() { return "[1]"; }
registerWebHandler("/tell", (req) => {
  sendStreamMessageToPath("/graphql/subscription/" + (req.query.to ?? "news"), { id: 7 });
  console.log("told");
  return "sent";
}, "POST");
registerWebHandler("/log", () => listLogs());
registerWebHandler("/fail", () => { console.log("about to fail"); throw new Error("no"); });
"""


@pytest_twisted.ensureDeferred
async def test_older_ways() -> None:
    """A message to the older path reaches subscribers, JSON text is a list, and a script reads only its own lines."""
    async with shared_engine() as engine:
        await engine.deploy("old", {"main.js": OLDER_WAY})
        client = await listen(engine, "/graphql/sse?" + urlencode({"query": "subscription { news { id } }"}))
        await open_subscriptions(engine, 1)
        assert (await engine.request("POST", "/tell")).text == "sent"
        await client.has(1)
        assert json.loads(client.events[0]["data"]) == {"data": {"news": {"id": 7}}}
        client.leave()
        unknown = await engine.request("POST", "/tell?to=new")
        assert (unknown.status, "did you mean news?" in unknown.text) == (500, True)
        assert (await ask(engine, "{ numbers text }")).json() == {"data": {"numbers": [1, 2, 3], "text": "[1]"}}
        assert (await engine.request("GET", "/fail")).status == 500
        answer = (await engine.request("GET", "/log")).json()
        assert [line for line in answer if "older name" not in line] == ["told", "about to fail"]
        logged = (await engine.api("GET", "/logs?uri=old")).text
        assert "The script threw" in logged
