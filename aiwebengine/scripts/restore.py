"""The stored scripts at the start of the server."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from aiwebengine.scripts.deploy import Deployer


class Restore(Service):
    """
    Lets the stored scripts serve again.

    Args:
        deployer: Does it.
    """

    def __init__(self, *, deployer: Deployer) -> None:
        self._deployer = deployer

    def startService(self) -> Deferred[int]:
        """Read the scripts; nothing is built and no child is started."""
        super().startService()
        return Deferred.fromCoroutine(self._deployer.restore())
