"""An engine as a whole: what it is made of, and what it may be given.  `app.py` builds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred

from aiwebengine.build.builder import Builder
from aiwebengine.host.dispatch import Group
from aiwebengine.host.effects import Effects
from aiwebengine.observe.logs import ScriptLogs
from aiwebengine.observe.points import Passed, unwatched
from aiwebengine.observe.services import OrderedServices
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.runner import Runner
from aiwebengine.runtime.zygote import Zygote
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.services.outbox import Deliver
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What an engine is given beyond its own parts."""

    groups: Sequence[Group] = ()
    """Host calls that scripts may make."""
    effects: Mapping[str, Effects] = field(default_factory=dict)
    """By group name, who carries out the effects that these calls hold back."""
    deliver: Mapping[str, Deliver] = field(default_factory=dict)
    """By kind, who delivers the messages that these effects publish."""
    passed: Passed = unwatched
    """Told of the points that an invocation passes; see `observe/points.py`."""


NOTHING_MORE = Extensions()
