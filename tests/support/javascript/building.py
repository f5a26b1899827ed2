"""A builder with its worker, and packages for it to install."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import pytest
from twisted.internet import reactor

from aiwebengine.assembly.declared import DECLARED
from aiwebengine.build.builder import Builder, BuildResult
from aiwebengine.errors import DeploymentRefused, Problem
from aiwebengine.host.names import known_globals
from aiwebengine.settings.schema import BuildSettings
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.shared.kept import lending


@asynccontextmanager
async def running_builder(
    settings: BuildSettings | None = None, *, cache: Path | None = None, more_globals: Sequence[str] = ()
) -> AsyncIterator[Builder]:
    """
    Run a builder for the length of a `with` block.

    With the usual settings it borrows a worker that is kept (see `shared/kept.py`); with others, or with a cache, it
    starts its own.

    Args:
        settings: Other than the usual ones.
        cache: Its folder.
        more_globals: Names that scripts may use, beside those of the engine.
    """
    with tempfile.TemporaryDirectory(prefix="build-") as folder:
        builder = Builder(
            settings=settings or BuildSettings(),
            cache_folder=cache or Path(folder),
            reactor=reactor,
            threads=ThreadsInTurn(),
            random=float,
            known_globals={**known_globals(DECLARED), **dict.fromkeys(more_globals)},
            advice=DECLARED.advice,
        )
        with lending() if cache is None else nullcontext():
            builder.startService()
        try:
            yield builder
        finally:
            stopping = builder.stopService()
            if stopping is not None:
                await stopping


async def build(builder: Builder, files: Mapping[str, str | bytes], entry: str = "main.ts") -> BuildResult:
    """Build *files*."""
    given = {path: content.encode() if isinstance(content, str) else content for path, content in files.items()}
    return await builder.build(entry=entry, files=given, manifest={})


async def problems(builder: Builder, files: Mapping[str, str | bytes], entry: str = "main.ts") -> list[Problem]:
    """Return the problems for which *files* are refused."""
    with pytest.raises(DeploymentRefused) as raised:
        await build(builder, files, entry)
    return list(raised.value.problems)


def tarball(files: Mapping[str, str]) -> bytes:
    """Pack *files* as npm packs a package."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()
