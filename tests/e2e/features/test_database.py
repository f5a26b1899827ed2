"""`database`: tables of a script's own, in a running engine."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from aiwebengine.features.database.settings import DatabaseSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for, shared_engine

SCHEMA = """
database.schema({
  users: { id: "id", name: { type: "string", unique: true }, boss: { references: "users", optional: true } },
  notes: {
    id: "id",
    text: "text",
    author: { references: "users", onDelete: "cascade" },
    stars: { type: "integer", optional: true },
    price: { type: "decimal(10,2)", default: "1.50" },
    big: { type: "bigint", optional: true },
    at: { type: "timestamp", default: "now" },
    day: { type: "date", optional: true },
    done: { type: "boolean", default: false },
    meta: { type: "json", optional: true },
    data: { type: "bytes", optional: true },
  },
});
"""
SCRIPT = (
    SCHEMA
    + """
const tests: Record<string, (req: any) => unknown> = {
  types: async () => {
    const [ada] = await database.table("users").insert([{ name: "ada" }]);
    const sent = { text: "t", author: ada.id, stars: 3, price: "12.5", at: new Date(1700000000123), day: "2026-02-28", done: true, meta: { d: 5, tags: ["x"] }, data: new Uint8Array([0, 1, 255]) };
    const note = await database.table("notes").insert(sent);
    const again = await database.table("notes").get(note.id);
    return { ...again, at: again.at.toISOString(), isDate: again.at instanceof Date, data: Array.from(again.data), isBytes: again.data instanceof Uint8Array, same: again.price === note.price };
  },
  builder: async () => {
    const users = database.table("users"), notes = database.table("notes");
    const [ada, bob] = await users.insert([{ name: "ada" }, { name: "bob" }]);
    await users.where({ name: "bob" }).update({ boss: ada.id });
    await notes.insert([{ text: "one", author: ada.id, stars: 5, meta: { tags: ["x", "y"] } }, { text: "two", author: ada.id }, { text: "three", author: bob.id, stars: 1 }]);
    return {
      where: (await notes.where({ stars: { gte: 2 } })).map((n) => n.text),
      list: (await notes.where({ text: ["one", "three"] }).orderBy("-id")).map((n) => n.text),
      or: (await notes.where({ or: [{ stars: 1 }, { stars: null }] }).orderBy("id")).map((n) => n.text),
      not: await notes.where({ not: { author: ada.id } }).count(),
      json: (await notes.where({ "meta.tags": { has: "y" } }).select("text", "meta.tags"))[0],
      join: (await notes.join("users", { as: "who", columns: ["name"] }).select("text").orderBy("text"))[0],
      boss: await users.join("users", { as: "chief", on: { boss: "id" }, columns: ["name"] }).select("name").orderBy("name"),
      first: (await notes.where({ text: "none" }).first()),
      exists: await notes.where({ text: "one" }).exists(),
      sum: await notes.sum("stars"),
      groups: await notes.groupBy("author").aggregate({ notes: { count: "*" }, best: { max: "stars" } }),
      bumped: (await notes.where({ text: "one" }).update({ stars: { increment: 2 } }, { returning: true }))[0].stars,
      upserted: (await users.upsert({ name: "ada", boss: bob.id }, { on: "name" })).boss === bob.id,
      deleted: await users.where({ name: "bob" }).update({ boss: null }) + await notes.where({ author: bob.id }).delete(),
      rest: await notes.count(),
    };
  },
  pages: async () => {
    await database.table("users").insert(Array.from({ length: 7 }, (_, i) => ({ name: "u" + i })));
    const pages = [];
    let after = null;
    do {
      const page = await database.table("users").orderBy("-name").page({ limit: 3, after });
      pages.push(page.rows.map((row) => row.name).join());
      after = page.next;
    } while (after);
    const all = [];
    for await (const user of database.table("users").orderBy("name")) { all.push(user.name); if (all.length === 5) break; }
    return { pages, all: all.join() };
  },
  sql: async () => {
    await sql`INSERT INTO users (name) VALUES (${"o'hara"}), (${null ?? "bob"})`;
    const found = await sql`SELECT name, ${true} AS flag, ${new Date(0)} AS at FROM users WHERE name LIKE ${"O'%"}`;
    return { found, named: await database.query("SELECT count(*) AS n FROM users WHERE name <> :name", { name: "bob" }), placed: await database.query("SELECT ? + ? AS sum", [1, 2]) };
  },
  transactions: async () => {
    const names = async () => (await database.table("users").orderBy("id")).map((user) => user.name).join();
    const out = [];
    try {
      await database.transaction(async (tx) => { await tx.table("users").insert({ name: "a" }); throw new Error("undo"); });
    } catch (error) { out.push(error.message); }
    await database.transaction(async (tx) => {
      await tx.table("users").insert({ name: "b" });
      await tx.transaction(async (inner) => { await inner.table("users").insert({ name: "c" }); throw new Error("inner"); }).catch((error) => out.push(error.message));
    });
    await Promise.all(["d", "e"].map((name) => database.transaction(async (tx) => { await tx.table("users").insert({ name }); if (name === "d") throw new Error(name); }).catch((error) => out.push(error.message))));
    return { out, names: await names() };
  },
  conflict: async () => {
    await database.table("users").insert({ name: "ada" });
    try {
      await database.table("users").insert([{ name: "new" }, { name: "ada" }]);
    } catch (error) {
      return { code: error.code, message: error.message, columns: error.details.columns, left: await database.table("users").count() };
    }
  },
  both: async () => { await database.table("users").insert({ name: "both" }); await kv.set("both", 1); sendStreamMessage({}); throw new Error("no"); },
  waits: async () => { await database.table("users").insert({ name: "slow" }); await new Promise((done) => setTimeout(done, 400)); return "done"; },
  increment: async () => {
    await database.table("notes").where({ text: "counter" }).update({ stars: { increment: 1 } });
    return "ok";
  },
  counter: async () => {
    const user = await database.table("users").insert({ name: "counter" });
    return (await database.table("notes").insert({ text: "counter", author: user.id, stars: 0 })).stars;
  },
  stars: async () => (await database.table("notes").where({ text: "counter" }).first()).stars,
  names: async () => (await database.table("users").orderBy("id").select("name")).map((user) => user.name),
  loose: async () => { database.table("users").insert({ name: "loose" }); return "not awaited"; },
  fault: async (req) => {
    const cases: Record<string, () => unknown> = {
      table: () => database.table("note"),
      column: () => database.table("notes").where({ txt: 1 }),
      value: () => database.table("notes").insert({ text: 5, author: 1 }),
      promise: () => database.table("notes").insert({ text: Promise.resolve("x"), author: 1 }),
      undefined: () => database.table("notes").where({ text: undefined }),
      all: () => database.table("notes").delete(),
      syntax: () => database.query("SELEC 1"),
      two: () => database.query("SELECT 1; DELETE FROM users"),
      engine: () => database.query("SELECT * FROM _units"),
      ddl: () => database.query("DROP TABLE users"),
      missing: () => database.table("notes").get(99),
      reference: () => database.table("notes").insert({ text: "x", author: 99 }),
      endless: () => database.query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"),
      rows: () => database.query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20000) SELECT n FROM c"),
      bytes: () => database.query("SELECT hex(zeroblob(2000000)) AS x"),
      parameter: () => database.query("SELECT :a", { b: 1 }),
      late: () => database.schema({ more: { id: "id" } }),
      infinite: () => database.table("notes").insert({ text: "x", author: 1 / 0 }),
    };
    try { await cases[req.query.case](); return "fine"; } catch (error) { return `${error.code}: ${error.message}`; }
  },
};
registerWebHandler("/:test", (req) => tests[req.params.test](req), "POST");
"""
)


async def _call(engine: EngineUnderTest, test: str, **query: str) -> Any:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    reply = await engine.request("POST", f"/{test}{'?' + text if text else ''}")
    return (
        reply.json() if reply.status == 200 and reply.headers["content-type"].startswith("application/json") else reply
    )


@pytest_twisted.ensureDeferred
async def test_values_come_back_as_they_were() -> None:
    """Each type of the vocabulary has one type of JavaScript, there and back."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        note = await _call(engine, "types")
        assert note == {
            "id": 1, "text": "t", "author": 1, "stars": 3, "price": "12.50", "big": None, "at": "2023-11-14T22:13:20.123Z",
            "day": "2026-02-28", "done": True, "meta": {"d": 5, "tags": ["x"]}, "data": [0, 1, 255],
            "isDate": True, "isBytes": True, "same": True,
        }  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_large_integers() -> None:
    """Integers of 64 bits are exact: beyond what numbers hold they are BigInts."""
    schema = 'database.schema({ sums: { id: "id", sum: "bigint" } });\n'
    plain = (
        schema
        + """
    registerWebHandler("/plain", async () => {
      await database.table("sums").insert([{ sum: "9007199254740993" }, { sum: 7 }]);
      return (await database.table("sums").orderBy("id")).map((row) => [typeof row.sum, String(row.sum)]);
    });
    """
    )
    big = (
        schema
        + """
    registerWebHandler("/big", async () => {
      const { id } = await database.table("sums").insert({ sum: 2n ** 62n });
      await database.table("sums").where({ sum: { gt: 2n ** 61n } }).update({ sum: { increment: 1n } });
      const { sum } = await database.table("sums").get(id);
      return { type: typeof sum, next: String(sum + 1n) };
    });
    """
    )
    async with shared_engine() as engine:
        await engine.deploy("plain", {"main.ts": plain})
        assert (await engine.request("GET", "/plain")).json() == [["bigint", "9007199254740993"], ["number", "7"]]
        await engine.deploy("big", {"main.ts": big})
        assert (await engine.request("GET", "/big")).json() == {"type": "bigint", "next": "4611686018427387906"}


@pytest_twisted.ensureDeferred
async def test_builder() -> None:
    """Conditions, joins, groups and writes of the builder."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        assert await _call(engine, "builder") == {
            "where": ["one"],
            "list": ["three", "one"],
            "or": ["two", "three"],
            "not": 1,
            "json": {"text": "one", "meta.tags": ["x", "y"]},
            "join": {"text": "one", "who": {"name": "ada"}},
            "boss": [{"name": "ada", "chief": None}, {"name": "bob", "chief": {"name": "ada"}}],
            "first": None,
            "exists": True,
            "sum": 6,
            "groups": [{"author": 1, "notes": 2, "best": 5}, {"author": 2, "notes": 1, "best": 1}],
            "bumped": 7,
            "upserted": True,
            "deleted": 2,
            "rest": 2,
        }


@pytest_twisted.ensureDeferred
async def test_pages_and_loops() -> None:
    """Long results are read in pages, or in a loop."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        assert await _call(engine, "pages") == {"pages": ["u6,u5,u4", "u3,u2,u1", "u0"], "all": "u0,u1,u2,u3,u4"}


@pytest_twisted.ensureDeferred
async def test_sql() -> None:
    """Values are parameters, however they are given."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        assert await _call(engine, "sql") == {
            "found": [{"name": "o'hara", "flag": 1, "at": "1970-01-01T00:00:00.000Z"}],
            "named": [{"n": 1}],
            "placed": [{"sum": 3}],
        }


@pytest_twisted.ensureDeferred
async def test_transactions() -> None:
    """A part that throws is undone alone; parts at the same time follow each other."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        assert await _call(engine, "transactions") == {"out": ["undo", "inner", "d"], "names": "b,e"}


@pytest_twisted.ensureDeferred
async def test_conflicts() -> None:
    """A row that breaks a rule is refused with all rows of its call, and nothing else."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        assert await _call(engine, "conflict") == {
            "code": "conflict",
            "message": "database.table.insert: there is a row with the same users.name already.",
            "columns": ["users.name"],
            "left": 1,
        }


@pytest_twisted.ensureDeferred
async def test_only_with_the_handler() -> None:
    """What a handler has written is committed when it returns, with its other effects, and undone if it throws."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        assert (await _call(engine, "both")).status == 500
        assert await _call(engine, "names") == []
        assert (await _call(engine, "loose")).text == "not awaited"
        assert await _call(engine, "names") == ["loose"]


@pytest_twisted.ensureDeferred
async def test_everybody_counts() -> None:
    """However many handlers change one row at the same time, none of them is lost."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        await _call(engine, "counter")
        replies = await gatherResults([Deferred.fromCoroutine(_call(engine, "increment")) for _ in range(20)])
        assert {reply.text for reply in replies} == {"ok"}
        assert (await _call(engine, "stars")) == 20


@pytest.mark.parametrize(
    ("case", "part"),
    [
        ("table", 'not_found: database.table: there is no table "note"; did you mean "notes"?'),
        ("column", 'invalid: database.table: there is no column "txt"; did you mean "text"?'),
        ("value", "invalid: database.table.insert: notes.text is of the type text, which takes a string"),
        ("promise", "text is a Promise; write await before it"),
        ("undefined", "invalid: database.table: text is undefined"),
        ("all", "to delete all rows of notes write .all() before it"),
        ("syntax", 'invalid: database.query: near "SELEC": syntax error'),
        ("two", "invalid: database.query: You can only execute one statement at a time"),
        ("engine", "database.query: "),
        ("ddl", "denied: database.query: the statement does what scripts may not do"),
        ("missing", "not_found: database.table.get: there is no such row in notes"),
        ("reference", "conflict: database.table.insert: a row would refer to a row that does not exist"),
        ("rows", "too_many: database.query: there are more than 10,000 rows"),
        ("bytes", "too_large: database.query: the rows have more than 1,048,576 bytes"),
        ("parameter", "invalid: database.query: "),
        ("late", "closed: database.schema: works only at top level and in init"),
        ("infinite", "text is Infinity"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_refusals(case: str, part: str) -> None:
    """What cannot be done is refused in words, and nothing is changed."""
    async with shared_engine() as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        reply = await _call(engine, "fault", case=case)
        if case == "infinite":
            part = part.replace("text", "author")
        assert part in reply.text


@pytest.mark.setting("database.statement_seconds")
@pytest.mark.setting("database.max_rows")
@pytest.mark.setting("database.max_answer_bytes")
@pytest.mark.setting("database.max_wait_seconds")
@pytest.mark.setting("database.max_transaction_seconds")
@pytest_twisted.ensureDeferred
async def test_limits(tmp_path: Path) -> None:
    """A statement that does not end, long answers, and a script that keeps others from writing are ended."""
    limits = DatabaseSettings(statement_seconds=0.05, max_rows=5, max_answer_bytes=2000, max_wait_seconds=0.1)
    async with running_engine(settings_for(tmp_path, database=limits)) as engine:
        await engine.deploy("tables", {"main.ts": SCRIPT})
        assert (
            "timeout: database.query: the statement took longer" in (await _call(engine, "fault", case="endless")).text
        )
        assert "more than 5 rows" in (await _call(engine, "fault", case="rows")).text
        assert "more than 2,000 bytes" in (await _call(engine, "fault", case="bytes")).text
        reply = await _call(engine, "waits")
        assert reply.status == 504
        assert "waited for more than 0.1 s" in reply.text
        assert await _call(engine, "names") == []


@pytest.mark.setting("database.max_transaction_seconds")
@pytest_twisted.ensureDeferred
async def test_long_transactions(tmp_path: Path) -> None:
    """A transaction that lasts too long is undone, though its script goes on asking."""
    source = """
    database.schema({ rows: { id: "id" } });
    registerWebHandler("/long", async () => {
      for (;;) { await database.table("rows").insert({}); await new Promise((done) => setTimeout(done, 20)); }
    });
    registerWebHandler("/count", () => database.table("rows").count());
    """
    limits = DatabaseSettings(max_transaction_seconds=0.3)
    async with running_engine(settings_for(tmp_path, database=limits)) as engine:
        await engine.deploy("long", {"main.ts": source})
        reply = await engine.request("GET", "/long")
        assert (reply.status, "it lasted longer than 0.3 s" in reply.text) == (504, True)
        assert (await engine.request("GET", "/count")).json() == 0


# -- schemas -------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_schema_changes_with_its_deployment() -> None:
    """Deployments create and change tables, keep the rows, and leave everything as it was if they are refused."""

    def version(columns: str, more: str = "") -> str:
        return f"""
        database.schema({{ notes: {{ id: "id", {columns} }} }});
        {more}
        registerWebHandler("/add", (req) => database.table("notes").insert(JSON.parse(req.body)), "POST");
        registerWebHandler("/all", () => database.table("notes"));
        """

    async def add(row: Any) -> Any:
        return (await engine.request("POST", "/add", {}, json.dumps(row))).json()

    async with shared_engine() as engine:
        done = await engine.deploy("tables", {"main.ts": version('text: "string"')})
        shown = [entry for group in done["script"]["registered"] for entry in group["entries"]]
        assert "tables notes" in str(shown)
        await add({"text": "one"})
        await engine.deploy("tables", {"main.ts": version('text: "text", stars: { type: "integer", default: 3 }')})
        assert (await engine.request("GET", "/all")).json() == [{"id": 1, "text": "one", "stars": 3}]
        reply = await engine.api("PUT", "/script?uri=tables", {"files": {"main.ts": version('text: "integer"')}})
        assert reply.status >= 400
        assert "notes.text has the type text; its values cannot be kept as integer" in reply.text
        assert (await add({"text": "two"}))["stars"] == 3
        await engine.deploy("tables", {"main.ts": version('body: { type: "text", renamedFrom: "text" }')})
        rows = (await engine.request("GET", "/all")).json()
        assert [row["body"] for row in rows] == ["one", "two"]


@pytest_twisted.ensureDeferred
async def test_a_load_fills_its_tables() -> None:
    """The top level may write into tables that it declares: with the deployment, once, and not when it is checked."""
    source = """
    database.schema({ words: { id: "id", text: { type: "string", unique: true } } });
    export async function init() {
      if (await database.table("words").exists()) return;
      await database.table("words").insert([{ text: "a" }, { text: "b" }]);
      await sql`CREATE INDEX words_by_length ON words (length(text))`;
      await sql`INSERT INTO words (text) VALUES (${"c"})`;
    }
    registerWebHandler("/indexes", async () => (await sql`SELECT name FROM sqlite_schema WHERE name = 'words_by_length'`).length);
    registerWebHandler("/words", async () => (await database.table("words")).map((word) => word.text).join());
    """
    async with shared_engine() as engine:
        await engine.deploy("words", {"main.ts": source})
        assert (await engine.request("GET", "/words")).text == "a,b,c"
        assert (await engine.request("GET", "/indexes")).json() == 1
        await engine.deploy("words", {"main.ts": source + "// changed"})
        assert (await engine.request("GET", "/words")).text == "a,b,c"


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        ("{ notes: { id: 'id', t: 'txt' } }", 'notes.t: there is no column type \\"txt\\"; did you mean \\"text\\"?'),
        ("{ _notes: { id: 'id' } }", "a table has a name of at most 60 letters"),
        ("5", "the schema is an object"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_wrong_schemas(schema: str, part: str) -> None:
    """A wrong declaration refuses the deployment, with its place."""
    async with shared_engine() as engine:
        reply = await engine.api("PUT", "/script?uri=wrong", {"files": {"main.ts": f"\ndatabase.schema({schema});"}})
        assert reply.status >= 400
        assert part in reply.text
        assert "main.ts" in reply.text


@pytest_twisted.ensureDeferred
async def test_scripts_have_databases_of_their_own() -> None:
    """Two scripts may have tables of the same name, and know nothing of each other's."""
    async with shared_engine() as engine:
        for name in ("one", "two"):
            source = f"""
            database.schema({{ rows: {{ id: "id", text: "string" }} }});
            registerWebHandler("/{name}", async () => {{ await database.table("rows").insert({{ text: "{name}" }}); return database.table("rows"); }});
            """
            await engine.deploy(name, {"main.ts": source})
        for name in ("one", "two"):
            assert (await engine.request("GET", f"/{name}")).json() == [{"id": 1, "text": name}]
