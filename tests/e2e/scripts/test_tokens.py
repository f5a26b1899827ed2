"""Packages that need `crypto.subtle`: jose, and the parts of Hono that sign."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
import pytest_twisted

from aiwebengine.settings.schema import BuildSettings, LimitSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.reading.rendered import ROOT

NPM_CACHE = ROOT / "build-cache" / "npm"
_FOLDER = ROOT / "tests" / "support" / "packages" / "jose"

pytestmark = pytest.mark.skipif(
    not (NPM_CACHE / "filled").exists(), reason="the npm packages were not fetched; run make test with a network"
)


@pytest_twisted.ensureDeferred
async def test_tokens(tmp_path: Path) -> None:
    """A deployed script signs, verifies, encrypts and decrypts tokens with jose, and what Hono signs."""
    build = BuildSettings(npm_cache=str(NPM_CACHE), npm_offline=True, build_seconds=200)
    limits = LimitSettings(wall_seconds=60.0, cpu_seconds=60.0)
    async with running_engine(settings_for(tmp_path, build=build, limits=limits)) as engine:
        await engine.deploy("jose", {path.name: path.read_text("utf-8") for path in _FOLDER.iterdir()})
        await _jose(engine)
        await _hono(engine)


async def _jose(engine: EngineUnderTest) -> None:
    assert await _json(engine, "/tokens/signed/HS256") == ["you", "HS256", True, "ERR_JWT_EXPIRED"]
    for alg in ("RS256", "PS256", "ES256", "ES512", "EdDSA"):
        wanted = ["you", alg, True, "ERR_JWT_EXPIRED", "me", "me", 43]
        assert await _json(engine, f"/tokens/signed/{alg}") == wanted, alg
    encrypted = await _json(engine, "/tokens/encrypted")
    assert encrypted == ["you", *["text"] * 6, "ERR_JWE_DECRYPTION_FAILED"]
    assert await _json(engine, "/tokens/known") == "joe"


async def _hono(engine: EngineUnderTest) -> None:
    token = (await engine.request("GET", "/tokens/make")).text
    assert (await engine.request("GET", "/tokens/jwt/who")).status == 401
    assert (await engine.request("GET", "/tokens/jwt/who", {"authorization": f"Bearer {token}x"})).status == 401
    admitted = await engine.request("GET", "/tokens/jwt/who", {"authorization": f"Bearer {token}"})
    assert admitted.json() == "ada"
    basic = b64encode(b"ada:pass").decode()
    for path, right, wrong in (("basic", f"Basic {basic}", "Basic YTpi"), ("bearer", "Bearer token", "Bearer other")):
        assert (await engine.request("GET", f"/tokens/{path}", {"authorization": right})).text == "in"
        assert (await engine.request("GET", f"/tokens/{path}", {"authorization": wrong})).status == 401
    cookie = (await engine.request("GET", "/tokens/cookie")).headers["set-cookie"].partition(";")[0]
    assert (await engine.request("GET", "/tokens/cookie", {"cookie": cookie})).text == "v"
    forged = cookie.replace("n=v.", "n=w.")
    assert (await engine.request("GET", "/tokens/cookie", {"cookie": forged})).text == "false"
    first = await engine.request("GET", "/tokens/etag")
    again = await engine.request("GET", "/tokens/etag", {"if-none-match": first.headers["etag"]})
    assert (first.text, again.status) == ("the same", 304)


async def _json(engine: EngineUnderTest, path: str) -> object:
    reply = await engine.request("GET", path)
    assert reply.status == 200, f"{path}: {reply.text}"
    return reply.json()
