"""Where secrets come from: the same promises kept by every source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.features.secrets.sources.encrypted import EncryptedSource
from aiwebengine.features.secrets.sources.environment import EnvironmentSource
from aiwebengine.features.secrets.sources.files import FileSource, FolderSource
from aiwebengine.features.secrets.sources.sealed_file import SealedSecret, new_key, seal, write_keys
from aiwebengine.features.secrets.sources.source import MemorySource, SecretSource, SourceUnreadable
from aiwebengine.services.whole_files import write_whole
from tests.support.fakes.threads import ThreadsInTurn

FIRST = {"STRIPE_KEY": b"sk_live_1 with spaces", "tls.crt": "grün".encode(), "a-b_c": b"x"}
SECOND = {"STRIPE_KEY": b"sk_live_2", "other": b"y"}
IN_THREAD = ThreadsInTurn().run
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


MAKERS = {
    "memory": in_memory,
    "environment": in_environment,
    "files": in_files,
    "folder": in_folder,
    "encrypted file": in_encrypted_file,
}


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Made]:
    """Make a source with the first secrets."""
    inside = folder / "inside"
    inside.mkdir()
    yield MAKERS[kind](inside)


@pytest.fixture(params=sorted(MAKERS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def values_of(source: SecretSource) -> dict[str, bytes]:
    return {name: secret.value for name, secret in (await source.load()).items()}


@pytest_twisted.ensureDeferred
async def test_loads(kind: str, tmp_path: Path) -> None:
    """A source has all of its secrets under their names, byte for byte, and says where they come from."""
    async with opened(kind, tmp_path) as made:
        secrets = await made.source.load()
        assert {name: secret.value for name, secret in secrets.items()} == FIRST
        assert all(secret.name == name and secret.source == made.source.shown for name, secret in secrets.items())
        assert made.source.name == kind
        assert "sk_live" not in repr(secrets)


@pytest_twisted.ensureDeferred
async def test_changes(kind: str, tmp_path: Path) -> None:
    """Where secrets can change, the change is seen as a whole; where nothing has, nothing is made anew."""
    async with opened(kind, tmp_path) as made:
        assert await values_of(made.source) == FIRST
        assert made.source.seconds or made.put is None
        if made.put is not None:
            assert await made.source.load() is await made.source.load()
            made.put(SECOND)
            assert await values_of(made.source) == SECOND
            made.put(FIRST)
            assert await values_of(made.source) == FIRST


@pytest_twisted.ensureDeferred
async def test_unreadable(kind: str, tmp_path: Path) -> None:
    """A source that cannot be read says so in a sentence, without a value."""
    async with opened(kind, tmp_path) as made:
        await made.source.load()
        made.spoil()
        with pytest.raises(SourceUnreadable) as raised:
            await made.source.load()
        assert raised.value.public.endswith(".")
        assert "sk_live" not in raised.value.public
