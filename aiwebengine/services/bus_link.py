"""
The way between the buses of several servers: one channel of what they share.

Every server sends what is published on it to the channel, and publishes what comes from there.
A message is one JSON object:

    {"o": "5f1c", "t": "stream:chat:/news", "d": "[1]", "to": {"room": 7}, "e": "note", "k": "9a-3"}
    {"o": "5f1c", "lost": true}

`o` is who sends it: a server does not take its own.  `t`, `d`, `to`, `e` and `k` are topic, data,
`to`, event and key of `Bus.publish`; the last three may be missing.  The second form says that
messages of this server could not be sent.

Nothing is stored for a server that does not listen. All subscribers get a gap for what may be missing: after an
interruption of its own way to the channel, and when another server says that it could not send.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import EngineError
from aiwebengine.services.bus import Bus
from aiwebengine.services.redis.store import ChannelSubscription, SharedStore

_log = Logger()

CHANNEL = "bus"


class BusLink(Service):
    """
    Sends and receives.

    Args:
        bus: Of this server.
        store: Has the channel.
        origin: Names this server among those that share the channel; another one in each life.
    """

    def __init__(self, *, bus: Bus, store: SharedStore, origin: str) -> None:
        self._bus = bus
        self._store = store
        self._origin = origin
        self._subscription: ChannelSubscription | None = None
        self._owing = False
        """Other servers must be notified that messages could not be sent."""
        self._sent = 0
        self._unsent = 0
        self._received = 0
        self._refused = 0
        bus.forward_to(self._forward)

    def startService(self) -> None:
        """Listen."""
        super().startService()
        if self._subscription is None:
            self._subscription = self._store.subscribe(CHANNEL, deliver=self._take, active=self._listening)

    def stopService(self) -> None:
        """Listen no more, and send nothing."""
        super().stopService()
        if self._subscription is not None:
            self._subscription.cancel()
            self._subscription = None

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        return {"sent": self._sent, "unsent": self._unsent, "received": self._received, "refused": self._refused}

    def _forward(
        self, topic: str, data: str, *, to: Mapping[str, Any] | None, event: str | None, key: str | None
    ) -> None:
        if not self.running:
            return
        if self._owing:
            self._tell_loss()
        message = {"t": topic, "d": data, "to": to, "e": event, "k": key}
        self._send({name: value for name, value in message.items() if value is not None}).addCallbacks(
            self._count, self._fail
        )

    def _tell_loss(self) -> None:
        self._owing = False
        self._send({"lost": True}).addErrback(self._fail)

    def _send(self, message: Mapping[str, Any]) -> Any:
        return self._store.publish(CHANNEL, json.dumps({"o": self._origin, **message}, separators=(",", ":")).encode())

    def _count(self, _: int) -> None:
        self._sent += 1

    def _fail(self, failure: Failure) -> None:
        # The answer to a message that was sent may be lost as well: then it is reported as lost, and was not.
        self._owing = True
        self._unsent += 1
        if failure.check(EngineError) is None:
            _log.failure("a message could not be sent to other servers", failure)

    def _listening(self, lost: bool) -> None:  # noqa: FBT001  see `store.Active`
        if lost:
            self._bus.interrupt()
        if self._owing:
            self._tell_loss()

    def _take(self, raw: bytes) -> None:
        try:
            message = _read(raw)
            if message["o"] == self._origin:
                return
            if message.get("lost") is True:
                self._bus.interrupt()
                return
            self._bus.receive(
                message["t"], message["d"], to=message.get("to"), event=message.get("e"), key=message.get("k")
            )
        except (ValueError, EngineError) as error:
            self._refused += 1
            _log.warn("invalid message from another server ignored: {why}", why=str(error))
        else:
            self._received += 1


def _read(raw: bytes) -> Mapping[str, Any]:
    """
    Read a message.

    Raises:
        ValueError: It has not the form that servers send.
    """
    try:
        message = json.loads(raw)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if isinstance(message, dict) and isinstance(message.get("o"), str):
        texts = [message.get(name) for name in ("t", "d")] + [message.get(name) or "" for name in ("e", "k")]
        whole = all(isinstance(text, str) for text in texts) and isinstance(message.get("to") or {}, dict)
        if whole or message.get("lost") is True:
            return message
    raise ValueError("it does not have the form of a message between servers")
