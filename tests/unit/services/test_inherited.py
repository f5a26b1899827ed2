"""What a process inherits."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CannotStart
from aiwebengine.services.inherited import NOTHING, PREDECESSOR, InheritedDescriptors, inherited, message


class InheritedTests(SynchronousTestCase):
    def setUp(self):
        self.opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(4)]
        for descriptor in self.opened:
            self.addCleanup(os.close, descriptor)
            os.set_inheritable(descriptor, True)
        listening, lock, tell, gone = self.opened
        self.what = InheritedDescriptors(
            listening=listening, lock=lock, tell=tell, gone=gone, managed=True, pidfile="/run/pid"
        )

    def test_from_a_predecessor(self):
        """What a predecessor says arrives, is meant for one process, and goes no further."""
        environ = {PREDECESSOR: message(pid=7, what=self.what), "PATH": "/bin"}
        found = inherited(environ, pid=8, parent=7)
        self.assertEqual(found, self.what)
        self.assertTrue(found.succeeds)
        self.assertEqual(environ, {"PATH": "/bin"})
        self.assertFalse(any(os.get_inheritable(descriptor) for descriptor in self.opened))

    def test_from_somebody_else(self):
        """A variable that was inherited from further up, or is damaged, says nothing."""
        for expected in (message(pid=6, what=self.what), "{", "{}", "[]", '{"pid": 7, "listening": "x"}'):
            self.assertEqual(inherited({PREDECESSOR: expected}, pid=8, parent=7), NOTHING, expected)

    def test_closed_descriptor(self):
        """A descriptor that is not open is told as such."""
        wrong = message(pid=7, what=InheritedDescriptors(listening=9999, lock=9998, tell=9997, gone=9996))
        error = self.assertRaises(CannotStart, inherited, {PREDECESSOR: wrong}, pid=8, parent=7)
        self.assertIn("9999", error.public)

    def test_from_a_service_manager(self):
        """Several sockets are refused with what to do; none, or another process's, are none."""
        self.assertEqual(inherited({}, pid=8, parent=1), NOTHING)
        self.assertEqual(inherited({"LISTEN_PID": "9", "LISTEN_FDS": "1"}, pid=8, parent=1), NOTHING)
        self.assertEqual(inherited({"LISTEN_PID": "8", "LISTEN_FDS": "0"}, pid=8, parent=1), NOTHING)
        environ = {"LISTEN_PID": "8", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}
        error = self.assertRaises(CannotStart, inherited, environ, pid=8, parent=1)
        self.assertIn("ListenStream=", error.public)
        self.assertEqual(environ, {})
