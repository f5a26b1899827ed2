"""What runs scripts, what they may ask for, and how they are deployed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import SystemRandom

from twisted.logger import Logger

from aiwebengine.build.builder import Builder
from aiwebengine.errors import ScriptFailed
from aiwebengine.host.declarations import Declarations, surface
from aiwebengine.host.dispatch import Host
from aiwebengine.host.effects import Commits
from aiwebengine.host.messages import GROUP as MESSAGES
from aiwebengine.host.messages import Messages
from aiwebengine.host.names import known_globals
from aiwebengine.host.registration.book import Registrations
from aiwebengine.host.registration.routes import web_routes
from aiwebengine.host.registration_calls import MiddlewareCalls, RegistrationCalls
from aiwebengine.host.turns import Turns
from aiwebengine.machinery import Foundation, Hooks, Machinery
from aiwebengine.ports import Ports
from aiwebengine.runtime import lockdown
from aiwebengine.runtime.invoker import Invoker
from aiwebengine.runtime.processes.zygote import Zygote
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.runtime.runner import Runner
from aiwebengine.scripts.access import ScriptAccess
from aiwebengine.scripts.capabilities import Capabilities
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.failures import Failures
from aiwebengine.scripts.loads import Loads
from aiwebengine.scripts.prepare import FindEntries, Preparer
from aiwebengine.services.bus import Bus
from aiwebengine.services.bus_link import BusLink
from aiwebengine.services.db.joint import INTENT, JointCommits
from aiwebengine.services.db.script_databases import SqliteScriptDatabases
from aiwebengine.services.db.units import Units
from aiwebengine.services.outbox import Relay
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.settings.script_env import ScriptEnv
from aiwebengine.values import Invocation, LogLine, Receipt
from aiwebengine.web.events.sse import EventStreams
from aiwebengine.web.events.streams import StreamServer
from aiwebengine.web.websocket.connection import WebSockets

_log = Logger()


def _broken_prelude(prelude: Mapping[Path, str], reason: str) -> str:
    """Return why the sandbox cannot load its JavaScript, with the feature that brought it, if one did."""
    for path, feature in prelude.items():
        if reason.startswith(f"{path}: "):
            why = reason.removeprefix(f"{path}: ").rstrip(".")
            return f'The JavaScript of the feature "{feature}" cannot be loaded: {why} ({path}).'
    return f"The sandbox cannot load its own JavaScript: {reason.rstrip('.')}. Install aiwebengine again."


_MOST_OPEN_DATABASES = 256
"""Each takes at most five descriptors and some 300 kB."""


# Long: a list of the floors, read from bottom to top.
def build_machinery(base: Foundation, *, declared: Declarations, prelude: Mapping[Path, str]) -> Machinery:
    """
    Build the floors that features stand on; nothing runs before the services start.

    Args:
        declared: What scripts see of all features.
        prelude: What the sandbox evaluates of them, in order, with the feature that each file belongs to.
    """
    settings, reactor = base.settings, base.reactor
    hooks = Hooks()
    reserved = ReservedPaths(declared.reserved)
    current = Current()
    routes = web_routes(settings.limits, added=hooks.route_options)
    loads: Loads[Registrations] = Loads(
        make=lambda invocation: Registrations(invocation=invocation, reserved=reserved),
        granted=partial(_grants, current),
    )
    failures = Failures(source=base.store, stacks=base.stacks, logs=base.logs, seconds=base.seconds)

    def keep_failure(invocation: Invocation, error: ScriptFailed) -> None:
        base.background.start("log a failure", failures.keep(invocation, error))

    relay = Relay(database=base.database, clock=reactor, milliseconds=base.milliseconds, passed=base.passed)
    units = Units(database=base.database, milliseconds=base.milliseconds, published=relay.wake, passed=base.passed)
    script_databases = _script_databases(base, relay=relay)
    turns = Turns(clock=reactor, longest_seconds=settings.pool.queue_seconds)
    joint = JointCommits(
        main=base.database,
        threads=base.threads,
        units=units,
        databases=script_databases,
        milliseconds=base.milliseconds,
        published=relay.wake,
        published_for=relay.wake_for,
        passed=base.passed,
    )
    relay.add(INTENT, joint.deliver)
    base.store.commit_with(joint.together)
    base.store.on_purge(joint.purge)
    base.store.on_purged(script_databases.purged)
    commits = Commits(
        units=joint,
        published=relay.wake,
        milliseconds=base.milliseconds,
        turns=turns,
        passed=base.passed,
    )
    host = Host(
        groups=[MiddlewareCalls(), RegistrationCalls([routes], threads=base.unpacking_threads)],
        commits=commits,
        capabilities=loads.capabilities,
        registrations=loads.open,
        keep_lines=base.logs.append,
        keep_failure=keep_failure,
        keep_receipt=_keeper(base, hooks),
        limits=settings.limits,
        seconds=base.seconds,
        passed=base.passed,
    )
    zygote = Zygote(
        reactor=reactor,
        refusal=partial(lockdown.refusal, allowed=settings.sandbox.allow_missing),
        # Evaluated when it starts: by then the features have added their calls.
        surface=lambda: surface(host.calls, list(prelude), advice=declared.advice),
        explain=partial(_broken_prelude, prelude),
    )
    runner = Runner(
        reactor=reactor,
        zygote=zygote,
        source=base.store,
        host=host,
        current=current,
        limits=settings.limits,
        pool=settings.pool,
        cores=os.cpu_count() or 1,
        wall=base.seconds,
        entropy=base.entropy,
        passed=base.passed,
        recorded=hooks.recorded,
        recording_bytes=hooks.recording_bytes,
        pulse=base.watchdog.pulse,
        redactions=hooks.redactions,
        env=ScriptEnv(settings.scripts.env),
    )
    invoker = Invoker(
        runner=runner,
        current=current,
        limits=settings.limits,
        new_id=base.new_id,
        admission=hooks.admission,
        recording=hooks.recording_of,
    )
    builder = Builder(
        settings=settings.build,
        cache_folder=base.folder / "build-cache",
        reactor=reactor,
        threads=base.unpacking_threads,
        random=base.random.random,
        known_globals=known_globals(declared),
        advice=declared.advice,
        mode="development" if settings.profile == "development" else "production",
    )
    deployer = _deployer(
        base,
        invoker=invoker,
        expect=runner.expect,
        forget=runner.forget,
        rest=runner.rest,
        builder=builder,
        current=current,
        loads=loads,
        capabilities=Capabilities({capability.name: capability.scope for capability in declared.capabilities}),
        reserved=reserved,
        found_in_files=hooks.found_in_files,
    )
    access = ScriptAccess(deployer=deployer, store=base.store, current=current, loads=loads)
    commits.deploys(access.commit_work)
    bus = Bus(epoch=f"{base.milliseconds():x}", settings=settings.live, share=TurnShare(clock=reactor))
    link = BusLink(bus=bus, store=base.redis, origin=base.new_id()) if base.redis is not None else None
    messages = Messages(bus=bus, max_bytes=settings.live.max_message_bytes, redactions=hooks.redactions)
    commits.add(MESSAGES, messages)
    relay.add(MESSAGES, messages.relayed)
    event_streams = EventStreams(
        clock=reactor, heartbeat_seconds=settings.live.heartbeat_seconds, share=TurnShare(clock=reactor)
    )
    return Machinery(
        base=base,
        ports=Ports(),
        hooks=hooks,
        bus=bus,
        link=link,
        current=current,
        reserved=reserved,
        routes=routes,
        loads=loads,
        relay=relay,
        units=units,
        script_databases=script_databases,
        joint=joint,
        turns=turns,
        commits=commits,
        host=host,
        zygote=zygote,
        runner=runner,
        invoker=invoker,
        builder=builder,
        deployer=deployer,
        access=access,
        failures=failures,
        keep_failure=keep_failure,
        warn=partial(_warn, base),
        explain=failures.trace if settings.errors.show_source else None,
        messages=messages,
        event_streams=event_streams,
        stream_server=StreamServer(bus=bus, streams=event_streams, settings=settings.live, random=SystemRandom()),
        sockets=WebSockets(
            reactor=reactor,
            settings=settings.websocket,
            threads=base.unpacking_threads,
            reading=TurnShare(clock=reactor),
            writing=TurnShare(clock=reactor),
        ),
    )


def _script_databases(base: Foundation, *, relay: Relay) -> SqliteScriptDatabases:
    databases = SqliteScriptDatabases(
        folder=base.folder / "scripts",
        threads=base.script_threads,
        main=base.database,
        chains=base.chains["script"],
        clock=base.reactor,
        random=base.random.random,
        milliseconds=base.milliseconds,
        published=relay.wake_for,
        most_open=_MOST_OPEN_DATABASES,
        shared=not base.alone,
        sqlite=base.sqlite,
        passed=base.passed,
    )
    relay.add_script_outboxes(databases)
    return databases


def _deployer(
    base: Foundation,
    *,
    invoker: Invoker,
    expect: Callable[[str, str, Mapping[str, object]], None],
    forget: Callable[[str], None],
    rest: Callable[[str], None],
    builder: Builder,
    current: Current,
    loads: Loads[Registrations],
    capabilities: Capabilities,
    reserved: ReservedPaths,
    found_in_files: Sequence[FindEntries],
) -> Deployer:
    preparer = Preparer(
        builder=builder,
        invoker=invoker,
        forget=forget,
        current=current,
        loads=loads,
        stacks=base.stacks,
        threads=base.unpacking_threads,
        settings=base.settings.deploy,
        limits=base.settings.limits,
        capabilities=capabilities,
        reserved=reserved,
        found_in_files=found_in_files,
        milliseconds=base.milliseconds,
        seconds=time.monotonic,
    )
    return Deployer(
        preparer=preparer,
        store=base.store,
        expect=expect,
        forget=forget,
        rest=rest,
        threads=base.unpacking_threads,
        current=current,
        keep_versions=base.settings.deploy.keep_versions,
        background=base.background,
        seconds=time.monotonic,
    )


def _grants(current: Current, uri: str) -> frozenset[str]:
    active = current.registry.scripts.get(uri)
    return active.grants if active is not None else frozenset()


def _keeper(base: Foundation, hooks: Hooks) -> Callable[[Invocation, Receipt], None]:
    ended, finish = hooks.ended, base.logs.finish

    def keep(invocation: Invocation, receipt: Receipt) -> None:
        for tell in ended:
            try:
                tell(invocation, receipt)
            except (Exception, SystemExit):  # noqa: BLE001  What watches invocations must not break them.
                _log.failure("a feature failed when the invocation {id} had ended", id=invocation.id)
        finish(invocation, receipt.outcome)

    return keep


def _warn(base: Foundation, invocation: Invocation, text: str) -> None:
    base.logs.append(invocation, [LogLine(at=base.seconds(), level="warn", message=text, of_server=True)])
