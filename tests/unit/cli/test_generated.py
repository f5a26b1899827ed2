"""`aiwebengine init`: a folder that an editor understands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aiwebengine.cli.main import run


def test_new_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder is made, with the declarations and settings for the compiler that leave out the DOM."""
    folder = tmp_path / "shop" / "scripts"
    assert run(["init", str(folder)]) == 0
    assert "declare function registerWebHandler" in (folder / "aiwebengine.d.ts").read_text("utf-8")
    options = json.loads((folder / "tsconfig.json").read_text("utf-8"))["compilerOptions"]
    assert (options["lib"], options["noEmit"], options["jsxFactory"]) == (["ES2023"], True, "h")
    assert (folder / "aiwebengine.d.ts").stat().st_mode & 0o777 == 0o644
    assert capsys.readouterr().out.count("wrote ") == 2


def test_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In a folder that has both, the declarations are brought up to date and the author's settings are left alone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tsconfig.json").write_text("{}", "utf-8")
    (tmp_path / "aiwebengine.d.ts").write_text("// old", "utf-8")
    assert run(["init"]) == 0
    assert (tmp_path / "tsconfig.json").read_text("utf-8") == "{}"
    assert "declare function" in (tmp_path / "aiwebengine.d.ts").read_text("utf-8")
    assert "left tsconfig.json as it is" in capsys.readouterr().out


def test_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is a file is told, not a traceback."""
    (tmp_path / "main.js").write_text("", "utf-8")
    assert run(["init", str(tmp_path / "main.js")]) == 2
    assert "main.js cannot be set up: File exists." in capsys.readouterr().err
