"""What a source of secrets is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiwebengine.errors import Unavailable
from aiwebengine.features.secrets.values import Secret


class SourceUnreadable(Unavailable):
    """A source cannot be read; the message names it, and says why and what to do."""


class SecretSource(Protocol):
    """Somewhere secrets come from."""

    @property
    def name(self) -> str:
        """Return its name, as in the setting `secrets.order`."""

    @property
    def shown(self) -> str:
        """Return where it is, for people: `the folder /run/secrets`."""

    @property
    def is_local(self) -> bool:
        """Return whether it lies on this machine: then a server that cannot read it does not start."""

    @property
    def seconds(self) -> float:
        """Return how often it is read; 0: once."""

    async def load(self) -> Mapping[str, Secret]:
        """
        Return all secrets that it has now, by name; the same mapping as before if nothing has changed.

        Raises:
            SourceUnreadable: It cannot be read.
        """


class MemorySource:
    """
    See `SecretSource`: one whose secrets are given.

    Args:
        values: By name.
    """

    name = "memory"
    shown = "memory"
    is_local = True
    seconds = 1.0

    def __init__(self, values: Mapping[str, bytes]) -> None:
        self.values = dict(values)
        self.unreadable = ""
        """Why it cannot be read; empty if it can."""
        self._loaded: Mapping[str, Secret] = {}

    async def load(self) -> Mapping[str, Secret]:
        """See `SecretSource.load`."""
        if self.unreadable:
            raise SourceUnreadable(self.unreadable)
        made = {name: Secret(name=name, value=value, source=self.shown) for name, value in self.values.items()}
        if made != self._loaded:
            self._loaded = made
        return self._loaded
