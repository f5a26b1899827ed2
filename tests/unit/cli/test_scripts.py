"""The commands that show and manage what is deployed."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.cli.scripts import delete, history, list_scripts, rollback, show
from tests.support.fakes.commands import run_command

SCRIPT: dict[str, Any] = {
    "uri": "shop",
    "version": 3,
    "id": "shop@3-abc",
    "deployedAt": 1_700_000_000_000,
    "author": "ann",
    "entry": "main.ts",
    "sizeBytes": 2048,
    "registered": [
        {
            "noun": "route",
            "nouns": "routes",
            "entries": [{"name": "GET /a", "handler": "f", "place": "main.ts:1", "summary": "An a.", "tags": ["x"]}],
        }
    ],
    "files": [{"path": "main.ts", "sizeBytes": 2048}],
    "warnings": [],
}
HISTORY = {
    "versions": [
        {"version": number, "deployedAt": 0, "author": "ann", "sizeBytes": 1, "current": number == 2, "message": "m"}
        for number in (3, 2)
    ],
    "events": [{"at": 0, "action": "deployed", "version": 3, "author": "ann", "message": ""}],
}


class ScriptCommandTests(SynchronousTestCase):
    def test_list(self) -> None:
        """Each script has a row, with what it registers and what its author says of it; a deleted one says so."""
        found = {"scripts": [SCRIPT, {"uri": "old", "version": None}]}
        client, code, out = run_command(self, list_scripts, "--deleted", answers={("GET", "/scripts"): found})
        self.assertEqual((client.calls[0][2], code), ({"deleted": "true"}, 0))
        self.assertRegex(out, r"shop +3 .*2(\.0)? KiB +GET /a: An a\. \[x\]")
        self.assertRegex(out, r"old +deleted")

    def test_an_empty_list(self) -> None:
        """Where nothing is deployed the list says how to begin."""
        _, _, out = run_command(self, list_scripts, answers={("GET", "/scripts"): {"scripts": []}})
        self.assertIn("aiwebengine deploy hello.ts", out)

    def test_show(self) -> None:
        """A script is shown with its version, its routes, their handlers and its files."""
        client, _, out = run_command(self, show, "shop", "--version", "3", answers={("GET", "/script"): SCRIPT})
        self.assertEqual(client.calls[0][2], {"uri": "shop", "version": "3"})
        for words in ("version:  3", "entry:    main.ts", "granted:  nothing", "main.ts:1"):
            self.assertIn(words, out)

    def test_show_as_json(self) -> None:
        """With --json the server's answer is printed as it is."""
        _, _, out = run_command(self, show, "shop", "--json", answers={("GET", "/script"): SCRIPT})
        self.assertIn('"id": "shop@3-abc"', out)

    def test_history(self) -> None:
        """The history lists versions, with the current one marked, and what was done."""
        _, _, out = run_command(self, history, "shop", answers={("GET", "/script/history"): HISTORY})
        (line,) = [line for line in out.splitlines() if "current" in line]
        self.assertTrue(line.startswith("2 "), line)
        self.assertIn("deployed", out)

    def test_rollback(self) -> None:
        """A rollback says what is current now, what was before, and which newer versions there are."""
        done = {"script": {"version": 2}, "previous": 3}
        answers = {("POST", "/script/rollback"): lambda *_: dict(done), ("GET", "/script/history"): HISTORY}
        client, _, out = run_command(self, rollback, "shop", "2", "--expected", "3", answers=answers)
        self.assertEqual(client.calls[0][2], {"uri": "shop", "version": "2", "expected": "3"})
        self.assertIn("shop is version 2 now; it was 3", out)
        self.assertIn("newer versions are kept: 3", out)

    def test_delete(self) -> None:
        """A deletion says how to bring the script back; a purge wants to be confirmed first."""
        answers = {("DELETE", "/script"): None}
        client, _, out = run_command(self, delete, "shop", answers=answers)
        self.assertEqual(client.calls[0][2], {"uri": "shop"})
        self.assertIn("aiwebengine rollback shop", out)
        client, code, out = run_command(self, delete, "shop", "--purge", answers=answers)
        self.assertEqual((client.calls, code), ([], 2))
        self.assertIn("add --yes", out)
        client, code, _ = run_command(self, delete, "shop", "--purge", "--yes", answers=answers)
        self.assertEqual((client.calls[0][2], code), ({"uri": "shop", "purge": "true"}, 0))
