"""The commands, against a server that answers what the test says."""

from __future__ import annotations

import io
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest

from aiwebengine.cli.main import run
from aiwebengine.terminal import exits
from tests.support.fakes.management_api import FakeApi, fake_api

SCRIPT = {
    "uri": "notes",
    "version": 3,
    "id": "notes@3-5f2a81c0",
    "deployedAt": 1_760_000_000_000,
    "author": "administrator",
    "message": "",
    "entry": "main.ts",
    "grants": [],
    "registered": [
        {
            "kind": "route",
            "noun": "route",
            "nouns": "routes",
            "entries": [
                {"name": "GET /notes", "methods": ["GET"], "path": "/notes", "handler": "list", "place": "main.ts:4"}
            ],
        }
    ],
    "warnings": 0,
    "sizeBytes": 5120,
}
DEPLOYED = {"script": SCRIPT, "previous": 2, "changed": True, "warnings": [], "steps": {"check": 1, "build": 76}}
SYNTAX = {
    "severity": "error",
    "code": "syntax",
    "message": "Unexpected token",
    "file": "main.ts",
    "line": 1,
    "column": 5,
    "snippet": "let = 1",
}


class Shell:
    """Runs commands against the fake server and keeps what they printed."""

    def __init__(self, api: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
        self.api = api
        self.out = ""
        self.err = ""
        self._capsys = capsys

    def run(self, *words: str) -> int:
        code = run(list(words))
        self.out, self.err = self._capsys.readouterr()
        return code

    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(name="shell")
def _shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shell]:
    with fake_api() as api:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.setenv("AIWEBENGINE_URL", api.url)
        monkeypatch.setenv("AIWEBENGINE_TOKEN", "awe_test")
        monkeypatch.chdir(tmp_path)
        yield Shell(api, capsys)


@pytest.fixture(name="notes")
def _notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "main.ts").write_text("let = 1")
    return tmp_path / "notes"


@pytest.mark.usefixtures("notes")
def test_deploy(shell: Shell) -> None:
    """A folder is sent as JSON with what the options say, and its routes are told."""
    shell.api.will(lines=[{"step": "build"}, {"step": "load"}, {"result": DEPLOYED}])
    words = ("--expected", "2", "--grant", "scripts", "-m", "why", "--if-changed")
    assert shell.run("deploy", "notes", *words) == exits.OK
    asked = shell.api.requests[0]
    assert (asked.method, asked.path, asked.authorization) == ("PUT", "/engine/api/script", "Bearer awe_test")
    assert asked.query == {"uri": "notes", "ifChanged": "true"}
    said = {"message": "why", "expected": 2, "grants": ["scripts"]}
    assert asked.document == {"files": {"main.ts": "let = 1"}, "origin": f"{gethostname()}:~/notes", **said}
    assert shell.out == "notes@3: deployed in 77 ms, 1 route\n  GET /notes\n"


@pytest.mark.usefixtures("notes")
def test_deploy_from_another_folder(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal it asks before it replaces what came from elsewhere; --yes, and a first deployment, ask nothing."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    elsewhere = {**SCRIPT, "origin": "box:/other"}
    for answer, code in (("n", exits.REFUSED), ("y", exits.OK)):
        monkeypatch.setattr(sys, "stdin", Terminal(answer + "\n"))
        shell.api.will(document=elsewhere)
        if code == exits.OK:
            shell.api.will(lines=[{"result": DEPLOYED}])
        assert shell.run("deploy", "notes") == code
        assert "notes@3 was deployed from box:/other" in shell.err
        assert "Replace it with what is in" in shell.err
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    shell.api.will(lines=[{"result": DEPLOYED}])
    assert shell.run("deploy", "notes", "--yes") == exits.OK
    shell.api.refuse(404, "not_found", "There is no such script.")
    shell.api.will(lines=[{"result": DEPLOYED}])
    assert shell.run("deploy", "notes") == exits.OK
    shell.api.will(document={**SCRIPT, "origin": f"{gethostname()}:~/notes"})
    shell.api.will(lines=[{"result": DEPLOYED}])
    assert shell.run("deploy", "notes") == exits.OK


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self) -> bool:
        """Return that it is one."""
        return True


@pytest.mark.usefixtures("notes")
def test_deploy_that_removes(shell: Shell) -> None:
    """What a new version takes away is told."""
    removed = [{"entries": [{"name": "POST /notes"}, {"name": "query notes"}]}]
    shell.api.will(lines=[{"result": {**DEPLOYED, "removed": removed}}])
    assert shell.run("deploy", "notes") == exits.OK
    assert shell.out.endswith("  removes POST /notes, which it had\n  removes query notes, which it had\n")


@pytest.mark.usefixtures("notes")
def test_what_is_counted(shell: Shell) -> None:
    """Of files of `public/` people are told how many there are, and on which hosts the script answers."""
    files = {"kind": "file", "noun": "public file", "nouns": "public files", "count": 12, "entries": []}
    script = {**SCRIPT, "registered": [*SCRIPT["registered"], files], "hosts": ["a.example.org"]}
    shell.api.will(lines=[{"result": {**DEPLOYED, "script": script, "removed": [{**files, "count": 1}]}}])
    assert shell.run("deploy", "notes") == exits.OK
    result, *lines = shell.out.splitlines()
    assert result.endswith("1 route, 12 public files on a.example.org")
    assert lines == ["  GET /notes", "  removes 1 public file, which it had"]
    shell.api.will(document={"scripts": [script]})
    assert shell.run("list") == exits.OK
    assert [line.split("  ")[-1].strip() for line in shell.out.splitlines()[1:]] == [
        "GET /notes on a.example.org",
        "12 public files on a.example.org",
    ]
    shell.api.will(document={**script, "files": []})
    assert shell.run("show", "notes") == exits.OK
    assert "hosts:    a.example.org" in shell.out


@pytest.mark.usefixtures("notes")
def test_deploy_refused(shell: Shell) -> None:
    """A refused deployment prints every problem once, at the author's file, and ends with code 3."""
    detail = "Unexpected token. Nothing was changed."
    error = {"code": "deployment_refused", "status": 422, "detail": detail, "problems": [SYNTAX]}
    shell.api.will(lines=[{"step": "build"}, {"error": error}])
    assert shell.run("deploy", "notes") == exits.REFUSED
    assert shell.out == "notes/main.ts:1:5: error: Unexpected token [syntax]\n    let = 1\n        ^\n"
    assert shell.err == "aiwebengine: 1 problem; nothing was changed.\n"


@pytest.mark.usefixtures("notes")
def test_deploy_refused_as_json(shell: Shell) -> None:
    """With --json standard output is one document, errors included."""
    shell.api.refuse(422, "deployment_refused", "Nothing was changed.", problems=[SYNTAX])
    assert shell.run("deploy", "notes", "--json") == exits.REFUSED
    assert shell.json()["exit"] == exits.REFUSED
    assert shell.json()["error"]["problems"] == [SYNTAX]
    assert shell.err == ""


@pytest.mark.usefixtures("notes")
def test_deploy_several(shell: Shell, tmp_path: Path) -> None:
    """Several paths are deployed one after the other, each under its own name."""
    (tmp_path / "hello.js").write_text("1")
    shell.api.will(lines=[{"result": DEPLOYED}])
    shell.api.will(lines=[{"result": {**DEPLOYED, "changed": False}}])
    assert shell.run("deploy", "notes", "hello.js", "--json") == exits.OK
    assert [asked.query["uri"] for asked in shell.api.requests] == ["notes", "hello"]
    origin = f"{gethostname()}:~/hello.js"
    assert shell.api.requests[1].document == {"files": {"hello.js": "1"}, "entry": "hello.js", "origin": origin}
    assert len(shell.json()) == 2
    assert shell.run("deploy", "notes", "hello.js", "--uri", "x") == exits.USAGE


@pytest.mark.usefixtures("notes")
def test_deploy_whose_end_is_not_told(shell: Shell) -> None:
    """A connection that ends before the result is not taken for a success."""
    shell.api.will(lines=[{"step": "build"}])
    assert shell.run("deploy", "notes") == exits.UNREACHABLE
    assert "before it reported the result" in shell.err


@pytest.mark.usefixtures("notes")
def test_check(shell: Shell) -> None:
    """Checking prints problems, and its exit code says whether there are errors."""
    shell.api.will(document={"ok": True, "problems": [], "registered": SCRIPT["registered"]})
    assert shell.run("check", "notes") == exits.OK
    assert shell.out == "notes: ok, 1 route\n"
    shell.api.will(document={"ok": False, "problems": [SYNTAX], "registered": []})
    assert shell.run("check", "notes", "--json") == exits.REFUSED
    assert shell.json()["problems"] == [SYNTAX]


def test_list(shell: Shell) -> None:
    """Scripts are listed as a table; deleted ones have no version."""
    shell.api.will(document={"scripts": [SCRIPT, {"uri": "old", "version": None}]})
    assert shell.run("list", "--deleted") == exits.OK
    lines = shell.out.splitlines()
    assert lines[0].split() == ["script", "version", "deployed", "size", "registers"]
    assert lines[1].startswith("notes   3 ")
    assert lines[1].endswith("5.0 KiB  GET /notes")
    assert lines[2].split() == ["old", "deleted", "-", "-", "-"]
    shell.api.will(document={"scripts": []})
    assert shell.run("list") == exits.OK
    assert "Deploy one" in shell.out


def test_list_shows_everything(shell: Shell) -> None:
    """Each route with its method and each GraphQL field of a script has a line."""
    names = ["GET /notes", "POST /notes", "query notes", "mutation addNote", "subscription added"]
    registered = [{**SCRIPT["registered"][0], "entries": [{"name": name} for name in names]}]  # type: ignore[index]
    shell.api.will(document={"scripts": [{**SCRIPT, "registered": registered}, {**SCRIPT, "registered": []}]})
    assert shell.run("list") == exits.OK
    lines = shell.out.splitlines()[1:]
    assert lines[0].endswith("GET /notes")
    assert [line.strip() for line in lines[1:5]] == names[1:]
    assert lines[5].endswith("-")


def test_list_shows_hosts(shell: Shell) -> None:
    """What answers on some hosts only is listed with them."""
    shell.api.will(document={"scripts": [{**SCRIPT, "hosts": ["a.example.org", "*.example.net"]}]})
    assert shell.run("list") == exits.OK
    assert shell.out.splitlines()[1].endswith("GET /notes on a.example.org, *.example.net")


def test_list_shows_summaries(shell: Shell) -> None:
    """What an author says of a route stands beside it, in both lists."""
    entry = {"name": "GET /notes", "handler": "list", "place": "main.ts:4", "summary": "All notes", "tags": ["a", "b"]}
    registered = [{**SCRIPT["registered"][0], "entries": [entry, {**entry, "summary": ""}]}]  # type: ignore[index]
    shell.api.will(document={"scripts": [{**SCRIPT, "registered": registered, "hosts": ["a.org"]}]})
    assert shell.run("list") == exits.OK
    assert [line.split("KiB  ")[-1].strip() for line in shell.out.splitlines()[1:]] == [
        "GET /notes on a.org: All notes [a, b]",
        "GET /notes on a.org [a, b]",
    ]
    shell.api.will(document={**SCRIPT, "registered": registered, "files": []})
    assert shell.run("show", "notes") == exits.OK
    assert "GET /notes: All notes [a, b]  list" in shell.out


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["logs", "note"], [{"lines": [], "next": None}]),
        (["logs", "note", "--follow"], []),
        (["receipts", "note"], [{"routes": [], "recent": [], "kept": [], "budgets": [], "since": 0}]),
        (
            ["receipts", "note", "--new-budgets"],
            [None, {"routes": [], "recent": [], "kept": [], "budgets": [], "since": 0}],
        ),
        (["record", "note"], []),
    ],
)
def test_unknown_scripts(shell: Shell, words: list[str], first: list[Any]) -> None:
    """A script that the server does not know is an error that names the nearest one."""
    for document in first:
        shell.api.will(document=document)
    shell.api.will(document={"scripts": [SCRIPT, {"uri": "old", "version": None}]})
    assert shell.run(*words) == exits.NOT_FOUND
    assert shell.err == (
        'aiwebengine: There is no script "note"; did you mean "notes"? `aiwebengine list` shows all.\n'
    )


@pytest.mark.parametrize("words", [["show"], ["history"], ["rollback"], ["delete"], ["show", "--file", "a.ts"]])
def test_unknown_scripts_by_every_command(shell: Shell, words: list[str]) -> None:
    """Where the server does not know the script, the nearest one is named, too."""
    shell.api.refuse(404, "not_found", 'There is no script "note".')
    shell.api.will(document={"scripts": [SCRIPT]})
    assert shell.run(*words, "note") == exits.NOT_FOUND
    assert 'There is no script "note"; did you mean "notes"?' in shell.err


def test_what_a_script_does_not_have(shell: Shell) -> None:
    """A version or a file that is not there is told with the command that lists those that are."""
    for words, lists in (
        (["rollback", "notes", "9"], "history notes"),
        (["show", "notes", "--file", "x"], "show notes"),
    ):
        shell.api.refuse(404, "not_found", "It is not there.")
        shell.api.will(document={"scripts": [SCRIPT]})
        assert shell.run(*words) == exits.NOT_FOUND
        assert shell.err == f"aiwebengine: It is not there. `aiwebengine {lists}` lists them.\n"


def test_a_token_that_is_missing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has given no token is told how to give one."""
    monkeypatch.delenv("AIWEBENGINE_TOKEN")
    shell.api.refuse(401, "unauthenticated", "The management API needs the token.")
    assert shell.run("list") == exits.DENIED
    assert "No token was sent (none was given for this address; give --token-file or AIWEBENGINE_TOKEN" in shell.err


def test_help_has_whole_sentences(shell: Shell) -> None:
    """The list of commands shows all of what each does."""
    assert shell.run("--help") == exits.OK
    assert "..." not in shell.out.split("Commands:")[1]


def test_a_script_without_logs(shell: Shell) -> None:
    """A script that is there, or was deleted, and has logged nothing, is no error."""
    for uri in ("notes", "old"):
        shell.api.will(document={"lines": [], "next": None})
        shell.api.will(document={"scripts": [SCRIPT, {"uri": "old", "version": None}]})
        assert shell.run("logs", uri) == exits.OK


def test_unknown_outcome(shell: Shell) -> None:
    """An outcome that there is not is an error that names the nearest one."""
    found = {"routes": [{}], "recent": [], "kept": [], "budgets": [], "since": 0}
    shell.api.will(document=found)
    assert shell.run("receipts", "notes", "--outcome", "script_timout") == exits.USAGE
    assert 'There is no outcome "script_timout"; did you mean "script_timeout"?' in shell.err


def test_show(shell: Shell) -> None:
    """A script is shown with routes and files, and a file exactly as it was deployed."""
    files = [{"path": "main.ts", "sizeBytes": 10, "digest": "x"}]
    shell.api.will(document={**SCRIPT, "files": files, "warnings": [{**SYNTAX, "severity": "warning"}]})
    assert shell.run("show", "notes", "--version", "3") == exits.OK
    assert shell.api.requests[0].query == {"uri": "notes", "version": "3"}
    for part in ("notes@3-5f2a81c0", "main.ts:4", "main.ts:1:5: warning: Unexpected token"):
        assert part in shell.out
    shell.api.will(raw=b"let a\r\n")
    assert shell.run("show", "notes", "--file", "main.ts") == exits.OK
    assert shell.out == "let a\r\n"


def test_history_and_rollback(shell: Shell) -> None:
    """Versions and events are listed, and an older version is made current."""
    version = {**SCRIPT, "current": True}
    events = [{"at": 0, "action": "deploy", "version": 3, "author": "administrator", "message": ""}]
    shell.api.will(document={"uri": "notes", "current": 3, "versions": [version], "events": events})
    assert shell.run("history", "notes") == exits.OK
    assert "current" in shell.out
    shell.api.will(document={**DEPLOYED, "previous": 4})
    newer = [{**version, "version": number} for number in (5, 4, 3, 2)]
    shell.api.will(document={"uri": "notes", "current": 3, "versions": newer, "events": []})
    assert shell.run("rollback", "notes", "3", "--expected", "4") == exits.OK
    assert shell.api.requests[1].query == {"uri": "notes", "version": "3", "expected": "4"}
    assert shell.out == (
        "notes is version 3 now; it was 4\n"
        "newer versions are kept: 4, 5; `aiwebengine rollback notes N` returns to one\n"
    )


def test_delete(shell: Shell) -> None:
    """Deleting says how to undo it; purging asks, and where nobody can be asked it wants --yes."""
    shell.api.will(status=204)
    assert shell.run("delete", "notes") == exits.OK
    assert "`aiwebengine rollback notes` brings it back" in shell.out
    assert shell.run("delete", "notes", "--purge") == exits.USAGE
    shell.api.will(status=204)
    assert shell.run("delete", "notes", "--purge", "--yes", "--json") == exits.OK
    assert shell.api.requests[1].query == {"uri": "notes", "purge": "true"}
    assert shell.json() == {"uri": "notes", "deleted": True, "purged": True}


def test_logs(shell: Shell) -> None:
    """Log lines are printed with their fields and outcome, filtered as asked."""
    line = {"at": 0, "uri": "notes", "version": 3, "level": "warn", "message": "hm", "fields": {"a": 1}}
    shell.api.will(document={"lines": [{**line, "outcome": "script_failed"}], "next": None})
    assert shell.run("logs", "notes", "--level", "warn", "--since", "10m", "-n", "5") == exits.OK
    assert shell.api.requests[0].query == {"uri": "notes", "level": "warn", "since": "10m", "limit": "5"}
    assert shell.out.endswith("warn  hm a=1 (script_failed)\n")


def test_logs_follow(shell: Shell) -> None:
    """Followed lines come one by one, lost ones are counted, and the end of the server is told."""
    line = {"at": 0, "uri": "notes", "version": 3, "level": "info", "message": "hi", "fields": {}}
    shell.api.will(lines=[line, {"dropped": 2}])
    assert shell.run("logs", "-f") == exits.UNREACHABLE
    assert shell.out.endswith("info  notes@3 hi\n")
    assert "2 lines were dropped" in shell.err
    shell.api.will(lines=[line, {"dropped": 2}])
    assert shell.run("logs", "-f", "--json") == exits.UNREACHABLE
    assert json.loads(shell.out.splitlines()[0]) == line


def test_state_and_token(shell: Shell, tmp_path: Path) -> None:
    """State is told in sections, the token comes from the data folder, a new one from the server."""
    state = {"server": {"scripts": 1}, "runtime": {"children": [{"pid": 7}]}, "relay": {"failed": 0}}
    shell.api.will(document=state)
    assert shell.run("state") == exits.OK
    assert shell.out == "Server\n  scripts 1\n\nRuntime\n  children\n    pid\n    7\n\nNothing to report: relay.\n"
    shell.api.will(document=state)
    assert shell.run("state", "--json") == exits.OK
    assert shell.json() == state
    assert shell.run("token") == exits.NOT_FOUND
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "administrator-token").write_text("awe_x\n")
    assert shell.run("token") == exits.OK
    assert shell.out == "awe_x\n"
    shell.api.will(status=201, document={"token": "awe_y"})
    assert shell.run("token", "new") == exits.OK
    assert (shell.out, shell.api.requests[2].method) == ("awe_y\n", "POST")


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "invalid", exits.REFUSED),
        (404, "not_found", exits.NOT_FOUND),
        (409, "conflict", exits.CONFLICT),
        (413, "too_large", exits.REFUSED),
        (503, "unavailable", exits.UNAVAILABLE),
        (500, "internal", exits.FAILED),
    ],
)
def test_exit_codes(shell: Shell, status: int, code: str, exit_code: int) -> None:
    """Each kind of refusal has its exit code, and the server's sentence is printed."""
    shell.api.refuse(status, code, "This is why.")
    assert shell.run("list") == exit_code
    assert shell.err == "aiwebengine: This is why.\n"


def test_wrong_token(shell: Shell) -> None:
    """Who is denied is told where the token came from."""
    shell.api.refuse(401, "unauthenticated", "This is not the administrator token.")
    assert shell.run("list") == exits.DENIED
    assert shell.err == "aiwebengine: This is not the administrator token. The token came from AIWEBENGINE_TOKEN.\n"


def test_no_server_on_the_data_folder(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a running server on the data folder nothing is sent to whoever listens at the address it once had."""
    monkeypatch.delenv("AIWEBENGINE_URL")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "administrator-token").write_text("awe_x\n")
    assert shell.run("list") == exits.UNREACHABLE
    (tmp_path / "data" / "address").write_text(f"{shell.api.url}\n")
    (tmp_path / "data" / "lock").write_text("1\n")
    assert shell.run("list") == exits.UNREACHABLE
    assert shell.err.startswith(f"aiwebengine: No server runs on the data folder {tmp_path / 'data'}. Start one")
    assert shell.api.requests == []


def test_redirected(shell: Shell) -> None:
    """A redirect is not followed, so that the token does not go where nobody sent it."""
    with fake_api() as other:
        shell.api.will(status=307, headers={"location": f"{other.url}/engine/api/scripts"})
        assert shell.run("list") == exits.UNREACHABLE
        assert f"redirects to {other.url}/engine/api/scripts (status 307). The token is not sent there" in shell.err
        assert other.requests == []


def test_no_server(shell: Shell) -> None:
    """An address at which nothing listens is told with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert shell.run("list", "--server", f"http://127.0.0.1:{port}") == exits.UNREACHABLE
    assert "Start one with `aiwebengine serve`" in shell.err


def test_silent_server(shell: Shell) -> None:
    """A server that says nothing is given up after --timeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert shell.run("list", "--server", address, "--timeout", "0.1") == exits.UNREACHABLE
    assert "did not answer within 0.1 seconds" in shell.err


def test_something_else_answers(shell: Shell) -> None:
    """A server that is not aiwebengine is recognised by its answers."""
    shell.api.will(status=404, raw=b"<h1>no</h1>")
    assert shell.run("list") == exits.UNREACHABLE
    assert "answered status 404 without a reason; is it aiwebengine?" in shell.err
    shell.api.will(raw=b"<h1>hello</h1>")
    assert shell.run("list") == exits.UNREACHABLE


def test_misspelt_command(shell: Shell) -> None:
    """A misspelt command is answered with the nearest one."""
    assert shell.run("depoly", "x") == exits.USAGE
    assert "Did you mean 'deploy'?" in shell.err
    assert shell.run("deploy", "none.ts") == exits.USAGE
    assert "'none.ts' does not exist" in shell.err


def test_every_command_has_help(shell: Shell) -> None:
    """--help works for every command and tells something."""
    assert shell.run("--help") == exits.OK
    for name in ("serve", "deploy", "check", "list", "show", "history", "logs", "rollback", "delete", "state", "token"):
        assert shell.run(name, "--help") == exits.OK
        assert "Usage: aiwebengine" in shell.out
    assert shell.run("--version") == exits.OK
    assert re.fullmatch(r"aiwebengine, version \S.*\n", shell.out)


def test_pages(shell: Shell) -> None:
    """Without a name the pages are listed, with it the page is printed; what it needs must be given."""
    receipts = {
        "name": "receipts", "title": "Receipts", "summary": "What invocations cost.",
        "path": "/engine/api/script/receipts", "parameters": ["uri"], "command": "receipts",
    }  # fmt: skip
    known = {"pages": [receipts, {**receipts, "name": "assets", "path": "/engine/api/assets", "parameters": []}]}
    shell.api.will(document=known)
    assert shell.run("pages") == exits.OK
    assert "receipts  uri    receipts  What invocations cost." in shell.out
    shell.api.will(document=known)
    shell.api.will(document={"routes": [{"label": "GET /"}]})
    assert shell.run("pages", "receipts", "uri=my notes") == exits.OK
    assert shell.out == "routes:\n  1\n    label: GET /\n"
    assert (shell.api.requests[-1].path, shell.api.requests[-1].query) == (
        "/engine/api/script/receipts",
        {"uri": "my notes"},
    )
    for words, code, message in (
        (["nothing"], exits.NOT_FOUND, "There is no page nothing"),
        (["receipts"], exits.USAGE, "needs uri=..."),
        (["receipts", "notes"], exits.USAGE, "KEY=VALUE"),
    ):
        shell.api.will(document=known)
        assert shell.run("pages", *words) == code
        assert message in shell.err


def test_receipts(shell: Shell) -> None:
    """Routes and receipts are printed as tables, with how each one ended and what its host calls took."""
    receipt = {
        "id": None, "at": 1_760_000_000_000, "version": "notes@3-5f2a81c0", "invocation": "i1", "kind": "http",
        "label": "GET /notes", "outcome": "script_timeout", "why": None, "wallMs": 1500.25, "queuedMs": 0.5,
        "cpuMs": 3.0, "peakBytes": 5_000_000, "bytesOut": 10, "logLines": 0, "logBytes": 0,
        "hostCalls": {"kv.get": {"count": 2, "ms": 1.25, "bytesIn": 4, "bytesOut": 5}},
    }  # fmt: skip
    route = {
        "label": "GET /notes", "count": 2, "repeated": 0, "errors": {"script_timeout": 1}, "p50Ms": 1.0, "p95Ms": 2.0,
        "p99Ms": 2.0, "wallMs": 3.0, "cpuMs": 3.0, "hostCalls": 2, "hostMs": 1.0, "bytesOut": 10, "logLines": 0,
        "peakBytes": None,
    }  # fmt: skip
    budget = {
        "resource": "host_calls", "budget": "10 host calls a minute", "most": 10, "seconds": 60, "used": 4,
        "refused": 0, "endsAt": None,
    }  # fmt: skip
    found = {"uri": "notes", "since": 1_760_000_000_000, "routes": [route], "budgets": [budget]}
    found.update({"recent": [receipt], "kept": [], "next": None})
    shell.api.will(document=found)
    assert shell.run("receipts", "notes", "--outcome", "script_timeout") == exits.OK
    assert shell.api.requests[0].query == {"uri": "notes", "limit": "10", "outcome": "script_timeout"}
    assert "1 script_timeout" in shell.out
    assert "2 kv.get 1.2" in shell.out
    assert "1500.2" in shell.out
    assert "10 host calls a minute  40 %" in shell.out
    assert "trace" not in shell.out
    shell.api.will(document={**found, "recent": [{**receipt, "trace": "0af7"}]})
    assert shell.run("receipts", "notes") == exits.OK
    assert "0af7" in shell.out
    shell.api.will(status=204)
    shell.api.will(document=found)
    assert shell.run("receipts", "notes", "--new-budgets", "--json") == exits.OK
    assert (shell.api.requests[2].method, shell.api.requests[2].path) == ("DELETE", "/engine/api/script/budgets")
    assert shell.json() == found


def test_server_is_not_loaded() -> None:
    """A command that only talks to a server loads nothing of one: it answers in half the time."""
    look = "import sys, aiwebengine.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    assert {"twisted", "graphql", "sqlalchemy", "klein"}.isdisjoint(done.stdout.split())
