"""How the interpreter shares its time."""

from __future__ import annotations

import gc
import sys
import weakref

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.observe.interpreter import SWITCH_SECONDS, Collector, favour_reactor, no_collections, pause_collector


class Cycle:
    """A cycle."""

    def __init__(self) -> None:
        self.itself = self


class InterpreterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(gc.enable)
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

    def test_rest_collector(self) -> None:
        """While the server starts nothing is collected; then what is there stays, and what comes after it does not."""
        pause_collector()
        self.assertFalse(gc.isenabled())
        kept = weakref.ref(Cycle())
        favour_reactor()
        self.assertTrue(gc.isenabled())
        dropped = weakref.ref(Cycle())
        gc.collect()
        self.assertEqual((kept() is None, dropped() is None), (False, True))

    def test_no_collections(self) -> None:
        """For a moment nothing is collected, even if it ends with an error; one within another changes nothing."""
        gc.enable()
        with self.assertRaises(ValueError), no_collections():
            with no_collections():
                pass
            self.assertFalse(gc.isenabled())
            raise ValueError("broken")
        self.assertTrue(gc.isenabled())

    def test_young_objects_only(self) -> None:
        """While much is made old objects are not looked at, also by several threads; what is set aside never is."""
        gc.set_threshold(700, 10, 50)
        collector = Collector()
        with collector.young_objects_only():
            with collector.young_objects_only():
                pass
            self.assertGreater(gc.get_threshold()[2], 1_000_000)
            kept = weakref.ref(Cycle())
            collector.set_aside()
        self.assertEqual(gc.get_threshold(), (700, 10, 50))
        gc.collect()
        self.assertIsNotNone(kept())
