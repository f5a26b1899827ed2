"""Tests of the reader of Duktape's call stack, where there is no Duktape."""

from __future__ import annotations

import ctypes

from twisted.trial.unittest import SynchronousTestCase

from sandbox.callstack import SUPPORTED, CallStack, Unreadable


class Addresses(SynchronousTestCase):
    """Addresses that lead nowhere."""

    if not SUPPORTED:
        skip = "the layout of memory is not known on this machine"

    def test_no_thread(self) -> None:
        """What is no address that can be read is refused, and nothing faults."""
        for address in (0, 8, 0x10001, 1 << 46, 1 << 63):
            with self.assertRaises(Unreadable):
                CallStack(address)

    def test_half_done(self) -> None:
        """Memory full of zeros or of odd pointers has no frames."""
        for filling in (b"\0", b"\x55"):
            heap = ctypes.create_string_buffer(filling * 1024)
            thread = (ctypes.c_uint64 * 64)()
            thread[8] = ctypes.addressof(heap)
            self.assertEqual(CallStack(ctypes.addressof(thread)).frames(), [])
