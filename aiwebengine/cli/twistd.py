"""
`twistd aiwebengine`: options and service for Twisted's own daemon starter.

`makeService` loads the settings and nothing else; see `running` for why.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

from twisted.application.service import Service
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.usage import Options as UsageOptions

from aiwebengine.cli import flags
from aiwebengine.cli.early import hold
from aiwebengine.cli.reactor import install, stop, stop_on_signals
from aiwebengine.cli.running import Readiness, RunningEngine
from aiwebengine.cli.successor import Succession, notify, on_signal
from aiwebengine.errors import CannotStart
from aiwebengine.features.all import installed, sections_of
from aiwebengine.observe import interpreter
from aiwebengine.observe.log_file import SharedLogFile
from aiwebengine.observe.server_log import observer
from aiwebengine.services.inherited import InheritedDescriptors, inherited
from aiwebengine.services.whole_files import write_whole
from aiwebengine.settings.load import load
from aiwebengine.settings.schema import Settings

_log = Logger()

_LOG_FILE = "twistd.log"


class Options(UsageOptions):
    """The options after `twistd aiwebengine`."""

    synopsis = "[aiwebengine options]"
    longdesc = (
        "Serve the scripts that were deployed. Options before the word aiwebengine are twistd's, such as -n to stay "
        "in the foreground. Every setting can also be given as an environment variable, AIWEBENGINE__SECTION__KEY."
    )
    optParameters = [  # noqa: RUF012  Twisted reads it from the class.
        ["profile", None, None, flags.PROFILE_HELP],
        *([name, None, None, text] for name, (_, text) in flags.OWN_FLAGS.items()),
    ]

    def __init__(self) -> None:
        hold()
        super().__init__()
        self["config"] = []
        self["set"] = []

    def opt_config(self, path: str) -> None:
        """YAML or TOML file with settings; give it again for more, later ones win."""
        self["config"].append(path)

    def opt_set(self, assignment: str) -> None:
        """Any setting, such as limits.wall_seconds=5; give it again for more."""
        self["set"].append(assignment)

    def postOptions(self) -> None:
        """Load the settings, so that a wrong one is reported before anything starts."""
        try:
            self.features = installed()
            self.settings = load(
                flags.sources(
                    profile=self["profile"],
                    config=self["config"],
                    own={name: self[name] for name in flags.OWN_FLAGS},
                    assignments=self["set"],
                    environ=os.environ,
                    folder=Path.cwd(),
                ),
                sections=sections_of(self.features),
            )
        except (CannotStart, flags.WrongFlag) as error:
            # A UsageError would print the whole help above the problem.
            sys.stderr.write(f"{error}\n")
            raise SystemExit(2) from error
        # Before twistd forks, changes its folder, or looks whether the pid file names a running process.
        self.folder = Path.cwd()
        try:
            self.inherited = inherited(os.environ, pid=os.getpid(), parent=os.getppid())
        except CannotStart as error:
            sys.stderr.write(f"aiwebengine cannot start: {error.public}\n")
            raise SystemExit(1) from error
        if self.inherited.succeeds and self.parent is not None:
            _succeed(self.parent)
        # A daemon's own standard error leads nowhere.
        self.terminal = _terminal() if self.parent is not None and not self.parent["nodaemon"] else None


def _terminal() -> int | None:
    try:
        return os.dup(2)
    except OSError:
        return None


def _succeed(parent: Any) -> None:
    """
    Have twistd do nothing twice.

    A successor inherits what its predecessor has become: in the background, in its folder, its
    root and its user.  The pid file is still the predecessor's.
    """
    if not parent["nodaemon"]:
        parent["logfile"] = parent["logfile"] or _LOG_FILE
    parent["nodaemon"] = True
    parent["pidfile"] = ""
    parent["chroot"] = None


class _TwistdEngine(RunningEngine):
    """The running engine, which also brings the server's own log along to twistd."""

    def __init__(self, *, log: Any, caller: _Caller, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._observer = log
        self._caller = caller

    def startService(self) -> None:
        """Start, while the caller of twistd waits."""
        self._caller.wait()
        super().startService()

    def setServiceParent(self, parent: Any) -> None:
        """Be added to the application, whose component of this interface is what twistd logs to."""
        if self._observer is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._observer)
        super().setServiceParent(parent)


def makeService(options: Options) -> Service:
    """Make the service that twistd starts."""
    reactor = install()
    from aiwebengine.app import build  # noqa: PLC0415  It imports klein, which needs the reactor to be chosen.

    daemon = options.parent is None or not options.parent["nodaemon"]
    pidfile = _PidFile(parent=options.parent, inherited=options.inherited)
    caller = _Caller(parent=options.parent, terminal=options.terminal)
    ending = _StartResult(reactor=reactor, daemon=daemon, pidfile=pidfile, caller=caller)
    top = _TwistdEngine(
        caller=caller,
        log=_observer(options.parent or {}, options.settings),
        settings=options.settings,
        build=partial(build, features=options.features),
        reactor=reactor,
        started=ending.started,
        failed=ending.failed,
        inherited=options.inherited,
        succession=Succession(
            reactor=reactor,
            command=[sys.executable, *sys.orig_argv[1:]],
            folder=options.folder,
            environ=os.environ,
            managed=options.inherited.managed,
        ),
        pidfile=pidfile.path,
        handed_over=ending.handed_over,
        settled=interpreter.favour_reactor,
    )
    on_signal(reactor, top.hand_over)
    stop_on_signals(reactor)
    return top


class _Caller:
    """
    The process that called twistd for a daemon: it returns when the server answers, or has said why it does not.

    twistd would let it return before the reactor runs, and cuts what it says to a hundred bytes.

    Args:
        parent: twistd's options, where the pipe is on which the process waits.
        terminal: A descriptor of its standard error; None: there is none.
    """

    def __init__(self, *, parent: Any, terminal: int | None) -> None:
        self._parent = parent if parent is not None else {}
        self._terminal = terminal
        self._pipe: int | None = None

    def wait(self) -> None:
        """Take the pipe from twistd, which then does not say that all is well."""
        if self._pipe is None:
            self._pipe, self._parent["statusPipe"] = self._parent.get("statusPipe"), None

    def answers(self) -> None:
        """Let it return with 0."""
        self._end(b"0")

    def failed(self, message: str) -> None:
        """Have it print why, and return with 1."""
        self.wait()
        if self._terminal is not None:
            with contextlib.suppress(OSError):
                os.write(self._terminal, f"aiwebengine cannot start: {message}\n".encode())
        self._end(b"1 the start failed, see above")

    def _end(self, word: bytes) -> None:
        pipe, terminal = self._pipe, self._terminal
        self._pipe = self._terminal = None
        for descriptor, content in ((pipe, word), (terminal, b"")):
            if descriptor is not None:
                with contextlib.suppress(OSError):
                    os.write(descriptor, content)
                os.close(descriptor)


class _PidFile:
    """
    twistd's pid file, which names the process that serves and is removed by the last one.

    Args:
        parent: twistd's options, which it reads again at its end.
        inherited: What the process inherited.
    """

    def __init__(self, *, parent: Any, inherited: InheritedDescriptors) -> None:
        self._parent = parent if parent is not None else {}
        self._inherited = inherited.pidfile

    def path(self) -> str | None:
        """Return its absolute path, once twistd is in its folder; None if there is none."""
        name = self._parent.get("pidfile")
        return str(Path(name).absolute()) if name else None

    def take(self) -> None:
        """Remove it when this process ends: it serves."""
        if self._inherited:
            self._parent["pidfile"] = self._inherited

    def give(self, pid: int) -> None:
        """Have it name a successor, who removes it."""
        path = self.path()
        if path is None:
            return
        try:
            write_whole(Path(path), str(pid).encode("ascii"), mode=0o644, durable=False)
        except OSError as error:
            _log.error("the pid file {path} cannot be written: {why}", path=path, why=error.strerror)
        self._parent["pidfile"] = ""


class _StartResult:
    """
    Return how the start went, and end the process if it failed.

    Args:
        daemon: twistd forks: the parent waits for the child's message on a pipe and prints it on the terminal.
        pidfile: twistd's.
        caller: Waits for it.
    """

    def __init__(self, *, reactor: Any, daemon: bool, pidfile: _PidFile, caller: _Caller) -> None:
        self._reactor = reactor
        self._daemon = daemon
        self._pidfile = pidfile
        self._caller = caller

    def started(self, ready: Readiness) -> None:
        """Say where the server is."""
        _log.info("listening on {address}", address=ready.address)
        terminal = sys.__stderr__
        if not self._daemon and ready.token_notice and terminal is not None and terminal.isatty():
            terminal.write(f"{ready.token_notice}\n")
        self._pidfile.take()
        self._caller.answers()
        notify(os.environ, "READY=1")

    def handed_over(self, pid: int) -> None:
        """Let the successor be known, and stop."""
        self._pidfile.give(pid)
        notify(os.environ, f"MAINPID={pid}")
        stop(self._reactor)

    def failed(self, message: str) -> None:
        """Say why, and stop with exit code 1."""
        _log.error("cannot start: {message}", message=message)
        self._caller.failed(message)
        if self._daemon and not self._reactor.running:
            # twistd hands what is raised to the parent process, and then lets it end this one: the log has it in
            # words already, a traceback below would only look like a fault.
            sys.excepthook = lambda *_: None
            raise CannotStart(message)
        if not self._daemon and sys.__stderr__ is not None:
            sys.__stderr__.write(f"aiwebengine cannot start: {message}\n")
        # twistd has no other way to end with a code of one's own: it returns 0 whenever the reactor stops.
        atexit.register(os._exit, 1)
        self._reactor.callWhenRunning(stop, self._reactor)


def _observer(parent: Mapping[str, Any], settings: Settings) -> Any:
    """Make the log that the settings ask for, where twistd's own options say; None leaves it to twistd."""
    if parent.get("syslog") or parent.get("logger") is not None:
        return None
    path = parent.get("logfile")
    stream: Any = sys.stdout
    if path not in {None, "", "-"} or not parent.get("nodaemon"):
        if path == "-":
            return None  # twistd refuses it for a daemon, in its own words.
        stream = SharedLogFile.fromFullPath(path or _LOG_FILE)
        if not signal.getsignal(signal.SIGUSR1):
            signal.signal(signal.SIGUSR1, lambda _number, _frame: stream.rotate())
    return observer(stream=cast(TextIO, stream), level=settings.logs.level, form=settings.logs.format)
