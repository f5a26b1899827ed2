"""What servers share: the same promises kept by memory, by Redis and by Valkey."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_twisted
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from aiwebengine.services.redis.memory import MemoryStore
from aiwebengine.services.redis.store import CommandRefused, Script
from tests.support.redis.server import MISSING, RedisServer, programs, redis_server
from tests.support.redis.store import RecordingSubscriber, redis_store
from tests.support.waiting import until

LONG = 3600.0


@pytest.fixture(scope="module", params=["memory", "redis-server", "valkey-server"])
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer | None]:
    """Return what to connect to; None for memory."""
    if request.param == "memory":
        yield None
        return
    program = programs().get(request.param)
    if program is None:
        pytest.skip(f"{request.param} is not here" if programs() else MISSING)
    with redis_server(program=program) as started:
        yield started


@asynccontextmanager
async def opened(server: RedisServer | None) -> AsyncIterator[Any]:
    """Return an empty store."""
    if server is None:
        memory = MemoryStore(clock=reactor)
        memory.startService()
        yield memory
        memory.stopService()
        return
    server.command("FLUSHALL")
    async with redis_store(server) as store:
        yield store


async def refused(deferred: Any) -> None:
    """Expect a command to be refused."""
    with pytest.raises(CommandRefused):
        await deferred


@pytest_twisted.ensureDeferred
async def test_values(server) -> None:
    """A value comes back byte for byte, whatever the key is, until it is overwritten or deleted."""
    async with opened(server) as store:
        assert await store.get("a") is None
        for key, value in (("a", b""), ("ä\0 \r\n{}", bytes(range(256))), ("\ud800", b"1_000"), ("", b"08")):
            assert await store.set(key, value) is True
            assert await store.get(key) == value
        assert await store.get_many(["a", "none", "\ud800"]) == [b"", None, b"1_000"]
        assert await store.get_many([]) == []
        assert await store.set("a", b"x" * 3_000_000) is True
        assert len(await store.get("a")) == 3_000_000
        assert await store.delete("a", "none", "") == 2
        assert await store.delete() == 0
        assert await store.get("a") is None


@pytest_twisted.ensureDeferred
async def test_order(server) -> None:
    """What is asked about one key is done in the order in which it was asked."""
    async with opened(server) as store:
        for key in ("a", "b", "c"):
            asked = [store.set(key, b"1"), store.get(key), store.increment(key), store.delete(key), store.get(key)]
            assert await gatherResults(asked) == [True, b"1", 2, 1, None]


@pytest_twisted.ensureDeferred
async def test_only(server) -> None:
    """A value can be stored only where there is none, or only where there is one."""
    async with opened(server) as store:
        assert await store.set("a", b"1", only=True) is False
        assert await store.set("a", b"2", only=False) is True
        assert await store.set("a", b"3", only=False) is False
        assert await store.get("a") == b"2"
        assert await store.set("a", b"4", only=True) is True
        await store.hash_set("h", {"x": b"1"})
        assert await store.set("h", b"5", only=False) is False
        assert await store.set("h", b"5", only=True) is True
        assert await store.get("h") == b"5"
        # Of many who want a thing that only one may have, one gets it.
        assert sorted(await gatherResults([store.set("lock", b"%d" % n, only=False) for n in range(20)]))[-2:] == [
            False,
            True,
        ]


async def gone(store, key: str) -> None:
    """Wait until nothing is stored under a key."""

    async def absent() -> bool:
        return await store.remaining(key) is None

    await until(absent)


@pytest_twisted.ensureDeferred
async def test_expiry(server) -> None:
    """What is stored for a time is gone after it, and counts as absent for everything."""
    async with opened(server) as store:
        await store.set("lives", b"1", seconds=60)
        assert 0 < await store.remaining("lives") <= 60
        await store.set("a", b"1", seconds=0.05)
        await store.set("kept", b"1", seconds=0.05)
        await store.set("kept", b"2")
        await store.hash_set("h", {"x": b"1"}, seconds=0.05)
        await store.increment("n", 5, seconds=0.05)
        assert await store.remaining("kept") == math.inf
        assert await store.remaining("none") is None
        # It is the one whose time ends last.
        await gone(store, "n")
        assert await store.get_many(["a", "kept"]) == [None, b"2"]
        assert await store.hash_get("h") == {}
        assert await store.remaining("a") is None
        assert await store.delete("a") == 0
        assert await store.set("a", b"3", only=True) is False
        assert await store.increment("n", 1) == 1


@pytest_twisted.ensureDeferred
async def test_expiry_is_changed(server) -> None:
    """A life can be prolonged and shortened; counting and setting fields leave it as it is."""
    async with opened(server) as store:
        assert await store.expire("none", 1.0) is False
        await store.set("a", b"1", seconds=60)
        assert await store.expire("a", LONG) is True
        # Neither this nor what sets or counts fields changes a life that has begun.
        await store.increment("a", 1, seconds=0.05)
        await store.hash_set("h", {"x": b"1"}, seconds=LONG)
        await store.hash_set("h", {"y": b"1"})
        await store.hash_increment("h", "x")
        assert await store.get("a") == b"2"
        for key in ("a", "h"):
            assert LONG - 60 < await store.remaining(key) <= LONG
        assert await store.expire("a", 0.001) is True
        await gone(store, "a")
        for wrong in (0, -1, 0.0001, math.nan):
            with pytest.raises(ValueError, match="at least"):
                await store.set("a", b"", seconds=wrong)
            with pytest.raises(ValueError, match="at least"):
                await store.increment("a", seconds=wrong)
            with pytest.raises(ValueError, match="at least"):
                await store.hash_set("a", {"x": b""}, seconds=wrong)
            with pytest.raises(ValueError, match="at least"):
                await store.expire("a", wrong)
        assert await store.remaining("a") is None


@pytest_twisted.ensureDeferred
async def test_counters(server) -> None:
    """Many who count at the same time lose nothing; what is not a whole number is not counted."""
    async with opened(server) as store:
        sums = await gatherResults([store.increment("n", 3) for _ in range(50)])
        assert sums == [3 * at for at in range(1, 51)]
        assert await store.get("n") == b"150"
        assert await store.increment("n", -151) == -1
        for wrong in (b"", b"x", b"1.5", b"1_0", b" 1", b"+1", b"01", b"-0", b"9223372036854775808"):
            await store.set("n", wrong)
            await refused(store.increment("n"))
            assert await store.get("n") == wrong
        await store.set("n", b"9223372036854775807")
        assert await store.increment("n", 0) == 2**63 - 1
        await refused(store.increment("n", 1))
        assert await store.increment("n", -(2**63 - 1)) == 0
        await store.set("zero", b"0")
        await store.increment("zero", 5, seconds=1.0)
        assert await store.remaining("zero") == math.inf


@pytest_twisted.ensureDeferred
async def test_hashes(server) -> None:
    """A hash has fields of its own, and is gone with the last one."""
    async with opened(server) as store:
        assert await store.hash_get("h") == {}
        await store.hash_set("h", {"a": b"1", "ä\0": bytes(range(256))})
        await store.hash_set("h", {"a": b"2"}, seconds=LONG)
        assert await store.hash_get("h") == {"a": b"2", "ä\0": bytes(range(256))}
        assert await store.hash_increment("h", "n", 7) == 7
        assert await store.hash_increment("h", "n", -8) == -1
        await refused(store.hash_increment("h", "ä\0"))
        assert await store.hash_delete("h", ["a", "a", "none"]) == 1
        assert await store.hash_delete("h", []) == 0
        assert await store.hash_delete("h", ["n", "ä\0"]) == 2
        assert await store.remaining("h") is None
        await refused(store.hash_set("h", {}))
        many = {f"field{at}": b"%d" % at for at in range(3000)}
        await store.hash_set("h", many, seconds=LONG)
        assert await store.hash_get("h") == many


@pytest_twisted.ensureDeferred
async def test_kinds(server) -> None:
    """A value is no hash and a hash is no value, except where one replaces the other."""
    async with opened(server) as store:
        await store.set("v", b"1")
        await store.hash_set("h", {"x": b"1"})
        for deferred in (
            store.get("h"), store.increment("h"), store.hash_get("v"), store.hash_set("v", {"x": b""}),
            store.hash_set("v", {"x": b""}, seconds=1.0), store.hash_delete("v", ["x"]), store.hash_increment("v", "x"),
        ):  # fmt: skip
            await refused(deferred)
        assert await store.get_many(["v", "h"]) == [b"1", None]
        assert await store.remaining("v") == math.inf
        await store.set("h", b"2")
        assert await store.get("h") == b"2"


def _swap_twin(cells, keys, arguments):
    old = cells.get(keys[0])
    if old != arguments[0]:
        return old
    cells.set(keys[0], arguments[1], seconds=int(arguments[2]) / 1000)
    cells.hash_set(keys[1], {"swaps": b"0", "last": arguments[1]})
    return [1, None, cells.hash_increment(keys[1], "swaps", 2), [arguments[1], b"done"]]


SWAP = Script(
    name="swap",
    lua="""
local old = redis.call('GET', KEYS[1])
if old ~= ARGV[1] then return old end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('HSET', KEYS[2], 'swaps', 0, 'last', ARGV[2])
return {true, false, redis.call('HINCRBY', KEYS[2], 'swaps', 2), {ARGV[2], 'done'}}
""",
    twin=_swap_twin,
)


@pytest_twisted.ensureDeferred
async def test_scripts(server) -> None:
    """A script and its twin do and return the same, and the first use is no different from the next."""
    async with opened(server) as store:
        assert await store.run(SWAP, ["k", "h"], [b"a", b"b", b"60000"]) is None
        await store.set("k", b"a")
        assert await store.run(SWAP, ["k", "h"], [b"a", bytes(range(256)), b"60000"]) == [
            1, None, 2, [bytes(range(256)), b"done"],
        ]  # fmt: skip
        assert await store.run(SWAP, ["k", "h"], [b"a", b"b", b"60000"]) == bytes(range(256))
        assert await store.hash_get("h") == {"swaps": b"2", "last": bytes(range(256))}
        assert 50 < await store.remaining("k") <= 60
        await refused(store.run(SWAP, ["h", "k"], [b"a", b"b", b"60000"]))


@pytest_twisted.ensureDeferred
async def test_script_whole(server) -> None:
    """Of many scripts at the same time each finds what the one before it has left."""
    append = Script(
        name="append",
        lua="local now = redis.call('GET', KEYS[1]) or ''; redis.call('SET', KEYS[1], now .. ARGV[1]); return #now + 1",
        twin=lambda cells, keys, arguments: _append(cells, keys[0], arguments[0]),
    )
    async with opened(server) as store:
        lengths = await gatherResults([store.run(append, ["k"], [b"%d" % (at % 10)]) for at in range(60)])
        assert sorted(lengths) == list(range(1, 61))
        assert len(await store.get("k")) == 60


def _append(cells, key, more):
    now = cells.get(key) or b""
    cells.set(key, now + more)
    return len(now) + 1


@pytest_twisted.ensureDeferred
async def test_messages(server) -> None:
    """Every subscriber of a channel gets its messages in order, from when it is told that it is listening."""
    async with opened(server) as store:
        assert await store.publish("c", b"nobody") == 0
        subscriber, second_subscriber, other = RecordingSubscriber(), RecordingSubscriber(), RecordingSubscriber()
        first = store.subscribe("c", deliver=subscriber.deliver, active=subscriber.active.append)
        assert subscriber.active == []
        store.subscribe("d", deliver=other.deliver, active=other.active.append)
        await until(lambda: subscriber.active and other.active)
        assert await store.publish("c", b"1") == 1
        await until(lambda: subscriber.messages)
        second = store.subscribe("c", deliver=second_subscriber.deliver, active=second_subscriber.active.append)
        await until(lambda: second_subscriber.active)
        everything = [bytes(range(256)), b"", *(b"%d" % at for at in range(100))]
        # Order is kept without waiting for each.
        await gatherResults([store.publish("c", message) for message in everything])
        await store.publish("d", b"last")
        await until(lambda: other.messages)
        assert subscriber.messages == [b"1", *everything]
        assert second_subscriber.messages == everything
        first.cancel()
        first.cancel()
        await store.publish("c", b"2")
        await until(lambda: second_subscriber.messages[-1] == b"2")
        second.cancel()
        again = RecordingSubscriber()
        third = store.subscribe("c", deliver=again.deliver, active=again.active.append)
        await until(lambda: again.active)
        await store.publish("c", b"3")
        await until(lambda: again.messages)
        third.cancel()

        async def nobody() -> bool:
            return bool(await store.publish("c", b"4") == 0)

        await until(nobody)
        assert again.messages == [b"3"]
        assert subscriber.messages[-1] == b"99"
        assert subscriber.active == second_subscriber.active == again.active == other.active == [False]


@pytest_twisted.ensureDeferred
async def test_subscriber_that_fails(server) -> None:
    """One subscriber that raises keeps nothing from the others nor from itself."""
    async with opened(server) as store:
        bad, good = RecordingSubscriber(), RecordingSubscriber()

        def deliver(message):
            bad.messages.append(message)
            raise RuntimeError("a fault")

        store.subscribe("c", deliver=deliver, active=bad.active.append)
        store.subscribe("c", deliver=good.deliver, active=good.active.append)
        await until(lambda: bad.active and good.active)
        await store.publish("c", b"1")
        await store.publish("c", b"2")
        await until(lambda: len(good.messages) == 2)
        assert bad.messages == good.messages == [b"1", b"2"]


@pytest_twisted.ensureDeferred
async def test_subscriber_that_publishes(server) -> None:
    """A subscriber may publish, subscribe and cancel while it gets a message."""
    async with opened(server) as store:
        subscriber, inner = RecordingSubscriber(), RecordingSubscriber()

        def deliver(message):
            subscriber.messages.append(message)
            if len(subscriber.messages) < 5:
                store.publish("c", b"%d" % len(subscriber.messages))
            else:
                subscription.cancel()
                store.subscribe("inner", deliver=inner.deliver, active=inner.active.append)

        subscription = store.subscribe("c", deliver=deliver, active=subscriber.active.append)
        await until(lambda: subscriber.active)
        await store.publish("c", b"0")
        await until(lambda: inner.active)
        assert subscriber.messages == [b"%d" % at for at in range(5)]


KEYS = st.sampled_from(["a", "b", "c"])
FIELDS = st.sampled_from(["x", "y"])
VALUES = st.one_of(st.binary(max_size=3), st.integers(-3, 3).map(lambda n: b"%d" % n), st.just(b"9223372036854775806"))
LIVES = st.sampled_from([None, LONG])
ONLY = st.sampled_from([None, True, False])
MAPPINGS = st.dictionaries(FIELDS, VALUES, max_size=2)
COMMANDS = st.one_of(
    st.tuples(st.just("get"), KEYS),
    st.tuples(st.just("get_many"), st.lists(KEYS, max_size=3)),
    st.tuples(st.just("set"), KEYS, VALUES, st.fixed_dictionaries({"seconds": LIVES, "only": ONLY})),
    st.tuples(st.just("delete"), KEYS, KEYS),
    st.tuples(st.just("increment"), KEYS, st.integers(-2, 2), st.fixed_dictionaries({"seconds": LIVES})),
    st.tuples(st.just("hash_get"), KEYS),
    st.tuples(st.just("hash_set"), KEYS, MAPPINGS, st.fixed_dictionaries({"seconds": LIVES})),
    st.tuples(st.just("hash_delete"), KEYS, st.lists(FIELDS, max_size=3)),
    st.tuples(st.just("hash_increment"), KEYS, FIELDS, st.integers(-2, 2)),
    st.tuples(st.just("expire"), KEYS, st.just(LONG)),
    st.tuples(st.just("remaining"), KEYS),
)  # fmt: skip


async def outcome(store: Any, command: tuple[Any, ...]) -> Any:
    """Carry out one command, and say how it ended."""
    name, *arguments = command
    named = arguments.pop() if name in {"set", "increment", "hash_set"} else {}
    try:
        result = await getattr(store, name)(*arguments, **named)
    except CommandRefused:
        return "refused"
    return math.ceil(result / 60) * 60 if name == "remaining" and result not in {None, math.inf} else result


@pytest.fixture(scope="module")
def any_server() -> Iterator[RedisServer]:
    """Return the first server that is here."""
    with redis_server() as started:
        yield started


@settings(max_examples=60)
@given(commands=st.lists(COMMANDS, max_size=25))
def test_both_do_the_same(any_server, commands):
    """Whatever is done in whatever order, memory answers as the server does."""

    async def compare() -> None:
        async with opened(any_server) as store, opened(None) as memory:
            for command in commands:
                assert await outcome(memory, command) == await outcome(store, command), command

    return Deferred.fromCoroutine(compare())
