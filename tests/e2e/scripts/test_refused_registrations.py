"""What a script registers wrongly: all of it is told at once, each at its place."""

from __future__ import annotations

import pytest_twisted

from tests.support.engine import shared_engine

WRONG = """\
const options = { timout: 5 };
console.log("loaded");
registerWebHandler("/a", () => "a", { timout: "2s" });
registerWebHandler("/b/*x/y", () => "b");
registerWebHandler("/c", async (req) => {
  return `x ${req.query.a ? `{${1}` : "}"} ${/[}"']/.test("x")}`;
}, {
  // a comment ) }
  method: "GTE",
});
registerWebHandler("/d", () => "d", options);
registerWebHandler("/e", "handlr");
registerWebHandler("/f", 42);
registerWebHandler("/g", () => 1, { body: { type: "strng" } });
registerWebHandler("/h", () => 1, { tags: ["x"], limits: { cpu: "900s" } });
registerWebStream("/s", { history: -1 });
registerWebSocket("/w", { opne() {} });
registerQueryHandler("q", "q: Strin!!g", () => 1);
registerFieldHandler("Note", () => 1, { batch: true });
registerScalar("Day", { parse: 7 });
use(5);
registerWebHandler("/i", () => 1, "FOO");
registerWebHandler("/fine", () => 1);
function handler() {}
"""

MARKED = {
    3: "timout:", 4: '"/b', 9: "method:", 11: "registerWebHandler(", 12: '"handlr"', 13: "42", 14: "body:",
    15: "limits:", 16: "history:", 17: "opne()", 18: '"q: Strin', 19: '"Note"', 20: "parse:", 21: "5)", 22: '"FOO"',
}  # fmt: skip
"""Line of each wrong registration, and what stands at the mark."""


@pytest_twisted.ensureDeferred
async def test_every_problem_at_once() -> None:
    """Each call that registers something wrongly is told, with its line and column; nothing of the script serves."""
    async with shared_engine() as engine:
        refused = await engine.api("PUT", "/script?uri=wrong", {"files": {"main.ts": WRONG}})
        assert refused.status == 422
        problems = refused.json()["problems"]
        lines = WRONG.split("\n")
        assert [problem["file"] for problem in problems] == ["main.ts"] * len(MARKED)
        marks = {problem["line"]: lines[problem["line"] - 1][problem["column"] - 1 :] for problem in problems}
        assert set(marks) == set(MARKED), problems
        assert [line for line, mark in marks.items() if not mark.startswith(MARKED[line])] == []
        assert all(problem["snippet"] == lines[problem["line"] - 1] for problem in problems)
        assert f"There are {len(MARKED)} problems" in refused.json()["detail"]
        assert (await engine.request("GET", "/fine")).status == 404
        logged = (await engine.api("GET", "/logs?uri=wrong")).json()["lines"]
        assert [line["message"] for line in logged] == ["loaded"], "the second load is not logged again"


@pytest_twisted.ensureDeferred
async def test_caught_and_thrown() -> None:
    """What the script catches is no problem, and an error that is no refusal is told beside those that are."""
    source = """\
try { registerWebHandler("/a", 1); } catch { console.log("caught"); }
registerWebHandler("/b", 2);
registerWebHandler("/c", 3);
function init() { throw new TypeError("something else"); }
"""
    async with shared_engine() as engine:
        problems = (await engine.api("PUT", "/script?uri=caught", {"files": {"main.js": source}})).json()["problems"]
        assert [(problem["line"], problem["message"].split(";")[-1]) for problem in problems] == [
            (2, " 2 was given."),
            (3, " 3 was given."),
            (4, "TypeError: something else"),
        ]
        alone = source.replace(", 2);", ", () => 2);").replace(", 3);", ", () => 3);").replace("throw", "return;throw")
        deployed = await engine.api("PUT", "/script?uri=caught", {"files": {"main.js": alone}})
        assert deployed.status == 201
        assert [warning["code"] for warning in deployed.json()["warnings"]] == ["registration_refused"]
        assert (await engine.request("GET", "/c")).json() == 3
