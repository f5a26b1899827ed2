"""
The sandbox as a program.

    python -P -m sandbox --control-fd N [--surface-fd M]
                                  the zygote, on an inherited control socket; see `surface.py`
    python -P -m sandbox --report
                                  what protects scripts' processes here, as one line of JSON
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys

from sandbox.engine import EngineFailed
from sandbox.lockdown import namespaces, rlimits, seccomp
from sandbox.lockdown.report import report
from sandbox.surface import NOTHING, read_surface
from sandbox.zygote import leave_terminal, run_zygote

UNLOADABLE = 3
"""The exit status that says: starting this program again is of no use."""

_LONGEST_REASON = 1500


def main() -> int:
    """
    Parse arguments and serve.

    Returns:
        The exit status: `UNLOADABLE` if the prelude cannot be loaded; the last line of standard error says why.
    """
    parser = argparse.ArgumentParser(
        prog="python -P -m sandbox", description="Runs scripts for aiwebengine, which starts this program itself."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--control-fd", type=int, help="descriptor of the control socket (AF_UNIX, SOCK_SEQPACKET)")
    what.add_argument(
        "--report", action="store_true", help="print which protections of script processes work, and exit"
    )
    parser.add_argument("--surface-fd", type=int, help="descriptor to read the declarations of the host calls from")
    arguments = parser.parse_args()
    if arguments.report:
        rlimits.raise_stack()
        sys.stdout.write(json.dumps(report(network=namespaces.empty_network(), calls=seccomp.programs())) + "\n")
        return 0
    try:
        control = socket.socket(fileno=arguments.control_fd)
    except OSError as error:
        parser.error(f"descriptor {arguments.control_fd} is no socket: {error.strerror}")
    leave_terminal()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        run_zygote(control, NOTHING if arguments.surface_fd is None else read_surface(arguments.surface_fd))
    except EngineFailed as error:
        reason = " ".join(str(error).split("\n", 1)[0].split())
        sys.stderr.write(f"{reason[:_LONGEST_REASON]}\n")
        return UNLOADABLE
    return 0


sys.exit(main())
