"""Answers of GraphQL compared with what graphql-js answers; `tests/support/tables/graphql_words.mjs` asked it."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
import re
from typing import Any

import pytest_twisted

from tests.support.engine import shared_engine
from tests.support.reading.rendered import ROOT

TABLE = json.loads((ROOT / "tests" / "support" / "tables" / "graphql_words.json").read_text("utf-8"))
SCRIPT = (
    f"const SDL = {json.dumps(TABLE['sdl'])}, values = {TABLE['values']};\n"
    """
const fields = ["i", "f", "s", "b", "id", "c", "l", "nn", "any"];
registerQueryHandler("echo", SDL, (args) => JSON.stringify(args));
registerQueryHandler("bad", SDL, (args) => Object.fromEntries(fields.map((name) => [name, values[args.what]])));
registerQueryHandler("badlist", SDL, (args) => values[args.what]);
registerQueryHandler("nonnull", SDL, (args) => values[args.what]);
registerQueryHandler("any", SDL, (args) => args.v);
registerQueryHandler("ret", SDL, () => ({ a: 1 }));
"""
)
HEADERS = {"content-type": "application/json", "accept": "application/graphql-response+json"}
NUMBERS = """
registerQueryHandler("none", "none: Float", () => NaN);
registerQueryHandler("deep", "deep: Deep type Deep { list: [Float] at: Float }", () => ({ list: [1, null, 1 / 0], at: 1 }));
registerQueryHandler("fine", "fine: [Float]", () => [1, null, 1e-7, 1e300]);
registerQueryHandler("need", "need(n: Int! = 1): Int", (args) => args.n);
"""


def _shown(errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: error[key] for key in ("message", "locations", "path") if key in error} for error in errors]


@pytest_twisted.ensureDeferred
async def test_answers_of_graphql_js() -> None:
    """Messages, places and numbers are those of graphql-js, byte by byte."""
    different = []
    async with shared_engine() as engine:
        await engine.deploy("words", {"main.js": SCRIPT})
        for query, variables, errors, data in TABLE["answers"]:
            given = f',"variables":{variables}' if variables else ""
            reply = await engine.request("POST", "/graphql", HEADERS, f'{{"query":{json.dumps(query)}{given}}}')
            found = re.search(r'"data":(.*)\}$', reply.text)
            seen = (_shown(reply.json().get("errors", [])), found[1] if found else None)
            if seen != (errors, data) and not (errors and data is None and seen[0] == errors):
                different.append((query, variables, errors, data, *seen))
    assert not different, "\n".join(map(str, different[:20]))


@pytest_twisted.ensureDeferred
async def test_numbers_that_json_cannot_hold() -> None:
    """NaN and Infinity of a resolver are errors of its field that name the place, and spare the other fields."""
    async with shared_engine() as engine:
        await engine.deploy("numbers", {"main.js": NUMBERS})
        reply = await engine.request("POST", "/graphql", HEADERS, '{"query":"{ none deep { at } fine }"}')
        assert '"fine":[1,null,1e-7,1e+300]' in reply.text
        assert (reply.json()["data"]["none"], reply.json()["data"]["deep"]) == (None, None)
        assert [error["path"] for error in reply.json()["errors"]] == [["none"], ["deep"]]
        reply = await engine.request("POST", "/graphql", HEADERS, '{"query":"{ deep { at } }"}')
        assert [error["extensions"]["code"] for error in reply.json()["errors"]] == ["SCRIPT_FAILED"]


@pytest_twisted.ensureDeferred
async def test_whose_fault() -> None:
    """What a client did wrong has a client's code, also if it is found out while the operation is executed."""
    query = '{"query":"query($n: Int = 2) { need(n: $n) }","variables":{"n":null}}'
    async with shared_engine() as engine:
        await engine.deploy("numbers", {"main.js": NUMBERS})
        error = (await engine.request("POST", "/graphql", HEADERS, query)).json()["errors"][0]
        assert (error["extensions"]["code"], error["path"]) == ("BAD_USER_INPUT", ["need"])
        for body in ('{"query":"{ need(n: 1e400) }"}', '{"query":"{ need }","variables":\n{"a":1e400}}'):
            reply = await engine.request("POST", "/graphql", HEADERS, body)
            error = reply.json()["errors"][0]
            assert (reply.status, error["extensions"]["code"]) == (400, "BAD_USER_INPUT")
            assert "1e400" in error["message"]
            assert error.get("locations") == [{"line": 1, "column": 11}] or "line 2, column 6" in error["message"]
