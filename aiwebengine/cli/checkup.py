"""
What a server needs of a machine, looked at without starting one.

Each check returns a `Finding`; nothing is changed, and a server that runs is not disturbed.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiwebengine.build.builder import TOOLCHAIN
from aiwebengine.build.node import NodeProgram, find_node
from aiwebengine.runtime import lockdown
from aiwebengine.runtime.processes.zygote import environment
from aiwebengine.services.lock import LOCK_NAME, locked_by
from aiwebengine.settings.schema import Settings

OK, WARNING, FAILED = "ok", "warning", "failed"

_SECONDS = 60.0
_FEW_DESCRIPTORS = 4096
_LOW_SPACE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found."""

    name: str
    state: str
    """`ok`, `warning` (the server starts, and lacks something) or `failed` (it will not start)."""
    found: str
    """For people: what is there, and what to do if that is not right."""


def check(settings: Settings) -> Iterator[Finding]:
    """Run all checks, one after the other."""
    yield _python()
    yield from _sandbox(settings)
    yield _node(settings)
    yield from _folder(Path(settings.server.data_folder))
    yield _address(settings)
    yield _descriptors()


def _python() -> Finding:
    found = f"Python {platform.python_version()} on {platform.system()} {platform.release()}, {platform.machine()}"
    return Finding(name="python", state=OK, found=found)


def _sandbox(settings: Settings) -> Iterator[Finding]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "sandbox", "--report"],
            env=environment(), cwd="/", capture_output=True, timeout=_SECONDS, check=True,
        )  # fmt: skip
        report: Mapping[str, Any] = json.loads(done.stdout)
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        yield Finding(
            name="sandbox", state=FAILED, found=f"The sandbox does not start: {last}. Install the server again."
        )
        return
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        yield Finding(name="sandbox", state=FAILED, found=f"The sandbox does not answer: {error}.")
        return
    refused = lockdown.refusal(report, allowed=settings.sandbox.allow_missing)
    if refused:
        yield Finding(name="sandbox", state=FAILED, found=refused)
        return
    lacking = lockdown.missing(report)
    if lacking:
        finding = f"Missing, but allowed by sandbox.allow_missing: {lockdown.described(report, lacking)}."
        yield Finding(name="sandbox", state=WARNING, found=finding)
    else:
        finding = "All required protections of script processes work."
        yield Finding(name="sandbox", state=OK, found=finding)
    for name, note in report["notes"].items():
        if name not in lacking:
            yield Finding(name="sandbox", state=WARNING, found=f"{note[:1].upper()}{note[1:]}.")


def _node(settings: Settings) -> Finding:
    node = find_node(settings.build.node, TOOLCHAIN)
    without = "Until this is fixed only plain ES5 can be deployed; deployed scripts keep serving."
    if not isinstance(node, NodeProgram):
        return Finding(name="build", state=WARNING, found=f"Scripts cannot be built: {node.private}. {without}")
    try:
        done = subprocess.run([node.program, "--version"], capture_output=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(name="build", state=WARNING, found=f"{node.program} does not run: {error}. {without}")
    return Finding(name="build", state=OK, found=f"node {done.stdout.decode('ascii', 'replace').strip()}")


def _folder(path: Path) -> Iterator[Finding]:
    existing = next(part for part in (path, *path.absolute().parents) if part.exists())
    if not path.is_dir() and path.exists():
        yield Finding(name="data folder", state=FAILED, found=f"{path} is a file; set server.data_folder to a folder.")
        return
    if not os.access(existing, os.W_OK | os.X_OK):
        wrong = f"{existing} is not writable for this user; grant write access, or set server.data_folder."
        yield Finding(name="data folder", state=FAILED, found=wrong)
        return
    try:
        owner = locked_by(path / LOCK_NAME)
    except PermissionError:
        wrong = f"{path / LOCK_NAME} cannot be read by this user; call this command as the user that runs the server."
        yield Finding(name="data folder", state=FAILED, found=wrong)
        return
    found = f"{path} {'is there' if path.is_dir() else 'will be made'}{f'; a server uses it{owner}' if owner else ''}"
    yield Finding(name="data folder", state=OK, found=found)
    free = shutil.disk_usage(existing).free
    if free < _LOW_SPACE_BYTES:
        finding = f"Only {free // (1024 * 1024)} MiB are free where {existing} is: a full disk refuses every write."
        yield Finding(name="disk", state=WARNING, found=finding)


def _address(settings: Settings) -> Finding:
    host, port = settings.server.listen, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            finding = f"{host} port {port} cannot be opened: {error.strerror}. The server itself may be using it."
            return Finding(name="address", state=WARNING, found=finding)
    return Finding(name="address", state=OK, found=f"{host} port {port} is free")


def _descriptors() -> Finding:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < _FEW_DESCRIPTORS:
        finding = (
            f"At most {most} connections, files and processes together: raise `ulimit -n` (LimitNOFILE= of systemd)."
        )
        return Finding(name="descriptors", state=WARNING, found=finding)
    return Finding(name="descriptors", state=OK, found="unlimited" if most == resource.RLIM_INFINITY else f"{most}")
