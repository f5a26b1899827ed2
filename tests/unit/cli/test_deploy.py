"""`aiwebengine deploy` and `aiwebengine check`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.cli.deploy import check, deploy
from aiwebengine.terminal import exits
from tests.support.fakes.commands import run_command
from tests.support.folders import temporary_folder

PROBLEM = {"code": "x", "message": "It is wrong.", "file": "main.ts", "line": 1, "severity": "error"}
REGISTERED = [{"noun": "route", "nouns": "routes", "entries": [{"name": "GET /a"}, {"name": "GET /b"}]}]


class DeployTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = temporary_folder(self)
        self.file = self.folder / "shop.ts"
        self.file.write_text("export const a = 1;")

    def deploy(self, *words: str, events: Any) -> Any:
        """Deploy the file."""
        return run_command(self, deploy, str(self.file), *words, answers={("PUT", "/script"): events})

    def test_deployed(self) -> None:
        """A deployment sends the file under its name, and says what the script registers."""
        result = {"script": {"uri": "shop", "version": 2, "registered": REGISTERED}, "steps": {"build": 12.0}}
        events = [{"step": "build"}, {"result": result}]
        client, code, out = self.deploy("--grant", "scripts", "--expected", "1", "-m", "why", events=events)
        (_, _, query, document) = client.calls[0]
        self.assertEqual(query, {"uri": "shop"})
        self.assertEqual(document["files"], {"shop.ts": "export const a = 1;"})
        self.assertEqual([document[key] for key in ("grants", "expected", "message")], [["scripts"], 1, "why"])
        self.assertEqual(code, 0)
        self.assertIn("shop@2: deployed in 12 ms, 2 routes", out)
        self.assertIn("GET /b", out)

    def test_empty_name(self) -> None:
        """An empty name is refused before anything is sent; it is not taken for none."""
        for command in (deploy, check):
            client, code, out = run_command(self, command, str(self.file), "--uri", "", answers={})
            self.assertEqual((client.calls, code), ([], 2))
            self.assertIn("--uri must not be empty.", out)

    def test_nothing_changed(self) -> None:
        """With --if-changed the same files are not deployed again."""
        result = {"script": {"uri": "shop", "version": 2}, "changed": False}
        client, _, out = self.deploy("--if-changed", events=[{"result": result}])
        self.assertEqual(client.calls[0][2]["ifChanged"], "true")
        self.assertIn("shop@2: nothing changed", out)

    def test_refused(self) -> None:
        """A deployment that is refused prints each problem with its place, and that nothing was changed."""
        error = {"code": "deployment_refused", "detail": "x", "problems": [PROBLEM, {**PROBLEM, "severity": "warning"}]}
        _, code, out = self.deploy(events=[{"step": "check"}, {"error": error}])
        self.assertEqual(code, exits.REFUSED)
        self.assertIn("It is wrong.", out)
        self.assertIn("1 problem; nothing was changed.", out)

    def test_no_end(self) -> None:
        """If the server says nothing of the outcome, the command says how to find out."""
        _, code, out = self.deploy(events=[{"step": "store"}])
        self.assertEqual(code, exits.UNREACHABLE)
        self.assertIn("see `aiwebengine show`", out)

    def test_options_that_exclude_each_other(self) -> None:
        """Grants are given or taken away, and one name is for one path."""
        for words in (("--grant", "scripts", "--no-grants"), (str(self.file), "--uri", "x")):
            client, code, _ = self.deploy(*words, events=[])
            self.assertEqual((client.calls, code), ([], 2))

    def test_check(self) -> None:
        """A check prints problems and ends with 3 if there are errors."""
        answers: dict[tuple[str, str], Any] = {("POST", "/check"): {"ok": True, "registered": REGISTERED}}
        _, code, out = run_command(self, check, str(self.file), answers=answers)
        self.assertEqual(code, 0)
        self.assertIn("ok, 2 routes", out)
        answers = {("POST", "/check"): {"ok": False, "problems": [PROBLEM]}}
        _, code, out = run_command(self, check, str(self.file), answers=answers)
        self.assertEqual(code, exits.REFUSED)
        self.assertIn("It is wrong.", out)
