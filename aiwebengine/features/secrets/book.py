"""
All secrets that there are: what their sources had when they were last read, by precedence.

Scripts are answered from memory.  Sources are read again from time to time; one that cannot be read keeps what it had,
and the log and the state page say why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import CannotStart, NotFound, Unavailable
from aiwebengine.features.secrets.sources.source import SecretSource, SourceUnreadable
from aiwebengine.features.secrets.values import Secret
from aiwebengine.host.declare import nearest
from aiwebengine.host.host_patterns import HostPattern
from aiwebengine.interfaces import Clock, DelayedCall

_log = Logger()

_LONGEST_RETRY_SECONDS = 60.0
_MOMENT_SECONDS = 0.5


class SecretBook(Service):
    """
    See the module.

    Args:
        sources: In order of precedence.
        hosts: By name of a secret, the hosts to which the settings bind it, whatever its source.
        clock: Says when to read again.
    """

    def __init__(
        self, *, sources: Sequence[SecretSource], hosts: Mapping[str, Sequence[HostPattern]], clock: Clock
    ) -> None:
        self._readings = [SourceReading(source, clock=clock, changed=self._merge) for source in sources]
        self._hosts = hosts
        self._secrets: Mapping[str, Secret] = {}
        self._changed: list[Callable[[], None]] = []

    def on_change(self, call: Callable[[], None]) -> None:
        """Have *call* called whenever a secret has another value, or there are other secrets."""
        self._changed.append(call)

    def startService(self) -> Deferred[None]:
        """
        Read all sources.

        Raises:
            CannotStart: One that lies on this machine cannot be read.
        """
        super().startService()
        return Deferred.fromCoroutine(self._start())

    def stopService(self) -> None:
        """Read nothing more."""
        super().stopService()
        for reading in self._readings:
            reading.stop()

    @property
    def names(self) -> Sequence[str]:
        """Return the names of all secrets."""
        return sorted(self._secrets)

    def find(self, name: str) -> Secret | None:
        """Return a secret; None if there is none of this name."""
        return self._secrets.get(name)

    async def look_again(self) -> None:
        """Read the sources on this machine again, unless that was done a moment ago: something may just be stored."""
        for reading in self._readings:
            await reading.refresh()

    def get(self, name: str) -> Secret:
        """
        Return a secret.

        Raises:
            NotFound: There is none; the message names a similar one.
            Unavailable: There may be one in a source that cannot be read now.
        """
        secret = self._secrets.get(name)
        if secret is not None:
            return secret
        away = [reading.source.shown for reading in self._readings if reading.problem and not reading.loaded]
        if away:
            raise Unavailable(f"The secret {name} is not there, and {away[0]} cannot be read now.", retry_seconds=5.0)
        near = nearest(name, self._secrets)
        raise NotFound(
            f"There is no secret {name} on this server"
            + (f"; did you mean {near}?" if near else ".")
            + " An administrator stores one with `aiwebengine secrets set NAME`."
        )

    def state(self) -> dict[str, Any]:
        """Return figures for the state page: no names and no values."""
        return {
            "secrets": len(self._secrets),
            "sources": [
                {
                    "source": reading.source.name,
                    "place": reading.source.shown,
                    "secrets": len(reading.secrets),
                    "problem": reading.problem or None,
                }
                for reading in self._readings
            ],
        }

    async def _start(self) -> None:
        try:
            for reading in self._readings:
                await reading.first()
        except CannotStart:
            for reading in self._readings:
                reading.stop()
            raise

    def _merge(self) -> None:
        merged: dict[str, Secret] = {}
        for reading in reversed(self._readings):
            merged.update(reading.secrets)
        for name, hosts in self._hosts.items():
            if name in merged:
                merged[name] = replace(merged[name], hosts=tuple(hosts), source="the setting secrets.hosts")
        self._secrets = merged
        for call in self._changed:
            call()


class SourceReading:
    """One source, and what it had when it was last read."""

    def __init__(self, source: SecretSource, *, clock: Clock, changed: Callable[[], None]) -> None:
        self.source = source
        self.secrets: Mapping[str, Secret] = {}
        self.problem = ""
        self.loaded = False
        self._clock = clock
        self._changed = changed
        self._next: DelayedCall | None = None
        self._under_way: Deferred[None] | None = None
        self._stopped = False
        self._failures = 0
        self._read_at = 0.0

    async def first(self) -> None:
        """
        Read it for the first time, and from now on again and again.

        Raises:
            CannotStart: It lies on this machine and cannot be read.
        """
        self._stopped = False
        await self._read()
        if self.problem and self.source.is_local:
            raise CannotStart(self.problem)

    async def refresh(self) -> None:
        """Read it now, if it lies on this machine and was not read a moment ago."""
        changes = self.source.is_local and self.source.seconds > 0
        if changes and not self._stopped and self._clock.seconds() - self._read_at >= _MOMENT_SECONDS:
            await self._read()

    def stop(self) -> None:
        """Read it no more."""
        self._stopped = True
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = None
        if self._under_way is not None:
            self._under_way.cancel()

    async def _read(self) -> None:
        before, problem = self.secrets, self.problem
        self._read_at = self._clock.seconds()
        try:
            self.secrets = await self.source.load()
            self.loaded, self.problem, self._failures = True, "", 0
        except SourceUnreadable as error:
            self.problem = error.public
            self._failures += 1
        if self.problem and self.problem != problem:
            _log.error("secrets: {problem} What was read before stays in use.", problem=self.problem)
        if self.secrets is not before:
            self._changed()
        if self.source.seconds:
            # One that is away is not asked more often than one that is there.
            longest = max(self.source.seconds, _LONGEST_RETRY_SECONDS)
            self._later(min(self.source.seconds * max(1, self._failures), longest))

    def _again(self) -> None:
        self._next = None
        reading = self._under_way = Deferred.fromCoroutine(self._read())
        reading.addBoth(self._over)

    def _over(self, result: Any) -> None:
        self._under_way = None
        if isinstance(result, Failure) and not result.check(CancelledError):
            _log.failure("the secrets of {source} cannot be read", result, source=self.source.shown)
            self._later(_LONGEST_RETRY_SECONDS)

    def _later(self, seconds: float) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()
        if not self._stopped:
            self._next = self._clock.callLater(seconds, self._again)
