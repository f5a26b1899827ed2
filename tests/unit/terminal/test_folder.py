"""What a deployment sends."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.folder import read


def test_a_file(tmp_path: Path) -> None:
    """A single file is sent under its name, which is also the entry; the script is called like it."""
    (tmp_path / "hello.ts").write_text("1")
    found = read(tmp_path / "hello.ts")
    assert (found.uri, found.entry, found.files) == ("hello", "hello.ts", {"hello.ts": "1"})


def test_a_folder(tmp_path: Path) -> None:
    """A folder is sent whole, but for node_modules, what begins with a dot, and links."""
    for name in ("main.ts", "lib/a.ts", "node_modules/x/index.js", ".git/config", ".env", "lib/.hidden"):
        (tmp_path / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "notes" / name).write_text(name)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "notes" / "link.ts").symlink_to(secret)
    (tmp_path / "notes" / "linked").symlink_to(tmp_path)
    found = read(tmp_path / "notes")
    assert (found.uri, found.entry, found.root) == ("notes", None, str(tmp_path / "notes"))
    assert sorted(found.files) == ["lib/a.ts", "main.ts"]
    assert sorted(found.links) == ["link.ts", "linked"]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """Files that are not UTF-8 travel as base64, unchanged."""
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\xff")
    found = read(tmp_path / "logo.png").files["logo.png"]
    assert base64.b64decode(found["base64"]) == b"\x89PNG\xff"


def test_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script in the working directory is called like that directory."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "main.js").write_text("1")
    monkeypatch.chdir(tmp_path / "notes")
    found = read(Path())
    assert (found.uri, found.root) == ("notes", "")


def test_what_cannot_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty folders and giant ones are refused before anything is sent."""
    with pytest.raises(CommandFailed, match="holds no files"):
        read(tmp_path)
    monkeypatch.setattr("aiwebengine.terminal.folder._MAX_BYTES", 10)
    (tmp_path / "main.js").write_text("12345678901")
    with pytest.raises(CommandFailed, match="is it the folder of one script"):
        read(tmp_path)
    with pytest.raises(CommandFailed, match="larger than"):
        read(tmp_path / "main.js")
