"""What an engine gets of `fetch`."""

from __future__ import annotations

from functools import partial

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from aiwebengine.errors import Unavailable
from aiwebengine.features.fetch.calls import FetchCalls, check_host
from aiwebengine.features.fetch.deliveries import store
from aiwebengine.features.fetch.deliveries.api import DeliveryList
from aiwebengine.features.fetch.deliveries.held import GROUP, LaterCalls
from aiwebengine.features.fetch.deliveries.sender import DeliverySender
from aiwebengine.features.fetch.deliveries.store import Delivery
from aiwebengine.features.fetch.exchange import Outside
from aiwebengine.features.fetch.migrations import MOVED
from aiwebengine.features.fetch.network.addresses import AllowedAddresses
from aiwebengine.features.fetch.network.client import HttpClient
from aiwebengine.features.fetch.network.endpoints import Connector, resolve_in
from aiwebengine.features.fetch.network.proxies import read_proxy
from aiwebengine.features.fetch.network.targets import TargetUrl
from aiwebengine.features.fetch.network.tls import TrustedServers, read_authorities
from aiwebengine.features.fetch.peers import Peers
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.ports import BUDGETS, OWN_SERVER, SECRETS
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.services.threads import Threads
from aiwebengine.values import ANONYMOUS
from aiwebengine.web.handover import HandoverParticipant

_THREADS = 8
"""Names that are resolved at the same time."""


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    settings = base.settings.of(FetchSettings)
    threads = Threads(reactor=base.reactor, name="name resolution", size=_THREADS)
    proxy = read_proxy(settings.proxy)
    connector = Connector(
        reactor=base.reactor,
        resolve=resolve_in(threads),
        addresses=AllowedAddresses(settings.networks),
        trusted=TrustedServers(authorities=read_authorities(settings.ca_file)),
        proxy=proxy,
        own=lambda: machinery.ports.find(OWN_SERVER),
        seconds=settings.connect_seconds,
    )
    client = HttpClient(
        reactor=base.reactor,
        connector=connector,
        settings=settings,
        proxied=proxy is not None,
        share=TurnShare(clock=base.reactor),
    )
    outside = Outside(
        client=client,
        peers=Peers(settings=settings, clock=base.reactor),
        settings=settings,
        reactor=base.reactor,
        random=base.random.random,
        wall=base.seconds,
    )
    secrets = partial(machinery.ports.find, SECRETS)
    budgets = partial(machinery.ports.find, BUDGETS)
    calls = FetchCalls(outside=outside, settings=settings, secrets=secrets, budgets=budgets)
    sender = _sender(machinery, outside)
    later = LaterCalls(
        settings=settings, check=calls.check, secrets=calls.secrets_of, spend=calls.spend, wake=sender.wake_for
    )
    listed = DeliveryList(databases=machinery.script_databases, milliseconds=base.milliseconds, wake=sender.wake_for)
    machinery.script_databases.add_due(store.attention)
    return Parts(
        groups=[calls, later],
        effects={GROUP: later},
        api=[listed],
        services=[
            ("name resolution", threads),
            ("requests to other servers", _Requests(calls, client)),
            ("deliveries", sender),
        ],
        moved=MOVED,
        state={"fetch": calls.state, "deliveries": sender.state},
        handing=[
            HandoverParticipant(
                begin=partial(sender.rest, True), fail=partial(sender.rest, False), alone=partial(sender.rest, False)
            )
        ],
    )


def _sender(machinery: Machinery, outside: Outside) -> DeliverySender:
    base, current = machinery.base, machinery.current

    def check(uri: str, target: TargetUrl) -> None:
        script = current.registry.scripts.get(uri)
        if script is None:
            raise Unavailable(f"fetch: the script {uri} is not deployed.")
        check_host(target, script.grants, outside.settings)

    def failed(delivery: Delivery, why: str) -> None:
        request = f"{delivery.request.get('method')} {str(delivery.request.get('url')).partition('?')[0]}"
        callee = machinery.invoker.callee(
            kind="fetch", script=delivery.uri, version=delivery.version, handler=None, label="fetch"
        )
        machinery.warn(
            machinery.invoker.invocation(callee, ANONYMOUS, "null", identity=delivery.id.partition(".")[0]),
            f"fetch: {request} with afterCommit was not accepted in {delivery.attempts + 1} attempts and is not sent "
            f"again: {why} See aiwebengine deliveries {delivery.uri} --failed.",
        )

    return DeliverySender(
        outside=outside,
        databases=machinery.script_databases,
        milliseconds=base.milliseconds,
        check=check,
        secrets=partial(machinery.ports.find, SECRETS),
        failed=failed,
        alone=base.alone,
    )


class _Requests(Service):
    """Ends what is under way when the server stops."""

    def __init__(self, calls: FetchCalls, client: HttpClient) -> None:
        self._calls = calls
        self._client = client

    def stopService(self) -> Deferred[None]:
        """End all requests and connections."""
        super().stopService()
        self._calls.end()
        return self._client.close()
