"""Whatever a script has the server compute with `crypto.subtle`, the reactor goes on; see `tests/support/burden.py`."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.burden import BurdenedServer, burdened_server, check_burden

SCRIPT = """
const S = crypto.subtle, large = new Uint8Array(1024 * 1024 - 64), little = new Uint8Array(48 * 1024);
const gcm = await S.importKey("raw", new Uint8Array(32), "AES-GCM", true, ["encrypt"]);
const mac = await S.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-512" }, true, ["sign"]);
const password = await S.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]);
const rsa = { name: "RSA-PSS", modulusLength: 4096, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
const pair = await S.generateKey(rsa, true, ["sign", "verify"]);
const pkcs8 = await S.exportKey("pkcs8", pair.privateKey), jwk = await S.exportKey("jwk", pair.privateKey);
const work = {
  digest: () => S.digest("SHA-512", large),
  gcm: () => S.encrypt({ name: "AES-GCM", iv: new Uint8Array(12) }, gcm, large),
  sync: () => { for (let i = 0; i < 200; i++) crypto.hmacSync("SHA-512", "key", little); },
  many: () => Promise.all(Array.from({ length: 60 }, () => S.sign("HMAC", mac, little))),
  keys: () => Promise.all(Array.from({ length: 3 }, () => S.generateKey({ ...rsa, modulusLength: 3072 }, false, ["sign"]))),
  pkcs8: () => Promise.all(Array.from({ length: 20 }, () => S.importKey("pkcs8", pkcs8, rsa, true, ["sign"]))),
  jwk: () => Promise.all(Array.from({ length: 20 }, () => S.importKey("jwk", jwk, rsa, true, ["sign"]))),
  sign: () => Promise.all(Array.from({ length: 50 }, () => S.sign({ name: "RSA-PSS", saltLength: 32 }, pair.privateKey, little))),
  password: () => S.deriveBits({ name: "PBKDF2", hash: "SHA-512", salt: little, iterations: 300000 }, password, 512),
};
registerWebHandler("/compute/:what", async (req) => { await work[req.params.what](); return "done"; });
"""
WORK = ("digest", "gcm", "sync", "many", "keys", "pkcs8", "jwk", "sign", "password")


@pytest.fixture(scope="module")
def server() -> Iterator[BurdenedServer]:
    """Run a server with a script that computes."""
    with burdened_server(SCRIPT) as running:
        yield running


@pytest.mark.parametrize("what", WORK)
def test_cryptography(server: BurdenedServer, what: str) -> None:
    """Large inputs, many small ones, RSA keys and passwords leave the reactor to others."""
    statuses: list[int] = []
    check_burden(server, lambda: statuses.append(server.ask("GET", f"/compute/{what}")))
    assert set(statuses) == {200}
