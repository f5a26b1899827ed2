"""Clients of well-known services from npm, in scripts, against servers that speak their APIs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.settings.schema import BuildSettings, LimitSettings
from tests.support.clients.apis import apis
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.javascript.keys import keys_of
from tests.support.reading.rendered import ROOT

NPM_CACHE = ROOT / "build-cache" / "npm"
_FOLDER = ROOT / "tests" / "support" / "packages"
_JSON = {"content-type": "application/json"}
_ALGORITHMS = {"RS256": "rsa", "RS512": "pkcs1", "PS256": "pss", "ES256": "ec", "ES384": "sec1"}
_BUILDS_FOR_LONG = "it has several hundred files to build"

pytestmark = pytest.mark.skipif(
    not (NPM_CACHE / "filled").exists(), reason="the npm packages were not fetched; run make test with a network"
)


@asynccontextmanager
async def _deployed(folder: Path, package: str) -> AsyncIterator[EngineUnderTest]:
    build = BuildSettings(npm_cache=str(NPM_CACHE), npm_offline=True, build_seconds=600)
    limits = LimitSettings(wall_seconds=60.0, cpu_seconds=60.0, load_seconds=60.0)
    fetch = FetchSettings(allow="all", networks=("127.0.0.0/8",))
    async with running_engine(settings_for(folder, build=build, limits=limits, fetch=fetch)) as engine:
        await engine.deploy(package, {path.name: path.read_text("utf-8") for path in (_FOLDER / package).iterdir()})
        yield engine


async def _called(folder: Path, package: str) -> Any:
    """Deploy a package's script and return what it gets from a server."""
    with apis() as address:
        async with _deployed(folder, package) as engine:
            reply = await engine.request("GET", f"/{package}?api={address}")
            assert reply.status == 200, reply.text
            return reply.json()


@pytest_twisted.ensureDeferred
async def test_jsonwebtoken(tmp_path: Path) -> None:
    """Jsonwebtoken signs and verifies with secrets and keys, and refuses; bcryptjs hashes and compares."""
    keys = keys_of()
    given = {name: {one: keys[kind][name] for one, kind in _ALGORITHMS.items()} for name in ("pem", "open")}
    async with _deployed(tmp_path, "jsonwebtoken") as engine:
        reply = await engine.request("POST", "/jsonwebtoken", _JSON, json.dumps(given))
        assert reply.status == 200, reply.text
        made = reply.json()
        assert {name: token[1] for name, token in made.pop("tokens").items()} == dict.fromkeys(_ALGORITHMS, "ada")
        assert made == {
            "verified": "ada",
            "head": {"alg": "HS256", "typ": "JWT"},
            "wrong": ["JsonWebTokenError", "invalid signature"],
            "expired": "TokenExpiredError",
        }
        assert (await engine.request("GET", "/bcryptjs")).json() == [
            True, False, 4, "$2b$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm", False,
        ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_resend(tmp_path: Path) -> None:
    """The client of Resend sends one mail and several, finds one, and tells of a wrong key."""
    assert await _called(tmp_path, "resend") == {
        "sent": {"id": "mail-1"},
        "found": "Hello",
        "batch": {"data": [{"id": "mail-0"}, {"id": "mail-1"}]},
        "error": {"statusCode": 401, "name": "validation_error", "message": "API key is invalid"},
    }


@pytest.mark.slow(_BUILDS_FOR_LONG)
@pytest_twisted.ensureDeferred
async def test_openai(tmp_path: Path) -> None:
    """The client of OpenAI lists models, completes, embeds and streams, and tells of a wrong key."""
    assert await _called(tmp_path, "openai") == {
        "models": ["small", "large"],
        "chat": "Hello!",
        "embedding": [0.5, -1.25],
        "pieces": ["Hel", "lo", "!", None],
        "error": [True, 401, "401 Incorrect API key provided."],
    }


@pytest.mark.slow(_BUILDS_FOR_LONG)
@pytest_twisted.ensureDeferred
async def test_anthropic(tmp_path: Path) -> None:
    """The client of Anthropic makes messages, counts tokens, lists models and streams, and tells of a wrong key."""
    assert await _called(tmp_path, "anthropic") == {
        "message": [{"type": "text", "text": "Hello!"}],
        "tokens": 7,
        "models": ["small"],
        "pieces": ["Hel", "lo", "!"],
        "whole": [{"type": "text", "text": "Hello!"}],
        "error": [True, 401, "invalid x-api-key"],
    }


@pytest.mark.slow(_BUILDS_FOR_LONG)
@pytest_twisted.ensureDeferred
async def test_supabase(tmp_path: Path) -> None:
    """The client of Supabase inserts, selects, calls a function and signs in, and tells of a missing table."""
    assert await _called(tmp_path, "supabase") == {
        "inserted": {"id": 1, "text": "first"},
        "found": [{"id": 1, "text": "first"}],
        "called": 1,
        "user": "a@example.com",
        "error": [404, "PGRST205", "Could not find the table"],
    }


@pytest.mark.slow(_BUILDS_FOR_LONG)
@pytest_twisted.ensureDeferred
async def test_ai(tmp_path: Path) -> None:
    """The AI SDK makes text with a provider, streams it and embeds, and tells of a wrong key."""
    assert await _called(tmp_path, "ai") == {
        "text": "Hello!",
        "tokens": 3,
        "pieces": ["Hel", "lo", "!"],
        "embedding": [0.5, -1.25],
        "error": ["AI_APICallError", 401, "Incorrect API key provided."],
    }
