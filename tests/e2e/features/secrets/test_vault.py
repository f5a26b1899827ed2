"""Secrets of HashiCorp Vault, against a real server of OpenBao, which has the same interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _reactor
from twisted.internet.protocol import Factory, Protocol

from aiwebengine.features.secrets.settings import SecretSettings
from tests.support.clients.openbao import OpenBao, openbao
from tests.support.engine import EngineUnderTest, running_engine, settings_for

reactor: Any = _reactor
SCRIPT = 'registerWebHandler("/has", (req) => String(secrets.has(req.query.name)));'


@asynccontextmanager
async def engine_of(folder: Path, **settings: Any) -> AsyncIterator[EngineUnderTest]:
    """Run an engine with a Vault, and a script that may use two secrets."""
    made = settings_for(folder / "data", secrets=SecretSettings(**settings))
    async with running_engine(made) as engine:
        await engine.deploy("has", {"main.js": SCRIPT}, grants=["secret:KEY", "secret:LATER"])
        yield engine


def elsewhere(server: OpenBao) -> tuple[str, str]:
    """Have a secret in a namespace, behind a role, all at unusual places; return the role and its secret."""
    server.ask("POST", "sys/namespaces/team", {})

    def ask(method: str, path: str, document: Any = None) -> Any:
        return server.ask(method, path, document, namespace="team")

    ask("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
    ask("POST", "kv/data/shop/web", {"data": {"KEY": "value"}})
    ask("POST", "sys/auth/robots", {"type": "approle"})
    ask("POST", "sys/policies/acl/reads", {"policy": 'path "kv/data/shop/web" { capabilities = ["read"] }'})
    ask("POST", "auth/robots/role/shop", {"token_policies": ["reads"], "token_ttl": "1m"})
    role = ask("GET", "auth/robots/role/shop/role-id")["data"]["role_id"]
    return role, ask("POST", "auth/robots/role/shop/secret-id", {})["data"]["secret_id"]


@pytest.mark.setting(
    "secrets.vault_url",
    "secrets.vault_mount",
    "secrets.vault_path",
    "secrets.vault_namespace",
    "secrets.vault_role_id",
    "secrets.vault_role_mount",
    "secrets.vault_secret_id_file",
    "secrets.vault_ca_file",
)
@pytest_twisted.ensureDeferred
async def test_elsewhere(tmp_path: Path) -> None:
    """A secret is read over TLS, as a role, of a namespace, from where it is."""
    with openbao(tmp_path, tls=True) as server:
        role, secret_id = elsewhere(server)
        (tmp_path / "secret-id").write_text(secret_id + "\n")
        async with engine_of(
            tmp_path,
            vault_url=server.url,
            vault_mount="kv",
            vault_path="shop/web",
            vault_namespace="team",
            vault_role_id=role,
            vault_role_mount="robots",
            vault_secret_id_file=str(tmp_path / "secret-id"),
            vault_ca_file=server.ca_file,
        ) as engine:
            assert (await engine.request("GET", "/has?name=KEY")).text == "true"


@pytest.mark.setting("secrets.vault_token_file", "secrets.vault_reload_seconds")
@pytest_twisted.ensureDeferred
async def test_read_again(tmp_path: Path) -> None:
    """With a token from a file secrets are read, again and again; a Vault that is gone leaves them as they are."""
    with openbao(tmp_path) as server:
        server.ask("POST", "secret/data/aiwebengine", {"data": {"KEY": "value"}})
        (tmp_path / "token").write_text("root-of-the-test\n")
        async with engine_of(
            tmp_path, vault_url=server.url, vault_token_file=str(tmp_path / "token"), vault_reload_seconds=1.0
        ) as engine:
            assert (await engine.request("GET", "/has?name=KEY")).text == "true"
            server.ask("POST", "secret/data/aiwebengine", {"data": {"KEY": "value", "LATER": "value"}})
            while (await engine.request("GET", "/has?name=LATER")).text != "true":
                pass
            server.process.terminate()
            while "cannot be read" not in (await engine.api("GET", "/state")).text:
                pass
            assert (await engine.request("GET", "/has?name=KEY")).text == "true"


@pytest.mark.setting("secrets.vault_seconds")
@pytest_twisted.ensureDeferred
async def test_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Vault that does not answer does not keep the server from starting; its secrets are unavailable."""
    monkeypatch.setenv("VAULT_TOKEN", "token")
    port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
    try:
        async with engine_of(
            tmp_path, vault_url=f"http://127.0.0.1:{port.getHost().port}", vault_seconds=0.2
        ) as engine:
            state = (await engine.api("GET", "/state")).text
            assert "did not answer within 0.2 s" in state
            assert (await engine.request("GET", "/has?name=KEY")).text == "false"
    finally:
        await port.stopListening()
