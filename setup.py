"""
What setup.cfg cannot say.

A wheel also holds the values of `config/`, as `aiwebengine/config/`, and the twistd plugin, in `twisted/plugins/`.
An editable installation finds the values where they are, and the plugin by one line in a `.pth` file.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import zipfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).parent.resolve()


class BuildPy(build_py):
    """Copy what stands outside of the packages to where an installed server looks for it."""

    def run(self) -> None:
        """Build the packages, then add to them unless they are used in place."""
        super().run()
        if not self.editable_mode:
            self._add("config", "*.yaml", "aiwebengine/config")
            self._add("plugins/twisted/plugins", "*.py", "twisted/plugins")

    def _add(self, source: str, pattern: str, target: str) -> None:
        folder = Path(self.build_lib, target)
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted((ROOT / source).glob(pattern)):
            shutil.copyfile(path, folder / path.name)


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


setup(cmdclass={"build_py": BuildPy, "editable_wheel": EditableWheel})
