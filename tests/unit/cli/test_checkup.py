"""What `aiwebengine doctor` finds."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.cli.checkup import FAILED, OK, WARNING, Finding, check
from aiwebengine.settings.schema import PROTECTIONS, SandboxSettings, ServerSettings, Settings
from tests.support.folders import temporary_folder

WHOLE = {**dict.fromkeys(PROTECTIONS, True), "notes": {}}
LACKING = {**WHOLE, "landlock": False, "notes": {"landlock": "this kernel has no Landlock"}}


class CheckupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = temporary_folder(self)
        self.report: Any = WHOLE
        self.patch(subprocess, "run", self.run_program)

    def run_program(self, command: list[str], **_: Any) -> Any:
        """Stand for the programs that the doctor calls."""
        if "--report" not in command:
            return SimpleNamespace(stdout=b"v22.1.0\n", stderr=b"", returncode=0)
        if isinstance(self.report, Exception):
            raise self.report
        return SimpleNamespace(stdout=json.dumps(self.report).encode())

    def found(self, name: str, **sections: Any) -> Finding:
        """Return what is found about one thing."""
        settings = Settings(server=ServerSettings(data_folder=str(self.folder), port=0), **sections)
        return next(finding for finding in check(settings) if finding.name == name)

    def test_whole(self) -> None:
        """Where all protections hold, nothing is wrong with the sandbox."""
        self.assertEqual(self.found("sandbox").state, OK)

    @pytest.mark.setting("sandbox.allow_missing")
    def test_a_missing_protection(self) -> None:
        """A protection that is missing keeps the server from starting, unless the setting allows it to be missing."""
        self.report = LACKING
        refused = self.found("sandbox", sandbox=SandboxSettings(allow_missing=()))
        self.assertEqual(refused.state, FAILED)
        self.assertIn("landlock (this kernel has no Landlock)", refused.found)
        allowed = self.found("sandbox", sandbox=SandboxSettings(allow_missing=("landlock",)))
        self.assertEqual(allowed.state, WARNING)
        self.assertIn("allowed by sandbox.allow_missing: landlock", allowed.found)

    def test_a_sandbox_that_does_not_start(self) -> None:
        """A sandbox that fails is told with the last thing it said."""
        self.report = subprocess.CalledProcessError(1, ["python"], stderr=b"Traceback\nImportError: no duktape\n")
        finding = self.found("sandbox")
        self.assertEqual(finding.state, FAILED)
        self.assertIn("ImportError: no duktape", finding.found)

    def test_the_data_folder(self) -> None:
        """A data folder may be missing, and may not be a file."""
        self.assertEqual(self.found("data folder").state, OK)
        self.folder = self.folder / "data"
        self.assertIn("will be made", self.found("data folder").found)
        self.folder.write_text("")
        finding = self.found("data folder")
        self.assertEqual(finding.state, FAILED)
        self.assertIn("is a file; set server.data_folder", finding.found)
