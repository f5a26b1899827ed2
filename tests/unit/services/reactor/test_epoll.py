"""The reactor that the server runs on: what it does with the descriptors that are ready."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure

epoll = pytest.importorskip("aiwebengine.services.reactor.epoll", reason="there is no epoll here")


class FakeDescriptor:
    """A descriptor that reads what comes, or does what the test says instead."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.heard: list[bytes] = []
        self.lost: list[Failure] = []
        self.instead: Callable[[], Any] | None = None

    def fileno(self) -> int:
        """See `IFileDescriptor`."""
        return self.sock.fileno()

    def logPrefix(self) -> str:
        """See `ILoggingContext`; nobody asks."""
        raise AssertionError

    def doRead(self) -> Any:
        """See `IReadDescriptor`."""
        if self.instead is not None:
            return self.instead()
        self.heard.append(self.sock.recv(100))
        return None

    def connectionLost(self, reason: Failure) -> None:
        """See `IFileDescriptor`."""
        self.lost.append(reason)


class Scene:
    """A reactor of its own, with two pairs of sockets."""

    def __init__(self) -> None:
        self.reactor = epoll.LeanEPollReactor()
        pairs = [socket.socketpair(), socket.socketpair()]
        self.peers = [theirs for _, theirs in pairs]
        self.descriptors = [FakeDescriptor(ours) for ours, _ in pairs]
        for descriptor in self.descriptors:
            self.reactor.addReader(descriptor)

    def close(self) -> None:
        """Close everything."""
        self.reactor.removeAll()
        for sock in (*self.peers, *(descriptor.sock for descriptor in self.descriptors)):
            sock.close()
        self.reactor._poller.close()
        for descriptor in (self.reactor.waker.i, self.reactor.waker.o):
            os.close(descriptor)


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Make it."""
    made = Scene()
    yield made
    made.close()


def test_reads(scene: Scene) -> None:
    """Whoever has something to read reads it, in one turn; nothing happens to the others."""
    scene.peers[0].send(b"a")
    scene.reactor.doPoll(0)
    scene.peers[1].send(b"b")
    scene.reactor.doPoll(0)
    assert [descriptor.heard for descriptor in scene.descriptors] == [[b"a"], [b"b"]]
    assert not any(descriptor.lost for descriptor in scene.descriptors)


def test_closed_in_the_same_turn(scene: Scene) -> None:
    """A descriptor that another one takes away is not read any more."""
    first, second = scene.descriptors
    first.instead = lambda: scene.reactor.removeReader(second)
    second.instead = lambda: scene.reactor.removeReader(first)
    for peer in scene.peers:
        peer.send(b"x")
    scene.reactor.doPoll(0)
    assert len(scene.reactor.getReaders()) - (scene.reactor.waker in scene.reactor.getReaders()) == 1


def test_ends(scene: Scene) -> None:
    """A descriptor that says that it has ended is told so and watched no longer."""
    descriptor = scene.descriptors[0]
    descriptor.instead = ConnectionDone
    scene.peers[0].send(b"x")
    scene.reactor.doPoll(0)
    assert [reason.check(ConnectionDone) for reason in descriptor.lost] == [ConnectionDone]
    assert descriptor not in scene.reactor.getReaders()


def test_hung_up(scene: Scene) -> None:
    """The end of the other side comes as something to read, or as the loss of the connection."""
    descriptor = scene.descriptors[0]
    scene.peers[0].close()
    scene.reactor.doPoll(0)
    assert descriptor.heard == [b""] or descriptor.lost


def test_faults(scene: Scene) -> None:
    """A descriptor that fails is in the log and is lost; the others are read all the same."""

    def fail() -> None:
        raise ValueError("no")

    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    try:
        scene.descriptors[0].instead = fail
        for peer in scene.peers:
            peer.send(b"x")
        scene.reactor.doPoll(0)
    finally:
        globalLogPublisher.removeObserver(events.append)
    assert [event["log_failure"].check(ValueError) for event in events if "log_failure" in event] == [ValueError]
    assert len(scene.descriptors[0].lost) == 1
    assert scene.descriptors[1].heard == [b"x"]
