"""What scripts store: kv, sharedStorage, personalStorage."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from aiwebengine.features.storage.settings import StorageSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for, shared_engine
from tests.support.waiting import until

SCRIPT = """
registerWebHandler("/do", async (req) => {
  const out: unknown[] = [];
  for (const [call, ...args] of JSON.parse(req.body)) {
    try {
      out.push(await (kv as any)[call](...args) ?? null);
    } catch (error: any) {
      out.push({ error: error.code, message: error.message });
    }
  }
  if (req.query.fail === "throw") throw new Error("it failed");
  if (req.query.fail === "http") throw httpError(400, "no");
  if (req.query.fail === "returned") return httpError(400, "no");
  return out;
}, "POST");
registerWebHandler("/count", async () => {
  const before = (await kv.get<number>("counter")) ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 3));
  await kv.set("counter", before + 1);
  return before + 1;
}, "POST");
registerWebHandler("/add", async () => kv.increment("sum", 2), "POST");
registerWebHandler("/update", async () => kv.update<number[]>("list", (list = []) => [...list, list.length]), "POST");
registerWebHandler("/shared", (req) => {
  const out: unknown[] = [];
  for (const [call, ...args] of JSON.parse(req.body)) {
    try {
      out.push(call === "length" ? sharedStorage.length : (sharedStorage as any)[call](...args) ?? null);
    } catch (error: any) {
      out.push(error.code);
    }
  }
  return out;
}, "POST");
registerWebHandler("/mine", () => personalStorage.getItem("x"));
registerWebHandler("/watch", () => (async function* () {
  for await (const change of kv.watch("watched")) {
    yield JSON.stringify(change.value ?? null) + "\\n";
    if (change.value === 3) break;
  }
  yield "over\\n";
})());
registerWebHandler("/watch-all", () => (async function* () {
  let left = 2;
  for await (const change of kv.watch({ prefix: "w/" })) {
    yield change.key + "=" + JSON.stringify(change.value ?? null) + "\\n";
    if (--left === 0) return;
  }
})());
"""


async def _do(engine: EngineUnderTest, *calls: list[Any], query: str = "") -> Any:
    reply = await engine.request("POST", f"/do{query}", {}, json.dumps(calls))
    return reply.json() if reply.status == 200 else reply.status


async def _shared(engine: EngineUnderTest, *calls: list[Any]) -> Any:
    return (await engine.request("POST", "/shared", {}, json.dumps(calls))).json()


@pytest_twisted.ensureDeferred
async def test_kv() -> None:
    """Values of every kind are written, read, listed and removed; an invocation sees its own writes at once."""
    async with shared_engine() as engine:
        await engine.deploy("store", {"main.ts": SCRIPT})
        value = {"a": [1, None, "\\u00e9\\u0000"], "b": {"c": True}}
        done = await _do(
            engine, ["get", "k"], ["set", "k", value], ["get", "k"], ["delete", "k"], ["get", "k"], ["set", "k", value]
        )
        assert [done[0], done[2], done[3], done[4]] == [None, value, True, None]
        [read, versioned] = await _do(engine, ["get", "k"], ["getWithVersion", "k"])
        assert read == value == versioned["value"]
        assert versioned["version"] == done[5]
        stale, fresh, none = await _do(
            engine,
            ["set", "k", 1, {"ifVersion": "x"}],
            ["set", "k", 2, {"ifVersion": versioned["version"]}],
            ["set", "new", 1, {"ifVersion": None}],
        )
        assert stale["error"] == "conflict"
        assert isinstance(fresh, str)
        assert isinstance(none, str)
        for number in range(7):
            await _do(engine, ["set", f"l/{number}", number])
        page = (await _do(engine, ["set", "l/25", 25], ["delete", "l/3"], ["list", {"prefix": "l/", "limit": 4}]))[2]
        assert [entry["key"] for entry in page["entries"]] == ["l/0", "l/1", "l/2", "l/25"]
        rest = (await _do(engine, ["list", {"prefix": "l/", "limit": 4, "cursor": page["cursor"]}]))[0]
        assert ([entry["value"] for entry in rest["entries"]], rest["cursor"]) == ([4, 5, 6], None)


@pytest_twisted.ensureDeferred
async def test_large_entries_in_pages() -> None:
    """A page has no more than 1 MiB of entries, though more were asked for; the cursor leads to all of them."""
    source = """
    registerWebHandler("/pages", async () => {
      for (let i = 0; i < 4; i++) await kv.set("large/" + i, "x".repeat(400_000));
      const pages: number[] = [];
      let cursor: string | null = null;
      do {
        const page = await kv.list({ prefix: "large/", cursor });
        pages.push(page.entries.length);
        cursor = page.cursor;
      } while (cursor !== null);
      return pages;
    });
    registerWebHandler("/lines", () => {
      for (let i = 0; i < 100; i++) console.log(i + "z".repeat(15_000));
      return listLogs().map((line) => parseInt(line));
    });
    """
    async with shared_engine() as engine:
        await engine.deploy("pages", {"main.ts": source})
        assert (await engine.request("GET", "/pages")).json() == [2, 2]
        lines = (await engine.request("GET", "/lines")).json()
        assert lines == list(range(100 - len(lines), 100))
        assert len(lines) == 69


@pytest_twisted.ensureDeferred
async def test_refusals() -> None:
    """What cannot be stored is refused in words, and nothing else suffers."""
    async with shared_engine() as engine:
        await engine.deploy("store", {"main.ts": SCRIPT})
        codes = await _do(
            engine,
            ["set", "", 1],
            ["set", "x" * 256, 1],
            ["set", "a\nb", 1],
            ["set", "k"],
            ["set", "k", 1, {"ttl": "soon"}],
            ["set", "k", 1, {"tll": "1s"}],
            ["set", "big", "x" * 1_100_000],
            ["list", {"limit": 0}],
            ["set", "word", "x"],
            ["increment", "word"],
        )
        assert [code.get("error") if isinstance(code, dict) else "stored" for code in codes] == [
            "invalid", "invalid", "invalid", "invalid", "invalid", "invalid", "too_large", "invalid", "stored", "invalid",
        ]  # fmt: skip
        assert "max_value_bytes" in codes[6]["message"]


@pytest_twisted.ensureDeferred
async def test_only_with_the_handler() -> None:
    """What a handler has written stays only if it returned; a thrown httpError rolls back, a returned one does not."""
    async with shared_engine() as engine:
        await engine.deploy("store", {"main.ts": SCRIPT})
        for how, kept in (("throw", None), ("http", None), ("returned", "returned")):
            await _do(engine, ["set", "k", how], query=f"?fail={how}")
            assert await _do(engine, ["get", "k"]) == [kept]


@pytest_twisted.ensureDeferred
async def test_everybody_counts() -> None:
    """However many handlers change one key at the same time, none of them is lost."""
    async with shared_engine() as engine:
        await engine.deploy("store", {"main.ts": SCRIPT})
        for path, key, wanted in (("/count", "counter", 20), ("/add", "sum", 40), ("/update", "list", list(range(20)))):
            asked = [Deferred.fromCoroutine(engine.request("POST", path)) for _ in range(20)]
            replies = [await request for request in asked]
            assert {reply.status for reply in replies} == {200}, [reply.text for reply in replies]
            assert await _do(engine, ["get", key]) == [wanted]


@pytest_twisted.ensureDeferred
async def test_expiry_and_restart() -> None:
    """An entry with a ttl is gone after its time; all others are there after a restart."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_engine(settings_for(Path(folder))) as engine:
            await engine.deploy("store", {"main.ts": SCRIPT})
            # In one invocation, however slow the machine is: to it time stands still.
            done = await _do(engine, ["set", "stays", 1], ["set", "goes", 1, {"ttl": 150}], ["get", "goes"])
            assert done[-1] == 1

            async def gone() -> bool:
                return (await _do(engine, ["get", "goes"], ["list"]))[0] is None

            await until(gone)
            await _shared(engine, ["setItem", "a", "1"])
        async with running_engine(settings_for(Path(folder))) as engine:
            assert await _do(engine, ["get", "stays"]) == [1]
            assert await _shared(engine, ["getItem", "a"]) == ["1"]


@pytest_twisted.ensureDeferred
async def test_storages() -> None:
    """The storages are those of the Web Storage standard, for texts alone, and personal ones for somebody."""
    async with shared_engine() as engine:
        await engine.deploy("store", {"main.ts": SCRIPT})
        await engine.deploy("other", {"main.ts": SCRIPT.replace('"/', '"/other/')})
        assert await _shared(
            engine, ["getItem", "a"], ["setItem", "b", "2"], ["setItem", "a", 1], ["setItem", "o", {"x": 1}], ["length"], ["key", 0],
            ["key", 1], ["key", 2], ["length"], ["getItem", "a"], ["removeItem", "b"], ["length"],
        ) == [None, None, None, "invalid", "unsupported", "a", "b", None, 2, "1", None, 1]  # fmt: skip
        assert await _shared(engine, ["getItem", "a"], ["getItem", "b"], ["clear"], ["length"]) == ["1", None, None, 0]
        assert await _shared(engine, ["getItem", "a"]) == [None]
        mine = await engine.request("GET", "/mine")
        assert (mine.status, mine.json()["code"]) == (500, "script_failed")
        assert "personalStorage belongs to the signed-in user" in mine.json()["detail"]


class _Watching(Protocol):
    """Reads an answer that goes on."""

    def __init__(self) -> None:
        self.text = ""
        self.over = False

    def dataReceived(self, data: bytes) -> None:
        self.text += data.decode()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.over = True


@pytest_twisted.ensureDeferred
async def test_watch() -> None:
    """Who watches a key sees what it holds and the newest after each commit; who watches a prefix sees what changes."""
    async with shared_engine() as engine:
        await engine.deploy("store", {"main.ts": SCRIPT})
        watching, others = _Watching(), _Watching()
        (await engine.open("GET", "/watch")).deliverBody(watching)
        (await engine.open("GET", "/watch-all")).deliverBody(others)

        async def watches() -> int:
            return int((await engine.api("GET", "/state")).json()["watches"]["watches"])

        async def some() -> bool:
            return await watches() == 2

        async def none() -> bool:
            return await watches() == 0

        await until(some)
        await _do(engine, ["set", "watched", 0], query="?fail=throw")
        for number in (1, 3):
            await _do(engine, ["set", "watched", number], ["set", f"w/{number}", number])
            await until(lambda number=number: f"{number}\n" in watching.text, state=lambda: watching.text)
            await until(lambda number=number: f"w/{number}=" in others.text, state=lambda: others.text)
        await until(lambda: watching.over and others.over, state=lambda: (watching.text, others.text))
        assert watching.text == "null\n1\n3\nover\n"
        assert others.text == "w/1=1\nw/3=3\n"
        await until(none)


@pytest.mark.setting("storage.max_bytes", "storage.max_entries")
@pytest_twisted.ensureDeferred
async def test_quota() -> None:
    """A script stores no more than it may, and what it replaces counts once."""
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(Path(folder), storage=StorageSettings(max_bytes=2048, max_entries=5))
        async with running_engine(settings) as engine:
            await engine.deploy("store", {"main.ts": SCRIPT})
            await _do(engine, ["set", "a", "x" * 1500])
            assert (await _do(engine, ["set", "b", "x" * 1500]))[0]["error"] == "too_large"
            assert isinstance((await _do(engine, ["set", "a", "y" * 1900]))[0], str)
            done = await _do(engine, *[["set", f"k{number}", 1] for number in range(6)])
            assert [isinstance(result, str) for result in done] == [True] * 4 + [False] * 2
            await _do(engine, ["delete", "a"])
            assert isinstance((await _do(engine, ["set", "b", "x" * 1500]))[0], str)


@pytest_twisted.ensureDeferred
async def test_top_level() -> None:
    """What the top level stores is kept with the deployment, once, and not by one that is refused."""
    source = 'kv.set("made", 1).then(() => undefined);\nsharedStorage.setItem("by", "top");\n' + SCRIPT
    async with shared_engine() as engine:
        checked = await engine.api("POST", "/check?uri=store", {"files": {"main.ts": source}})
        assert checked.json()["ok"], checked.text
        await engine.deploy("store", {"main.ts": SCRIPT})
        assert await _do(engine, ["get", "made"]) == [None]
        await engine.deploy("store", {"main.ts": source})
        assert await _do(engine, ["get", "made"]) == [1]
        assert await _shared(engine, ["getItem", "by"]) == ["top"]
