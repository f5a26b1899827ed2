"""What listens, and the order in which everything starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.assembly.interim import OWN_PAGES, settle_ports
from aiwebengine.auth.tokens import AdministratorToken
from aiwebengine.engine import Engine
from aiwebengine.feature import Feature
from aiwebengine.host.registration_calls import RegistrationCalls
from aiwebengine.interfaces import Identify
from aiwebengine.machinery import Machinery, Parts, refuse_shared
from aiwebengine.observe.services import BoundedService, HeldService, OrderedServices
from aiwebengine.ports import CONSOLE, DECIDE, OWN_SERVER, PRINCIPAL
from aiwebengine.runtime import lockdown
from aiwebengine.scripts.restore import Restore
from aiwebengine.services.db.moving import Moving
from aiwebengine.services.folder import DataFolder
from aiwebengine.services.guarded import GuardedDependency
from aiwebengine.services.inherited import InheritedDescriptors
from aiwebengine.services.upkeep import Upkeep
from aiwebengine.web.api.api import Api
from aiwebengine.web.api.callers import ApiCallers
from aiwebengine.web.api.deployments import Deployments
from aiwebengine.web.api.listing import Listing
from aiwebengine.web.api.logs import Logs
from aiwebengine.web.api.pages import PageList
from aiwebengine.web.api.scripts import DeployedScripts
from aiwebengine.web.api.state import ServerState
from aiwebengine.web.api.token import Token
from aiwebengine.web.handover import Handover, HandoverParticipant
from aiwebengine.web.health import add_health
from aiwebengine.web.http.read import Reader
from aiwebengine.web.http.write import Writer
from aiwebengine.web.listener import Listener, Ready
from aiwebengine.web.own_server import InProcessServer
from aiwebengine.web.site import Site


def connect(machinery: Machinery, parts: Sequence[Parts], *, guides: Sequence[str | None]) -> None:
    """
    Let the machinery know what features add to scripts' calls, registrations and effects.

    Args:
        guides: Of each, where its calls are documented; see `Host.add`.
    """
    for part, guide in zip(parts, guides, strict=True):
        registering = RegistrationCalls(part.kinds, threads=machinery.base.unpacking_threads)
        machinery.host.add([registering, *part.groups], guide=guide)
        machinery.current.add({kind.name: kind.index for kind in part.kinds})
        for name, effects in part.effects.items():
            machinery.commits.add(name, effects)
        for kind, deliver in part.deliver.items():
            machinery.relay.add(kind, deliver)


# Long: a list of what listens, read from top to bottom.
def build_engine(
    machinery: Machinery,
    parts: Sequence[Parts],
    *,
    features: Sequence[Feature],
    inherited: InheritedDescriptors,
    sandbox_first: bool = False,
) -> Engine:
    """
    Build what listens, and put all services in their order.

    Args:
        features: Those whose parts they are.
        sandbox_first: Answer no requests before a sandbox has started, whatever the settings say.

    Raises:
        CannotStart: See `machinery.refuse_shared`.
    """
    base = machinery.base
    settings = base.settings
    notices: list[str] = []
    ready: Deferred[Ready] = Deferred()
    data = DataFolder(path=base.folder, lock_descriptor=inherited.lock)
    tokens = AdministratorToken(folder=base.folder, random_bytes=os.urandom, made=notices.append)
    dependencies = _dependencies(machinery, parts)
    identify, pages = settle_ports(machinery, tokens=tokens)
    shown = [*OWN_PAGES, *(page for part in parts for page in part.pages)]
    pages.show(shown)
    if (console := machinery.ports.offered(CONSOLE)) is not None:
        console.show(shown)
    own = _own_parts(machinery, parts, tokens=tokens, pages=pages, dependencies=dependencies)
    refuse_shared(features, parts, own=own)
    api = _api(machinery, [own, *parts], identify=identify)
    service = OrderedServices(failed=ready.errback)
    add_health(
        api.klein,
        ready=lambda: {
            "sandbox": machinery.zygote.ready,
            "database": service.is_ready and base.database.available,
        },
        breakers=lambda: {dependency.name: str(dependency.state) for dependency in dependencies},
        writes=lambda: _failing_writes(machinery),
        lockdown=lambda: lockdown.health(machinery.zygote.report),
    )
    site = _site(machinery, parts, api=api, tokens=tokens)
    listener = Listener(
        reactor=base.reactor,
        site=site,
        runner=machinery.runner,
        settings=settings.server,
        ready=ready,
        notices=notices,
        folder=base.folder,
        descriptor=inherited.listening,
        same=inherited.succeeds and not inherited.managed,
        # Where protections are required, no request is served before they are known to work.
        first=(
            machinery.zygote.when_ready
            if sandbox_first or inherited.succeeds or "all" not in settings.sandbox.allow_missing
            else None
        ),
        ending=_ending(api, machinery, parts),
    )
    machinery.ports.stand_in(
        OWN_SERVER,
        InProcessServer(
            reactor=base.reactor,
            site=site,
            public_url=settings.server.public_url,
            listens_at=lambda: listener.place,
        ),
    )
    # Two relays would deliver everything twice.
    alone = HeldService(machinery.relay, waits=inherited.succeeds)
    leave = machinery.messages.leave_rows
    share = machinery.script_databases.share
    handing = [
        HandoverParticipant(begin=partial(leave, True), fail=partial(leave, False)),
        HandoverParticipant(begin=partial(share, True), fail=partial(share, False), alone=partial(share, False)),
    ]
    handing += [handing for part in parts for handing in part.handing]
    services = _services(machinery, parts, data=data, tokens=tokens, relay=alone, api=api, listener=listener)
    for name, child in services:
        service.add(name, child)
    return Engine(
        service=service,
        ready=ready,
        current=machinery.current,
        runner=machinery.runner,
        zygote=machinery.zygote,
        builder=machinery.builder,
        deployer=machinery.deployer,
        logs=base.logs,
        site=site,
        handover=Handover(
            data=data,
            listener=listener,
            deployer=machinery.deployer,
            alone=alone,
            relay=machinery.relay,
            parts=handing,
        ),
    )


def _dependencies(machinery: Machinery, parts: Sequence[Parts]) -> Sequence[GuardedDependency]:
    database, evidence, builder = machinery.base.database, machinery.base.evidence, machinery.builder
    own = [database.reads, database.writes, evidence.reads, evidence.writes, builder.working, builder.installing]
    if machinery.base.redis is not None:
        own.append(machinery.base.redis.guarded)
    return (*own, *(guarded for part in parts for guarded in part.breakers))


def _failing_writes(machinery: Machinery) -> dict[str, str]:
    """Return why the last write of a database failed, for each where it did."""
    base = machinery.base
    databases = {
        "main database": base.database.last_write,
        "evidence database": base.evidence.last_write,
        "databases of scripts": machinery.script_databases.last_write,
    }
    return {name: last_write.problem for name, last_write in databases.items() if last_write.problem}


def _own_parts(
    machinery: Machinery,
    parts: Sequence[Parts],
    *,
    tokens: AdministratorToken,
    pages: PageList,
    dependencies: Sequence[GuardedDependency],
) -> Parts:
    """Return what the management API has without any feature; *parts* are those of features."""
    base = machinery.base
    logs = Logs(logs=base.logs, clock=base.reactor, seconds=base.seconds)
    listing = Listing([machinery.routes, *(kind for part in parts for kind in part.kinds)])
    own = _state(machinery, dependencies)
    states = [own, *(part.state for part in parts)]
    return Parts(
        api=[
            DeployedScripts(store=base.store, deployer=machinery.deployer, listing=listing),
            Deployments(
                deployer=machinery.deployer,
                threads=base.unpacking_threads,
                settings=base.settings.deploy,
                clock=base.reactor,
                listing=listing,
            ),
            logs,
            ServerState(parts={name: figures for state in states for name, figures in state.items()}),
            Token(tokens=tokens),
            pages,
        ],
        state=own,
        ending=[logs.close],
    )


def _api(machinery: Machinery, parts: Sequence[Parts], *, identify: Identify) -> Api:
    """Build the management API of all *parts*, the engine's own first."""
    base = machinery.base
    return Api(
        routed=[routed for part in parts for routed in part.api],
        ending=parts[0].ending,
        admit=ApiCallers(identify=identify, decide=machinery.ports.find(DECIDE)).admit,
        settings=base.settings.deploy,
        threads=base.unpacking_threads,
        new_id=base.new_id,
    )


def _state(machinery: Machinery, dependencies: Sequence[GuardedDependency]) -> dict[str, Callable[[], Any]]:
    base, current = machinery.base, machinery.current
    started_at = base.milliseconds()
    return {
        "server": lambda: {
            "profile": base.settings.profile,
            "startedAt": started_at,
            "generation": current.registry.generation,
            "scripts": len(current.registry.scripts),
        },
        "reactor": base.watchdog.state,
        "runtime": machinery.runner.state,
        "build": machinery.builder.state,
        "logs": base.logs.state,
        "threads": lambda: {
            "database": base.threads.state(),
            "scriptDatabases": base.script_threads.state(),
            "evidence": base.evidence_threads.state(),
            "unpacking": base.unpacking_threads.state(),
        },
        "dependencies": lambda: {dependency.name: dependency.figures() for dependency in dependencies},
        **({"redis": base.redis.state} if base.redis is not None else {}),
        "units": machinery.units.state,
        "scriptDatabases": machinery.script_databases.state,
        "relay": machinery.relay.state,
        "turns": machinery.turns.state,
        "bus": machinery.bus.state,
        **({"link": machinery.link.state} if machinery.link is not None else {}),
        "messages": machinery.messages.state,
        "streams": machinery.event_streams.state,
        "websockets": machinery.sockets.state,
    }


def _site(machinery: Machinery, parts: Sequence[Parts], *, api: Api, tokens: AdministratorToken) -> Site:
    base = machinery.base
    settings = base.settings
    return Site(
        reactor=base.reactor,
        current=machinery.current,
        invoker=machinery.invoker,
        reserved=machinery.reserved,
        own=api.resource(),
        reader=Reader(
            new_id=base.new_id,
            trusted_proxies=settings.server.trusted_proxies,
            public_url=settings.server.public_url,
        ),
        writer=Writer(seconds=base.seconds),
        settings=settings.http,
        own_body_bytes=api.max_body_bytes,
        explain=machinery.explain,
        is_owner=tokens.is_valid,
        admission=[step for part in parts for step in part.admission],
        openers={kind.name: kind.opens for part in parts for kind in part.kinds if kind.opens is not None},
        responders=[responder for part in parts for responder in part.responders],
        # The administrator's token is for the engine itself: no script runs for the administrator.
        visitors=machinery.ports.offered(PRINCIPAL),
        pulse=base.watchdog.pulse,
    )


def _ending(api: Api, machinery: Machinery, parts: Sequence[Parts]) -> Callable[[], None]:
    def end() -> None:
        api.end_streams()
        machinery.stream_server.end()
        for part in parts:
            for ending in part.ending:
                ending()
        machinery.sockets.end()

    return end


def _services(
    machinery: Machinery,
    parts: Sequence[Parts],
    *,
    data: DataFolder,
    tokens: AdministratorToken,
    relay: HeldService,
    api: Api,
    listener: Listener,
) -> list[tuple[str, Any]]:
    base = machinery.base
    upkeep = Upkeep(
        background=base.background,
        database=base.database,
        forget=[machinery.units.forget_old, machinery.script_databases.forget_old],
        expire=[machinery.script_databases.expire],
        remove=[remove for part in parts for remove in part.upkeep],
    )
    for remove in (remove for part in parts for remove in part.script_upkeep):
        machinery.script_databases.add_upkeep(remove)
    return [
        ("watchdog", base.watchdog),
        ("data folder", data),
        ("database threads", base.threads),
        ("script database threads", base.script_threads),
        ("evidence threads", base.evidence_threads),
        ("unpacking threads", base.unpacking_threads),
        ("database", base.database),
        ("evidence", base.evidence),
        *([("Redis", base.redis)] if base.redis is not None else []),
        ("background", base.background),
        ("logs", base.logs),
        ("units", machinery.units),
        ("script databases", machinery.script_databases),
        (
            "moving",
            Moving(
                main=base.database,
                databases=machinery.script_databases,
                tables=[table for part in parts for table in part.moved],
            ),
        ),
        ("joint commits", machinery.joint),
        ("upkeep", upkeep),
        ("administrator token", tokens),
        *((name, BoundedService(name, child, clock=base.reactor)) for part in parts for name, child in part.services),
        ("sandbox", machinery.zygote),
        ("runner", machinery.runner),
        ("builder", machinery.builder),
        *([("link to other servers", machinery.link)] if machinery.link is not None else []),
        ("scripts", Restore(deployer=machinery.deployer)),
        # It delivers to streams, which are known now.
        ("relay", relay),
        ("management API", api),
        ("streams", machinery.event_streams),
        ("listener", listener),
    ]
