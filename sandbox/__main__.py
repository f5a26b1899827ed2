"""`python -P -m sandbox --control-fd N`: the zygote, on an inherited control socket."""

from __future__ import annotations

import argparse
import signal
import socket
import sys

from sandbox.engine import EngineFailed
from sandbox.zygote import leave_terminal, run_zygote


def main() -> int:
    """
    Parse arguments and serve.

    Returns:
        The exit status: 1 if the prelude cannot be loaded, with the reason on standard error.
    """
    parser = argparse.ArgumentParser(
        prog="python -P -m sandbox", description="Runs scripts for aiwebengine, which starts this program itself."
    )
    parser.add_argument(
        "--control-fd", type=int, required=True, help="descriptor of the control socket (AF_UNIX, SOCK_SEQPACKET)"
    )
    arguments = parser.parse_args()
    try:
        control = socket.socket(fileno=arguments.control_fd)
    except OSError as error:
        parser.error(f"descriptor {arguments.control_fd} is no socket: {error.strerror}")
    leave_terminal()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        run_zygote(control)
    except EngineFailed as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


sys.exit(main())
