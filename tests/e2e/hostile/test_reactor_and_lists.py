"""However long the lists are that the management API reads, the reactor goes on; see `tests/support/burden.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aiwebengine.features.assets.tables import asset_key
from aiwebengine.services.db.columns import key_of
from aiwebengine.services.db.script_files import path_of
from tests.support.burden import BurdenedServer, burdened_server, check_burden

_ROUTES, _ASSETS, _VERSIONS, _SCRIPTS, _ROWS = 1900, 100_000, 2000, 2000, 2000

SCRIPT = f"""
registerWebHandler("/first", function () {{ return "1"; }});
registerWebHandler("/store", function () {{ return kv.set("a", 1); }});
for (var i = 0; i < {_ROUTES}; i++) registerWebHandler("/many/" + i, function () {{ return "1"; }});
"""
_REST_OF_VERSION = (
    "digest, entry, manifest, grants, registered, warnings, toolchain, author, message, origin, deployed_at, size"
)
_VERSION = f"number, version, {_REST_OF_VERSION}"

MAIN: tuple[tuple[str, list[tuple[object, ...]]], ...] = (
    (
        (
            "INSERT INTO assets (key, path, type, digest, size, updated_at, owner, owner_key, path_key) "
            "SELECT ?, ?, 'text/plain', digest, 1, 1, '', '', '' FROM blobs LIMIT 1"
        ),
        [(asset_key("", f"/seeded/{n}"), f"/seeded/{n}") for n in range(_ASSETS)],
    ),
    (
        (
            f"INSERT INTO versions (script, {_VERSION}) SELECT script, number + ?, version || ?, "
            f"{_REST_OF_VERSION} FROM versions WHERE version LIKE 'script1@1-%' AND number = 1"
        ),
        [(n, f"x{n}") for n in range(1, _VERSIONS)],
    ),
    (
        "INSERT INTO scripts (key, uri, current, last_number, changed_at) VALUES (?, ?, 1, 1, 1)",
        [(key_of(f"seeded{n}"), f"seeded{n}") for n in range(_SCRIPTS)],
    ),
    (
        (
            f"INSERT INTO versions (script, {_VERSION}) SELECT scripts.id, 1, uri, {_REST_OF_VERSION} "
            "FROM scripts, versions WHERE uri LIKE ? AND version LIKE 'script0@1-%'"
        ),
        [("seeded%",)],
    ),
)
"""What is put into the main database, statement by statement."""

OWN: tuple[tuple[str, list[tuple[object, ...]]], ...] = (
    (
        "INSERT INTO _fetch_deliveries VALUES (?, ?, 'script1', 'v', ?, 1, 12, 'failed', 1, 'no')",
        [
            (f"d{n}", key_of("script1"), json.dumps({"url": "http://a.example/", "body": "x" * 2000}))
            for n in range(_ROWS)
        ],
    ),
)
"""What is put into the database of the script."""

EVIDENCE: tuple[tuple[str, list[tuple[object, ...]]], ...] = (
    (
        (
            "INSERT INTO receipts (at, key, uri, version, invocation, kind, label, outcome, why, wall_us, queued_us, "
            "cpu_us, peak, bytes_out, log_lines, log_bytes, host_calls) VALUES "
            "(?, ?, 'script1', 'v', ?, 'http', 'GET /', 'committed', 'slow', 1, 1, 1, 1, 1, 1, 1, ?)"
        ),
        [
            (n, key_of("script1"), f"i{n}", json.dumps({f"call{m}": [1, 2, 3, 4] for m in range(100)}))
            for n in range(_ROWS)
        ],
    ),
    (
        (
            "INSERT INTO recordings (invocation, at, key, uri, version, label, outcome, document) VALUES (?, 1, ?, "
            "'script1', 'v', 'GET /', 'committed', ?)"
        ),
        [(f"r{n}", key_of("script1"), bytes(5000)) for n in range(_ROWS)],
    ),
)
"""What is put into the database of evidence."""

LISTS = (
    "/scripts?deleted=true",
    "/script?uri=script1",
    "/script/history?uri=script1",
    "/script/receipts?uri=script1&limit=1000",
    "/assets",
    "/deliveries?limit=1000",
    "/recordings?limit=1000",
)


@pytest.fixture(scope="module")
def listing() -> Iterator[BurdenedServer]:
    """Run a server with thousands of everything."""
    with burdened_server(SCRIPT) as running:
        running.seed("main.sqlite3", MAIN)
        # It has a database of its own once it has stored something.
        assert running.ask("GET", "/store") == 200
        running.seed(str(path_of(Path("scripts"), "script1")), OWN)
        running.seed("evidence.sqlite3", EVIDENCE)
        with closing(running.connect()) as connection:
            for number in range(_ROUTES):
                connection.sendall(b"GET /many/%d HTTP/1.1\r\nhost: a\r\n\r\n" % number)
                assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        yield running


@pytest.mark.parametrize("path", LISTS)
def test_long_lists(listing: BurdenedServer, path: str) -> None:
    """A list of thousands is read and written beside the reactor."""
    statuses: list[int] = []
    check_burden(listing, lambda: statuses.append(listing.api(path)))
    assert set(statuses) == {200}
