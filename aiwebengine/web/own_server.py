"""Requests of scripts to this very server: over a pair of sockets in this process, not over the network."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import Factory

from aiwebengine.values import Cause
from aiwebengine.web.site import Site

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"http": 80, "https": 443}


class InProcessServer:
    """
    See `interfaces.OwnServer`.

    Args:
        reactor: Takes both ends of the pair.
        site: Answers.
        public_url: What clients call this server; empty if that is not known.
        listens_at: Returns the address and port of the listener; None before it listens.
    """

    def __init__(
        self, *, reactor: Any, site: Site, public_url: str, listens_at: Callable[[], tuple[str, int] | None]
    ) -> None:
        self._reactor = reactor
        self._site = site
        self._public = _origin(public_url)
        self._listens_at = listens_at

    def is_own(self, scheme: str, host: str, port: int) -> bool:
        """See `interfaces.OwnServer.is_own`."""
        if (scheme, host, port) == self._public:
            return True
        place = self._listens_at()
        if place is None or scheme != "http" or port != place[1]:
            return False
        return host == place[0] or host in _LOOPBACK

    def connect(self, factory: IProtocolFactory, *, cause: Cause) -> IProtocol:
        """See `interfaces.OwnServer.connect`."""
        made: list[IProtocol] = []

        def build(_: Any) -> Any:
            protocol: Any = factory.buildProtocol(UNIXAddress(None))
            made.append(protocol)
            return protocol

        ours, theirs = socket.socketpair()
        with ours, theirs:
            # The reactor makes descriptors of its own.
            self._adopt(ours, _building(lambda _: self._site.build_channel(cause=cause)))
            self._adopt(theirs, _building(build))
        return made[0]

    def _adopt(self, end: socket.socket, factory: IProtocolFactory) -> None:
        end.setblocking(False)
        self._reactor.adoptStreamConnection(end.fileno(), socket.AF_UNIX, factory)


def _building(build: Callable[[Any], Any]) -> Factory:
    factory = Factory()
    factory.noisy = False
    factory.buildProtocol = build  # type: ignore[assignment,method-assign]
    return factory


def _origin(url: str) -> tuple[str, str, int] | None:
    if not url:
        return None
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)
