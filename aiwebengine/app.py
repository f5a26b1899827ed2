"""
The composition root: the only module that knows every floor.

`build` reads from the bottom up: what the engine stands on, what it keeps, what runs
scripts, what they may ask for, how they are deployed, what listens.  Nothing here holds a
process, a thread, a socket or a file before its service is started.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from aiwebengine.auth.tokens import AdministratorToken
from aiwebengine.build.builder import Builder
from aiwebengine.engine import NOTHING_MORE, Engine, Extensions
from aiwebengine.errors import ScriptFailed
from aiwebengine.graphql.build import build_graphql
from aiwebengine.graphql.resolvers import attach
from aiwebengine.graphql.schema import Assembler
from aiwebengine.graphql.topics import SubscriptionTopics
from aiwebengine.host.assets import AssetCalls, StoredAsset
from aiwebengine.host.dispatch import Host
from aiwebengine.host.effects import Commits
from aiwebengine.host.entries import GROUP as ENTRIES
from aiwebengine.host.entries import KV, Entries
from aiwebengine.host.kv import KvCalls
from aiwebengine.host.logs import LogCalls
from aiwebengine.host.names import advice, known_globals
from aiwebengine.host.once import GROUP as ANSWERS
from aiwebengine.host.once import KeptAnswers
from aiwebengine.host.registration import RegistrationCalls, Registrations
from aiwebengine.host.scripts import ScriptCalls
from aiwebengine.host.storage import StorageCalls
from aiwebengine.host.stream_topics import StreamTopics
from aiwebengine.host.streams import GROUP as STREAMS
from aiwebengine.host.streams import StreamCalls
from aiwebengine.host.turns import Turns
from aiwebengine.host.watch import Watches
from aiwebengine.observe.background import Background
from aiwebengine.observe.budgets import Budgets
from aiwebengine.observe.logs import LogFilter, ScriptLogs
from aiwebengine.observe.receipts import Receipts
from aiwebengine.observe.recordings import Recorder
from aiwebengine.observe.services import Late, OrderedServices
from aiwebengine.runtime import lockdown
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.routes import parse_pattern
from aiwebengine.runtime.run import Run
from aiwebengine.runtime.runner import Runner
from aiwebengine.runtime.zygote import Zygote
from aiwebengine.scripts.access import AssetAccess, ScriptAccess
from aiwebengine.scripts.assets import AssetStore
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.failures import Failures
from aiwebengine.scripts.loads import Loads
from aiwebengine.scripts.prepare import Preparer
from aiwebengine.scripts.replay import Replayer
from aiwebengine.scripts.restore import Restore
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.services.bus import Bus
from aiwebengine.services.db.connect import Database
from aiwebengine.services.db.log_rows import DatabaseLogRows
from aiwebengine.services.db.receipt_rows import DatabaseReceiptRows
from aiwebengine.services.db.recording_rows import DatabaseRecordingRows
from aiwebengine.services.db.units import Units
from aiwebengine.services.db.use_rows import DatabaseUseRows
from aiwebengine.services.folder import DataFolder
from aiwebengine.services.inherited import NOTHING, Inherited
from aiwebengine.services.outbox import Relay
from aiwebengine.services.threads import Threads
from aiwebengine.services.upkeep import Upkeep
from aiwebengine.settings.schema import Settings
from aiwebengine.values import Invocation, LogLine, Receipt
from aiwebengine.web.api.api import Api
from aiwebengine.web.errors import Explain, Place
from aiwebengine.web.handover import Handover
from aiwebengine.web.health import add_health
from aiwebengine.web.listener import Listener, Ready
from aiwebengine.web.read import Reader
from aiwebengine.web.site import Site
from aiwebengine.web.sockets import Parcels, SocketDoor, Surroundings
from aiwebengine.web.sse import EventStreams
from aiwebengine.web.streams import StreamDoor
from aiwebengine.web.websocket import WebSockets
from aiwebengine.web.write import Writer

_log = Logger()

_THREADS = 4
_EVIDENCE_THREADS = 2
_UNPACKING_THREADS = 2


def build(
    settings: Settings, *, reactor: Any, extensions: Extensions = NOTHING_MORE, inherited: Inherited = NOTHING
) -> Engine:
    """
    Build an engine.

    Args:
        settings: All of them, checked.
        reactor: Everything runs on it.
        extensions: What it is given beyond its own parts.
        inherited: What the process inherited; with a predecessor, `Handover.inherit` is due at its end.

    Returns:
        An engine that holds nothing yet.
    """
    seconds, milliseconds = time.time, _milliseconds
    folder = Path(settings.server.data_folder).absolute()
    notices: list[str] = []

    # What everything stands on.
    data = DataFolder(path=folder, lock_descriptor=inherited.lock)
    threads = Threads(reactor=reactor, name="database", size=_THREADS)
    evidence_threads = Threads(reactor=reactor, name="evidence", size=_EVIDENCE_THREADS)
    unpacking_threads = Threads(reactor=reactor, name="unpacking", size=_UNPACKING_THREADS)
    random = SystemRandom().random
    database = Database(
        url=f"sqlite:///{folder / 'main.sqlite3'}",
        threads=threads,
        migrations="main",
        clock=reactor,
        random=random,
        connections=_THREADS,
        alone=not inherited.succeeds,
    )
    evidence = Database(
        url=f"sqlite:///{folder / 'evidence.sqlite3'}",
        threads=evidence_threads,
        migrations="evidence",
        clock=reactor,
        random=random,
        connections=_EVIDENCE_THREADS,
        durable=False,
        alone=not inherited.succeeds,
    )
    background = Background(clock=reactor)
    store = ScriptStore(database=database, milliseconds=milliseconds)
    stacks = Stacks(source=store, threads=unpacking_threads)
    logs = ScriptLogs(
        rows=DatabaseLogRows(database=evidence),
        settings=settings.logs,
        clock=reactor,
        seconds=seconds,
        readable=stacks.readable,
        passed=extensions.passed,
    )
    recorder = Recorder(
        rows=DatabaseRecordingRows(database=evidence),
        settings=settings.recordings,
        background=background,
        milliseconds=milliseconds,
    )
    receipts = Receipts(
        rows=DatabaseReceiptRows(database=evidence), settings=settings.receipts, clock=reactor, seconds=seconds
    )
    current = Current(assemble=Assembler(attach=attach))
    budgets = Budgets(
        rows=DatabaseUseRows(database=evidence),
        settings=settings.budgets,
        asked=lambda uri: _budgets(current, uri),
        tell=lambda invocation, line: logs.append(invocation, [line]),
        clock=reactor,
        seconds=seconds,
    )
    tokens = AdministratorToken(folder=folder, random_bytes=os.urandom, made=notices.append)

    # What is kept of scripts, and what serves.
    assets = AssetStore(database=database, milliseconds=milliseconds, max_bytes=settings.deploy.max_source_bytes)
    loads: Loads[Registrations] = Loads(
        make=lambda invocation: Registrations(
            invocation=invocation,
            parse_pattern=parse_pattern,
            limits=settings.limits,
        ),
        granted=lambda uri: _grants(current, uri),
    )

    failures = Failures(source=store, stacks=stacks, logs=logs, seconds=seconds)

    # What scripts may ask for.  Scripts deploy scripts, so `access`, made below, closes a circle.
    asset_access = AssetAccess(assets=assets)
    asset_calls = AssetCalls(
        list_paths=asset_access.list_paths,
        read=_stored(asset_access),
        check=asset_access.check,
        write=asset_access.write,
    )
    script_calls = ScriptCalls(
        list_scripts=lambda: access.list_scripts(),  # noqa: PLW0108  not made yet
        read_entry=lambda uri: access.read_entry(uri),  # noqa: PLW0108  the same
        prepare=lambda invocation, uri, source: access.prepare(invocation, uri, source),  # noqa: PLW0108  the same
        commit=lambda invocation, changes, work: access.commit(invocation, changes, work),  # noqa: PLW0108  the same
    )
    more_calls = [call for group in extensions.groups for call in group.calls if not call.speaks_for]
    relay = Relay(
        database=database,
        kinds={STREAMS: lambda message: stream_calls.relayed(message), **extensions.deliver},  # noqa: PLW0108  not made yet
        clock=reactor,
        milliseconds=milliseconds,
        passed=extensions.passed,
    )
    units = Units(database=database, milliseconds=milliseconds, published=relay.wake, passed=extensions.passed)
    turns = Turns(clock=reactor, longest_seconds=settings.pool.queue_seconds)
    watches = Watches()
    bus = Bus(epoch=f"{milliseconds():x}", settings=settings.streams)
    entries = Entries(
        read=database.read,
        milliseconds=milliseconds,
        settings=settings.storage,
        changed=lambda script, area, changed: watches.changed(script, changed) if area == KV else None,
    )

    def tell(invocation: Invocation, text: str) -> None:
        logs.append(invocation, [LogLine(at=seconds(), level="warn", message=text)])

    topics = StreamTopics(
        bus=bus,
        run=lambda invocation, sink: runner.run(invocation, sink),  # noqa: PLW0108  not made yet
        limits=settings.limits,
        settings=settings.streams,
        new_id=_new_id,
        tell=tell,
    )
    subscriptions = SubscriptionTopics(
        bus=bus,
        run=lambda invocation, sink: runner.run(invocation, sink),  # noqa: PLW0108  not made yet
        limits=settings.limits,
        new_id=_new_id,
        tell=tell,
    )
    stream_calls = StreamCalls(bus=bus, topics=topics, subscriptions=subscriptions, settings=settings.streams)
    current.tell(topics.swapped)
    current.tell(subscriptions.swapped)
    answers = KeptAnswers(read=database.read, milliseconds=milliseconds, keep_seconds=settings.http.idempotency_seconds)
    commits = Commits(
        effects={
            "scripts": script_calls,
            "assets": asset_calls,
            ENTRIES: entries,
            STREAMS: stream_calls,
            ANSWERS: answers,
            **extensions.effects,
        },
        commit=units.commit,
        withdraw=units.withdraw,
        deploy=script_calls.deploy,
        deploying="scripts",
        published=relay.wake,
        milliseconds=milliseconds,
        turns=turns,
        passed=extensions.passed,
    )

    def keep_receipt(invocation: Invocation, receipt: Receipt) -> None:
        if invocation.kind != "load":
            # Who has spent all may still deploy what uses less.
            budgets.count(invocation, receipt)
        receipts.keep(invocation, receipt)
        logs.finish(invocation, receipt.outcome)

    def keep_failure(invocation: Invocation, error: ScriptFailed) -> None:
        background.start("log a failure", failures.keep(invocation, error))

    host = Host(
        groups=[
            RegistrationCalls(),
            script_calls,
            asset_calls,
            LogCalls(messages=_messages(logs)),
            StorageCalls(entries=entries),
            KvCalls(entries=entries, watches=watches),
            stream_calls,
            *extensions.groups,
        ],
        commits=commits,
        capabilities=loads.capabilities,
        registrations=loads.open,
        keep_lines=logs.append,
        keep_failure=keep_failure,
        keep_receipt=keep_receipt,
        limits=settings.limits,
        seconds=seconds,
        passed=extensions.passed,
    )

    # What runs them.
    zygote = Zygote(
        reactor=reactor,
        died=lambda: runner.sandbox_died(),  # noqa: PLW0108  not made yet
        refusal=partial(lockdown.refusal, allowed=settings.sandbox.allow_missing),
    )
    runner = Runner(
        reactor=reactor,
        zygote=zygote,
        source=store,
        host=host,
        current=current,
        limits=settings.limits,
        pool=settings.pool,
        cores=os.cpu_count() or 1,
        wall=seconds,
        entropy=os.urandom,
        refusal=budgets.refusal,
        passed=extensions.passed,
        more_calls=[(call.name, call.sync) for call in more_calls],
        recorded=lambda run, outcome: _record(recorder, run, outcome),
        tape_bytes=settings.recordings.max_bytes,
    )

    # How they are deployed.
    builder = Builder(
        settings=settings.build,
        cache_folder=folder / "build-cache",
        reactor=reactor,
        random=random,
        known_globals={**known_globals(), **dict.fromkeys(call.name for call in more_calls)},
        advice=advice(),
    )
    preparer = Preparer(
        builder=builder,
        runner=runner,
        current=current,
        loads=loads,
        stacks=stacks,
        threads=unpacking_threads,
        settings=settings.deploy,
        limits=settings.limits,
        milliseconds=milliseconds,
        seconds=time.monotonic,
        new_id=_new_id,
    )
    deployer = Deployer(
        preparer=preparer,
        store=store,
        runner=runner,
        current=current,
        keep_versions=settings.deploy.keep_versions,
        background=background,
        seconds=time.monotonic,
    )
    replayer = Replayer(runner=runner, store=store, deployer=deployer, masks=recorder, new_id=_new_id)
    access = ScriptAccess(deployer=deployer, store=store, current=current, loads=loads)

    # What listens.
    started_at = milliseconds()
    api = Api(
        deployer=deployer,
        store=store,
        assets=assets,
        logs=logs,
        receipts=receipts,
        budgets=budgets,
        recorder=recorder,
        replayer=replayer,
        tokens=tokens,
        threads=unpacking_threads,
        settings=settings.deploy,
        clock=reactor,
        seconds=seconds,
        new_id=_new_id,
        state={
            "server": lambda: {
                "profile": settings.profile,
                "startedAt": started_at,
                "generation": current.registry.generation,
                "scripts": len(current.registry.scripts),
            },
            "runtime": runner.state,
            "build": builder.state,
            "logs": logs.state,
            "receipts": receipts.state,
            "recordings": recorder.state,
            "budgets": budgets.state,
            "threads": lambda: {
                "database": threads.state(),
                "evidence": evidence_threads.state(),
                "unpacking": unpacking_threads.state(),
            },
            "dependencies": lambda: {one.name: one.figures() for one in dependencies},
            "units": units.state,
            "relay": relay.state,
            "turns": turns.state,
            "watches": watches.state,
            "bus": bus.state,
            "streams": lambda: {**event_streams.state(), **stream_calls.state()},
            "sockets": lambda: {**sockets.state(), **socket_door.state()},
            "graphql": lambda: graphql.state(),  # noqa: PLW0108  not made yet
        },
    )
    dependencies = (
        database.reads, database.writes, evidence.reads, evidence.writes, builder.working, builder.installing
    )  # fmt: skip
    add_health(
        api.klein,
        ready=lambda: {"sandbox": zygote.ready, "database": service.is_ready and database.available},
        breakers=lambda: {one.name: str(one.state) for one in dependencies},
        lockdown=lambda: lockdown.health(zygote.report),
    )

    explain = _explain(failures) if settings.errors.show_source else None
    event_streams = EventStreams(clock=reactor, heartbeat_seconds=settings.streams.heartbeat_seconds)
    stream_door = StreamDoor(bus=bus, streams=event_streams, settings=settings.streams, random=SystemRandom())
    sockets = WebSockets(reactor=reactor, settings=settings.sockets)
    socket_door = SocketDoor(
        around=Surroundings(
            runner=lambda: runner,
            current=current,
            bus=bus,
            settings=settings.sockets,
            limits=settings.limits,
            new_id=_new_id,
            parcels=Parcels(),
        ),
        sockets=sockets,
    )
    current.tell(socket_door.swapped)
    graphql = build_graphql(
        reactor=reactor,
        settings=settings,
        current=current,
        runner=lambda: runner,
        explain=explain,
        keep_failure=keep_failure,
        recording=recorder.wanted,
        bus=bus,
        topics=subscriptions,
        streams=event_streams,
        door_of_streams=stream_door,
        sockets=sockets,
        random=SystemRandom(),
        new_id=_new_id,
    )
    site = Site(
        reactor=reactor,
        current=current,
        runner=runner,
        own=api.resource(),
        reader=Reader(
            new_id=_new_id,
            trusted_proxies=settings.server.trusted_proxies,
            public_url=settings.server.public_url,
        ),
        writer=Writer(seconds=seconds),
        settings=settings.http,
        limits=settings.limits,
        own_body_bytes=api.max_body_bytes,
        answers=answers,
        explain=explain,
        is_owner=tokens.is_valid,
        recording=recorder.wanted,
        streams=stream_door,
        sockets=socket_door,
        more=graphql.site,
    )

    def end_streams() -> None:
        api.end_streams()
        stream_door.end()
        graphql.end()
        sockets.end()

    upkeep = Upkeep(
        background=background,
        database=database,
        units=units,
        milliseconds=milliseconds,
        remove_answers=answers.remove_old,
    )
    ready: Deferred[Ready] = Deferred()
    listener = Listener(
        reactor=reactor,
        site=site,
        runner=runner,
        settings=settings.server,
        ready=ready,
        notices=notices,
        folder=folder,
        descriptor=inherited.listening,
        same=inherited.succeeds and not inherited.managed,
        # Where protections are demanded, nobody is served before they are known to hold.
        first=zygote.when_ready if inherited.succeeds or "all" not in settings.sandbox.allow_missing else None,
        ending=end_streams,
    )
    # Two relays would deliver everything twice.
    alone = Late(relay, waits=inherited.succeeds)
    service = OrderedServices(
        children=[
            ("data folder", data),
            ("database threads", threads),
            ("evidence threads", evidence_threads),
            ("unpacking threads", unpacking_threads),
            ("database", database),
            ("evidence", evidence),
            ("background", background),
            ("logs", logs),
            ("receipts", receipts),
            ("recordings", recorder),
            ("budgets", budgets),
            ("units", units),
            ("upkeep", upkeep),
            ("administrator token", tokens),
            ("sandbox", zygote),
            ("runner", runner),
            ("builder", builder),
            ("scripts", Restore(deployer=deployer)),
            # It delivers to streams, which are known now.
            ("relay", alone),
            ("management API", api),
            ("streams", event_streams),
            ("listener", listener),
        ],
        failed=ready.errback,
    )
    return Engine(
        service=service,
        ready=ready,
        current=current,
        runner=runner,
        zygote=zygote,
        builder=builder,
        deployer=deployer,
        logs=logs,
        site=site,
        handover=Handover(
            data=data,
            listener=listener,
            deployer=deployer,
            budgets=budgets,
            alone=alone,
            relay=relay,
            streams=stream_calls,
        ),
    )


def _explain(failures: Failures) -> Explain:
    async def explain(error: ScriptFailed, version: str) -> Sequence[Place]:
        return [
            Place(
                file=frame.file or version,
                line=frame.line,
                function=frame.function or "",
                source_line=frame.source_line or "",
            )
            for frame in await failures.places(error, version)
        ]

    return explain


def _stored(access: AssetAccess) -> Callable[[str], Awaitable[StoredAsset | None]]:
    async def read(path: str) -> StoredAsset | None:
        asset = await access.read(path)
        return None if asset is None else StoredAsset(type=asset.type, content=asset.content)

    return read


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


def _new_id() -> str:
    return os.urandom(10).hex()


def _grants(current: Current, uri: str) -> frozenset[str]:
    active = current.registry.scripts.get(uri)
    return active.grants if active is not None else frozenset()


def _budgets(current: Current, uri: str) -> Mapping[str, Sequence[str]]:
    active = current.registry.scripts.get(uri)
    return active.budgets if active is not None else {}


def _record(recorder: Recorder, run: Run, outcome: str) -> None:
    if run.tape is not None and run.invocation.again is None:
        recorder.keep(run.invocation, run.tape, outcome, error=run.error.public if run.error is not None else "")


def _messages(logs: ScriptLogs) -> Any:
    async def messages(uri: str, limit: int) -> list[str]:
        found = [record.line for record in await logs.query(LogFilter(uri=uri, limit=limit))]
        return [f"{line.message} {json.dumps(dict(line.fields))}" if line.fields else line.message for line in found]

    return messages
