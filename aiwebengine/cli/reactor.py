"""
Which reactor the server runs on.

klein and txredisapi install the default reactor when they are imported, so this is called
before anything imports them.  On Linux it is epoll, on macOS kqueue.
"""

from __future__ import annotations

import sys
from typing import Any


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


def _install_fastest() -> None:
    if sys.platform == "linux":
        from twisted.internet import epollreactor as fastest  # noqa: PLC0415  There is none on other platforms.
    elif sys.platform == "darwin":
        from twisted.internet import kqreactor as fastest  # noqa: PLC0415  The same.
    else:
        return
    fastest.install()
