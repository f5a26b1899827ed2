"""Tests of the first step of the command."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[3]
_SLOW_TO_END = """
import signal, sys, types
from aiwebengine.cli import early

def main():
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        print("first", flush=True)
        signal.raise_signal(signal.SIGINT)
    print("never", flush=True)

sys.modules["aiwebengine.cli.main"] = types.SimpleNamespace(main=main)
early.main()
"""


class InterruptTests(SynchronousTestCase):
    """Ctrl-C before the server has handlers of its own."""

    def test_twice(self) -> None:
        """A second Ctrl-C, while the first is being handled, ends the process with the code 130 and no traceback."""
        ended = subprocess.run(
            [sys.executable, "-c", _SLOW_TO_END], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (130, "first\n", ""))
        self.assertNotEqual(ended.returncode, -signal.SIGINT)
