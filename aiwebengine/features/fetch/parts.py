"""What an engine gets of `fetch`."""

from __future__ import annotations

from pathlib import Path

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from aiwebengine.errors import CannotStart
from aiwebengine.features.fetch.addresses import AllowedAddresses
from aiwebengine.features.fetch.calls import FetchCalls
from aiwebengine.features.fetch.client import Client
from aiwebengine.features.fetch.endpoints import Connector, resolve_in
from aiwebengine.features.fetch.exchange import Outside
from aiwebengine.features.fetch.peers import Peers
from aiwebengine.features.fetch.proxies import read_proxy
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.features.fetch.tls import TrustedServers
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.ports import OWN_SERVER
from aiwebengine.services.threads import Threads

_THREADS = 8
"""Names that are resolved at the same time."""


def build(machinery: Machinery) -> Parts:
    """Build them."""
    base = machinery.base
    settings = base.settings.of(FetchSettings)
    threads = Threads(reactor=base.reactor, name="name resolution", size=_THREADS)
    proxy = read_proxy(settings.proxy)
    connector = Connector(
        reactor=base.reactor,
        resolve=resolve_in(threads),
        addresses=AllowedAddresses(settings.networks),
        trusted=TrustedServers(authorities=_authorities(settings.ca_file)),
        proxy=proxy,
        own=lambda: machinery.ports.find(OWN_SERVER),
        seconds=settings.connect_seconds,
    )
    client = Client(reactor=base.reactor, connector=connector, settings=settings, proxied=proxy is not None)
    outside = Outside(
        client=client,
        peers=Peers(settings=settings, clock=base.reactor),
        settings=settings,
        reactor=base.reactor,
        random=base.random.random,
        wall=base.seconds,
    )
    calls = FetchCalls(outside=outside, settings=settings)
    return Parts(
        groups=[calls],
        services=[("name resolution", threads), ("requests to other servers", _Requests(calls, client))],
        state={"fetch": calls.state},
    )


class _Requests(Service):
    """Ends what is under way when the server stops."""

    def __init__(self, calls: FetchCalls, client: Client) -> None:
        self._calls = calls
        self._client = client

    def stopService(self) -> Deferred[None]:
        """End all requests and connections."""
        super().stopService()
        self._calls.end()
        return self._client.close()


def _authorities(file: str) -> bytes:
    """
    Return the certificates of a file; empty without one.

    Raises:
        CannotStart: It cannot be read, or holds none.
    """
    if not file:
        return b""
    try:
        raw = Path(file).expanduser().read_bytes()
        TrustedServers(authorities=raw)
    except (OSError, ValueError) as error:
        raise CannotStart(f"The setting fetch.ca_file names {file}, which cannot be used: {error}.") from error
    return raw
