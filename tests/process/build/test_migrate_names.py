"""Scripts get today's names: by the real parser, through the command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from aiwebengine.cli.main import run
from aiwebengine.terminal import exits
from tests.support.reading.rendered import ROOT

OLD = """\
import { kv, register } from "aiwebengine";
// register("/comment", "left alone")
const text: string = "register('/x')";
register("/old", "answer", "GET");
function answer(req: unknown) {
  writeLog("hi");
  const calls = { writeLog, register };
  globalThis.register("/p", answer);
  return text;
}
function own(register: (x: number) => number) {
  return register(1);
}
"""
NEW = """\
import { kv, registerWebHandler } from "aiwebengine";
// register("/comment", "left alone")
const text: string = "register('/x')";
registerWebHandler("/old", "answer", "GET");
function answer(req: unknown) {
  console.log("hi");
  const calls = { writeLog: console.log, register: registerWebHandler };
  globalThis.registerWebHandler("/p", answer);
  return text;
}
function own(register: (x: number) => number) {
  return register(1);
}
"""


@pytest.fixture(name="script")
def _script(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "main.ts").write_text(OLD, "utf-8")
    (tmp_path / "lib" / "page.jsx").write_text(
        "export const page = () => <p>{writeLog('é')}</p>;\r\n", "utf-8", newline=""
    )
    (tmp_path / "lib" / "fine.js").write_text("registerWebHandler('/f', function () { return 1; });\n", "utf-8")
    (tmp_path / "notes.txt").write_text("register", "utf-8")
    return tmp_path


def test_shows(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --write the changes are shown as a diff, and no file is touched."""
    assert run(["migrate-names", str(script)]) == exits.OK
    output = capsys.readouterr()
    assert '-register("/old", "answer", "GET");' in output.out
    assert '+registerWebHandler("/old", "answer", "GET");' in output.out
    assert "7 older names in 2 of 3 files. Nothing was written" in output.err
    assert (script / "main.ts").read_text("utf-8") == OLD


def test_writes(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --write the names are changed, nothing else is, and a second time there is nothing to do."""
    (script / "main.ts").chmod(0o640)
    assert run(["migrate-names", str(script), "--write", "--json"]) == exits.OK
    answer = json.loads(capsys.readouterr().out)
    assert answer["changes"]["main.ts"][1] == {"line": 4, "old": "register", "new": "registerWebHandler"}
    assert (script / "main.ts").read_text("utf-8") == NEW
    assert (script / "main.ts").stat().st_mode & 0o777 == 0o640
    page = (script / "lib" / "page.jsx").read_bytes().decode()
    assert page == "export const page = () => <p>{console.log('é')}</p>;\r\n"
    assert sorted(path.name for path in script.iterdir()) == ["lib", "main.ts", "notes.txt"]
    assert run(["migrate-names", str(script / "main.ts")]) == exits.OK
    assert "0 older names" in capsys.readouterr().err


def test_names_of_graphql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example of the older style gets today's names for all that it registers."""
    script = tmp_path / "older.js"
    shutil.copy(ROOT / "examples" / "older-subscriptions.js", script)
    assert run(["migrate-names", str(script), "--write"]) == exits.OK
    assert "4 older names" in capsys.readouterr().err
    text = script.read_text("utf-8")
    assert "registerGraphQL" not in text
    for name in (
        "registerWebHandler(",
        "registerQueryHandler(",
        "registerMutationHandler(",
        "registerSubscriptionHandler(",
    ):
        assert text.count(name) == 1


def test_cannot_be_parsed(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that cannot be parsed is named and left alone; the others are written."""
    (script / "broken.js").write_text("register(", "utf-8")
    assert run(["migrate-names", str(script), "--write"]) == exits.REFUSED
    assert "broken.js was not changed: " in capsys.readouterr().err
    assert (script / "broken.js").read_text("utf-8") == "register("
    assert (script / "main.ts").read_text("utf-8") == NEW


def test_nothing_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without scripts is refused."""
    (tmp_path / "a.txt").write_text("x", "utf-8")
    assert run(["migrate-names", str(tmp_path)]) == exits.USAGE
    assert "holds no JavaScript or TypeScript" in capsys.readouterr().err
