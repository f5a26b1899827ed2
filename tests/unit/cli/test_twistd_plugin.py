"""What Twisted reads to list its commands."""

from __future__ import annotations

import runpy
import signal
import sys
from pathlib import Path

import pytest

from aiwebengine.cli.early import HeldSignal

PLUGIN = Path(__file__).parents[3] / "plugins" / "twisted" / "plugins" / "aiwebengine_plugin.py"


@pytest.mark.parametrize(("words", "held"), [(["-n", "aiwebengine", "--port", "0"], True), (["web"], False)])
def test_holds_a_signal(words: list[str], held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGUSR2 is held as soon as twistd has found the command, for the server and for no other."""
    monkeypatch.setattr(sys, "argv", ["twistd", *words])
    before = signal.signal(signal.SIGUSR2, signal.SIG_DFL)
    try:
        made = runpy.run_path(str(PLUGIN))
        assert isinstance(signal.getsignal(signal.SIGUSR2), HeldSignal) is held
        assert made["aiwebengine"].tapname == "aiwebengine"
    finally:
        signal.signal(signal.SIGUSR2, before)
