"""
Start a server in the development profile, deploy the examples to it and stay in the foreground.

It uses the command line and nothing else, so it also shows how a program drives it.
`make serve` runs it; flags are handed on to `aiwebengine serve`.
Scripts that somebody else has deployed under the name of an example are left as they are.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent
ROOT = EXAMPLES.parent
DATA = Path("data")
NPM_CACHE = ROOT / "build-cache" / "npm"
START_SECONDS = 60
MESSAGE = "deployed by make serve"
ENGINE = (sys.executable, "-m", "aiwebengine.cli")


def main(flags: Sequence[str]) -> int:
    """Run until the server ends; its exit code."""
    # Whoever ends this program means the server too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("==> starting the server", file=sys.stderr)
    address = DATA / "address"
    npm = ["--set", f"build.npm_cache={NPM_CACHE}"]
    folder = ["--data-folder", str(DATA)]
    command = [*ENGINE, "serve", "--profile", "development", *folder, *npm, *flags]
    with subprocess.Popen(command) as server:
        try:
            if _answers(server, address):
                _deploy_all(address.read_text("ascii").strip())
            elif server.poll() not in {None, 0} and _owner() in {None, server.pid}:
                # It had the data folder to itself, so what it lacks is most likely a port.
                other = "`make serve PORT=8081` takes another port (0 a free one), `make serve ARGS=...` other flags"
                print(f"{other} of `aiwebengine serve`.", file=sys.stderr)
            return server.wait()
        except KeyboardInterrupt:
            # A terminal's Ctrl-C has reached the server too; from elsewhere it has not.  Once is enough.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            server.send_signal(signal.SIGTERM)
            return 0 if server.wait() in {0, -signal.SIGTERM, -signal.SIGINT} else 1


def _answers(server: subprocess.Popen[bytes], address: Path) -> bool:
    for _ in range(START_SECONDS * 20):
        if server.poll() is not None:
            return False
        if _owner() == server.pid and address.exists() and address.read_text("ascii").strip():
            return True
        time.sleep(0.05)
    print(f"The server has not answered for {START_SECONDS} seconds; it is left running.", file=sys.stderr)
    return False


def _owner() -> int | None:
    """The process that uses the data folder; it removes the address that an earlier one has left."""
    lock = DATA / "lock"
    text = lock.read_text("ascii").strip() if lock.exists() else ""
    return int(text) if text.isdigit() else None


def _deploy_all(url: str) -> None:
    print("==> deploying the examples", file=sys.stderr)
    looks = []
    deployed = _deployed()
    for example in json.loads((EXAMPLES / "examples.json").read_text("utf-8")):
        if deployed.get(example["uri"], MESSAGE) != MESSAGE:
            print(f"{example['uri']}: left as it is, since `make serve` has not deployed it")
            continue
        if "npm" in example.get("needs", ()) and not (NPM_CACHE / "filled").exists():
            print(f"{example['uri']}: skipped, its npm packages could not be fetched; run `make serve` with a network")
        elif _deploy(example):
            looks.append(f"  {url + example['look']:<50} {example['about']}")
    print("\nLook at")
    print("\n".join(looks))
    print("\nDeploy your own:  .venv/bin/aiwebengine deploy hello.ts\nStop with Ctrl-C.", flush=True)


def _deployed() -> dict[str, str]:
    """Messages of the current versions, by script."""
    listed = subprocess.run([*ENGINE, "list", "--data-folder", str(DATA), "--json"], check=True, stdout=subprocess.PIPE)
    return {script["uri"]: script["message"] for script in json.loads(listed.stdout)["scripts"]}


def _deploy(example: dict[str, Any]) -> bool:
    grants = [word for name in example.get("grants", ()) for word in ("--grant", name)]
    where = ["--data-folder", str(DATA), "--if-changed", "--yes", "--message", MESSAGE, "--uri", example["uri"]]
    # A timeout of the client is enough: the server bounds builds.
    done = subprocess.run([*ENGINE, "deploy", *where, *grants, str(EXAMPLES / example["path"])], check=False)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
