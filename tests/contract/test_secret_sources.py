"""Where secrets come from: the same promises kept by every source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as _untyped
from twisted.internet.tcp import Client
from twisted.internet.threads import deferToThread

from aiwebengine.features.secrets.sources.encrypted import EncryptedSource
from aiwebengine.features.secrets.sources.environment import EnvironmentSource
from aiwebengine.features.secrets.sources.files import FileSource, FolderSource
from aiwebengine.features.secrets.sources.sealed_file import SealedSecret, new_key, seal, write_keys
from aiwebengine.features.secrets.sources.source import MemorySource, SecretSource, SourceUnreadable
from aiwebengine.features.secrets.sources.vault import VaultPlaces, VaultSource
from aiwebengine.features.secrets.sources.vault_client import VaultClient
from aiwebengine.services.whole_files import write_whole
from tests.support.clients.openbao import OpenBao, openbao
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.waiting import until

FIRST = {"STRIPE_KEY": b"sk_live_1 with spaces", "tls.crt": "grün".encode(), "a-b_c": b"x"}
SECOND = {"STRIPE_KEY": b"sk_live_2", "other": b"y"}
IN_THREAD = ThreadsInTurn().run
_reactor: Any = _untyped
Put = Callable[[Mapping[str, bytes]], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A source under test."""

    source: SecretSource
    put: Put | None
    """Gives it other secrets; None: it never has others."""
    spoil: Callable[[], Any]
    """Makes it unreadable."""


def in_memory(_: Path) -> Made:
    source = MemorySource(FIRST)

    def put(values: Mapping[str, bytes]) -> None:
        source.values = dict(values)

    return Made(source=source, put=put, spoil=lambda: setattr(source, "unreadable", "It is gone."))


def in_environment(_: Path) -> Made:
    environ = {f"S_{name}": value.decode() for name, value in FIRST.items()} | {"OTHER": "no", "S_EMPTY": ""}
    source = EnvironmentSource(environ=environ, prefix="S_", most_bytes=100)
    return Made(source=source, put=None, spoil=lambda: environ.update({"S_": "nameless"}))


def in_files(folder: Path) -> Made:
    paths = {name: folder / f"file {number}" for number, name in enumerate(FIRST)}

    def put(values: Mapping[str, bytes]) -> None:
        for path in folder.iterdir():
            path.unlink()
        paths.clear()
        for number, (name, value) in enumerate(values.items()):
            paths[name] = folder / f"file {number}"
            paths[name].write_bytes(value + b"\n")

    put(FIRST)
    source = FileSource(paths=paths, in_thread=IN_THREAD, most_bytes=100, seconds=1.0)
    return Made(source=source, put=put, spoil=(folder / "file 0").unlink)


def in_folder(folder: Path) -> Made:
    """Return a folder as Kubernetes mounts it: links through `..data`, which is replaced whole."""
    made: list[Path] = []

    def put(values: Mapping[str, bytes]) -> None:
        whole = folder / f"..2026_{len(made)}"
        whole.mkdir()
        made.append(whole)
        for name, value in values.items():
            (whole / name).write_bytes(value)
        (folder / "..data_tmp").symlink_to(whole.name)
        (folder / "..data_tmp").replace(folder / "..data")
        for link in folder.iterdir():
            if not link.name.startswith(".."):
                link.unlink()
        for name in values:
            (folder / name).symlink_to(f"..data/{name}")

    put(FIRST)
    source = FolderSource(folder=folder, in_thread=IN_THREAD, most_bytes=100, most=10, seconds=1.0)
    return Made(source=source, put=put, spoil=lambda: folder.rename(folder.with_name("elsewhere")))


def in_encrypted_file(folder: Path) -> Made:
    path, key_file, key = folder / "secrets", folder / "key", new_key()
    write_keys(key_file, [key])

    def put(values: Mapping[str, bytes]) -> None:
        write_whole(path, seal({name: SealedSecret(value=value) for name, value in values.items()}, key))

    put(FIRST)
    source = EncryptedSource(path=path, key_file=key_file, environ={}, in_thread=IN_THREAD, seconds=1.0)
    return Made(source=source, put=put, spoil=lambda: write_keys(key_file, [new_key()]))


def vault_source(server: OpenBao, environ: Mapping[str, str], *, role_id: str = "", clock: Any = None) -> VaultSource:
    """Return a source that reads the usual place of a server."""
    return VaultSource(
        client=VaultClient(url=server.url, namespace="", authorities=b"", reactor=_reactor, seconds=30.0),
        places=VaultPlaces(
            mount="secret", path="aiwebengine", role_id=role_id, role_mount="approle", token_file="", secret_id_file=""
        ),
        environ=environ,
        in_thread=IN_THREAD,
        clock=clock or (lambda: 0.0),
        most_bytes=100,
        most=10,
        seconds=1.0,
    )


def in_vault(_: Path, server: OpenBao) -> Made:
    """Return one of OpenBao: what is put there is a new version of the entry."""
    token = server.ask("POST", "auth/token/create", {"policies": ["root"]})["auth"]["client_token"]

    async def put(values: Mapping[str, bytes]) -> None:
        data = {name: value.decode() for name, value in values.items()}
        server.ask("POST", "secret/data/aiwebengine", {"data": data})

    async def spoil() -> None:
        server.ask("POST", "auth/token/revoke", {"token": token})

    return Made(source=vault_source(server, {"VAULT_TOKEN": token}), put=put, spoil=spoil)


MAKERS = {
    "memory": in_memory,
    "environment": in_environment,
    "files": in_files,
    "folder": in_folder,
    "encrypted file": in_encrypted_file,
}


@asynccontextmanager
async def opened(kind: str, folder: Path, server: Callable[[], OpenBao]) -> AsyncIterator[Made]:
    """Make a source with the first secrets."""
    inside = folder / "inside"
    inside.mkdir()
    if kind != "vault":
        yield MAKERS[kind](inside)
        return
    made = in_vault(inside, server())
    assert made.put is not None
    await made.put(FIRST)
    yield made
    await closed()


async def closed() -> None:
    """Wait until the connections of what was asked are closed."""

    def is_open() -> bool:
        return any(isinstance(each, Client) for each in [*_reactor.getReaders(), *_reactor.getWriters()])

    await until(lambda: not is_open())


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[[], OpenBao]]:
    """Start a server of OpenBao, for all tests."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="aiwebengine-openbao-")))
        started = stack.enter_context(openbao(folder))
        # Twisted resolves names in a thread, which stays.
        pytest_twisted.blockon(deferToThread(lambda: None))
        yield lambda: started


@pytest.fixture(params=sorted([*MAKERS, "vault"]))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def maybe_deferred(result: Any) -> None:
    if hasattr(result, "__await__"):
        await result


async def values_of(source: SecretSource) -> dict[str, bytes]:
    return {name: secret.value for name, secret in (await source.load()).items()}


@pytest_twisted.ensureDeferred
async def test_loads(kind: str, tmp_path: Path, server: Callable[[], OpenBao]) -> None:
    """A source has all of its secrets under their names, byte for byte, and says where they come from."""
    async with opened(kind, tmp_path, server) as made:
        secrets = await made.source.load()
        assert {name: secret.value for name, secret in secrets.items()} == FIRST
        assert all(secret.name == name and secret.source == made.source.shown for name, secret in secrets.items())
        assert made.source.name == kind
        assert "sk_live" not in repr(secrets)


@pytest_twisted.ensureDeferred
async def test_changes(kind: str, tmp_path: Path, server: Callable[[], OpenBao]) -> None:
    """Where secrets can change, the change is seen as a whole; where nothing has, nothing is made anew."""
    async with opened(kind, tmp_path, server) as made:
        assert await values_of(made.source) == FIRST
        assert made.source.seconds or made.put is None
        if made.put is not None:
            assert await made.source.load() is await made.source.load()
            await maybe_deferred(made.put(SECOND))
            assert await values_of(made.source) == SECOND
            await maybe_deferred(made.put(FIRST))
            assert await values_of(made.source) == FIRST


@pytest_twisted.ensureDeferred
async def test_unreadable(kind: str, tmp_path: Path, server: Callable[[], OpenBao]) -> None:
    """A source that cannot be read says so in a sentence, without a value."""
    async with opened(kind, tmp_path, server) as made:
        await made.source.load()
        await maybe_deferred(made.spoil())
        with pytest.raises(SourceUnreadable) as raised:
            await made.source.load()
        assert raised.value.public.endswith(".")
        assert "sk_live" not in raised.value.public


@pytest_twisted.ensureDeferred
async def test_roles(server: Callable[[], OpenBao]) -> None:
    """A role logs in once, its token is renewed when half of its life is over, and a revoked one is replaced."""
    vault = server()

    def prepare() -> tuple[str, str]:
        vault.ask("POST", "secret/data/aiwebengine", {"data": {"KEY": "value"}})
        if "approle/" not in vault.ask("GET", "sys/auth")["data"]:
            vault.ask("POST", "sys/auth/approle", {"type": "approle"})
        rule = 'path "secret/data/aiwebengine" { capabilities = ["read"] }'
        vault.ask("POST", "sys/policies/acl/reads", {"policy": rule})
        vault.ask("POST", "auth/approle/role/shop", {"token_policies": ["reads"], "token_ttl": "60s"})
        role = vault.ask("GET", "auth/approle/role/shop/role-id")["data"]["role_id"]
        return role, vault.ask("POST", "auth/approle/role/shop/secret-id", {})["data"]["secret_id"]

    role, secret_id = prepare()
    now = [0.0]
    source = vault_source(vault, {"VAULT_SECRET_ID": secret_id}, role_id=role, clock=lambda: now[0])
    assert await values_of(source) == {"KEY": b"value"}
    assert await values_of(source) == {"KEY": b"value"}
    assert (source.logins, source.renewals) == (1, 0)
    now[0] = 31.0
    assert await values_of(source) == {"KEY": b"value"}
    assert (source.logins, source.renewals) == (1, 1)
    assert source._token is not None
    vault.ask("POST", "auth/token/revoke", {"token": source._token.text})
    assert await values_of(source) == {"KEY": b"value"}
    assert source.logins == 2
    wrong = vault_source(vault, {"VAULT_SECRET_ID": "no"}, role_id=role)
    with pytest.raises(SourceUnreadable, match="logging in with the role was answered with 400: invalid role"):
        await wrong.load()
    with pytest.raises(SourceUnreadable, match=r"needs the setting secrets\.vault_token_file"):
        await vault_source(vault, {}).load()
    await closed()
