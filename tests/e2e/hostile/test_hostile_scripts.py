"""Hostile scripts in today's JavaScript, deployed like any other: each is stopped and named, a good one is answered."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest_twisted
from twisted.internet.defer import Deferred, DeferredList

from aiwebengine.settings.schema import LimitSettings
from tests.support.engine import EngineUnderTest, Reply, running_engine, settings_for

GOOD = 'registerWebHandler("/good/:n", async (req) => ({ n: req.params.n, kept: (await kv.get("mine")) ?? null }));'
MOST_GROWTH = 150 << 20

ROUTES = {
    "calls in a generator": """
        function* all() { for (let i = 0; ; i++) yield sharedStorage.getItem("k" + i); }
        for (const one of all()) if (one !== null) return one;
    """,
    "calls that never end": """
        const again = async (n: number): Promise<void> => {
          await kv.get("k" + n).catch(() => 0);
          return again(n + 1);
        };
        await again(0);
    """,
    "a generator that closes by asking": """
        function* one() { try { yield 1; } finally { while (true) sharedStorage.getItem("x"); } }
        for (const it of one()) break;
    """,
    "asking while it is made text": """
        return { toJSON() { return sharedStorage.getItem("x"); } };
    """,
    "asking while it is made a key": """
        const key: any = { [Symbol.toPrimitive]() { return String(sharedStorage.getItem("x")); } };
        return { [key]: await kv.get(`${key}`) };
    """,
    "an answer without an end": """
        return { toJSON() { return { again: this }; } };
    """,
    "an answer that is all traps": """
        return new Proxy({}, { ownKeys: () => { while (true); }, get: () => { while (true); } });
    """,
    "timers that set themselves again": """
        const again = () => setTimeout(again, 1); again(); await new Promise(() => 0);
    """,
    "microtasks that add themselves again": """
        const again = () => { Promise.resolve().then(again); }; again(); await new Promise(() => 0);
    """,
    "a promise that never settles": "await new Promise(() => 0);",
    "a thenable that lies": """
        return await { then(done: any, fail: any) { done(1); fail(new Error("x")); done(2); throw null; } } as any;
    """,
    "species": """
        class Odd extends Array { static get [Symbol.species](): any { return function () { while (true); }; } }
        return Odd.from([1, 2, 3]).map((x) => x);
    """,
    "an iterator without an end": """
        return { [Symbol.asyncIterator]() { return { next: async () => ({ value: 7 as any, done: false }) }; } };
    """,
    "a stream that stops": """
        return (async function* () { yield "one"; await new Promise(() => 0); })();
    """,
    "a stream that throws while it closes": """
        return (async function* () { try { yield "one"; throw new Error("two"); } finally { throw null; } })();
    """,
    "references that come and go": """
        const kept: unknown[] = [];
        for (let i = 0; i < 1e9; i++) { const it = new WeakMap(); it.set(it, kept); kept[i % 100] = it; }
    """,
    "a large list": 'return new Array(4e9 - 1).fill("x").join();',
    "a large buffer": "const all = []; for (;;) all.push(new Float64Array(1e6).fill(1));",
    "a pattern": 'return /^(?:(?:a+)+)+$/u.test("a".repeat(50) + "b");',
    "deep data": "let a: any = []; for (let i = 0; i < 1e6; i++) a = [a]; return a;",
    "a copy of itself": "const a: any = { }; a.a = a; for (;;) structuredClone(a);",
    "much to log": 'for (;;) console.log("x".repeat(10000), { a: "y".repeat(5000) });',
    "much to keep": 'for (let i = 0; ; i++) await kv.set("k" + i, "x".repeat(60000));',
    "a forged answer": """
        return { status: 200, headers: { "x-a": "b\\r\\nset-cookie: c=d", "content-length": "1" }, body: "x" };
    """,
}
STOPPED = {"script_timeout", "script_memory", "budget"}
"""How most end: which of their limits is first depends on the machine."""
ENDINGS = {
    "asking while it is made text": {"script_failed"},
    "asking while it is made a key": {"script_failed"},
    "an answer without an end": {"script_failed"},
    "a promise that never settles": {"script_hung"},
    "a thenable that lies": {"answered"},
    "an iterator without an end": {"broken off"},
    "a stream that stops": {"broken off"},
    "a stream that throws while it closes": {"broken off"},
    "deep data": {"script_failed", *STOPPED},
    "much to keep": {"script_failed", *STOPPED},
    "a forged answer": {"script_failed"},
}


def source() -> str:
    """Return the script: one route for each."""
    return "\n".join(
        f'registerWebHandler("/bad/{number}", async () => {{ {body} }}, {{ timeout: "400ms" }});'
        for number, body in enumerate(ROUTES.values())
    )


def resident_bytes() -> int:
    """Return the server's memory, which is this process's."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def asked(engine: EngineUnderTest, number: int) -> Reply | Exception:
    """Ask a hostile route; a streamed answer may be broken off."""
    try:
        return await engine.request("GET", f"/bad/{number}")
    except Exception as error:  # noqa: BLE001  whatever the client makes of it
        return error


async def beside(engine: EngineUnderTest, number: int) -> Reply | Exception:
    """Ask a hostile route twice at once, with good requests meanwhile."""
    bad = DeferredList([Deferred.fromCoroutine(asked(engine, number)) for _ in range(2)])
    count = 0
    while not bad.called or count < 2:
        count += 1
        assert (await engine.request("GET", f"/good/{count}")).json() == {"n": str(count), "kept": None}
    ((_, reply), _) = await bad
    assert isinstance(reply, Reply | Exception)
    return reply


@pytest_twisted.ensureDeferred
async def test_beside_a_good_one(tmp_path: Path) -> None:
    """Each ends in time under its right name, the good script's answers stay right, the server's memory is bounded."""
    settings = settings_for(tmp_path)
    settings = replace(settings, limits=LimitSettings(memory_bytes=64 << 20, host_calls=3000))
    data: dict[str, str] = {}
    async with running_engine(settings) as engine:
        await engine.deploy("good", {"main.ts": GOOD})
        await engine.deploy("bad", {"main.ts": source()})
        await beside(engine, 0)
        before = resident_bytes()
        for number, name in enumerate(ROUTES):
            reply = await beside(engine, number)
            if isinstance(reply, Exception):
                data[name] = "broken off"
            else:
                data[name] = "answered" if reply.status == 200 else reply.json()["code"]
                assert "c=d" not in reply.headers.get("set-cookie", "")
        growth = resident_bytes() - before
    assert {name: ending for name, ending in data.items() if ending not in ENDINGS.get(name, STOPPED)} == {}
    assert growth < MOST_GROWTH
