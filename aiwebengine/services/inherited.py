"""
What a server inherits from the process that started it: descriptors.

From a predecessor, a server that makes room for this one.  It sets one variable, whose JSON
holds its own process id (a variable that was inherited further is no message) and numbers:

    AIWEBENGINE_PREDECESSOR={"pid": 4711, "listening": 3, "lock": 4, "tell": 5, "gone": 6,
                             "managed": false, "pidfile": null}

    listening   the socket on which both accept
    lock        holds the data folder's lock; one open file, so there is no moment without it
    tell        this server writes one line of JSON: {"ready": true} or {"failed": "why"}
    gone        ends (is closed by the kernel) when the predecessor process has exited
    managed     the socket is a service manager's, and not where the settings say
    pidfile     what names the process that serves, if anything does

From a service manager, by the protocol of systemd's sd_listen_fds(3): LISTEN_PID is this
process, LISTEN_FDS says how many descriptors there are, from 3.
"""

from __future__ import annotations

import json
import os
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

from aiwebengine.errors import CannotStart

PREDECESSOR = "AIWEBENGINE_PREDECESSOR"
_FIRST = 3
_NUMBERS = ("listening", "lock", "tell", "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class InheritedDescriptors:
    """Descriptors; None for what was not inherited."""

    listening: int | None = None
    lock: int | None = None
    tell: int | None = None
    gone: int | None = None
    managed: bool = False
    """A service manager opened the listening socket."""
    pidfile: str | None = None
    """Absolute path."""

    @property
    def succeeds(self) -> bool:
        """Return whether there is a predecessor."""
        return self.tell is not None


NOTHING = InheritedDescriptors()


def inherited(environ: MutableMapping[str, str], *, pid: int, parent: int) -> InheritedDescriptors:
    """
    Read what *environ* says, and remove it: it is meant for this process alone.

    Args:
        pid: Of this process.
        parent: Of the one that started it.

    Raises:
        CannotStart: A service manager passed what cannot be used.
    """
    value = environ.pop(PREDECESSOR, "")
    listen_pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if value:
        descriptors = _from_predecessor(value, parent)
        if descriptors is not None:
            _keep_private(descriptors)
            return descriptors
    if listen_pid != str(pid) or not count.isdigit() or count == "0":
        return NOTHING
    if count != "1":
        raise CannotStart(
            f"The service manager passed {count} sockets (LISTEN_FDS); the server listens on one. "
            "Leave one ListenStream= in the socket unit."
        )
    descriptors = InheritedDescriptors(listening=_FIRST, managed=True)
    _keep_private(descriptors)
    return descriptors


def message(*, pid: int, what: InheritedDescriptors) -> str:
    """Return the variable's value for a successor; see the module."""
    return json.dumps({"pid": pid, **asdict(what)})


def _from_predecessor(value: str, parent: int) -> InheritedDescriptors | None:
    try:
        document: dict[str, Any] = json.loads(value)
        if document["pid"] != parent:
            return None
        numbers = {name: int(document[name]) for name in _NUMBERS}
        return InheritedDescriptors(**numbers, managed=bool(document["managed"]), pidfile=document["pidfile"])
    except (ValueError, KeyError, TypeError):
        return None


def _keep_private(descriptors: InheritedDescriptors) -> None:
    """Have no process that this one starts inherit them by accident."""
    for descriptor in (descriptors.listening, descriptors.lock, descriptors.tell, descriptors.gone):
        if descriptor is None:
            continue
        try:
            os.set_inheritable(descriptor, False)
        except OSError as error:
            raise CannotStart(
                f"The descriptor {descriptor} that was passed to the server is not open: {error.strerror}."
            ) from error
