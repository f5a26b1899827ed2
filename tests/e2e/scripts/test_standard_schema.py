"""Schemas of packages in the options of a route, asked in the script."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json

import pytest_twisted

from tests.support.engine import Reply, running_engine

SCRIPT = """
type Issue = { message: string; path?: unknown[] };
function schema(check: (value: any) => unknown) {
  return { "~standard": { version: 1 as const, vendor: "mine", validate: check } };
}
const Note = schema((value) => {
  const issues: Issue[] = [];
  if (typeof value.text !== "string") issues.push({ message: "text is needed", path: ["text"] });
  if (value.tags && !Array.isArray(value.tags)) issues.push({ message: "a list is needed", path: [{ key: "tags" }, "a/b"] });
  return issues.length > 0 ? { issues } : { value: { text: value.text.trim(), made: true } };
});
const Page = schema(async (query) => {
  await Promise.resolve();
  const page = Number(query.page ?? 1);
  return page > 0 ? { value: { page } } : { issues: [{ message: "page begins with 1", path: ["page"] }] };
});
const asFunction = Object.assign((value: unknown) => value, Note);

registerWebHandler("/notes", (req) => ({ data: req.data, query: req.query }), { method: "POST", body: Note, query: Page });
registerWebHandler("/function", (req) => req.data, { method: "POST", body: asFunction });
registerWebHandler("/params/:id", (req) => req.params, { params: schema((value) => ({ value: { id: Number(value.id) } })) });
registerWebHandler("/throws", () => 1, { query: schema(() => { throw new Error("the schema is broken"); }) });
registerWebHandler("/nonsense", () => 1, { query: schema(() => 7) });
registerWebHandler("/both", (req) => req.data, {
  method: "POST",
  body: Note,
  query: { type: "object", required: ["key", "page"] },
  middleware: (req, _ctx, next) => (req.query.key === "open" ? next() : httpError(403, "No.")),
});
"""


def _refusal(reply: Reply) -> tuple[int, list[dict[str, str]]]:
    return reply.status, reply.json()["violations"]


@pytest_twisted.ensureDeferred
async def test_standard_schemas() -> None:
    """What a schema accepts is what the handler gets; what it refuses is told place by place, as for a JSON Schema."""
    async with running_engine() as engine:
        await engine.deploy("notes", {"main.ts": SCRIPT})

        async def post(path: str, body: object) -> Reply:
            return await engine.request("POST", path, {"content-type": "application/json"}, json.dumps(body))

        done = await post("/notes?page=2", {"text": " a ", "more": 1})
        assert done.json() == {"data": {"text": "a", "made": True}, "query": {"page": 2}}
        assert (await post("/function", {"text": "b"})).json() == {"text": "b", "made": True}
        assert (await engine.request("GET", "/params/7")).json() == {"id": 7}
        assert _refusal(await post("/notes", {"tags": 1})) == (
            400,
            [
                {"in": "body", "pointer": "/text", "message": "text is needed"},
                {"in": "body", "pointer": "/tags/a~1b", "message": "a list is needed"},
            ],
        )
        assert _refusal(await post("/notes?page=0", {"text": "a"})) == (
            400,
            [{"in": "query", "pointer": "/page", "message": "page begins with 1"}],
        )
        no_json = await engine.request("POST", "/notes", {}, "{")
        assert no_json.status == 400
        for path in ("/throws", "/nonsense"):
            assert (await engine.request("GET", path)).json()["code"] == "script_failed"
        # The middleware is first, then the JSON Schema, then the other.
        assert (await post("/both", {"text": "a"})).status == 403
        assert (await post("/both?key=shut", {})).status == 403
        assert _refusal(await post("/both?key=open", {}))[1][0]["in"] == "query"
        assert _refusal(await post("/both?key=open&page=1", {}))[1][0]["in"] == "body"
        assert (await post("/both?key=open&page=1", {"text": "a"})).json()["text"] == "a"
