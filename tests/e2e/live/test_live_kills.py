"""Mutations, subscriptions and WebSockets whose processes are killed at any instant: nothing half-done remains."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred

from tests.e2e.features.test_graphql import ask, open_subscriptions, subscribe
from tests.support.clients.websocket import RawSocket, connect
from tests.support.engine import EngineUnderTest, running_engine
from tests.support.killing import children_of, command_of
from tests.support.waiting import pause, until

SEED = 20261123
OPERATIONS = 60
KILLS = 25
ANSWERED = 30
"""More than so many operations survive: on a slow machine, where the kills hit more, some follow after the kills."""

SCRIPT = """
const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 8));

registerSubscriptionHandler("added", "added: ID!");
registerMutationHandler("add", "add(id: ID!): ID!", async ({ id }) => {
  await kv.set("mutation/" + id, 1);
  sendSubscriptionMessage("added", id);
  await pause();
  await kv.increment("mutations");
  return id;
});
registerSubscriptionHandler("endless", "endless: Int", async function* () {
  for (let i = 0; ; i++) {
    yield i;
    await pause();
  }
});
registerWebSocket("/socket", {
  open: (ws) => ws.subscribe("all"),
  async message(ws, id) {
    await kv.set("message/" + id, 1);
    ws.data.count = (ws.data.count ?? 0) + 1;
    ws.send({ done: id, count: ws.data.count });
    sendSocketMessage("all", { all: id });
    await pause();
    await kv.increment("messages");
  },
});
registerWebHandler("/kept/:what", async (req) => {
  const { entries } = await kv.list({ prefix: req.params.what + "/", limit: 1000 });
  return { ids: entries.map((entry) => entry.key.split("/")[1]), count: (await kv.get(req.params.what + "s")) ?? 0 };
});
"""


def clones() -> list[int]:
    """Return the pids of the processes that run scripts for this engine."""
    zygotes = [pid for pid in children_of(os.getpid()) if b"sandbox" in command_of(pid)]
    templates = [pid for zygote in zygotes for pid in children_of(zygote)]
    return [pid for template in templates for pid in children_of(template)]


async def killing(chance: random.Random) -> None:
    """Kill processes, one after the other."""
    for _ in range(KILLS):
        await pause(chance.uniform(0.005, 0.06))
        if found := clones():
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(found), signal.SIGKILL)


def enough(answered: int, asked: int) -> bool:
    """Return whether no more needs to be asked."""
    return answered > ANSWERED or asked > 10 * OPERATIONS


def done_by(sockets: Sequence[RawSocket]) -> list[dict[str, Any]]:
    """Return what sockets were told of their own messages."""
    return [message for socket in sockets for message in map(json.loads, socket.texts) if "done" in message]


async def kept(engine: EngineUnderTest, what: str) -> tuple[set[str], int]:
    """Return what is stored, and what was counted."""
    answer = (await engine.request("GET", f"/kept/{what}")).json()
    return set(answer["ids"]), answer["count"]


@pytest_twisted.ensureDeferred
async def test_mutations() -> None:
    """Of each mutation all is there and its subscribers were told once, or nothing is and nobody was."""
    async with running_engine() as engine:
        await engine.deploy("live", {"main.ts": SCRIPT})
        events = await subscribe(engine, "subscription { added }")
        await open_subscriptions(engine, 1)
        kills = Deferred.fromCoroutine(killing(random.Random(SEED)))
        answered: set[str] = set()

        async def one(name: str) -> None:
            reply: Any = (await ask(engine, "mutation($id: ID!) { add(id: $id) }", {"id": name})).json()
            if reply["data"] is not None:
                assert reply["data"] == {"add": name}
                answered.add(name)

        start = 0
        while start < OPERATIONS or not enough(len(answered), start):
            together = [Deferred.fromCoroutine(one(str(start + number))) for number in range(6)]
            start += 6
            for waiting in together:
                await waiting
        await kills
        ids, count = await kept(engine, "mutation")
        await events.until(len(ids))
        # Whoever would be told twice is told now.
        await pause(0.2)
        result = Counter(event["data"]["added"] for _, event in events.seen)
        assert answered <= ids
        assert result == Counter(ids)
        assert count == len(ids)
        assert len(answered) > ANSWERED


@pytest_twisted.ensureDeferred
async def test_a_source() -> None:
    """A subscription whose source is a process that is killed ends with an error, and does not just go quiet."""
    async with running_engine() as engine:
        await engine.deploy("live", {"main.ts": SCRIPT})
        events = await subscribe(engine, "subscription { endless }")
        await events.until(5)
        for pid in clones():
            os.kill(pid, signal.SIGKILL)
        await events.until(7)
        await until(lambda: events.seen[-1][0] == "complete", state=lambda: events.seen[-3:])
        *values, error, complete = events.seen
        assert [event["data"]["endless"] for _, event in values] == list(range(len(values)))
        assert error[1]["errors"][0]["extensions"]["code"] in {"UNAVAILABLE", "SCRIPT_CRASHED"}
        assert complete == ("complete", None)


@pytest_twisted.ensureDeferred
async def test_messages() -> None:
    """Of each message all is there and was answered once, or nothing is; a count that travels along misses none."""
    async with running_engine() as engine:
        await engine.deploy("live", {"main.ts": SCRIPT})
        listener = await connect(engine, "/socket")
        sockets = [await connect(engine, "/socket") for _ in range(4)]
        every: list[RawSocket] = list(sockets)
        kills = Deferred.fromCoroutine(killing(random.Random(SEED + 1)))
        number = 0
        while number < OPERATIONS or not enough(len(done_by(every)), number):
            at = number % len(sockets)
            if sockets[at].closed_with is not None or sockets[at].over:
                # Its process was killed twice: it was told so.
                sockets[at] = await connect(engine, "/socket")
                every.append(sockets[at])
            sockets[at].say(str(number))
            number += 1
            await pause(0.01)
        await kills
        await until(lambda: not engine.engine.runner.state()["active"], state=engine.engine.runner.state)
        ids, count = await kept(engine, "message")
        await listener.has(len(ids))
        await pause(0.2)
        assert Counter(json.loads(text)["all"] for text in listener.texts) == Counter(ids)
        assert count == len(ids)
        assert len(ids) > ANSWERED
        for socket in every:
            result = done_by([socket])
            assert [message["count"] for message in result] == list(range(1, len(result) + 1))
        assert Counter(message["done"] for message in done_by(every)) == Counter(ids)
