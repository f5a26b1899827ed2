"""
The seam to what servers share for a while: values that expire, counters, hashes, messages.

Two implementations keep every promise made here: `client.RedisStore`, for a Redis or Valkey
server, and `memory.MemoryStore`, for a server that is alone.  Data may be lost: by
either when it is restarted, by Redis when its memory is full and it is configured to evict.

Keys and channels are strings, values are bytes.  Everything that must happen whole is one
call: a method of the seam, or a `Script` where no method does it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from twisted.internet.defer import Deferred

Reply = int | bytes | None | list["Reply"]
"""What a script returns; Lua's true is 1, its false and nil are None, and its fractions are cut off."""

Deliver = Callable[[bytes], None]
"""Called with each message of a channel, in the order in which the server accepted them."""

Active = Callable[[bool], None]
"""Called when messages arrive from now on: with False the first time, with True if some may have been lost before."""

LEAST_SECONDS = 0.001
"""Shorter lives do not exist."""


class CommandRefused(Exception):
    """The store understood a command and refused it, such as counting up what is no number: the caller's fault."""


class Cells(Protocol):
    """
    What a script works on, as its Python twin sees it; keys come with their prefix, if there is one.

    Raises:
        CommandRefused: From any method: a key holds something of another kind, or no number.
    """

    def time(self) -> float:
        """Return the store's clock, in seconds."""

    def get(self, key: str) -> bytes | None:
        """Return a value; None if there is none."""

    def set(self, key: str, value: bytes, *, seconds: float | None = None) -> None:
        """Store a value; it expires after *seconds*, or never."""

    def delete(self, key: str) -> bool:
        """Remove whatever there is; tell whether there was something."""

    def expire(self, key: str, seconds: float) -> bool:
        """Have it expire after *seconds*; tell whether there is something."""

    def remaining(self, key: str) -> float | None:
        """Return after how many seconds it expires; infinity for never, None if there is nothing."""

    def increment(self, key: str, by: int = 1) -> int:
        """Add to a whole number, which is 0 if there is none; return the sum."""

    def hash_get(self, key: str) -> dict[str, bytes]:
        """Return all fields of a hash; empty if there is none."""

    def hash_set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """Set fields of a hash; the others stay."""

    def hash_delete(self, key: str, names: Sequence[str]) -> int:
        """Remove fields; a hash without fields is removed. Return how many there were."""

    def hash_increment(self, key: str, name: str, by: int = 1) -> int:
        """Add to a whole number in a field; return the sum."""


Twin = Callable[[Cells, Sequence[str], Sequence[bytes]], Reply]


@dataclass(frozen=True, kw_only=True)
class Script:
    """
    Something that happens whole: once in Lua and once in Python, with the same result.

    Lua gets `KEYS` and `ARGV`, the twin the same as its second and third argument.  A script
    names every key that it touches among its keys.
    """

    name: str
    """For people."""
    lua: str
    twin: Twin

    @cached_property
    def sha(self) -> str:
        """Return the digest by which a Redis server remembers it."""
        return hashlib.sha1(self.lua.encode(), usedforsecurity=False).hexdigest()


class ChannelSubscription(Protocol):
    """One subscriber of a channel."""

    def cancel(self) -> None:
        """Listen no longer; neither function is called again."""


class SharedStore(Protocol):
    """
    See the module.

    Operations on one key, and messages of one channel, are done in the order of the calls.

    Raises:
        Unavailable: From any method that returns a Deferred: the store is away, hangs, or is full. A command
            whose answer was lost may have been carried out.
        CommandRefused: The key holds something of another kind, or what should be a number is not one.
    """

    def get(self, key: str) -> Deferred[bytes | None]:
        """Return a value; None if there is none."""

    def get_many(self, keys: Sequence[str]) -> Deferred[list[bytes | None]]:
        """Return the values of several keys in their order; None for those that have none or hold a hash."""

    def set(self, key: str, value: bytes, *, seconds: float | None = None, only: bool | None = None) -> Deferred[bool]:
        """
        Store a value, whatever the key held before.

        Args:
            seconds: It expires so long after; None: never, even if what was there would have.
            only: True: only if the key holds something; False: only if it does not; None: in any case.

        Returns:
            Whether it was stored.
        """

    def delete(self, *keys: str) -> Deferred[int]:
        """Remove whatever these keys hold; return how many held something."""

    def expire(self, key: str, seconds: float) -> Deferred[bool]:
        """Have what *key* holds expire after *seconds*; tell whether it holds something."""

    def remaining(self, key: str) -> Deferred[float | None]:
        """Return after how many seconds it expires; infinity for never, None if there is nothing."""

    def increment(self, key: str, by: int = 1, *, seconds: float | None = None) -> Deferred[int]:
        """
        Add to a whole number, which is 0 if there is none.

        Args:
            seconds: A number that is new expires so long after; None: never.

        Returns:
            The sum.
        """

    def hash_get(self, key: str) -> Deferred[dict[str, bytes]]:
        """Return all fields of a hash; empty if there is none."""

    def hash_set(self, key: str, fields: Mapping[str, bytes], *, seconds: float | None = None) -> Deferred[None]:
        """
        Set fields of a hash; the others stay.

        Args:
            fields: At least one.
            seconds: The whole hash expires so long after; None: when it would have.
        """

    def hash_delete(self, key: str, names: Sequence[str]) -> Deferred[int]:
        """Remove fields; a hash without fields is removed. Return how many there were."""

    def hash_increment(self, key: str, name: str, by: int = 1) -> Deferred[int]:
        """Add to a whole number in a field, which is 0 if there is none; return the sum."""

    def run(self, script: Script, keys: Sequence[str], arguments: Sequence[bytes] = ()) -> Deferred[Reply]:
        """Run a script; what it returns."""

    def publish(self, channel: str, message: bytes) -> Deferred[int]:
        """Send a message to all who listen at this moment; return how many servers or connections do."""

    def subscribe(self, channel: str, *, deliver: Deliver, active: Active) -> ChannelSubscription:
        """
        Listen to a channel; possible before the store is started and while it is away.

        Neither function is called before this returns.  One that raises is logged, and called again
        with the next message.
        """

    def state(self) -> Mapping[str, object]:
        """Return figures for the state page."""


def milliseconds(seconds: float) -> int:
    """
    Return a time to live as Redis takes it.

    Raises:
        ValueError: It is shorter than a millisecond.
    """
    if not seconds >= LEAST_SECONDS:
        raise ValueError(f"What is stored must live for at least {LEAST_SECONDS} s, not {seconds}.")
    return round(seconds * 1000)
