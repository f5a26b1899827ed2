"""Descriptors that cannot be had: nothing is left open, and the error says what to do."""

from __future__ import annotations

import errno
import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Unavailable
from aiwebengine.services.descriptors import cannot_start, require_free, socket_pairs
from tests.support.descriptors import few_descriptors, open_descriptors


class DescriptorTests(SynchronousTestCase):
    def test_there_are_enough(self) -> None:
        """Where there are enough, nothing is said, and the sockets are connected pairs of the kinds asked for."""
        before = open_descriptors()
        require_free(8, what="it")
        pairs = socket_pairs([socket.SOCK_STREAM, socket.SOCK_SEQPACKET], what="it")
        for (left, right), kind in zip(pairs, (socket.SOCK_STREAM, socket.SOCK_SEQPACKET), strict=True):
            self.assertEqual((left.type, right.type), (kind, kind))
            left.send(b"x")
            self.assertEqual(right.recv(10), b"x")
            left.close()
            right.close()
        self.assertEqual(open_descriptors(), before)

    def test_too_few(self) -> None:
        """Where there are too few, that is said, and none stays open."""
        before = open_descriptors()
        for free, attempt in (
            (3, lambda: require_free(4, what="a process")),
            (3, lambda: socket_pairs([socket.SOCK_STREAM, socket.SOCK_SEQPACKET], what="a process")),
        ):
            with few_descriptors(os.getpid(), free=free), self.assertRaises(Unavailable) as raised:
                attempt()
            self.assertIn("cannot start a process", raised.exception.public)
            self.assertIn("ulimit -n", raised.exception.public)
            self.assertEqual(raised.exception.retry_seconds, 1.0)
        self.assertEqual(open_descriptors(), before)

    def test_other_reasons(self) -> None:
        """What else the operating system refuses is told in its words."""
        error = cannot_start(OSError(errno.EAGAIN, "Resource temporarily unavailable"), what="npm")
        self.assertIn("start npm (Resource temporarily unavailable)", error.public)
