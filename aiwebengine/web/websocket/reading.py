"""
Frames that a client sends, and the messages that they come to.

Autobahn reads them (`frame_parser.py`).  An idle connection has only the `FrameReader` here: it has a
parser from the first byte of a frame to the last byte of a message, and of those there is a small free list.
"""

from __future__ import annotations

from typing import Protocol


class FrameEvents(Protocol):
    """Receives what a client has said."""

    def message(self, data: bytes, *, binary: bool) -> None:
        """A message is complete; a text is valid UTF-8."""

    def pinged(self, data: bytes) -> None:
        """The client has sent a ping, and expects the same data back."""

    def closing(self, code: int, reason: str) -> None:
        """The client has sent a closing frame, without a code if it is 1005; nothing follows."""

    def broken(self, code: int, reason: str) -> None:
        """The client has broken the protocol or a limit; nothing that follows is read."""


class BrokenFrame(Exception):
    """What a client sent cannot be accepted; the arguments are the code of a closing frame, and why."""


class ClosingFrame(Exception):
    """The client sent a closing frame; the arguments are its code, 1005 for none, and its reason."""


class FrameParser(Protocol):
    """Reads the frames of one connection at a time."""

    @property
    def frame_rest(self) -> int:
        """How many bytes of the payload that has begun are still to come."""

    def take(self, data: bytes) -> bool:
        """
        Process what has arrived, and report messages and pings.

        Returns:
            Nothing has begun that is not complete.

        Raises:
            BrokenFrame: The parser is of no use any more.
            ClosingFrame: Likewise.
        """

    def release(self) -> None:
        """Another connection may have the parser; nothing may have begun."""

    def stop(self) -> None:
        """Report nothing more; the parser is of no use any more."""


class FrameParsers(Protocol):
    """Parsers for connections on which something arrives."""

    def lend(self, events: FrameEvents, *, compressed: bool) -> FrameParser:
        """
        Return a parser that is not in use.

        Args:
            events: Is notified of messages and pings.
            compressed: permessage-deflate was agreed upon.
        """


class FrameReader:
    """
    See the module.

    Args:
        events: Called with what came.
        parsers: Where a parser comes from when something arrives.
        compressed: permessage-deflate was agreed upon.
    """

    __slots__ = ("_events", "_parser", "_parsers", "compressed", "over")

    def __init__(self, *, events: FrameEvents, parsers: FrameParsers, compressed: bool) -> None:
        self._events = events
        self._parsers = parsers
        self._parser: FrameParser | None = None
        """None while nothing has begun."""
        self.compressed = compressed
        """A few bytes may come to a long message."""
        self.over = False
        """Nothing more is read."""

    @property
    def frame_rest(self) -> int:
        """How many bytes of the payload that has begun are still to come."""
        return self._parser.frame_rest if self._parser is not None else 0

    def take(self, data: bytes) -> None:
        """Take what has come."""
        if self.over:
            return
        parser = self._parser
        if parser is None:
            parser = self._parser = self._parsers.lend(self._events, compressed=self.compressed)
        try:
            complete = parser.take(data)
        except BrokenFrame as error:
            self.stop()
            self._events.broken(*error.args)
        except ClosingFrame as frame:
            self.stop()
            self._events.closing(*frame.args)
        else:
            if complete and not self.over:
                self._parser = None
                parser.release()

    def stop(self) -> None:
        """Read no more; the parser may be just reading, so no other connection gets it."""
        self.over = True
        parser, self._parser = self._parser, None
        if parser is not None:
            parser.stop()
