"""How the interpreter shares its time."""

from __future__ import annotations

import gc
import sys

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.observe.interpreter import SWITCH_SECONDS, favour_reactor


class InterpreterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(gc.unfreeze)
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())

    def test_favour_reactor(self) -> None:
        """What was there at the start is not looked at by later collections, and threads give way sooner."""
        before = gc.get_freeze_count()
        gc.set_threshold(700, 10, 10)
        favour_reactor()
        self.assertEqual(gc.get_threshold(), (700, 10, 50))
        self.assertGreater(gc.get_freeze_count(), before + 1000)
        self.assertAlmostEqual(sys.getswitchinterval(), SWITCH_SECONDS)
