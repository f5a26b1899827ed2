"""
Which reactor the server runs on.

klein and txredisapi install the default reactor when they are imported, so this is called
before anything imports them.  On Linux it is epoll, on macOS kqueue.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from twisted.internet.error import ReactorNotRunning

from aiwebengine.cli.early import ends_on_interrupt


def install() -> Any:
    """
    Return the process's reactor, installing the fastest one unless there is one already.

    Returns:
        The reactor; untyped because its interfaces depend on the platform.
    """
    if "twisted.internet.reactor" not in sys.modules:
        _install_fastest()
    from twisted.internet import reactor  # noqa: PLC0415  Importing it is what installs the default one.

    return reactor


def stop_on_signals(reactor: Any) -> None:
    """
    Have SIGINT, SIGTERM and SIGHUP stop *reactor* once, from now on: another one while it starts or stops is no error.

    SIGINT that is ignored, as for a background job of a shell, stays ignored, and SIGHUP as under nohup.
    """
    stopping = False

    def once(handler: Callable[..., object]) -> Callable[[int, FrameType | None], object]:
        def received(number: int, frame: FrameType | None) -> None:
            nonlocal stopping
            if not stopping:
                stopping = True
                handler(number, frame)

        return received

    def terminated_once() -> None:
        handler = signal.getsignal(signal.SIGTERM)
        if callable(handler):
            signal.signal(signal.SIGTERM, once(handler))

    if ends_on_interrupt():
        signal.signal(signal.SIGINT, once(reactor.sigInt))
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        # The terminal was closed.
        signal.signal(signal.SIGHUP, once(reactor.sigInt))
    # The reactor sets its handler of SIGTERM after what runs at its start.
    reactor.callWhenRunning(lambda: reactor.callLater(0, terminated_once))


def stop(reactor: Any) -> None:
    """Stop *reactor*, unless it is stopping or does not run."""
    with contextlib.suppress(ReactorNotRunning):
        reactor.stop()


def ignore_signals() -> None:
    """Ignore what would stop the server: the process ends anyway."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _install_fastest() -> None:
    if sys.platform == "linux":
        from aiwebengine.services.reactor import epoll as fastest  # noqa: PLC0415 It does not exist on other platforms.
    elif sys.platform == "darwin":
        from twisted.internet import kqreactor as fastest  # noqa: PLC0415  The same.
    else:
        return
    fastest.install()
