"""`python -P -m sandbox --control-fd N`: the zygote, on an inherited control socket."""

from __future__ import annotations

import argparse
import signal
import socket

from sandbox.zygote import leave_terminal, run_zygote


def main() -> None:
    """Parse arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Runs scripts for aiwebengine.")
    parser.add_argument("--control-fd", type=int, required=True, help="descriptor of the control socket")
    arguments = parser.parse_args()
    leave_terminal()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    run_zygote(socket.socket(fileno=arguments.control_fd))


main()
