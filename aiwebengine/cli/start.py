"""The first step of the command `aiwebengine`: what must be done before anything is imported."""

from __future__ import annotations

import os
import signal

from aiwebengine.cli.early import hold


def main() -> None:
    """Run the command line; Ctrl-C while it is being imported ends it with the code 130 and no traceback."""
    hold()
    interrupted = signal.getsignal(signal.SIGINT)
    if interrupted is signal.default_int_handler:
        # Nothing has begun, so nothing is to be cleaned up.
        signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(130))
    from aiwebengine.cli.main import main as run  # noqa: PLC0415  It takes long: signals come first.

    signal.signal(signal.SIGINT, interrupted)
    run()
