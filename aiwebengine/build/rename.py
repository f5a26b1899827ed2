"""
Today's names for calls that scripts make by older ones.

The build worker finds them, because only a parser can distinguish a call from a word in a string; it is started for
this, parses file by file, and is ended.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiwebengine.build.node import NodeProgram

_SECONDS = 120.0
_SETUP: dict[str, object] = {"cache": None, "known": {}, "advice": {}, "version": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class NameChange:
    """One name that was replaced."""

    line: int
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamedFile:
    """One file."""

    source: str
    changes: tuple[NameChange, ...]
    problem: str = ""
    """Why it was left alone: it cannot be parsed."""


def rename(
    node: NodeProgram, toolchain: Path, files: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, RenamedFile]:
    """
    Replace older names in *files*.

    Args:
        toolchain: The assembled build worker.
        files: Text by path.
        names: Today's name by the older one.

    Raises:
        OSError, subprocess.SubprocessError: node does not run.
        ValueError: The worker answers something else than it should.
    """
    paths = list(files)
    requests = [
        {"id": number, "op": "rename", "path": path, "source": files[path], "names": dict(names)}
        for number, path in enumerate(paths)
    ]
    done = subprocess.run(
        [str(node.program), str(toolchain / "worker.mjs")],
        input="".join(f"{json.dumps(line)}\n" for line in [_SETUP, *requests]).encode(),
        env={**os.environ, "ESBUILD_BINARY_PATH": str(toolchain / "bin" / "esbuild")},
        capture_output=True,
        timeout=_SECONDS,
        check=True,
    )
    answers = {line["id"]: line for line in map(json.loads, done.stdout.decode().splitlines()) if "id" in line}
    if len(answers) != len(paths):
        raise ValueError(f"the build worker answered {len(answers)} of {len(paths)} requests")
    return {path: _read(files[path], answers[number]) for number, path in enumerate(paths)}


def _read(source: str, answers: Mapping[str, object]) -> RenamedFile:
    renamed = answers.get("ok")
    if not isinstance(renamed, dict):
        return RenamedFile(source=source, changes=(), problem=str(answers.get("error", "")).partition("\n")[0])
    changes = tuple(
        NameChange(line=change["line"], old=change["from"], new=change["to"]) for change in renamed["changes"]
    )
    return RenamedFile(source=renamed["source"], changes=changes)
