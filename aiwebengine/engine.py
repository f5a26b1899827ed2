"""An engine as a whole; `app.py` builds it."""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.defer import Deferred

from aiwebengine.build.builder import Builder
from aiwebengine.observe.logs import ScriptLogs
from aiwebengine.observe.services import OrderedServices
from aiwebengine.runtime.processes.zygote import Zygote
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.runner import Runner
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.web.handover import Handover
from aiwebengine.web.listener import Ready
from aiwebengine.web.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine, built; start `service` to run it."""

    service: OrderedServices
    ready: Deferred[Ready]
    """Fires when requests are answered; fails if the start does."""
    current: Current
    runner: Runner
    zygote: Zygote
    builder: Builder
    deployer: Deployer
    logs: ScriptLogs
    site: Site
    handover: Handover
