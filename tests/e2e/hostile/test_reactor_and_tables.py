"""Whatever a script asks of its tables, the reactor goes on; see `tests/support/burden.py`."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.burden import BurdenedServer, burdened_server, check_burden

SCRIPT = """
database.schema({ rows: { id: "id", text: "text", meta: { type: "json", optional: true } } });
const rows = database.table("rows"), long = "SELECT 1 WHERE 1 IN (" + "1,".repeat(45000) + "1)";
const work = {
  insert: () => rows.insert(Array.from({ length: 1000 }, (_, n) => ({ text: "x".repeat(300), meta: { n, list: [1, 2, 3] } }))),
  wide: () => rows.insert({ text: "\\u00e9".repeat(180000) }),
  answer: async () => { await rows.insert(Array.from({ length: 900 }, (_, n) => ({ text: "y".repeat(900), meta: { n } }))); return (await rows.limit(900)).length; },
  conditions: () => rows.where({ or: Array.from({ length: 480 }, (_, n) => ({ text: "t" + n })) }).count(),
  list: () => rows.where({ id: Array.from({ length: 1000 }, (_, n) => n) }).count(),
  endless: () => database.query("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c").catch((error) => error.code),
  like: () => database.query("SELECT count(*) FROM rows WHERE text LIKE '%x%x%x%x%x%x%x%x%y'"),
  statement: () => database.query(long).catch((error) => error.code),
  json: () => database.query("SELECT json_group_array(n) AS j FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 90000) SELECT n FROM c)"),
};
registerWebHandler("/tables/:what", async (req) => { await work[req.params.what](); return "done"; });
"""
WORK = ("insert", "wide", "answer", "conditions", "list", "endless", "like", "statement", "json")


@pytest.fixture(scope="module")
def server() -> Iterator[BurdenedServer]:
    """Run a server with a script that has a table."""
    with burdened_server(SCRIPT) as running:
        yield running


@pytest.mark.parametrize("what", WORK)
def test_tables(server: BurdenedServer, what: str) -> None:
    """Many rows, long values, long statements and such as do not end leave the reactor to others."""
    statuses: list[int] = []
    check_burden(server, lambda: statuses.append(server.ask("GET", f"/tables/{what}")))
    # A handler may wait no longer than a statement.
    assert set(statuses) <= ({200, 504} if what == "endless" else {200})


def test_schemas(server: BurdenedServer) -> None:
    """A schema with as many tables and columns as there may be is read beside the reactor."""
    tables = {
        f"t{table}": {"id": "id", **{f"c{column}": {"type": "string", "default": "x"} for column in range(19)}}
        for table in range(100)
    }
    source = f"database.schema({json.dumps(tables)}); registerWebHandler('/wide', () => 'wide');"
    check_burden(server, lambda: server.deploy("wide", source))
