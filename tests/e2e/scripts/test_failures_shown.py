"""What the author of a script is shown of its failures, in development."""

from __future__ import annotations

import pytest_twisted

from tests.support.engine import shared_engine

SCRIPT = """\
function read(id: number): never {
  throw Object.assign(new Error("no note " + id), { code: "ENOENT" });
}
function load(): never {
  try {
    read(3);
  } catch (error) {
    throw Object.assign(new TypeError("<b> cannot load", { cause: error }), { detail: { id: 3 } });
  }
  throw new Error("unreachable");
}
registerWebHandler("/one", load, "GET");
registerWebHandler("/all", () => { throw new AggregateError([new Error("first"), new RangeError("second")], "both failed"); }, "GET");
registerQueryHandler("one", "one: Int", load);
"""  # noqa: E501  a line of the script is one line
TRACE = [
    "    at load (main.ts:8)",
    "    { detail: { id: 3 } }",
    "caused by: Error: no note 3",
    "    at read (main.ts:2)",
    "    at load (main.ts:6)",
    '    { code: "ENOENT" }',
]


@pytest_twisted.ensureDeferred
async def test_causes_and_members() -> None:
    """An answer, a page, GraphQL and the log show an error's own members and what caused it."""
    async with shared_engine() as engine:
        await engine.deploy("failing", {"main.ts": SCRIPT})
        document = (await engine.request("GET", "/one")).json()
        assert [(frame["file"], frame["line"], frame["function"]) for frame in document["stack"]] == [
            ("main.ts", 8, "load")
        ]
        assert document["trace"] == TRACE
        page = (await engine.request("GET", "/one", headers={"accept": "text/html"})).text
        assert "&lt;b&gt; cannot load" in page
        assert "caused by: Error: no note 3\n    at read (main.ts:2)" in page
        reply = await engine.request(
            "POST", "/graphql", body='{"query": "{ one }"}', headers={"content-type": "application/json"}
        )
        assert reply.json()["errors"][0]["extensions"]["stacktrace"] == TRACE
        lines = (await engine.api("GET", "/logs?uri=failing")).json()["lines"]
        assert any("\n".join(TRACE) in line["message"] for line in lines)


@pytest_twisted.ensureDeferred
async def test_gathered_errors() -> None:
    """Each error that an AggregateError gathers is shown with its place."""
    async with shared_engine() as engine:
        await engine.deploy("failing", {"main.ts": SCRIPT})
        document = (await engine.request("GET", "/all")).json()
        assert document["trace"] == [
            "    at (anonymous) (main.ts:13)",
            "errors[0]: Error: first",
            "    at (anonymous) (main.ts:13)",
            "errors[1]: RangeError: second",
            "    at (anonymous) (main.ts:13)",
        ]


AWAITING = """\
async function store(): Promise<number> {
  const size = 1;
  await kv.set("k", { p: Promise.resolve() });
  return size;
}
registerWebHandler("/await", async () => {
  await store();
}, "GET");
function inner(): never { throw new Error("x"); }
function outer() { return inner(); }
registerWebHandler("/return", () => {
  return outer();
}, "GET");
const again = (n: number): number => again(n + 1);
registerWebHandler("/again", () => again(0), "GET");
"""


@pytest_twisted.ensureDeferred
async def test_returned_calls() -> None:
    """A function that awaits a call, or returns what another one returns, is in the stack with its line."""
    async with shared_engine() as engine:
        await engine.deploy("failing", {"main.ts": AWAITING})
        assert (await engine.request("GET", "/await")).json()["trace"] == ["    at store (main.ts:3)"]
        assert (await engine.request("GET", "/return")).json()["trace"] == [
            "    at inner (main.ts:9)",
            "    at outer (main.ts:10)",
            "    at (anonymous) (main.ts:12)",
        ]
        document = (await engine.request("GET", "/again")).json()
        assert document["detail"] == "The script threw RangeError: Maximum call stack size exceeded"
        assert document["trace"][0] == "    at again (main.ts:14)"
