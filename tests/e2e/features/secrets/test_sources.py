"""The settings of secrets: where a server gets them from."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.errors import CannotStart
from aiwebengine.features.secrets.settings import SecretSettings
from aiwebengine.features.secrets.sources.sealed_file import SealedSecret, new_key, seal, write_keys
from aiwebengine.services.whole_files import write_whole
from tests.support.engine import EngineUnderTest, running_engine, settings_for

SIGN = """
registerWebHandler("/sign", async (req) => {
  const key = await secrets.key(req.query.name, { name: "HMAC", hash: "SHA-256" }, ["sign", "verify"], { format: req.query.format });
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode("text"));
  let exported = "no";
  try { exported = await crypto.subtle.exportKey("raw", key); } catch (e) { exported = e.name; }
  return { mac: btoa(String.fromCharCode(...new Uint8Array(mac))), exported, extractable: key.extractable };
});
"""  # noqa: E501 - a line of JavaScript is one line


def mac(value: bytes) -> str:
    return base64.b64encode(hmac.new(value, b"text", hashlib.sha256).digest()).decode()


async def started(base: Path, names: Sequence[str], check: Any, **settings: Any) -> None:
    """Start an engine, and give it to *check* with a script that may use secrets of these names."""
    made = settings_for(base / "data", secrets=SecretSettings(**settings))
    async with running_engine(made) as engine:
        await engine.deploy("signs", {"main.js": SIGN}, grants=[f"secret:{name}" for name in names])
        await check(engine)


async def signed(engine: EngineUnderTest, name: str, form: str = "text") -> Any:
    reply = await engine.request("GET", f"/sign?name={name}&format={form}")
    assert reply.status == 200, reply.text
    return reply.json()


async def source_of(engine: EngineUnderTest, name: str) -> str:
    listed = (await engine.api("GET", "/secrets")).json()["secrets"]
    return str(next(secret["source"] for secret in listed if secret["name"] == name))


@pytest.mark.setting("secrets.files")
@pytest_twisted.ensureDeferred
async def test_keys(tmp_path: Path) -> None:
    """A secret signs as a key that cannot be exported, in several formats; a wrong one is refused without its value."""
    (tmp_path / "text").write_bytes(b"value\n")
    (tmp_path / "base64").write_bytes(base64.b64encode(b"\x00\x01value") + b"\n")
    (tmp_path / "hex").write_bytes(b"76616c7565\n")

    async def check(engine: EngineUnderTest) -> None:
        told = await signed(engine, "TEXT")
        assert told == {"mac": mac(b"value"), "exported": "InvalidAccessError", "extractable": False}
        assert (await signed(engine, "B64", "base64"))["mac"] == mac(b"\x00\x01value")
        assert (await signed(engine, "HEX", "hex"))["mac"] == mac(b"value")
        reply = await engine.request("GET", "/sign?name=TEXT&format=hex")
        assert "is no key in the format hex" in reply.text
        reply = await engine.request("GET", "/sign?name=OTHER")
        assert "may not use the secret OTHER" in reply.text
        assert await source_of(engine, "TEXT") == "the files of secrets.files"

    files = tuple(f"{name}={tmp_path / file}" for name, file in {"TEXT": "text", "B64": "base64", "HEX": "hex"}.items())
    await started(tmp_path, ["TEXT", "B64", "HEX"], check, files=files)


@pytest.mark.setting("secrets.prefix")
@pytest_twisted.ensureDeferred
async def test_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables with the prefix are secrets, and nothing else of the environment; processes of scripts have none."""
    monkeypatch.setenv("SHOP_KEY", "value")
    monkeypatch.setenv("AIWEBENGINE_SECRET_OTHER", "other")

    async def check(engine: EngineUnderTest) -> None:
        assert (await signed(engine, "KEY"))["mac"] == mac(b"value")
        assert [secret["name"] for secret in (await engine.api("GET", "/secrets")).json()["secrets"]] == ["KEY"]

    await started(tmp_path, ["KEY"], check, prefix="SHOP_")


@pytest.mark.setting("secrets.order")
@pytest_twisted.ensureDeferred
async def test_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first source in the order counts; one that is left out is not used."""
    monkeypatch.setenv("AIWEBENGINE_SECRET_KEY", "of the environment")
    monkeypatch.setenv("AIWEBENGINE_SECRET_MORE", "of the environment")
    (tmp_path / "key").write_text("of the file")

    async def check(engine: EngineUnderTest) -> None:
        assert (await signed(engine, "KEY"))["mac"] == mac(b"of the file")
        assert (await signed(engine, "MORE"))["mac"] == mac(b"of the environment")

    files = (f"KEY={tmp_path / 'key'}",)
    await started(tmp_path, ["KEY", "MORE"], check, files=files, order=("files", "environment"))


@pytest.mark.setting("secrets.folder")
@pytest_twisted.ensureDeferred
async def test_folder(tmp_path: Path) -> None:
    """Each file of a folder is a secret, but for hidden ones and such with other names."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    for name in ("KEY", ".hidden", "not a name"):
        (folder / name).write_text("value")

    async def check(engine: EngineUnderTest) -> None:
        assert (await signed(engine, "KEY"))["mac"] == mac(b"value")
        assert [secret["name"] for secret in (await engine.api("GET", "/secrets")).json()["secrets"]] == ["KEY"]

    await started(tmp_path, ["KEY"], check, folder=str(folder))


@pytest.mark.setting("secrets.encrypted_file", "secrets.key_file")
@pytest_twisted.ensureDeferred
async def test_encrypted_file(tmp_path: Path) -> None:
    """The encrypted file is read with its key, wherever they are."""
    key = new_key()
    write_keys(tmp_path / "elsewhere.key", [key])
    write_whole(tmp_path / "elsewhere.sealed", seal({"KEY": SealedSecret(value=b"value")}, key))

    async def check(engine: EngineUnderTest) -> None:
        assert (await signed(engine, "KEY"))["mac"] == mac(b"value")

    await started(
        tmp_path,
        ["KEY"],
        check,
        encrypted_file=str(tmp_path / "elsewhere.sealed"),
        key_file=str(tmp_path / "elsewhere.key"),
    )


@pytest.mark.setting("secrets.max_value_bytes")
@pytest_twisted.ensureDeferred
async def test_too_large(tmp_path: Path) -> None:
    """With a secret that is too large the server does not start, and says which one it is."""
    (tmp_path / "key").write_text("v" * 17)
    with pytest.raises(CannotStart, match="has more than 16 bytes"):
        await started(tmp_path, [], None, files=(f"KEY={tmp_path / 'key'}",), max_value_bytes=16)


@pytest.mark.setting("secrets.max_secrets")
@pytest_twisted.ensureDeferred
async def test_too_many(tmp_path: Path) -> None:
    """With too many secrets in a folder the server does not start."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    for name in ("A", "B"):
        (folder / name).write_text("value")
    with pytest.raises(CannotStart, match="has more than 1 secrets"):
        await started(tmp_path, [], None, folder=str(folder), max_secrets=1)


@pytest_twisted.ensureDeferred
async def test_wrong_key(tmp_path: Path) -> None:
    """With the wrong key the server does not start, and the message says which keys these are."""
    data = tmp_path / "data"
    data.mkdir()
    write_keys(data / "secrets.key", [new_key()])
    write_whole(data / "secrets.sealed", seal({"KEY": SealedSecret(value=b"value")}, new_key()))
    with pytest.raises(CannotStart, match="was encrypted with another key"):
        await started(tmp_path, [], None)
