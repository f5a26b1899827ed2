"""
Whatever visitors and authors send, the reactor goes on.

Each test sends the worst input of one entry point to a server in a process of its own, which writes down how
much processor time a turn of its reactor took, and how much the process took between two ticks.  Both
are compared with a fixed piece of work that is measured beside it, so that a slow machine fails nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from graphql import get_introspection_query

from tests.support.burden import BurdenedServer, burdened_server, check_burden

BUSY = """
registerWebHandler("/log", function () {
  for (var i = 0; i < 1000; i++) console.log(new Array(4000).join("z"));
  return "1";
});
registerWebHandler("/fields", function () {
  var fields = {};
  for (var i = 0; i < 200; i++) fields["k" + i] = i;
  for (var j = 0; j < 200; j++) console.log("m", fields);
  return "1";
});
registerWebHandler("/stacks", function () {
  var stack = new Array(60).join("    at f (main.js:1)\\n");
  for (var i = 0; i < 500; i++) console.error("boom\\n" + stack);
  return "1";
});
registerWebHandler("/deep", function () {
  function f(n) { if (!n) throw new Error(new Array(100000).join("m")); f(n - 1); }
  f(2000);
});
registerWebHandler("/writes", async function () {
  for (var i = 0; i < 900; i++) await kv.set("k" + i, "v");
  return "1";
});
"""


@pytest.fixture(scope="module")
def server() -> Iterator[BurdenedServer]:
    """Run a server with a quiet script and a busy one."""
    with burdened_server(BUSY) as running:
        yield running


def _object(files: str) -> bytes:
    return f'{{"files": {{{files}}}}}'.encode()


def _zip(count: int, content: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(count):
            archive.writestr(f"{number}.txt", content)
    return stream.getvalue()


def _schema(types: int) -> str:
    parts = []
    for field in range(4):
        sdl = f"f{field}: T{field}x0 " + " ".join(f"type T{field}x{n} {{ a: Int }}" for n in range(types))
        parts.append(f"registerQueryHandler('f{field}', {json.dumps(sdl)}, function () {{ return null; }});")
    return "".join(parts)


ROWS = """
registerQueryHandler("rows", "rows: [Row!]! type Row { id: Int name: String }", function () {
  var rows = [];
  for (var i = 0; i < 30000; i++) rows.push({ id: i, name: "row " + i });
  return rows;
});
registerQueryHandler("numbers", "numbers: [Int!]!", function () {
  var numbers = [];
  for (var i = 0; i < 150000; i++) numbers.push(i);
  return numbers;
});
function long(letter, length) { var text = letter; while (text.length < length) text += text; return text; }
registerQueryHandler("text", "text: String", function () { return long("x", 4000000); });
registerQueryHandler("wide", "wide: String", function () { return long("\\u00e9", 4000000); });
registerQueryHandler("row", "row: Row", function () { return { id: 1, name: "one" }; });
registerQueryHandler("echo", "echo(text: String): Int", function (args) { return args.text.length; });
"""


def _graphql(query: str, **variables: object) -> bytes:
    return json.dumps({"query": query, "variables": variables}).encode()


def _document() -> str:
    """Return a document of about 3,000 words and signs whose fields are compared with each other."""
    inner = " ".join(f"f{n}: id f{n}: id g{n}: name" for n in range(20))
    return "{" + " ".join(f"r: row {{ {inner} }}" for _ in range(12)) + "}"


OPERATIONS: dict[str, Callable[[], bytes]] = {
    "many rows": lambda: _graphql("{ rows { id name } }"),
    "many rows in parts": lambda: _graphql("{ ...A @defer } fragment A on Query { rows { id name } }"),
    "many numbers": lambda: _graphql("{ numbers }"),
    "a long document": lambda: _graphql(_document()),
    "a long variable": lambda: _graphql("query ($a: String) { echo(text: $a) }", a="x" * 9_900_000),
    "a long variable of two bytes a letter": lambda: json.dumps(
        {"query": "query ($a: String) { echo(text: $a) }", "variables": {"a": "é" * 4_900_000}}, ensure_ascii=False
    ).encode(),
    "a long variable of escapes": lambda: _graphql("query ($a: String) { echo(text: $a) }", a='"' * 4_900_000),
    "a long variable that ends in half a character": lambda: _graphql("", a="x" * 9_000_000)[:-3] + b"\\ud83d\\ud",
    "long strings": lambda: _graphql("{ " + " ".join(f"t{n}: text" for n in range(3)) + " }"),
    "long strings of two bytes a letter": lambda: _graphql("{ wide }"),
}
"""Operations of GraphQL."""

_PART = b'--b\r\ncontent-disposition: form-data; name="a"; filename="%d"\r\n\r\n\r\n'
DEPLOYMENTS = {
    "a million empty files": (lambda: _object(",".join(f'"{n}": ""' for n in range(1_000_000))), "application/json"),
    "lists in place of files": (lambda: b'{"files": {"a": [' + b"[]," * 5_000_000 + b"1]}}", "application/json"),
    "a long message": (lambda: b'{"message": "' + b"x" * 20_000_000 + b'", "files": {}}', "application/json"),
    "folders in folders": (
        lambda: _object(",".join(f'"{"a/" * 1000}{n}": ""' for n in range(2000))),
        "application/json",
    ),
    "a large package.json": (
        lambda: _object('"main.js": "", "package.json": "[' + "[]," * 1_500_000 + '1]"'),
        "application/json",
    ),
    "a zip of many files": (lambda: _zip(8000), "application/zip"),
    "a zip that is small": (lambda: _zip(400, b"\0" * 60_000), "application/zip"),
    "many parts": (lambda: b"".join(_PART % n for n in range(200_000)) + b"--b--", "multipart/form-data; boundary=b"),
}
"""What is sent as a deployment."""

REQUESTS = {
    "many headers": ("GET", "/quiet", b"", {f"x-{n}": "v" * 290 for n in range(190)}),
    "many cookies": ("GET", "/quiet", b"", {"cookie": "; ".join(f"c{n}=v" for n in range(7000))}),
    "a long query": ("GET", "/quiet?" + "&".join(f"a{n}=%41" for n in range(1000)), b"", {}),
    "long log lines": ("GET", "/log", b"", {}),
    "log lines with fields": ("GET", "/fields", b"", {}),
    "stacks in log lines": ("GET", "/stacks", b"", {}),
    "an error from deep inside": ("GET", "/deep", b"", {}),
    "many writes": ("GET", "/writes", b"", {}),
    "many variables": (
        "POST",
        "/graphql",
        b'{"query": "{ __typename }", "variables": {"a": [' + b"[]," * 3_000_000 + b"1]}}",
        {"content-type": "application/json"},
    ),
}
"""What visitors send: method, path, body, headers."""


@pytest.mark.parametrize("what", DEPLOYMENTS)
def test_deployments(server: BurdenedServer, what: str) -> None:
    """Whatever is sent as a deployment, the reactor is not held."""
    make, kind = DEPLOYMENTS[what]
    body = make()
    check_burden(server, lambda: server.api("/script?uri=worst", body, kind))


def test_schema(server: BurdenedServer) -> None:
    """A schema with as many types as there may be, one with more, and a replaced one do not hold the reactor."""
    for types, status in ((490, 201), (400, 200), (2000, 422), (490, 200)):
        source = _schema(types)
        statuses: list[int] = []
        send = partial(server.deploy, "schema", source)
        check_burden(server, lambda send=send, statuses=statuses: statuses.append(send()))
        assert statuses[0] == status
    introspection = _graphql(get_introspection_query(descriptions=True, input_value_deprecation=True))
    headers = {"content-type": "application/json"}
    check_burden(server, lambda: statuses.append(server.ask("POST", "/graphql", introspection, headers)))
    assert statuses[-1] == 200


@pytest.mark.parametrize("what", REQUESTS)
def test_requests(server: BurdenedServer, what: str) -> None:
    """Whatever a visitor sends or makes a script do, the reactor is not held."""
    check_burden(server, lambda: server.ask(*REQUESTS[what]))


@pytest.mark.parametrize("what", OPERATIONS)
def test_graphql(server: BurdenedServer, what: str) -> None:
    """Whatever an operation asks for, the reactor is not held."""
    assert server.deploy("rows", ROWS) in {200, 201}
    body = OPERATIONS[what]()
    headers = {"content-type": "application/json", "accept": "multipart/mixed, application/json"}
    check_burden(server, lambda: server.ask("POST", "/graphql", body, headers))
