"""What protects scripts' processes on this machine."""

from __future__ import annotations

import os
import sys
from typing import Any

from sandbox.lockdown import rlimits


def report(*, network: bool) -> dict[str, Any]:
    """
    Tell what holds.

    Args:
        network: Whether the network namespace is empty.

    Returns:
        `user`: whether children run as another user than the server; `network`: whether theirs is
        empty; `limits`: whether memory and descriptors are limited; `stack`: whether the stack is
        large enough; `platform`.
    """
    return {
        "platform": sys.platform,
        "user": os.geteuid() == 0,
        "network": network,
        "limits": rlimits.address_space() > 0,
        "stack": rlimits.stack_is_enough(),
        "no_new_privileges": sys.platform == "linux",
    }
