"""
GraphQL: a query through one resolver, and one message to a thousand subscribers.

The rival is node with graphql-yoga, and graphql-ws for WebSockets, on the same work in the same run.
"""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

from rows import Row, row_of
from servers import RIVALS, Ours, free_port, install_rivals, node, running, wrk
from streams import Clients, clients, reached

CONNECTIONS = (1, 16)
SUBSCRIBERS = 1_000
MESSAGES = 15

SCRIPT = """
registerWebHandler("/hello", async (req) => ({ hello: "Hello " + (await req.json()).name }), "POST");
registerQueryHandler("hello", "hello(name: String!): String!", (args) => "Hello " + args.name);
registerSubscriptionHandler("tick", "tick(of: Int): Int!");
registerWebHandler("/publish/:n", (req) => {
  sendSubscriptionMessage("tick", Number(req.params.n));
  return "sent";
}, "POST");
"""
POST = """
wrk.method = "POST"
wrk.body = '%s'
wrk.headers["content-type"] = "application/json"
"""
QUERY = '{"query":"{ hello(name: \\\\"Ada\\\\") }"}'


def graphql_rows(folder: Path, *, rounds: int, seconds: int) -> list[Row]:
    """Measure."""
    folder.mkdir(parents=True, exist_ok=True)
    why = install_rivals()
    if why is not None:
        return [Row(what="GraphQL query, beside graphql-yoga", note=why)]
    program, _ = node()
    ours, rival = Ours(folder / "data"), free_port()
    with (
        ours.running(),
        running([program, RIVALS / "yoga.mjs", str(rival)], f"http://127.0.0.1:{rival}/graphql?query={{__typename}}"),
    ):
        ours.deploy("bench", {"main.ts": SCRIPT})
        rows = query_rows(folder, ours.port, rival, rounds=rounds, seconds=seconds)
        return [*rows, *fan_out_rows(ours.port, rival)]


def query_rows(folder: Path, ours: int, rival: int, *, rounds: int, seconds: int) -> list[Row]:
    """Compare requests a second."""
    (folder / "query.lua").write_text(POST % QUERY)
    (folder / "json.lua").write_text(POST % '{"name":"Ada"}')
    targets = {
        "GraphQL query": ("query.lua", f"http://127.0.0.1:{ours}/graphql"),
        "JSON handler": ("json.lua", f"http://127.0.0.1:{ours}/hello"),
        "graphql-yoga": ("query.lua", f"http://127.0.0.1:{rival}/graphql"),
    }
    for name, (_, url) in targets.items():
        check(name, url)
    measured: dict[tuple[str, int], list[float]] = {}
    for number in range(-1, rounds):
        for connections in CONNECTIONS:
            for name in targets if number % 2 else reversed(list(targets)):
                script, url = targets[name]
                rate = requests_a_second(folder / script, url, connections, 1 if number < 0 else seconds)
                if number >= 0:
                    measured.setdefault((name, connections), []).append(rate)
    rows: list[Row] = []
    for connections in CONNECTIONS:
        what = f"GraphQL query, {connections} connections" if connections > 1 else "GraphQL query, 1 connection"
        rates = {name: measured[name, connections] for name in targets}
        mine = rates["GraphQL query"]
        rows.append(row_of(what, mine, unit="requests/s"))
        for other, wanted in (("JSON handler", "0.6"), ("graphql-yoga", "0.8")):
            ratios = [a / b for a, b in zip(mine, rates[other], strict=True)]
            rows.append(row_of(f"{what}, beside {other}", ratios, wanted=wanted))
    return rows


def check(name: str, url: str) -> None:
    """Ask once and look at the answer, which wrk does not: a GraphQL error comes with the status 200, too."""
    plain = name == "JSON handler"
    body = b'{"name":"Ada"}' if plain else QUERY.replace("\\\\", "\\").encode()
    asked = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        told = json.loads(answer.read())
    if (told if plain else told.get("data")) != {"hello": "Hello Ada"}:
        raise RuntimeError(f"{name} answers {told}")


def requests_a_second(script: Path, url: str, connections: int, seconds: int) -> float:
    """Load a server."""
    words = [wrk(), "-t1", f"-c{connections}", f"-d{seconds}", "-s", str(script), url]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told:
        raise RuntimeError(f"{url} does not answer 200")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert rate is not None
    return float(rate[1])


def fan_out_rows(ours: int, rival: int) -> list[Row]:
    """Compare the time from a message to the last of its subscribers."""
    same, other = "subscription { tick }", "subscription { tick(of: NUMBER) }"
    sse = "/graphql/sse?query="
    yoga = "/graphql?query="
    each = (
        quote("subscription Of($of: Int) { tick(of: $of) }") + "&variables=" + quote('{"of":') + "NUMBER" + quote("}")
    )
    kinds = (
        ("WebSocket", "/graphql/ws", same, "/graphql/ws", same),
        ("WebSocket, each another query", "/graphql/ws", other, "/graphql/ws", other),
        ("events", sse + quote(same), "", yoga + quote(same), ""),
        ("events, each other variables", sse + each, "", yoga + each, ""),
    )
    rows: list[Row] = []
    for what, path, query, their_path, their_query in kinds:
        every = f"one message to {SUBSCRIBERS:,} subscribers, {what}, to the last"
        theirs = fan_out(rival, their_path, their_query)
        wanted = "60 ms" if query == other else ""
        rows.append(row_of(every, fan_out(ours, path, query), unit="ms", wanted=wanted))
        rows.append(row_of(f"{every}, graphql-yoga", theirs, unit="ms"))
    return rows


def fan_out(port: int, path: str, query: str) -> list[float]:
    """Send messages, one at a time; return the milliseconds until the last subscriber had each."""
    with clients(port, path, SUBSCRIBERS, query) as listening:
        subscribed(port, listening)
        times = []
        for number in range(1, MESSAGES + 1):
            began = time.time()
            publish(port, number)
            times.append(1000 * (reached(listening, number) - began))
    return times


def subscribed(port: int, listening: Clients) -> None:
    """Send messages until every subscriber has had one: nothing says when a subscription begins."""
    ends = time.monotonic() + 60
    counts = listening.counts()
    while counts["least"] < 1:
        if time.monotonic() > ends:
            raise RuntimeError(f"not every subscription has begun: {counts}")
        publish(port, 0)
        time.sleep(1)
        counts = listening.counts()
    while (later := listening.counts())["all"] != counts["all"]:
        counts = later
        time.sleep(1)
    listening.reset()


def publish(port: int, number: int) -> None:
    """Send one message."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", f"/publish/{number}", "")
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"a message was refused: {answer.status} {answer.read()[:200]!r}")
    answer.read()
    connection.close()
