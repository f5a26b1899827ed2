"""`aiwebengine serve`: the server in the foreground."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from aiwebengine.cli import flags
from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.observe import interpreter
from aiwebengine.services.inherited import InheritedDescriptors, inherited
from aiwebengine.settings.schema import Settings
from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed


@click.command()
@click.option("--config", multiple=True, metavar="FILE", help=flags.CONFIG_HELP)
@click.option("--profile", help=flags.PROFILE_HELP)
@flags.with_own_flags
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help=flags.SET_HELP)
def serve(config: tuple[str, ...], profile: str | None, assignments: tuple[str, ...], **own: str | None) -> None:
    """
    Start the server in the foreground; Ctrl-C stops it, SIGUSR2 restarts it without a gap.

    Every setting can also be given as an environment variable, AIWEBENGINE__SECTION__KEY.
    The server's own log goes to standard error.
    """
    features, settings = flags.configured(profile=profile, config=config, own=own, assignments=assignments)
    interpreter.pause_collector()
    try:
        message = _run(settings, features, inherited(os.environ, pid=os.getpid(), parent=os.getppid()))
    except CannotStart as error:
        message = error.public
    if message is not None:
        raise CommandFailed(f"cannot start: {message}", code=exits.FAILED)


def _run(settings: Settings, features: Sequence[Feature], descriptors: InheritedDescriptors) -> str | None:
    """Run the reactor until the server is stopped; the message for people if it did not start."""
    from aiwebengine.cli.reactor import ignore_signals, install, stop, stop_on_signals  # noqa: PLC0415  Other commands need no reactor and start faster.

    reactor = install()
    from twisted.logger import globalLogBeginner  # noqa: PLC0415  The same.

    from aiwebengine.app import build  # noqa: PLC0415  It imports klein, which needs the reactor to be chosen.
    from aiwebengine.cli.running import Readiness, RunningEngine  # noqa: PLC0415  As the reactor.
    from aiwebengine.cli.successor import Succession, notify, on_signal  # noqa: PLC0415  As the reactor.
    from aiwebengine.observe.server_log import observer  # noqa: PLC0415  As the reactor.

    log: Any = observer(stream=sys.stderr, level=settings.logs.level, form=settings.logs.format)
    globalLogBeginner.beginLoggingTo([log], redirectStandardIO=False, discardBuffer=True)
    messages: list[str] = []

    def started(ready: Readiness) -> None:
        click.echo(f"aiwebengine ({settings.profile}) answers at {ready.address}")
        if ready.token_notice and sys.stdout.isatty():
            click.echo(ready.token_notice)
        notify(os.environ, "READY=1")

    def failed(message: str) -> None:
        messages.append(message)
        stop(reactor)

    def handed_over(pid: int) -> None:
        notify(os.environ, f"MAINPID={pid}")
        stop(reactor)

    service = RunningEngine(
        settings=settings,
        build=partial(build, features=features),
        reactor=reactor,
        started=started,
        failed=failed,
        inherited=descriptors,
        succession=Succession(
            reactor=reactor,
            command=[sys.executable, *sys.orig_argv[1:]],
            folder=Path.cwd(),
            environ=os.environ,
            managed=descriptors.managed,
        ),
        handed_over=handed_over,
        settled=interpreter.favour_reactor,
    )
    on_signal(reactor, service.hand_over)
    stop_on_signals(reactor)

    def start() -> None:
        service.privilegedStartService()
        service.startService()

    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    # The reactor has put Python's handlers back, which would print a traceback while the process ends.
    ignore_signals()
    return messages[0] if messages else None
